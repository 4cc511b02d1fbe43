import { ethers } from "hardhat";

import {
  attestationDigestOf,
  buildClaimBatch,
  encodeResults,
  escrowDomain,
  escrowTypes,
  groupResultsOf,
  linesLeafOf,
  manifestLeafHashOf,
  manifestTreeOf,
  openClaimBatchRecord,
  packGroup,
  packGroupLines,
  readPharmacyClaim,
  resultShapeOf,
  type AdjudicatedClaim,
  type BuiltClaimBatch,
  type ClaimBatchInput,
  type GroupResult,
  type OpenedRecord,
  type PharmacyClaim,
} from "@carepact/sdk/claims";
import { canonicalJson, generateSealingKeys } from "@carepact/sdk/encryption";
import { dispenseResult, lineResultOf } from "@carepact/sdk/fhir";
import { simpleRulebook, type Rulebook } from "@carepact/sdk/rulebooks";

/** Where the example is deployed. Another address would give another batch id, and the same of everything before it. */
export const CHAIN_ID = 31337;
export const ESCROW = "0x1111111111111111111111111111111111111111";
export const TOKEN = { address: "0x2222222222222222222222222222222222222222", symbol: "TUSD", decimals: 6 };
/** 1 March 2030, 00:00 UTC. */
export const EVENT_BY = 1_898_553_600;
/** 20 February 2030, 12:00 UTC, and 90 days later. */
export const OBSERVED_AT = 1_897_819_200;
export const VALID_UNTIL = OBSERVED_AT + 90 * 24 * 60 * 60;
export const EVIDENCE = `0x${"ee".repeat(32)}`;

// Accounts that Hardhat publishes, in the order of its mnemonic.
export const PAYER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
export const PHARMACY_B = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
export const PHARMACY_A = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
export const ATTESTERS = [
  "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
  "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
  "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
];

/** The payer's answer to a fill, made up but for the form. */
const answer = (prescriptionReferenceNumber: string, paid: string): PharmacyClaim => ({
  kind: "pharmacy",
  claimId: `A-${prescriptionReferenceNumber}`,
  currency: "USD",
  transactionResponseStatus: "P",
  pharmacyNpi: "1234567893",
  prescriptionReferenceNumber,
  fillNumber: 0,
  dateOfService: "2030-02-18",
  productServiceId: "00000000000",
  quantityDispensed: "30",
  daysSupply: 30,
  ingredientCostPaid: paid,
  patientPayAmount: "0.00",
  totalAmountPaid: paid,
});

// In the order of its lines too: they stand in the order of their event salts, which count up here.
const fills: { payee: string; answer: PharmacyClaim; dispensed: number }[] = [
  { payee: PHARMACY_A, answer: answer("100001", "90.00"), dispensed: 30 },
  { payee: PHARMACY_A, answer: answer("100002", "12.50"), dispensed: 18 },
  { payee: PHARMACY_B, answer: answer("200001", "45.00"), dispensed: 30 },
];

/** The adjudicated claims of the example, paid to these accounts. */
export function claimsOf(accounts: Readonly<Record<string, string>> = {}): AdjudicatedClaim[] {
  return fills.map(({ payee, answer }) => readPharmacyClaim(answer, { payee: accounts[payee] ?? payee }));
}

/** What was dispensed, as an attester's FHIR server tells it, read against the lines of an opened batch. */
export function resultsOf({ opened }: OpenedRecord): GroupResult[] {
  const dispensed = new Map(fills.map(({ answer, dispensed }) => [answer.claimId, dispensed]));
  return groupResultsOf(
    opened.map(({ lines }) =>
      lines.map(({ amount, detail }) =>
        lineResultOf(
          dispenseResult(
            {
              resourceType: "MedicationDispense",
              status: "completed",
              medicationCodeableConcept: { text: "A medicine" },
              quantity: { value: dispensed.get(detail.claimId) as number },
              whenHandedOver: "2030-02-20",
            },
            { amount, ...(detail.quantity && { billed: detail.quantity }) },
          ),
        ),
      ),
    ),
  );
}

export const rulebook: Rulebook = simpleRulebook({
  attesters: ATTESTERS,
  threshold: 2,
  eventKinds: 1,
  grace: 3 * 24 * 60 * 60,
});

/** Salts count up from 1 so that a reader can recompute everything: the first is 0x0101…, the next 0x0202…, and so on. */
function countingSalts(): (length: number) => Uint8Array {
  let drawn = 0;
  return (length) => new Uint8Array(length).fill(++drawn);
}

/** The example, or what it is elsewhere. */
export async function buildExample(change: Partial<ClaimBatchInput> = {}): Promise<BuiltClaimBatch> {
  const { publicKey } = await generateSealingKeys();
  return buildClaimBatch({
    chainId: CHAIN_ID,
    escrow: ESCROW,
    payer: PAYER,
    token: TOKEN,
    rulebook,
    eventBy: EVENT_BY,
    claims: claimsOf(),
    payeeKeys: { [PHARMACY_A]: { publicKey, version: 1 }, [PHARMACY_B]: { publicKey, version: 1 } },
    random: countingSalts(),
    ...change,
  });
}

const bytes32 = (word: bigint): string => ethers.toBeHex(word, 32);

/** Canonical JSON of event, claim and detail of line 0. */
export function textsOf({ record }: BuiltClaimBatch): string[] {
  const [part] = record.parts;
  const [line] = part?.lines ?? [];
  return [line?.event, part?.claims[line?.claim ?? 0]?.resource, line?.detail].map((value) => canonicalJson(value));
}

/** Every value of the page, by the name it has there. */
export async function computeValues(built: BuiltClaimBatch): Promise<Record<string, string>> {
  const { batchId, terms, groups } = built;
  const record = openClaimBatchRecord(built.record);
  const [a, b] = record.opened;
  const [first, second] = a?.lines ?? [];
  const [third] = b?.lines ?? [];
  if (!a || !b || !first || !second || !third) throw new Error("The example has two groups, of two lines and of one.");
  const lines = [first, second, third];
  const linesTree = manifestTreeOf(record.opened.map(({ groupLines }) => linesLeafOf(groupLines)));
  const detailsTree = manifestTreeOf(lines.map(({ leaf }) => manifestLeafHashOf(leaf)));
  const results = encodeResults(resultsOf(record), resultShapeOf(record, record.opened));
  const statement = { batchId, results, observedAt: OBSERVED_AT, validUntil: VALID_UNTIL, evidence: EVIDENCE };
  const met = encodeResults([{ result: "met" }, { result: "met" }], resultShapeOf(record));
  const signers = await ethers.getSigners();
  const signatureOf = async (attester: string): Promise<string> => {
    const signer = signers.find(({ address }) => address === attester);
    if (signer === undefined) throw new Error(`${attester} is not one of Hardhat's accounts.`);
    return signer.signTypedData(escrowDomain(record), { Attestation: escrowTypes.Attestation }, statement);
  };
  return {
    "group 0": bytes32(packGroup(groups[0]!)),
    "group 1": bytes32(packGroup(groups[1]!)),
    groupsHash: terms.groupsHash,
    "amounts of group 0": packGroupLines(a.groupLines).amounts,
    "amounts of group 1": packGroupLines(b.groupLines).amounts,
    "salt of group 0": a.groupLines.salt,
    "salt of group 1": b.groupLines.salt,
    "leaf of group 0": linesLeafOf(a.groupLines),
    "leaf of group 1": linesLeafOf(b.groupLines),
    linesRoot: linesTree.root,
    "event salt of line 0": first.salts.event,
    "content salt of line 0": first.salts.content,
    "detail salt of line 0": first.salts.detail,
    "eventKey of line 0": first.leaf.eventKey,
    "contentHash of line 0": first.leaf.contentHash,
    "detailHash of line 0": first.leaf.detailHash,
    "leaf of line 0": manifestLeafHashOf(first.leaf),
    "leaf of line 1": manifestLeafHashOf(second.leaf),
    "leaf of line 2": manifestLeafHashOf(third.leaf),
    detailRoot: detailsTree.root,
    manifestRoot: terms.manifestRoot,
    rulebook: terms.rulebook,
    batchId,
    "results, all met": met,
    results,
    digest: attestationDigestOf(statement, { chainId: CHAIN_ID, escrow: ESCROW }),
    "first signature": await signatureOf(ATTESTERS[1]!),
    "second signature": await signatureOf(ATTESTERS[0]!),
  };
}
