import { CarepactError, type Json } from "../../errors";
import { formatAmount, type Currency } from "../../money";
import { requireAddress } from "../types";

import { eventKeyOf, type EventIdentity } from "./event";

/** What a claim is for: FHIR's claim types, and laboratory, which FHIR has none for. */
export type ClaimKind = "pharmacy" | "laboratory" | "professional" | "institutional" | "oral" | "vision";

/**
 * Why charge and payment differ (X12 835 CAS). The group says who bears the difference: CO the provider by contract, PR
 * the patient, PI the provider at the payer's initiative, OA others, CR a correction. Reasons are the payer's codes;
 * lists are not shipped, they are licensed.
 */
export interface Adjustment {
  group: AdjustmentGroup;
  reason: string;
  /** Base units of the claim's currency, zero or more. */
  amount: bigint;
}

export const adjustmentGroups = ["CO", "CR", "OA", "PI", "PR"] as const;
export type AdjustmentGroup = (typeof adjustmentGroups)[number];

/** A payer's decision on one line of a claim. Amounts in base units of the claim's currency. */
export interface AdjudicatedLine {
  lineNumber: number;
  event: EventIdentity;
  /** Quantity billed, as a decimal, where one was: a partly filled prescription is paid in proportion to it. */
  quantity?: { value: string; unit?: string };
  charge: bigint;
  /** What payers and patient pay together. */
  allowed: bigint;
  /** What the patient owes; collected outside. Equals the adjustments of group PR. */
  patientShare: bigint;
  /** What other payers paid (coordination of benefits); part of the adjustments of group OA. */
  otherPayers: bigint;
  adjustments: Adjustment[];
  /** What this payer pays: the line's amount in a claim batch. */
  planPays: bigint;
  /** The line that this one was billed anew for (X12 frequency 7), after that one was reversed or refunded. */
  replaces?: LineReference;
  /** As those of the claim, which these replace for this line. */
  patientKeys?: readonly string[];
}

/** A line of a claim. */
export interface LineReference {
  claimId: string;
  lineNumber: number;
}

/** A payer's decision on a claim, whatever format the claim came in. */
export interface AdjudicatedClaim {
  claimId: string;
  kind: ClaimKind;
  /** Account that is paid, EIP-55. */
  payee: string;
  currency: Currency;
  charge: bigint;
  planPays: bigint;
  lines: AdjudicatedLine[];
  /** Sensitivity label (HL7 Confidentiality code) of what the claim tells. */
  sensitivity?: string;
  /** Consent under which the claim may be shown, where one is needed. */
  consentReference?: string;
  /**
   * ERC-7913 signers (hex) that may say yes for the patient: the patient's one-time key, then those of personal
   * representatives. Made for this claim alone: the chain shows the one that signs.
   */
  patientKeys?: readonly string[];
  /** The claim as it came in. */
  resource: Json;
}

/** Which sum of a decision, or of several payers' decisions, fails. `charge - adjustments = planPays` is the 835's own. */
export type BalanceEquation =
  | "charge - adjustments = planPays"
  | "planPays + patientShare + otherPayers = allowed"
  | "allowed <= charge"
  | "adjustments of group PR = patientShare"
  | "adjustments of group OA >= otherPayers"
  | "sum of line charges = charge"
  | "sum of line planPays = planPays"
  | "sum of amounts paid = totalAmountPaid"
  | "deductible + coinsurance + copay = patientPayAmount"
  | "charge of every payer = charge"
  | "otherPayers = sum of payments before"
  | "patientShare = share before - account's payment"
  | "payers + patient + adjustments = charge"
  | "sum of fills paid <= planPays"
  | "sum of refunds = refunded";

/** @internal The error for a sum that fails. */
export function unbalanced(
  equation: BalanceEquation,
  path: string,
  currency: Currency,
  left: bigint,
  right: bigint,
): CarepactError {
  const show = (amount: bigint): string => formatAmount(amount, currency);
  return new CarepactError(
    "CLAIM_DOES_NOT_BALANCE",
    `${path} does not balance: ${equation} fails, ${show(left)} against ${show(right)}.`,
    { path, equation, left: show(left), right: show(right) },
  );
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);

/**
 * Checks that a decision balances, line by line and as a whole, and that no line or event is in it twice.
 * @throws CLAIM_DOES_NOT_BALANCE, CLAIM_DUPLICATE_LINE, AMOUNT_NEGATIVE, IDENTIFIER_INVALID, INPUT_INVALID
 */
export function requireBalanced(claim: AdjudicatedClaim): AdjudicatedClaim {
  const { currency } = claim;
  requireAddress(claim.payee, "payee");
  if (claim.lines.length === 0)
    throw new CarepactError("INPUT_INVALID", "A claim has at least one line.", {
      path: "lines",
      claimId: claim.claimId,
    });

  claim.lines.forEach((line, i) => requireLineBalanced(line, `lines[${i}]`, currency));
  requireDistinct(claim);

  const charges = sum(claim.lines.map((line) => line.charge));
  if (charges !== claim.charge)
    throw unbalanced("sum of line charges = charge", "claim", currency, charges, claim.charge);
  const payments = sum(claim.lines.map((line) => line.planPays));
  if (payments !== claim.planPays)
    throw unbalanced("sum of line planPays = planPays", "claim", currency, payments, claim.planPays);
  return claim;
}

/** @internal */
export function requireLineBalanced(line: Omit<AdjudicatedLine, "event">, path: string, currency: Currency): void {
  const { charge, allowed, patientShare, otherPayers, planPays, adjustments } = line;
  const amounts = { charge, allowed, patientShare, otherPayers, planPays };
  for (const [name, amount] of [
    ...Object.entries(amounts),
    ...adjustments.map(({ amount }, i): [string, bigint] => [`adjustments[${i}].amount`, amount]),
  ]) {
    if (typeof amount !== "bigint")
      throw new CarepactError("INPUT_INVALID", `${path}.${name} is not a bigint of base units.`, {
        path: `${path}.${name}`,
      });
    if (amount < 0n)
      throw new CarepactError("AMOUNT_NEGATIVE", `${path}.${name} is below zero.`, { path: `${path}.${name}`, amount });
  }

  const adjusted = (group?: AdjustmentGroup): bigint =>
    sum(adjustments.filter((entry) => group === undefined || entry.group === group).map((entry) => entry.amount));
  const check = (equation: BalanceEquation, left: bigint, right: bigint, holds = left === right): void => {
    if (!holds) throw unbalanced(equation, path, currency, left, right);
  };
  check("allowed <= charge", allowed, charge, allowed <= charge);
  check("charge - adjustments = planPays", charge - adjusted(), planPays);
  check("planPays + patientShare + otherPayers = allowed", planPays + patientShare + otherPayers, allowed);
  check("adjustments of group PR = patientShare", adjusted("PR"), patientShare);
  check("adjustments of group OA >= otherPayers", adjusted("OA"), otherPayers, adjusted("OA") >= otherPayers);
}

function requireDistinct(claim: AdjudicatedClaim): void {
  const numbers = new Set<number>();
  const events = new Map<string, number>();
  const replaced = new Map<string, number>();
  for (const { lineNumber, event, replaces } of claim.lines) {
    if (numbers.has(lineNumber))
      throw new CarepactError("CLAIM_DUPLICATE_LINE", `Claim ${claim.claimId} has line ${lineNumber} twice.`, {
        claimId: claim.claimId,
        lineNumber,
      });
    numbers.add(lineNumber);
    const key = eventKeyOf(event);
    const earlier = events.get(key);
    if (earlier !== undefined)
      throw new CarepactError(
        "CLAIM_DUPLICATE_LINE",
        `Lines ${earlier} and ${lineNumber} of claim ${claim.claimId} bill the same event; bill it once, with its quantity.`,
        { claimId: claim.claimId, lineNumber, earlier },
      );
    events.set(key, lineNumber);
    if (replaces === undefined) continue;
    const old = `${replaces.lineNumber} ${replaces.claimId}`;
    const other = replaced.get(old);
    if (other !== undefined)
      throw new CarepactError(
        "CLAIM_DUPLICATE_LINE",
        `Lines ${other} and ${lineNumber} of claim ${claim.claimId} replace the same line.`,
        { claimId: claim.claimId, lineNumber, earlier: other },
      );
    replaced.set(old, lineNumber);
  }
}
