import type { Provider } from "ethers";

import { openedGroupsOf, publicPartOf } from "../claims/batchSource";
import { resultShapeOf, type OpenedGroup, type OpenedRecord, type PublicPart } from "../claims/file";
import { history, type ClaimBatchEvent } from "../claims/history";
import { eventKeyOf } from "../claims/input";
import { decodeResults, lineResultsOf } from "../claims/results";
import { statusOf, type ClaimBatchStatus } from "../claims/status";
import type { Connection } from "../chain/deployment";
import { reading } from "../chain/read";
import { CarepactError } from "../errors";
import type { ReadOptions } from "../events";

import type { AttestationLedger, AttestedLine, LinePlace } from "./ledger";

/** How the chain is asked. */
export interface ReleaseOptions extends ReadOptions {
  /** Blocks that have to stand on top of what is read, so that no reorganization takes it back; 12 unless given. */
  confirmations?: number;
}

/** A line by its place in the batch. */
export type ReleasedLine = Pick<AttestedLine, "group" | "line">;

/** What became of a batch's lines in the ledger. */
export interface Released {
  /** How many events the ledger forgot. */
  released: number;
  /** Lines that stay noted: `open` while they can still be paid, `paid` when they were, or may have been. */
  kept: (ReleasedLine & { why: "open" | "paid" })[];
}

const CONFIRMATIONS = 12;

/** @internal Forgets what the chain shows to be closed without payment, see `Attester.release`. */
export async function releaseUnpaid(
  connection: Connection,
  ledger: AttestationLedger,
  source: OpenedGroup | OpenedRecord,
  { confirmations = CONFIRMATIONS, ...options }: ReleaseOptions = {},
): Promise<Released> {
  const batch = publicPartOf(source);
  const { chainId, claimEscrow, startBlock } = connection.deployment;
  // Another escrow would say that it does not know the batch, which is no reason to forget it.
  if (batch.chainId !== chainId || batch.escrow.toLowerCase() !== claimEscrow.toLowerCase())
    throw new CarepactError("INPUT_INVALID", "The batch is of another chain or escrow than the deployment.", {
      path: "batch",
      chainId: batch.chainId,
      escrow: batch.escrow,
    });
  const block = await reading(connection, (provider) => blockBelow(provider, confirmations), options);
  const status =
    block === undefined || block.number < startBlock
      ? undefined
      : await statusOf(connection, batch, { ...options, blockTag: block.number });
  const events: ClaimBatchEvent[] = [];
  if (block !== undefined && status?.funded === true) {
    for await (const event of history(connection, source, { ...options, toBlock: block.number })) events.push(event);
    requireWhole(batch, status, events);
  }

  const neverFunded = block !== undefined && status?.funded === false && block.timestamp > batch.terms.eventBy;
  const released: LinePlace[] = [];
  const kept: Released["kept"] = [];
  for (const group of openedGroupsOf(source)) {
    const paid = paidLinesOf(group, events);
    for (const { index, event } of group.lines) {
      const place = { group: group.group, line: index };
      const closed = neverFunded || isClosed(status, group.firstLine + index);
      if (!closed) kept.push({ ...place, why: "open" });
      else if (paid.has(index)) kept.push({ ...place, why: "paid" });
      else released.push({ ...place, batchId: batch.batchId, eventKey: eventKeyOf(event) });
    }
  }
  return { released: await ledger.release(released), kept };
}

const isClosed = (status: ClaimBatchStatus | undefined, line: number): boolean =>
  status?.funded === true && status.closedLines[line] === true;

/** The newest block with as many on top of it, if the chain is long enough. */
async function blockBelow(
  provider: Provider,
  confirmations: number,
): Promise<{ number: number; timestamp: number } | undefined> {
  const number = (await provider.getBlockNumber()) - confirmations;
  if (number < 0) return undefined;
  const block = await provider.getBlock(number);
  if (block === null)
    throw new CarepactError("NODE_INCONSISTENT", "The node does not know a block that it has built on.", { number });
  return block;
}

/** Refuses a history with gaps, as of a node that keeps no old logs: what it does not tell of would count as not paid. */
function requireWhole(batch: PublicPart, { open }: ClaimBatchStatus, events: readonly ClaimBatchEvent[]): void {
  let told = open;
  for (const { name, args } of events)
    if (name === "GroupSettled") told += args.paid + args.freed;
    else if (name === "LinesReversed" || name === "ClaimBatchReclaimed") told += args.amount;
  if (told !== batch.terms.total)
    throw new CarepactError(
      "NODE_INCONSISTENT",
      "The node's events do not tell where all money of the batch went: ask a node that keeps all logs.",
      { batchId: batch.batchId, told, total: batch.terms.total },
    );
}

/**
 * Lines (by index in the group) that a settlement may have paid: all that its results pay for, in each transaction that credited
 * the payee. Errs on the side of paid, where a line was closed before. None, when the payee refunded all that it received.
 */
function paidLinesOf(group: OpenedGroup, events: readonly ClaimBatchEvent[]): Set<number> {
  /** By transaction. */
  const credits = new Map<string, bigint>();
  const paying = new Map<string, number[]>();
  const reversed = new Set<number>();
  let refunded = 0n;
  for (const { name, args, txHash } of events) {
    if (name === "ClaimBatchSettled")
      paying.set(txHash, [...(paying.get(txHash) ?? []), ...payingLinesOf(group, args.results)]);
    else if (!("payee" in args) || args.payee !== group.payee) continue;
    else if (name === "GroupSettled") credits.set(txHash, (credits.get(txHash) ?? 0n) + args.paid);
    else if (name === "LinesReversed") for (const line of args.lines) reversed.add(Number(line));
    else refunded += args.amount;
  }
  const received = [...credits.values()].reduce((sum, credit) => sum + credit, 0n);
  if (received === refunded) return new Set();
  const all = group.lines.map(({ index }) => index);
  const paid = [...credits].flatMap(([txHash, credit]) => (credit > 0n ? (paying.get(txHash) ?? all) : []));
  // What was reversed was open until then, and nothing opens it again.
  return new Set(paid.filter((line) => !reversed.has(line)));
}

function payingLinesOf(group: OpenedGroup, results: string): number[] {
  const result = decodeResults(results, resultShapeOf(group, [group]))[group.group];
  if (result === undefined) return [];
  return lineResultsOf(result, group.lines.length).flatMap(({ result: name }, i) =>
    name === "met" || name === "partlyMet" ? [i] : [],
  );
}
