import { getAddress } from "ethers";

import { CarepactError } from "../../errors";
import { requireBalanced, type AdjudicatedClaim } from "../input/adjudicated";

import { isFinal, keptOf, type LineStanding } from "./standing";

/** A line that is billed anew. */
export interface Replacement {
  /** The line of the new claim. */
  lineNumber: number;
  /** How the line stands that it takes the place of. */
  replaced: LineStanding;
}

/**
 * A claim whose lines take the place of others (NCPDP B3, X12 frequency 7): each line in `replacements` says in its detail
 * which one it replaces, and the batch commits to that. The old lines must have been taken back, so that the same care is
 * never funded twice.
 * @throws REPLACED_LINE_HOLDS_MONEY while an old line is open, presented, in dispute, or paid and not given back;
 * INPUT_INVALID for a line that the claim does not have, or one of another payee; CLAIM_DUPLICATE_LINE when two lines
 * replace one; what `requireBalanced` throws
 */
export function rebill(claim: AdjudicatedClaim, replacements: readonly Replacement[]): AdjudicatedClaim {
  requireBalanced(claim);
  const byNumber = new Map<number, LineStanding>();
  replacements.forEach(({ lineNumber, replaced }, i) => {
    const path = `replacements[${i}]`;
    if (byNumber.has(lineNumber) || !claim.lines.some((line) => line.lineNumber === lineNumber))
      throw new CarepactError("INPUT_INVALID", `${path} is for no line of claim ${claim.claimId}, or for one again.`, {
        path: `${path}.lineNumber`,
        lineNumber,
      });
    if (getAddress(claim.payee) !== replaced.payee)
      throw new CarepactError("INPUT_INVALID", `${path} replaces a line of another payee.`, {
        path: `${path}.replaced.payee`,
        payee: replaced.payee,
      });
    requireTakenBack(replaced);
    byNumber.set(lineNumber, replaced);
  });
  return requireBalanced({
    ...claim,
    lines: claim.lines.map((line) => {
      const old = byNumber.get(line.lineNumber)?.line.detail;
      return old === undefined ? line : { ...line, replaces: { claimId: old.claimId, lineNumber: old.lineNumber } };
    }),
  });
}

function requireTakenBack(standing: LineStanding): void {
  const kept = keptOf(standing);
  if (isFinal(standing) && kept === 0n) return;
  const { batchId, payer, state, line } = standing;
  const { claimId, lineNumber } = line.detail;
  throw new CarepactError(
    "REPLACED_LINE_HOLDS_MONEY",
    `Line ${lineNumber} of claim ${claimId} is ${state}: reverse or refund it before it is billed anew.`,
    { batchId, payer, state, claimId, lineNumber, amount: state === "paid" ? kept : line.amount },
  );
}
