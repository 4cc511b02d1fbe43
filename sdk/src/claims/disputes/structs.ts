import { AbiCoder, concat, getAddress, keccak256, toBeHex, ZeroHash } from "ethers";

import { CarepactError } from "../../errors";
import { openedGroupsOf, publicPartOf, type BatchSource } from "../batchSource";
import { decodeResults } from "../results";
import { packGroupLines, type Group, type PackedGroupLines } from "../types";

/** A line of a claim batch, by its place. */
export interface BatchLine {
  /** Index of its group in the batch. */
  group: number;
  /** Index of the line in the group. */
  line: number;
}

/** What was presented and has not settled yet, as the escrow takes it (`Presentation` of ClaimTypes.sol). */
export interface Presentation {
  /** Lowest line of the batch that it holds, which names it within its batch: another, once that line is disputed. */
  firstLine: number;
  /** Packed results as attested, see `encodeResults`. */
  results: string;
  /**
   * Bit set of the lines of the batch that it holds: 256 lines a word, the first in the lowest bit. Nothing: all lines of the groups of
   * which `results` say one final thing.
   */
  lines: bigint[];
  /**
   * Per group of the batch, what its payee will be paid (shifted left by 96 bits) and what goes back to the payer, base units. Nothing
   * where `lines` are nothing: the subtotals.
   */
  outcomes: bigint[];
}

/** What is retained of the payments of one settlement, as the escrow takes it (`Retention` of ClaimTypes.sol). */
export interface Retention {
  /** Lowest line of the presentation that was settled, which names the retention within its batch. */
  firstLine: number;
  /** Words of payee (160 bits) and what is retained of its payment (96 bits, base units). */
  amounts: bigint[];
}

/** One line of a claim batch with its amount, as the escrow takes it (`LineOpening` of ClaimTypes.sol). */
export interface LineOpening extends BatchLine {
  opened: PackedGroupLines;
  proof: string[];
}

const AMOUNT_BITS = 96n;
const AMOUNT_MASK = (1n << AMOUNT_BITS) - 1n;
const ACCOUNT_BYTES = 20;

/** Two amounts, or an account and an amount, in one word. */
export const packWord = (left: bigint, amount: bigint): bigint => (left << AMOUNT_BITS) | amount;

/** What a word of outcomes says, base units. */
export const outcomeOf = (word: bigint): { paid: bigint; freed: bigint } => ({
  paid: word >> AMOUNT_BITS,
  freed: word & AMOUNT_MASK,
});

/** What a word of payments says, base units. */
export const paymentOf = (word: bigint): { payee: string; amount: bigint } => ({
  payee: getAddress(toBeHex(word >> AMOUNT_BITS, ACCOUNT_BYTES)),
  amount: word & AMOUNT_MASK,
});

const WORD_BITS = 256;

/** Indices in the batch of the lines in a bit set. */
export const linesIn = (words: readonly bigint[]): number[] =>
  words.flatMap((word, i) =>
    Array.from({ length: WORD_BITS }, (_, bit) => bit)
      .filter((bit) => (word >> BigInt(bit)) & 1n)
      .map((bit) => i * WORD_BITS + bit),
  );

/** The bit set without one line. */
export const withoutLine = (words: readonly bigint[], line: number): bigint[] =>
  words.map((word, i) => (i === Math.floor(line / WORD_BITS) ? word & ~(1n << BigInt(line % WORD_BITS)) : word));

/** Lines and outcomes of a presentation, written out where it says them by its results alone. */
export function writtenOut(
  groups: readonly Group[],
  { results, lines, outcomes }: Presentation,
): Pick<Presentation, "lines" | "outcomes"> {
  if (outcomes.length > 0) return { lines, outcomes };
  const count = groups.reduce((sum, { lineCount }) => sum + lineCount, 0);
  const bits = Array.from({ length: Math.ceil(count / WORD_BITS) }, () => 0n);
  let first = 0;
  const said = decodeResults(results, groups).map((result, i) => {
    const { lineCount, subtotal } = groups[i] as Group;
    const next = first + lineCount;
    if (result.result !== "met" && result.result !== "notMet") {
      first = next;
      return 0n;
    }
    for (; first < next; first++) {
      const word = Math.floor(first / WORD_BITS);
      bits[word] = (bits[word] ?? 0n) | (1n << BigInt(first % WORD_BITS));
    }
    return result.result === "met" ? packWord(subtotal, 0n) : packWord(0n, subtotal);
  });
  return { lines: bits, outcomes: said };
}

const COMMITMENT_MASK = (1n << 214n) - 1n;
const PRESENTATION_TYPES = ["bytes32", "uint256[]", "uint256[]"];

const commitmentTo = (bytes: string): string => toBeHex(BigInt(keccak256(bytes)) & COMMITMENT_MASK, 32);

/**
 * What the escrow keeps of a presentation: the lower 214 bits of keccak256(abi.encode(keccak256(results), lines, outcomes)) or, where
 * lines and outcomes are nothing, of keccak256(keccak256(results) ‖ 0).
 */
export const presentationCommitmentOf = ({ results, lines, outcomes }: Presentation): string =>
  commitmentTo(
    outcomes.length === 0
      ? concat([keccak256(results), ZeroHash])
      : AbiCoder.defaultAbiCoder().encode(PRESENTATION_TYPES, [keccak256(results), lines, outcomes]),
  );

/** What the escrow keeps of a retention: the lower 214 bits of keccak256 of the amounts, each a word of 32 bytes. */
export const retentionCommitmentOf = ({ amounts }: Retention): string =>
  commitmentTo(concat(amounts.map((word) => toBeHex(word, 32))));

/** Index in the batch of a line. @throws INPUT_INVALID when there is no such line */
export function indexOfLine(groups: readonly { lineCount: number }[], { group, line }: BatchLine): number {
  const count = groups[group]?.lineCount ?? 0;
  if (!Number.isInteger(line) || line < 0 || line >= count)
    throw new CarepactError(
      "INPUT_INVALID",
      `Group ${group} of the batch has no line ${line}: name one of the batch.`,
      {
        path: "line",
        group,
        line,
      },
    );
  return groups.slice(0, group).reduce((sum, { lineCount }) => sum + lineCount, 0) + line;
}

/** The place of the line with an index in the batch. */
export function placeOfLine(groups: readonly { lineCount: number }[], index: number): BatchLine {
  let line = index;
  const group = groups.findIndex(({ lineCount }) => {
    if (line < lineCount) return true;
    line -= lineCount;
    return false;
  });
  return { group, line };
}

/**
 * Opens a line's amount. A group of one line shows it anyway.
 * @throws INPUT_INVALID, and GROUPS_INVALID where the amounts are not known here
 */
export function openingOf(source: BatchSource, place: BatchLine): LineOpening {
  const { group, line } = place;
  const { groups } = publicPartOf(source);
  indexOfLine(groups, place);
  if (groups[group]?.lineCount === 1)
    return { group, line, opened: { group, salt: ZeroHash, amounts: "0x" }, proof: [] };
  const known = openedGroupsOf(source).find((opened) => opened.group === group);
  if (known === undefined)
    throw new CarepactError(
      "GROUPS_INVALID",
      `The line amounts of group ${group} are not known here: open its part of the file, or the payer's record.`,
      { missing: [group] },
    );
  return { group, line, opened: packGroupLines(known.groupLines), proof: [...known.linesProof] };
}
