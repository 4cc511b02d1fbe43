import {
  buildClaimBatch,
  openClaimBatchRecord,
  readLaboratoryClaim,
  readPharmacyClaim,
  type AdjudicatedClaim,
  type ClaimBatchEvent,
  type ClaimBatchEventName,
  type LaboratoryClaimLine,
  type LineStanding,
  type OpenedGroup,
} from "../../sdk/src/claims";
import { generateSealingKeys } from "../../sdk/src/encryption";

import { escrow, laboratory, pharmacy, rulebook, token } from "./claimBatchFixture";

// Published accounts of Hardhat's test mnemonic.
export const plan = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
export const supplement = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65";
export const third = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc";
export const account = "0x976EA74026E726554dB657fA54763abd0C3a0aa9";

/** What a payer says of one test: all amounts in dollars. What the charge is above the allowed amount is contractual. */
export type Answer = Pick<LaboratoryClaimLine, "charge" | "allowed" | "patientResponsibility" | "planPays"> &
  Partial<LaboratoryClaimLine>;

/** A payer's answer to a laboratory claim of as many tests as there are answers; made up but for the form. */
export const answerOf = (answers: readonly Answer[], claimId = "L-1", accessionNumber = "ACC-1"): AdjudicatedClaim =>
  readLaboratoryClaim(
    {
      kind: "laboratory",
      claimId,
      currency: "USD",
      claimStatusCode: "1",
      laboratoryNpi: "1234567893",
      clia: "99D9999999",
      accessionNumber,
      collectionDate: "2026-01-15",
      lines: answers.map((answer, i) => ({ lineNumber: i + 1, procedureCode: `T${i + 1}`, ...answer })),
    },
    { payee: laboratory },
  );

/** Charge 100.00, allowed 90.00: the plan pays 60, the supplement 20, the account 6, and 4 are left. */
export const usual = {
  primary: answerOf([{ charge: "100", allowed: "90", patientResponsibility: "30", planPays: "60" }]),
  secondary: answerOf([
    { charge: "100", allowed: "90", patientResponsibility: "10", otherPayers: "60", planPays: "20" },
  ]),
  account: answerOf([{ charge: "100", allowed: "90", patientResponsibility: "4", otherPayers: "80", planPays: "6" }]),
};

/** A fill of 30 tablets, of which a plan pays `paid` of 90.00. */
export const fillOf = (paid: string, patientPayAmount: string, others?: string): AdjudicatedClaim =>
  readPharmacyClaim(
    {
      kind: "pharmacy",
      claimId: "F-1",
      currency: "USD",
      transactionResponseStatus: "P",
      pharmacyNpi: "1234567893",
      prescriptionReferenceNumber: "7700001",
      fillNumber: 0,
      dateOfService: "2026-01-15",
      productServiceId: "00000000000",
      quantityDispensed: "30",
      unitOfMeasure: "EA",
      daysSupply: 30,
      ingredientCostPaid: "90.00",
      patientPayAmount,
      ...(others === undefined ? {} : { otherPayerAmountRecognized: others }),
      totalAmountPaid: paid,
    },
    { payee: pharmacy },
  );

/** The one group of a batch of these claims. */
export async function groupOf(payer: string, claims: readonly AdjudicatedClaim[]): Promise<OpenedGroup> {
  const { publicKey } = await generateSealingKeys();
  const payeeKeys = Object.fromEntries(claims.map(({ payee }) => [payee, { publicKey, version: 1 }]));
  const eventBy = new Date("2026-02-01T00:00:00Z");
  const built = await buildClaimBatch({ chainId: 31337, escrow, payer, token, rulebook, eventBy, claims, payeeKeys });
  const [group, second] = openClaimBatchRecord(built.record).opened;
  if (group === undefined || second !== undefined) throw new Error("a batch of one group is asked for");
  return group;
}

/** An event of the escrow as history gives it, at its place in the list. */
export const happened = (
  list: readonly (readonly [ClaimBatchEventName, Record<string, unknown>])[],
): ClaimBatchEvent[] =>
  list.map(
    ([name, args], logIndex) =>
      ({
        contract: "ClaimEscrow",
        name,
        args,
        id: `0x${logIndex}`,
        txHash: "0x",
        blockHash: "0x",
        blockNumber: 1,
        logIndex,
        cursor: "",
      }) as unknown as ClaimBatchEvent,
  );

/** The first line of a group, standing as told; open unless said otherwise. */
export const standing = (
  group: OpenedGroup,
  { state = "open", paid = 0n, givenBack = 0n, index = 0 }: Partial<LineStanding> & { index?: number } = {},
): LineStanding => {
  const line = group.lines[index];
  if (line === undefined) throw new Error(`no line ${index}`);
  const { batchId, payee, terms } = group;
  return { payer: terms.payer, payee, batchId, token: group.token, line, state, paid, givenBack };
};
