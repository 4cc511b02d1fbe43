import { CarepactError } from "../../errors";
import type { Currency } from "../../money";
import {
  requireBalanced,
  type AdjudicatedClaim,
  type AdjudicatedLine,
  type Adjustment,
  type ClaimKind,
} from "../input";

import { keptClaimOf } from "./kept";
import { sumOf, type Counter } from "./money";
import type { DecidedLine } from "./replay";
import type { ClaimStatus, LineOutcome, RemittanceQuery, RemittedClaim, RemittedLine } from "./types";

/** Reason (835 CAS02) of what was decided and not paid, since its event did not happen or not all of it. */
const UNPAID_REASON = "112";

/** A line with the claim that it is of. */
export interface ClaimLine {
  claimId: string;
  kind: ClaimKind;
  line: RemittedLine;
}

/** A decided line as a remittance tells it. @throws AMOUNT_TOO_PRECISE */
export function decidedLine(
  { line, outcome, paid: earned, source }: DecidedLine,
  counter: Counter,
  unpaidReason = UNPAID_REASON,
): ClaimLine {
  const { detail, event, resource, leaf } = line;
  const paid = counter.exact(earned, `claim ${detail.claimId}, line ${detail.lineNumber}`);
  const short = detail.planPays - paid;
  const unpaid = (amount: bigint): Adjustment[] =>
    amount === 0n ? [] : [{ group: "CO", reason: unpaidReason, amount }];
  // Where nothing was done nobody owes anything, and no other payer's part is left to tell.
  const nothing = paid === 0n;
  return {
    claimId: detail.claimId,
    kind: detail.kind,
    line: {
      lineNumber: detail.lineNumber,
      outcome,
      event,
      ...(detail.quantity === undefined ? {} : { quantity: detail.quantity }),
      charge: detail.charge,
      paid,
      patientShare: nothing ? 0n : detail.patientShare,
      otherPayers: nothing ? 0n : detail.otherPayers,
      adjustments: nothing ? unpaid(detail.charge) : [...detail.adjustments, ...unpaid(short)],
      source: { ...source, line: leaf.line },
      resource,
    },
  };
}

/** Lines of decisions that no batch stands for. @throws what `requireBalanced` throws, CURRENCY_MISMATCH, INPUT_INVALID */
export function statedLines(
  claim: AdjudicatedClaim,
  outcome: "stated" | "corrected",
  { payee, counter, path }: { payee: string; counter: Counter; path: string },
): ClaimLine[] {
  requireBalanced(claim);
  if (claim.payee !== payee)
    throw new CarepactError("INPUT_INVALID", `${path} is a claim of ${claim.payee}, not of the payee.`, { path });
  const { code, decimals } = claim.currency;
  if (code !== counter.currency.code || decimals !== counter.currency.decimals)
    throw new CarepactError("CURRENCY_MISMATCH", `${path} is in ${code}, the batches in ${counter.currency.code}.`, {
      path,
    });
  const paid = claim.lines.find(({ planPays }) => planPays > 0n);
  if (outcome === "stated" && paid !== undefined)
    throw new CarepactError(
      "INPUT_INVALID",
      `${path} says that line ${paid.lineNumber} of claim ${claim.claimId} is paid: amounts paid come from events alone.`,
      { path, claimId: claim.claimId, lineNumber: paid.lineNumber },
    );
  return claim.lines.map((line) => ({
    claimId: claim.claimId,
    kind: claim.kind,
    line: statedLine(claim, line, outcome),
  }));
}

const statedLine = (
  { resource }: AdjudicatedClaim,
  { lineNumber, event, quantity, charge, planPays, patientShare, otherPayers, adjustments }: AdjudicatedLine,
  outcome: LineOutcome,
): RemittedLine => ({
  lineNumber,
  outcome,
  event,
  ...(quantity === undefined ? {} : { quantity }),
  charge,
  paid: planPays,
  patientShare,
  otherPayers,
  adjustments,
  resource,
});

/** The line with every amount below zero, as the reversal of a payment has it. */
export const reversedLine = ({ claimId, kind, line }: ClaimLine): ClaimLine => ({
  claimId,
  kind,
  line: {
    ...line,
    outcome: "reversed",
    charge: -line.charge,
    paid: -line.paid,
    patientShare: -line.patientShare,
    otherPayers: -line.otherPayers,
    adjustments: line.adjustments.map((entry) => ({ ...entry, amount: -entry.amount })),
  },
});

/**
 * Claims in the order of their first lines, lines by number. A line number that comes again (a line was billed anew) begins
 * another claim of the same id.
 */
export function claimsOf(
  lines: readonly ClaimLine[],
  currency: Currency,
  rankOf: RemittanceQuery["rankOf"],
): RemittedClaim[] {
  const made: ClaimLine[][] = [];
  const last = new Map<string, ClaimLine[]>();
  for (const one of lines) {
    const isReversed = one.line.outcome === "reversed";
    const key = JSON.stringify([one.claimId, one.kind, isReversed]);
    const claim = last.get(key);
    if (claim !== undefined && !claim.some(({ line }) => line.lineNumber === one.line.lineNumber)) {
      claim.push(one);
      continue;
    }
    const begun = [one];
    last.set(key, begun);
    made.push(begun);
  }
  return made.map((claim) => claimOf(claim, currency, rankOf));
}

function claimOf(parts: readonly ClaimLine[], currency: Currency, rankOf: RemittanceQuery["rankOf"]): RemittedClaim {
  const { claimId, kind } = parts[0] as ClaimLine;
  const lines = parts.map(({ line }) => line).sort((a, b) => a.lineNumber - b.lineNumber);
  const total = (name: "charge" | "paid" | "patientShare"): bigint => sumOf(lines.map((line) => line[name]));
  const claim: RemittedClaim = {
    claimId,
    kind,
    status: "1",
    charge: total("charge"),
    paid: total("paid"),
    patientShare: total("patientShare"),
    lines,
  };
  return { ...claim, status: statusOf(claim, currency, rankOf) };
}

function statusOf(claim: RemittedClaim, currency: Currency, rankOf: RemittanceQuery["rankOf"]): ClaimStatus {
  if (claim.lines.some(({ outcome }) => outcome === "reversed")) return "22";
  const kept = keptClaimOf(claim.lines, currency);
  // What a plan leaves to the patient was processed; what nobody owes was denied.
  if (claim.paid === 0n && claim.patientShare === 0n && kept?.isDenied !== false) return "4";
  const own = rankOf?.(claim) ?? kept?.rank;
  return own ?? (claim.lines.some(({ otherPayers }) => otherPayers > 0n) ? "2" : "1");
}

/**
 * The part of a decision for which a batch has no line, since the plan pays nothing: what `RemittanceQuery.statements` takes.
 * @returns undefined where the plan pays something for every line
 */
export function unpaidPartOf(claim: AdjudicatedClaim): AdjudicatedClaim | undefined {
  return partOf(claim, ({ planPays }) => planPays === 0n);
}

/** @internal The part of a decision that has some of its lines; undefined where that is none. */
export function partOf(
  claim: AdjudicatedClaim,
  isIn: (line: AdjudicatedLine) => boolean,
): AdjudicatedClaim | undefined {
  const lines = claim.lines.filter(isIn);
  if (lines.length === 0) return undefined;
  const total = (name: "charge" | "planPays"): bigint => sumOf(lines.map((line) => line[name]));
  return { ...claim, charge: total("charge"), planPays: total("planPays"), lines };
}
