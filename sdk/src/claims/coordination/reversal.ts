import { CarepactError } from "../../errors";

import { keptOf, type LineStanding } from "./standing";

/** What has to be done about one payer's line before the one of the payer before it can be taken back. */
export interface ReversalStep {
  payer: string;
  payee: string;
  batchId: string;
  /** Index of the line in its group, as `claims.reverse` takes it. */
  line: number;
  /**
   * `reverse`: it is open, its payee gives it up. `wait`: it is presented or in dispute; settle or resolve it first, or
   * dispute a presented one. `refund`: it was paid; its payee pays back, or the arbiter recoups what is retained. `done`:
   * nothing of it is left.
   */
  verb: "reverse" | "wait" | "refund" | "done";
  /** What is still to go back, in base units of the batch's token. */
  amount: bigint;
}

/** How an event that several payers cover is taken back. */
export interface ReversalPlan {
  /** From the last payer to the first. */
  steps: ReversalStep[];
  /** The step that comes next; absent once all is taken back. */
  next?: ReversalStep;
}

/**
 * How to take back an event that several payers cover: in reverse order, since each payer decided on what those before it
 * paid (NCPDP B2 in reverse order of billing).
 * @param standings The line of each payer (`standingOf`), in the order of payers
 * @throws COORDINATION_INVALID when a payer is there twice
 */
export function reversalPlan(standings: readonly LineStanding[]): ReversalPlan {
  const payers = new Set<string>();
  standings.forEach(({ payer }, i) => {
    if (payers.has(payer))
      throw new CarepactError("COORDINATION_INVALID", `standings[${i}] is of a payer that is there already.`, {
        path: `standings[${i}]`,
        payer,
      });
    payers.add(payer);
  });
  const steps = standings.map(stepOf).reverse();
  const next = steps.find(({ verb }) => verb !== "done");
  return { steps, ...(next === undefined ? {} : { next }) };
}

/**
 * The step for one payer, if it is that one's turn.
 * @throws REVERSAL_OUT_OF_ORDER while a later payer still has money in the event: `details.first` names it, and
 * `details.verb` what to do there; COORDINATION_INVALID for a payer that is not in the plan
 */
export function reversalStep(plan: ReversalPlan, payer: string): ReversalStep {
  const step = plan.steps.find((entry) => entry.payer === payer);
  if (step === undefined)
    throw new CarepactError("COORDINATION_INVALID", `${payer} does not cover the event.`, { path: "payer", payer });
  const { next } = plan;
  if (step.verb !== "done" && next !== undefined && next !== step)
    throw new CarepactError(
      "REVERSAL_OUT_OF_ORDER",
      `${next.payer} paid after ${payer}, so that it comes first: ${next.verb} there, then go on.`,
      { payer, first: next.payer, verb: next.verb, batchId: next.batchId, amount: next.amount },
    );
  return step;
}

function stepOf(standing: LineStanding): ReversalStep {
  const { payer, payee, batchId, line, state } = standing;
  const common = { payer, payee, batchId, line: line.index };
  const kept = keptOf(standing);
  switch (state) {
    case "open":
      return { ...common, verb: "reverse", amount: line.amount };
    case "presented":
    case "frozen":
      return { ...common, verb: "wait", amount: line.amount };
    case "paid":
      return kept > 0n ? { ...common, verb: "refund", amount: kept } : { ...common, verb: "done", amount: 0n };
    case "returned":
      return { ...common, verb: "done", amount: 0n };
  }
}
