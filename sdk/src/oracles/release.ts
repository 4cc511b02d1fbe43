import type { Provider } from "ethers";

import { openedGroupsOf, publicPartOf } from "../claims/batchSource";
import { resultShapeOf, type OpenedGroup, type OpenedRecord, type PublicPart } from "../claims/file";
import type { ClaimBatchEvent } from "../claims/batchEvents";
import { bookOf, isWhole, undecidedIn, type BatchBook } from "../claims/disputes/book";
import { linesIn, paymentOf } from "../claims/disputes/structs";
import { history } from "../claims/history";
import { eventKeyOf } from "../claims/input";
import { decodeResults, lineResultsOf } from "../claims/results";
import { statusOf, type ClaimBatchStatus } from "../claims/status";
import type { Connection } from "../chain/deployment";
import { reading } from "../chain/read";
import { CarepactError } from "../errors";
import type { ReadOptions } from "../events";
import { isPresented } from "../rulebooks/arbitration";

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
  /** Lines that stay noted: `open` while they can still be paid, presented or in dispute as they may be, `paid` when they were, or may have been. */
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
  }
  const book = bookOf(batch, events);
  if (status?.funded === true) requireWhole(batch, status, book);

  const neverFunded = block !== undefined && status?.funded === false && block.timestamp > batch.terms.eventBy;
  const undecided = undecidedIn(book);
  const released: LinePlace[] = [];
  const kept: Released["kept"] = [];
  for (const group of openedGroupsOf(source)) {
    const paid = paidLinesOf(group, events, book);
    for (const { index, event } of group.lines) {
      const place = { group: group.group, line: index };
      const line = group.firstLine + index;
      const closed = neverFunded || (isClosed(status, line) && !undecided.has(line));
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
function requireWhole(batch: PublicPart, { open }: ClaimBatchStatus, book: BatchBook): void {
  if (!isWhole(batch, open, book))
    throw new CarepactError(
      "NODE_INCONSISTENT",
      "The node's events do not tell where all money of the batch went: ask a node that keeps all logs.",
      { batchId: batch.batchId, total: batch.terms.total },
    );
}

/** Lines (by index in the group) that were paid, or may have been. None, when the payee kept nothing of what it received. */
function paidLinesOf(group: OpenedGroup, events: readonly ClaimBatchEvent[], book: BatchBook): Set<number> {
  const isOwn = (word: bigint): boolean => paymentOf(word).payee === group.payee;
  const own = (words: readonly bigint[]): bigint =>
    words.filter(isOwn).reduce((sum, word) => sum + paymentOf(word).amount, 0n);
  const retained = own([...book.retentions.values()].flatMap(({ amounts }) => amounts));
  let refunded = 0n;
  for (const { name, args } of events) if (name === "Refunded" && args.payee === group.payee) refunded += args.amount;
  if (own(book.payments) + retained === refunded) return new Set();
  const paid = new Set([...settledLinesOf(group, events), ...presentedLinesOf(group, book)]);
  // What was in dispute ended with that, whatever other attestations say.
  for (const [line, award] of book.awards) {
    const index = line - group.firstLine;
    if (award > 0n && index in group.lines) paid.add(index);
    else paid.delete(index);
  }
  return paid;
}

/**
 * Lines that a settlement may have paid: all that its results pay for, in each transaction that credited the payee. Errs on the side
 * of paid, where a line was closed before.
 */
function settledLinesOf(group: OpenedGroup, events: readonly ClaimBatchEvent[]): number[] {
  // Where attestations are presented, these say line by line what they paid for.
  if (isPresented(group.rulebook)) return [];
  /** By transaction. */
  const credits = new Map<string, bigint>();
  const paying = new Map<string, number[]>();
  const reversed = new Set<number>();
  for (const { name, args, txHash } of events) {
    if (name === "ClaimBatchSettled")
      paying.set(txHash, [...(paying.get(txHash) ?? []), ...payingLinesOf(group, args.results)]);
    else if (name === "GroupSettled" && args.payee === group.payee)
      credits.set(txHash, (credits.get(txHash) ?? 0n) + args.paid);
    else if (name === "LinesReversed" && args.payee === group.payee)
      for (const line of args.lines) reversed.add(Number(line));
  }
  const all = group.lines.map(({ index }) => index);
  const paid = [...credits].flatMap(([txHash, credit]) => (credit > 0n ? (paying.get(txHash) ?? all) : []));
  // What was reversed was open until then, and nothing opens it again.
  return paid.filter((line) => !reversed.has(line));
}

/** Lines that were paid as they were presented. */
function presentedLinesOf(group: OpenedGroup, { settled }: BatchBook): number[] {
  return settled.flatMap(({ written, results }) => {
    const held = new Set(linesIn(written.lines));
    return payingLinesOf(group, results).filter((line) => held.has(group.firstLine + line));
  });
}

function payingLinesOf(group: OpenedGroup, results: string): number[] {
  const result = decodeResults(results, resultShapeOf(group, [group]))[group.group];
  if (result === undefined) return [];
  return lineResultsOf(result, group.lines.length).flatMap(({ result: name }, i) =>
    name === "met" || name === "partlyMet" ? [i] : [],
  );
}
