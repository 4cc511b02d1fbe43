import {
  buildClaimBatch,
  readLaboratoryClaim,
  readPharmacyClaim,
  type AdjudicatedClaim,
  type BuiltClaimBatch,
  type ClaimBatchInput,
} from "../../sdk/src/claims";
import { generateSealingKeys, type SealingKeyPair } from "../../sdk/src/encryption";

// Published accounts of Hardhat's test mnemonic, in ascending order.
export const laboratory = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC";
export const pharmacy = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
export const payer = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
export const attester = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
export const escrow = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
export const token = { address: "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512", symbol: "tUSD", decimals: 6 };
export const zero = "0x" + "00".repeat(20);

export const rulebook = {
  attesterGroups: [{ threshold: 1, above: 0n, attesters: [attester] }],
  workflow: { id: "0x" + "00".repeat(32), owner: zero, name: "0x" + "00".repeat(10) },
  eventKinds: 3,
  grace: 259_200,
  challengePeriod: 0,
  arbiter: zero,
  arbiterDeadline: 0,
  arbiterDefault: 0,
  bond: 0n,
  retentionBps: 0,
  lookBack: 0,
  suspender: zero,
  documentHash: "0x" + "00".repeat(32),
};

export const fill = (prescriptionReferenceNumber: string, paid: string, payee = pharmacy): AdjudicatedClaim =>
  readPharmacyClaim(
    {
      kind: "pharmacy",
      claimId: `A-${prescriptionReferenceNumber}`,
      currency: "USD",
      transactionResponseStatus: "P",
      pharmacyNpi: "1234567893",
      prescriptionReferenceNumber,
      fillNumber: 0,
      dateOfService: "2026-01-15",
      productServiceId: "00000000000",
      quantityDispensed: "30",
      daysSupply: 30,
      ingredientCostPaid: paid,
      patientPayAmount: "0",
      totalAmountPaid: paid,
    },
    { payee },
  );

export const tests = (): AdjudicatedClaim =>
  readLaboratoryClaim(
    {
      kind: "laboratory",
      claimId: "L-1",
      currency: "USD",
      claimStatusCode: "1",
      laboratoryNpi: "1234567893",
      clia: "99D9999999",
      accessionNumber: "ACC-1",
      collectionDate: "2026-01-15",
      lines: [
        { lineNumber: 1, procedureCode: "T1", charge: 75, allowed: 75, patientResponsibility: 0, planPays: 75 },
        { lineNumber: 2, procedureCode: "T2", charge: 20, allowed: 20, patientResponsibility: 20, planPays: 0 },
        { lineNumber: 3, procedureCode: "T3", charge: 40, allowed: 30, patientResponsibility: 0, planPays: 30 },
      ],
      sensitivity: "R",
      consentReference: "Consent/1",
    },
    { payee: laboratory },
  );

/** Counts up instead of drawing at random. */
export const counter = (): ((length: number) => Uint8Array) => {
  let drawn = 0;
  return (length) => new Uint8Array(length).fill(++drawn % 256);
};

/** What a batch of a pharmacy's two fills and a laboratory's three tests is made of, and the payees' private keys. */
export interface Fixture {
  laboratoryKeys: SealingKeyPair;
  pharmacyKeys: SealingKeyPair;
  input: ClaimBatchInput;
  built: BuiltClaimBatch;
}

export async function makeClaimBatch(): Promise<Fixture> {
  const laboratoryKeys = await generateSealingKeys();
  const pharmacyKeys = await generateSealingKeys();
  const input = {
    chainId: 31337,
    escrow,
    payer,
    token,
    rulebook,
    eventBy: new Date("2026-02-01T00:00:00Z"),
    claims: [fill("1", "90.00"), tests(), fill("2", "12.34")],
    payeeKeys: {
      [laboratory]: { publicKey: laboratoryKeys.publicKey, version: 1 },
      [pharmacy.toLowerCase()]: { publicKey: pharmacyKeys.publicKey, version: 7 },
    },
  };
  return { laboratoryKeys, pharmacyKeys, input, built: await buildClaimBatch({ ...input, random: counter() }) };
}

/** Element of a JSON value by its path. */
export function valueAt(document: unknown, path: string): unknown {
  const names = path.match(/[^.[\]]+/g) ?? [];
  return names.reduce<unknown>((node, name) => (node as Record<string, unknown>)[name], document);
}

/** The smallest change to a JSON value that leaves it plausible. */
export function mutate(value: unknown): unknown {
  if (typeof value === "number") return value + 1;
  if (typeof value === "boolean") return !value;
  if (typeof value === "string") {
    const last = value.slice(-1);
    return value.slice(0, -1) + (last === "1" ? "2" : "1");
  }
  if (Array.isArray(value)) return value.length === 0 ? [1] : value.slice(1);
  return { ...(value as object), extra: 1 };
}
