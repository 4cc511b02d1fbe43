import type { Provider } from "ethers";

import { openedGroupsOf, publicPartOf } from "../claims/batchSource";
import { resultShapeOf, type OpenedGroup, type OpenedRecord } from "../claims/file";
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
  const settled = await reading(connection, (provider) => blockBelow(provider, confirmations), options);
  const status =
    settled.number < startBlock
      ? undefined
      : await statusOf(connection, batch, { ...options, blockTag: settled.number });
  const events: ClaimBatchEvent[] = [];
  if (status?.funded === true)
    for await (const event of history(connection, source, { ...options, toBlock: settled.number })) events.push(event);

  const neverFunded = status?.funded === false && settled.timestamp > batch.terms.eventBy;
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

/** The newest block with as many on top of it; block 0 on a chain that is too short. */
async function blockBelow(provider: Provider, confirmations: number): Promise<{ number: number; timestamp: number }> {
  const newest = await provider.getBlockNumber();
  const block = await provider.getBlock(Math.max(0, newest - confirmations));
  if (block === null)
    throw new CarepactError("NODE_INCONSISTENT", "The node does not know a block that it has built on.");
  return block;
}

/**
 * Lines (by index in the group) that a settlement may have paid: all that its results pay for, in each transaction that credited
 * the payee. Errs on the side of paid, where a line was closed before. None, when the payee refunded all that it received.
 */
function paidLinesOf(group: OpenedGroup, events: readonly ClaimBatchEvent[]): Set<number> {
  const credits = new Map<string, bigint>();
  let kept = 0n;
  const paid = new Set<number>();
  const reversed = new Set<number>();
  for (const event of events) {
    if (event.name === "GroupSettled" && event.args.payee === group.payee) {
      credits.set(event.txHash, (credits.get(event.txHash) ?? 0n) + event.args.paid);
      kept += event.args.paid;
    } else if (event.name === "Refunded" && event.args.payee === group.payee) kept -= event.args.amount;
    else if (event.name === "LinesReversed" && event.args.payee === group.payee)
      for (const line of event.args.lines) reversed.add(Number(line));
    else if (event.name === "ClaimBatchSettled" && (credits.get(event.txHash) ?? 0n) > 0n)
      for (const line of payingLinesOf(group, event.args.results)) paid.add(line);
  }
  // What was reversed was open until then, and nothing opens it again.
  for (const line of reversed) paid.delete(line);
  return kept === 0n ? new Set() : paid;
}

function payingLinesOf(group: OpenedGroup, results: string): number[] {
  const result = decodeResults(results, resultShapeOf(group, [group]))[group.group];
  if (result === undefined) return [];
  return lineResultsOf(result, group.lines.length).flatMap(({ result: name }, i) =>
    name === "met" || name === "partlyMet" ? [i] : [],
  );
}
