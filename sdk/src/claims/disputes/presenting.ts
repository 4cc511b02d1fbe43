import type { TransactionReceipt } from "ethers";

import { actionOf, type Action } from "../../chain/action";
import { blockTimeOf, type Connection } from "../../chain/deployment";
import { escrowEventsIn } from "../../chain/events";
import { escrowExtensionInterface } from "../../chain/interfaces";
import { CarepactError } from "../../errors";
import { publicPartOf, type BatchSource } from "../batchSource";
import type { PublicPart } from "../file";
import { prepare, presentationCall, type SettleInput } from "../preparing";
import { previewOf, roundsIn, summed, type Settlement, type SettlementPreview } from "../settling";
import { packGroup } from "../types";

import { currentOf } from "./current";
import { indexOfLine, outcomeOf, writtenOut, type Presentation } from "./structs";

/** What was presented. Amounts in base units. */
export interface Presented {
  batchId: string;
  /** What waits now for the end of the challenge period; absent when nothing was left to present. */
  presentation?: Presentation;
  /** Last moment at which it can be disputed, unix seconds; a stop moves it. Absent when nothing was presented. */
  challengeUntil?: number;
  /** What payees will be paid, a share that is retained included. */
  paid: bigint;
  /** What will go back to the payer. */
  freed: bigint;
  /** Groups (indices) that could not be presented, because their line amounts are needed and not known here. */
  unopened: number[];
}

/** @internal Presents what attestations call final and is still open, so that it can be disputed before it settles. */
export function present(connection: Connection, input: SettleInput): Action<Presented, { presented: bigint }> {
  return actionOf(connection, async () => {
    const { batchId, rulebook, groups } = publicPartOf(input.batch);
    if (rulebook.challengePeriod === 0)
      throw new CarepactError(
        "PRESENTATION_NOT_NEEDED",
        "The batch's rulebook has no challenge period: settle with the attestations at once.",
        { batchId },
      );
    const prepared = await prepare(connection, input);
    const { unopened, digest } = prepared;
    return {
      to: connection.deployment.claimEscrow,
      data: presentationCall(prepared),
      preview: (returned: string) => ({
        presented: escrowExtensionInterface.decodeFunctionResult("present", returned)[0] as bigint,
      }),
      result: async (receipt): Promise<Presented> => {
        const nothing = { batchId, paid: 0n, freed: 0n, unopened };
        const presentation = presentationIn(receipt, connection, { batchId, digest });
        if (presentation === undefined) return nothing;
        const said = writtenOut(groups, presentation).outcomes.map(outcomeOf);
        return {
          ...nothing,
          presentation,
          challengeUntil: (await blockTimeOf(connection, receipt)) + rulebook.challengePeriod,
          paid: said.reduce((sum, { paid }) => sum + paid, 0n),
          freed: said.reduce((sum, { freed }) => sum + freed, 0n),
        };
      },
    };
  });
}

/** What a transaction presented by an attestation. */
function presentationIn(
  receipt: TransactionReceipt,
  connection: Connection,
  { batchId, digest }: { batchId: string; digest: string },
): Presentation | undefined {
  const events = escrowEventsIn(receipt, connection).filter(({ args }) => args["batchId"] === batchId);
  const at = events.findIndex(({ name, args }) => name === "ResultsPresented" && args["attestation"] === digest);
  const presented = events[at];
  if (presented === undefined) return undefined;
  // What does not follow from the results is told just behind.
  const byLine = events[at + 1]?.name === "LinesPresented" ? events[at + 1]?.args : undefined;
  return {
    firstLine: Number(presented.args["firstLine"]),
    results: presented.args["results"] as string,
    lines: [...((byLine?.["lines"] ?? []) as readonly bigint[])],
    outcomes: [...((byLine?.["outcomes"] ?? []) as readonly bigint[])],
  };
}

/** @internal Settles what was presented and is not in dispute, once the challenge period is over. */
export function settlePresented(
  connection: Connection,
  source: BatchSource,
  which: number | Presentation,
): Action<Settlement, SettlementPreview> {
  return actionOf(connection, async () => {
    const batch = publicPartOf(source);
    const { batchId, terms, groups } = batch;
    const presentation = typeof which === "number" ? await presentationAt(connection, batch, which) : which;
    const { firstLine } = presentation;
    const { outcomes } = writtenOut(groups, presentation);
    return {
      to: connection.deployment.claimEscrow,
      data: escrowExtensionInterface.encodeFunctionData("settlePresented", [
        terms,
        groups.map(packGroup),
        presentation,
      ]),
      preview: () => previewOf(batch, outcomes.map(outcomeOf)),
      result: (receipt) => {
        const round = roundsIn(receipt, connection).find(
          (candidate) => candidate.batchId === batchId && candidate.firstLine === firstLine,
        );
        const nothingRetained = batch.rulebook.retentionBps === 0 ? {} : { retained: 0n };
        return { ...nothingRetained, ...summed(batchId, round?.groups ?? []), unopened: [] };
      },
    };
  });
}

/** The presentation that holds a line, by its index in the batch. @throws PRESENTATION_UNKNOWN */
async function presentationAt(connection: Connection, batch: PublicPart, line: number): Promise<Presentation> {
  const { presentations } = await currentOf(connection, batch);
  const found = presentations.find(({ held }) => held.some((place) => indexOfLine(batch.groups, place) === line));
  if (found !== undefined) return found;
  throw new CarepactError(
    "PRESENTATION_UNKNOWN",
    "Nothing that is presented holds this line: it never was presented, it settled, or it was disputed.",
    { batchId: batch.batchId, line, presented: presentations.map(({ firstLine }) => firstLine) },
  );
}
