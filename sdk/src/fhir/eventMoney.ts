import { CarepactError } from "../errors";

import type { EventReason, EventResult, LineTerms, Share } from "./events";

/** A result before money: which share of the line it makes due. */
export type Evaluation =
  | { result: "pending" | "notMet"; reason: EventReason; corrects?: boolean }
  | { result: "met"; share: Share; reason: EventReason; corrects?: boolean };

const whole: Share = { dispensed: 1n, billed: 1n };

/** All of the line is due. */
export const wholeDue: Evaluation = { result: "met", share: whole, reason: "done" };

/** Nothing can be told; `corrects` where the resource itself says why, which speaks against a payment made before. */
export const wait = (reason: EventReason, corrects = false): Evaluation => ({ result: "pending", reason, corrects });

/**
 * The result in money, held against what the line was settled with.
 * @throws EVENT_INVALID for amounts that no line has
 */
export function settleAgainst({ amount, paid }: LineTerms, evaluation: Evaluation): EventResult {
  if (typeof amount !== "bigint" || amount <= 0n)
    throw new CarepactError("EVENT_INVALID", "The amount of a line is above zero.", { path: "amount", amount });
  if (paid !== undefined && (typeof paid !== "bigint" || paid < 0n || paid > amount))
    throw new CarepactError("EVENT_INVALID", "A line is paid between zero and its amount.", { path: "paid", paid });

  const result = moneyOf(evaluation, amount);
  if (paid === undefined) return result;
  // Where nothing was paid, an error in a report takes nothing back.
  const corrects = evaluation.corrects === true && paid > 0n;
  if (result.result === "pending")
    return corrects ? { result: "correction", paid, reason: "changed-after-settlement" } : result;
  const due = "amount" in result ? result.amount : 0n;
  return due === paid && !corrects ? result : { result: "correction", paid, due, reason: "changed-after-settlement" };
}

function moneyOf(evaluation: Evaluation, amount: bigint): Exclude<EventResult, { result: "correction" }> {
  const { result, reason } = evaluation;
  if (result !== "met") return { result, reason };
  const { dispensed, billed } = evaluation.share;
  if (dispensed === billed) return { result, amount, reason };
  const part = (amount * dispensed) / billed;
  return part === 0n
    ? { result: "notMet", reason: "part-below-one-unit" }
    : { result: "partlyMet", amount: part, share: evaluation.share, reason };
}
