import type { Connection } from "../chain/deployment";
import {
  createEvents,
  type CarepactEvent,
  type EventChange,
  type EventCursor,
  type EventStream,
  type FollowOptions,
  type ReadOptions,
  type ReadQuery,
} from "../events";
import { failureOf } from "../events/failures";
import { nodeOf } from "../events/node";
import { settingsOf } from "../events/options";
import { streamOf } from "../events/stream";

import { publicPartOf, type BatchSource } from "./batchSource";
import { statusOf, type ClaimBatchStatus } from "./status";

/** Names of the events that tell what became of a claim batch. */
export type ClaimBatchEventName =
  "ClaimBatchFunded" | "GroupSettled" | "ClaimBatchSettled" | "LinesReversed" | "ClaimBatchReclaimed" | "Refunded";

/** Something that happened to a claim batch. */
export type ClaimBatchEvent = CarepactEvent<ClaimBatchEventName, "ClaimEscrow">;

/** Something that happened to a claim batch, or was taken back by a reorganization of the chain. */
export type ClaimBatchChange = Exclude<EventChange<ClaimBatchEventName, "ClaimEscrow">, { type: "reached" }>;

/** What of a batch's history is read. */
export type HistoryOptions = ReadOptions & Pick<ReadQuery, "fromBlock" | "toBlock" | "after">;

/** How a batch is watched. */
export interface WatchOptions extends FollowOptions, Pick<ReadQuery, "fromBlock" | "after"> {
  /** Blocks on top of the last change after which a batch that has nothing open is not watched any more; 12 unless given. */
  closedConfirmations?: number | undefined;
}

/** How a batch stands after something happened to it. */
export interface ClaimBatchUpdate {
  /** As of `blockNumber`. */
  status: ClaimBatchStatus;
  /** The newest block, less the confirmations asked for. */
  blockNumber: number;
  /** What happened since the update before, in order. In the first: all that happened since `fromBlock` or the cursor. */
  changes: ClaimBatchChange[];
  /** Lets watching go on behind this update. */
  cursor: EventCursor;
}

const names = [
  "ClaimBatchFunded",
  "GroupSettled",
  "ClaimBatchSettled",
  "LinesReversed",
  "ClaimBatchReclaimed",
  "Refunded",
] as const satisfies readonly ClaimBatchEventName[];

/** Every event of a batch: without names, a query that gets no narrower type. */
const queryOf = (source: BatchSource) => ({
  contracts: ["ClaimEscrow"] as const,
  names,
  args: { batchId: publicPartOf(source).batchId },
});

/** @internal What happened to a batch, in order. */
export function history(
  connection: Connection,
  source: BatchSource,
  { fromBlock, toBlock, after, ...options }: HistoryOptions = {},
): EventStream<ClaimBatchEvent> {
  return streamOf(async function* (signal) {
    const query = { ...queryOf(source), fromBlock, toBlock, after };
    yield* createEvents(connection).read(query, { ...options, signal });
  }, options.signal);
}

const CLOSED_CONFIRMATIONS = 12;

/** @internal How a batch stands, each time something happens to it. */
export function watch(
  connection: Connection,
  source: BatchSource,
  { fromBlock, after, closedConfirmations = CLOSED_CONFIRMATIONS, ...options }: WatchOptions = {},
): EventStream<ClaimBatchUpdate> {
  return streamOf(async function* (signal) {
    const batch = publicPartOf(source);
    const node = nodeOf(connection, { ...settingsOf(options), signal });
    const patience = node.patience();
    const statusAt = async (blockTag: number): Promise<ClaimBatchStatus> => {
      for (;;) {
        try {
          const status = await statusOf(connection, batch, { blockTag, signal, timeoutMs: options.timeoutMs });
          patience.failures = 0;
          return status;
        } catch (thrown) {
          if (failureOf(thrown) === "own") throw thrown;
          await patience.wait(thrown);
        }
      }
    };
    let changes: ClaimBatchChange[] = [];
    let status: ClaimBatchStatus | undefined;
    let lastChange = 0;
    const query = { ...queryOf(source), fromBlock, after };
    for await (const change of createEvents(connection).follow(query, { ...options, signal })) {
      if (change.type !== "reached") {
        changes.push(change);
        continue;
      }
      if (!change.current) continue;
      const { blockNumber, cursor } = change;
      if (status === undefined || changes.length > 0) {
        const event = changes.findLast(({ type }) => type === "added")?.event;
        lastChange = event?.blockNumber ?? blockNumber;
        status = await statusAt(blockNumber);
        yield { status, blockNumber, changes, cursor };
        changes = [];
      }
      const closed = status.funded && status.open === 0n;
      if (closed && blockNumber - lastChange >= closedConfirmations) return;
    }
  }, options.signal);
}
