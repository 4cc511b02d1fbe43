import type { Currency } from "../../money";
import type { AdjudicatedClaim, AdjudicatedLine, Adjustment, ClaimKind, LineReference } from "../input/adjudicated";

/** What the payer decided about a line, as the manifest commits to it. Amounts in base units of `currency`. */
export interface LineDetail {
  claimId: string;
  kind: ClaimKind;
  lineNumber: number;
  currency: Currency;
  quantity?: { value: string; unit?: string };
  charge: bigint;
  allowed: bigint;
  patientShare: bigint;
  otherPayers: bigint;
  adjustments: Adjustment[];
  planPays: bigint;
  /** See `AdjudicatedLine.replaces`. */
  replaces?: LineReference;
  /** HL7 Confidentiality code. */
  sensitivity?: string;
  consentReference?: string;
}

/** Amounts of a line. */
export type AmountName = "charge" | "allowed" | "patientShare" | "otherPayers" | "planPays";

/** The same as JSON carries it: amounts as decimal strings. */
export type LineDetailJson = Omit<LineDetail, AmountName | "adjustments"> & {
  [Name in AmountName]: string;
} & { adjustments: (Omit<Adjustment, "amount"> & { amount: string })[] };

/** The detail of a line of an adjudicated claim. */
export function detailOf(claim: AdjudicatedClaim, line: AdjudicatedLine): LineDetailJson {
  const { code, decimals } = claim.currency;
  return {
    claimId: claim.claimId,
    kind: claim.kind,
    lineNumber: line.lineNumber,
    currency: { code, decimals },
    ...(line.quantity === undefined ? {} : { quantity: line.quantity }),
    charge: line.charge.toString(),
    allowed: line.allowed.toString(),
    patientShare: line.patientShare.toString(),
    otherPayers: line.otherPayers.toString(),
    adjustments: line.adjustments.map(({ group, reason, amount }) => ({ group, reason, amount: amount.toString() })),
    planPays: line.planPays.toString(),
    ...(line.replaces === undefined
      ? {}
      : { replaces: { claimId: line.replaces.claimId, lineNumber: line.replaces.lineNumber } }),
    ...(claim.sensitivity === undefined ? {} : { sensitivity: claim.sensitivity }),
    ...(claim.consentReference === undefined ? {} : { consentReference: claim.consentReference }),
  };
}

/** The detail in a document whose schema was checked. */
export function detailFromJson(json: LineDetailJson): LineDetail {
  return {
    ...json,
    charge: BigInt(json.charge),
    allowed: BigInt(json.allowed),
    patientShare: BigInt(json.patientShare),
    otherPayers: BigInt(json.otherPayers),
    adjustments: json.adjustments.map((entry) => ({ ...entry, amount: BigInt(entry.amount) })),
    planPays: BigInt(json.planPays),
  };
}
