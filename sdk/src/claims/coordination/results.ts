import type { Share } from "../../fhir/events";
import { CarepactError } from "../../errors";
import type { OpenedGroup, OpenedRecord } from "../file";
import { eventKeyOf, type EventIdentity } from "../input/event";
import { groupResultsOf, type GroupResult, type LineResult } from "../results";

/** What happened, whoever pays for it. */
export type EventOutcome = { event: EventIdentity } & (
  | { result: "pending" | "met" | "notMet" }
  /** As `dispenseResult` gives it: what was dispensed of what was billed. */
  | { result: "partlyMet"; share: Share }
);

/**
 * The results to attest of one payer's batch, from what happened: the same outcomes give each payer's batch its own
 * results, so that all of them settle together (`claims.settleMany`). A part of an event is paid as that part of each line,
 * rounded down to base units. Of events that are not named nothing is said.
 * @throws EVENT_INVALID for an event that is named twice, or a share that is not above zero and below one
 */
export function resultsOfEvents(source: OpenedGroup | OpenedRecord, outcomes: readonly EventOutcome[]): GroupResult[] {
  const known = new Map<string, EventOutcome>();
  outcomes.forEach((outcome, i) => {
    const key = eventKeyOf(outcome.event);
    if (known.has(key))
      throw new CarepactError("EVENT_INVALID", `outcomes[${i}] is of an event that is named already.`, {
        path: `outcomes[${i}].event`,
      });
    if (outcome.result === "partlyMet") requirePart(outcome.share, `outcomes[${i}].share`);
    known.set(key, outcome);
  });
  const opened = new Map(("opened" in source ? source.opened : [source]).map((group) => [group.group, group]));
  return groupResultsOf(
    source.groups.map(({ lineCount }, i) => {
      const lines = opened.get(i)?.lines;
      return (
        lines?.map(({ event, amount }) => lineResult(known.get(eventKeyOf(event)), amount)) ??
        Array.from({ length: lineCount }, (): LineResult => ({ result: "pending" }))
      );
    }),
  );
}

function lineResult(outcome: EventOutcome | undefined, amount: bigint): LineResult {
  if (outcome?.result !== "partlyMet") return { result: outcome?.result ?? "pending" };
  const { dispensed, billed } = outcome.share;
  const part = (amount * dispensed) / billed;
  return part === 0n ? { result: "notMet" } : { result: "partlyMet", amount: part };
}

function requirePart({ dispensed, billed }: Share, path: string): void {
  if (dispensed <= 0n || dispensed >= billed)
    throw new CarepactError("EVENT_INVALID", `${path} is not above zero and below one.`, { path, dispensed, billed });
}
