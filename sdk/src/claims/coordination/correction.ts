import type { EventResult } from "../../fhir/events";
import { CarepactError } from "../../errors";
import type { LineReference } from "../input/adjudicated";

import { keptOf, type LineStanding } from "./standing";

/** What an event says about a line that was settled before. */
export interface CorrectedLine {
  standing: LineStanding;
  /** What `eventResult` gives, told what the line was settled with (`paid`), for this payer's amount. */
  result: EventResult;
  /** What of the payee's payments is still retained, in base units of the batch's token; nothing unless given. */
  retained?: bigint;
}

/**
 * What people do about a line of one payer. Amounts in base units of the batch's token.
 * - `giveBack`: too much was paid. The arbiter may `recoup` as much as is retained, the payee refunds the rest.
 * - `newLine`: too little was paid, and what was settled stays as it is. A new line, with an event of its own, pays the rest.
 * - `decide`: the event speaks against the payment, and does not say what is due.
 * - `nothing`: the same is due as before.
 */
export type CorrectionStep = LineReference & { payer: string; payee: string; batchId: string } & (
    | { action: "giveBack"; amount: bigint; recoup: bigint; refund: bigint }
    | { action: "newLine"; amount: bigint }
    | { action: "decide"; paid: bigint }
    | { action: "nothing" }
  );

/**
 * What follows from a correction after payment, for each payer of the event: an amended result, a report in error. Nothing
 * is sent and nothing is attested. Money goes back from the last payer to the first, and is added from the first to the
 * last, since each payer decided on what those before it paid; after any change later payers decide anew.
 * @param lines The line of each payer, in the order of payers
 * @throws COORDINATION_UNSETTLED for a line that is not final; EVENT_INVALID for a result that is no correction of it
 */
export function correctionPlan(lines: readonly CorrectedLine[]): CorrectionStep[] {
  const steps = lines.map(stepOf);
  const back = steps.filter(({ action }) => action === "giveBack").reverse();
  return [...back, ...steps.filter(({ action }) => action !== "giveBack")];
}

function stepOf({ standing, result, retained = 0n }: CorrectedLine, i: number): CorrectionStep {
  const { payer, payee, batchId, line, state } = standing;
  const { claimId, lineNumber } = line.detail;
  if (state !== "paid" && state !== "returned")
    throw new CarepactError("COORDINATION_UNSETTLED", "The line is not settled: attest what the event says now.", {
      path: `lines[${i}].standing`,
      state,
      claimId,
      lineNumber,
    });
  const common = { payer, payee, batchId, claimId, lineNumber };
  const kept = keptOf(standing);
  if (result.result !== "correction") {
    // What is due as before is no correction; anything else was not held against what the line was settled with.
    const due = "amount" in result ? result.amount : 0n;
    if (result.result !== "pending" && due === kept) return { ...common, action: "nothing" };
    throw new CarepactError("EVENT_INVALID", "The event was not read with what the line was settled with: pass paid.", {
      path: `lines[${i}].result`,
      claimId,
      lineNumber,
    });
  }
  if (result.paid !== kept)
    throw new CarepactError("EVENT_INVALID", "The event was held against another payment than the line has.", {
      path: `lines[${i}].result.paid`,
      paid: result.paid,
      kept,
    });
  if (result.due === undefined) return { ...common, action: "decide", paid: kept };
  if (result.due > kept) return { ...common, action: "newLine", amount: result.due - kept };
  const amount = kept - result.due;
  if (amount === 0n) return { ...common, action: "nothing" };
  const recoup = retained < amount ? retained : amount;
  return { ...common, action: "giveBack", amount, recoup, refund: amount - recoup };
}
