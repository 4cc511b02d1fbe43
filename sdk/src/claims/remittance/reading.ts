import type { Provider } from "ethers";

import type { Connection } from "../../chain/deployment";
import { reading } from "../../chain/read";
import { CarepactError } from "../../errors";
import { createEvents } from "../../events";

import { batchEventsOf, type ClaimBatchEvent } from "../batchEvents";

import type { RemittanceOptions } from "./types";

/** Most batches asked for at once: nodes take a few thousand parameters at most. */
const BATCHES_AT_ONCE = 500;

/** First and last block of a period; the last is before the first where no block lies in it. */
export interface Blocks {
  first: number;
  last: number;
}

/**
 * The blocks of a period, by their timestamps.
 * @param period Unix seconds: from the first moment on, before the last.
 * @throws INPUT_INVALID when the period is not over by the chain's clock, or its end not final yet
 */
export function blocksOf(
  connection: Connection,
  { from, to }: { from: number; to: number },
  { finality = "finalized", ...options }: RemittanceOptions,
): Promise<Blocks> {
  const read = async (provider: Provider): Promise<Blocks> => {
    const head = await blockAt(provider, finality);
    if (head.timestamp < to)
      throw new CarepactError(
        "INPUT_INVALID",
        `The period is not over by the chain's ${finality} block, whose time is ${isoTime(head.timestamp)}: wait, or end it earlier.`,
        { path: "to", to, time: head.timestamp, finality },
      );
    const { startBlock } = connection.deployment;
    const first = await firstFrom(provider, from, startBlock, head.number);
    const last = (await firstFrom(provider, to, first, head.number)) - 1;
    return { first, last };
  };
  return reading(connection, read, options);
}

const isoTime = (seconds: number): string => new Date(seconds * 1_000).toISOString();

async function blockAt(provider: Provider, tag: string | number): Promise<{ number: number; timestamp: number }> {
  const block = await provider.getBlock(tag);
  if (block === null)
    throw new CarepactError("NODE_INCONSISTENT", `The node does not know block ${tag}.`, { block: tag });
  return block;
}

/** First block at or after a moment, which `high` is: each question halves what is left. */
async function firstFrom(provider: Provider, moment: number, low: number, high: number): Promise<number> {
  let [lowest, highest] = [Math.min(low, high), high];
  while (lowest < highest) {
    const middle = Math.floor((lowest + highest) / 2);
    if ((await blockAt(provider, middle)).timestamp >= moment) highest = middle;
    else lowest = middle + 1;
  }
  return highest;
}

/** All that happened to some batches up to a block, by batch id, in order. */
export async function eventsOfBatches(
  connection: Connection,
  batchIds: readonly string[],
  toBlock: number,
  options: RemittanceOptions,
): Promise<Map<string, ClaimBatchEvent[]>> {
  const events = new Map(batchIds.map((batchId): [string, ClaimBatchEvent[]] => [batchId, []]));
  if (toBlock < connection.deployment.startBlock) return events;
  for (let i = 0; i < batchIds.length; i += BATCHES_AT_ONCE) {
    const query = { ...batchEventsOf(batchIds.slice(i, i + BATCHES_AT_ONCE)), toBlock };
    for await (const event of createEvents(connection).read(query, callOptionsOf(options)))
      events.get(event.args.batchId)?.push(event);
  }
  return events;
}

/**
 * Refuses to go on when money moved between payer and payee in batches that are not at hand.
 * @throws REMITTANCE_BATCH_MISSING
 */
export async function requireAllBatches(
  connection: Connection,
  { payer, payee, token, known }: { payer: string; payee: string; token: string; known: ReadonlySet<string> },
  { first, last }: Blocks,
  options: RemittanceOptions,
): Promise<void> {
  if (last < first) return;
  const strange = new Set<string>();
  const query = {
    contracts: ["ClaimEscrow"] as const,
    names: ["GroupSettled", "DisputeResolved", "RetentionReleased", "Recouped", "Refunded"] as const,
    args: { payee },
    fromBlock: first,
    toBlock: last,
  };
  for await (const { args } of createEvents(connection).read(query, callOptionsOf(options)))
    if (!known.has(args.batchId)) strange.add(args.batchId);

  const missing: string[] = [];
  const ids = [...strange];
  for (let i = 0; i < ids.length; i += BATCHES_AT_ONCE) {
    const funded = {
      contracts: ["ClaimEscrow"] as const,
      names: ["ClaimBatchFunded"] as const,
      args: { payer, batchId: ids.slice(i, i + BATCHES_AT_ONCE) },
      toBlock: last,
    };
    for await (const { args } of createEvents(connection).read(funded, callOptionsOf(options)))
      if (args.token === token) missing.push(args.batchId);
  }
  if (missing.length === 0) return;
  throw new CarepactError(
    "REMITTANCE_BATCH_MISSING",
    `Money of ${missing.length} more batches moved in the period, first of them ${missing[0]}: hand in all of their files or records.`,
    { batchIds: missing },
  );
}

const callOptionsOf = ({ signal, timeoutMs }: RemittanceOptions): Pick<RemittanceOptions, "signal" | "timeoutMs"> => ({
  signal,
  timeoutMs,
});
