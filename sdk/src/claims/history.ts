import type { Connection } from "../chain/deployment";
import {
  createEvents,
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

import { batchEventsOf, type ClaimBatchEvent, type ClaimBatchEventName } from "./batchEvents";
import { publicPartOf, type BatchSource } from "./batchSource";
import { wholeStatusOf, type ClaimBatchStatus } from "./status";

/** Something that happened to a claim batch, or was taken back by a reorganization of the chain. */
export type ClaimBatchChange = Exclude<EventChange<ClaimBatchEventName, "ClaimEscrow">, { type: "reached" }>;

/** What of a batch's history is read. */
export type HistoryOptions = ReadOptions & Pick<ReadQuery, "fromBlock" | "toBlock" | "after">;

/** How a batch is watched. */
export interface WatchOptions extends FollowOptions, Pick<ReadQuery, "fromBlock" | "after"> {
  /** Blocks on top of the last change after which a batch of which nothing is open, presented, disputed or retained is not watched any more; 12 unless given. */
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

/** @internal What happened to a batch, in order. */
export function history(
  connection: Connection,
  source: BatchSource,
  { fromBlock, toBlock, after, ...options }: HistoryOptions = {},
): EventStream<ClaimBatchEvent> {
  return streamOf(async function* (signal) {
    const query = { ...batchEventsOf(publicPartOf(source).batchId), fromBlock, toBlock, after };
    yield* createEvents(connection).read(query, { ...options, signal });
  }, options.signal);
}

const CLOSED_CONFIRMATIONS = 12;

/** Whether all money of a batch has come to its end. What events do not tell, nobody knows to be nothing. */
const isClosed = ({ funded, open, presented, frozen, retained }: ClaimBatchStatus): boolean =>
  funded && [open, presented, frozen, retained].every((amount) => amount === 0n);

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
          const status = await wholeStatusOf(connection, batch, { blockTag, signal, timeoutMs: options.timeoutMs });
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
    const query = { ...batchEventsOf(batch.batchId), fromBlock, after };
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
      if (isClosed(status) && blockNumber - lastChange >= closedConfirmations) return;
    }
  }, options.signal);
}
