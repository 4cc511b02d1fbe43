import { toBeHex, type Interface, type Result } from "ethers";

import { ClaimEscrow__factory } from "../../typechain-types";

import { lineIdOf, type LineId } from "./claimsLife";
import { wordsOf, type SeenTransaction } from "./recording";

/** All that the chain shows of a line. */
export interface SeenLine {
  id: LineId;
  /** Lines that are seen together: one payee's in one batch. */
  group: string;
  payee: string;
  /** When its batch was funded, unix seconds. */
  time: number;
  /** Its place in the group, from 0 to 1. */
  place: number;
  /** Base units, where it shows: in a group of one, or one whose lines settled one by one. */
  amount?: bigint;
  /** What else stands on chain in a list that has as many entries as the batch has lines. */
  words: string[];
}

const escrow: Interface = ClaimEscrow__factory.createInterface();

/** Finds every line of every batch, in order of time, with all that any transaction says of it. */
export function seenLinesOf(seen: readonly SeenTransaction[]): SeenLine[] {
  const batches = new Map<string, SeenLine[][]>();
  for (const transaction of seen) {
    const { data, logs, time } = transaction;
    const called = escrow.parseTransaction({ data });
    if (called?.name === "fund") {
      const funded = logs.map((log) => escrow.parseLog(log)).find((log) => log?.name === "ClaimBatchFunded");
      const words = (called.args[1] as Result).toArray() as bigint[];
      if (funded)
        batches.set(funded.args["batchId"] as string, groupsOf(funded.args["batchId"] as string, words, time));
    } else if (called?.name === "settleByLine") {
      const settled = logs.map((log) => escrow.parseLog(log)).find((log) => log?.name === "ClaimBatchSettled");
      const groups = batches.get((settled?.args["batchId"] as string | undefined) ?? "") ?? [];
      const [opened] = called.args[3] as unknown as [readonly (readonly [bigint, string, string])[]];
      for (const [group, , amounts] of opened) readAmounts(groups[Number(group)] ?? [], amounts);
    } else noteWords(batches, transaction);
  }
  return [...batches.values()].flat(2);
}

/** A group's word: payee (160 bits), number of lines (10), subtotal (86). */
const groupsOf = (batchId: string, words: readonly bigint[], time: number): SeenLine[][] =>
  words.map((word, group) => {
    const count = Number((word >> 86n) & 0x3ffn);
    const subtotal = word & ((1n << 86n) - 1n);
    return Array.from({ length: count }, (_, place) => ({
      id: lineIdOf(batchId, group, place),
      group: `${batchId}/${group}`,
      payee: toBeHex(word >> 96n, 20),
      time,
      place: count === 1 ? 0 : place / (count - 1),
      ...(count === 1 ? { amount: subtotal } : {}),
      words: [],
    }));
  });

function readAmounts(lines: readonly SeenLine[], amounts: string): void {
  const digits = (amounts.length - 2) / Math.max(lines.length, 1);
  for (const [i, line] of lines.entries())
    line.amount = BigInt(`0x${amounts.slice(2 + digits * i, 2 + digits * (i + 1))}`);
}

/** Calldata of a shape that nobody told the observer of: a batch's id, and lists as long as the batch. */
function noteWords(batches: ReadonlyMap<string, SeenLine[][]>, { data }: SeenTransaction): void {
  const words = wordsOf(data);
  const lines = words.flatMap((word) => batches.get(word) ?? []).flat();
  if (lines.length === 0) return;
  for (const [at, word] of words.entries())
    if (BigInt(word) === BigInt(lines.length) && at + lines.length < words.length)
      for (const [i, line] of lines.entries()) line.words.push(words[at + 1 + i] ?? "");
}
