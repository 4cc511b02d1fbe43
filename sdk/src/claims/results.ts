import { getBytes, hexlify, isHexString } from "ethers";

import { CarepactError } from "../errors";

import { batchLimits } from "./types";

/**
 * What was attested for one line. A partly met line pays `amount` base units, finally; the rest returns to the payer.
 */
export type LineResult =
  { result: "pending" } | { result: "met" } | { result: "notMet" } | { result: "partlyMet"; amount: bigint };

/** What was attested for one group: one answer for all of its lines, or one by line, in the order of the opened group's lines. */
export type GroupResult =
  { result: "pending" } | { result: "met" } | { result: "notMet" } | { result: "byLine"; lines: LineResult[] };

/** What results have to fit: the group's number of lines and, where they are known, their amounts in base units. */
export interface GroupShape {
  lineCount: number;
  amounts?: readonly bigint[];
}

const AMOUNT_BYTES = 11;
const CODES_PER_BYTE = 4;

const groupNames = ["pending", "met", "notMet", "byLine"] as const;
const lineNames = ["pending", "met", "notMet", "partlyMet"] as const;

const bytesFor = (codes: number): number => Math.ceil(codes / CODES_PER_BYTE);

// Not Array.isArray itself, which would narrow a readonly array to any[].
const isArray = (value: unknown): boolean => Array.isArray(value);

const malformed = (message: string, details: Record<string, unknown> = {}): CarepactError =>
  new CarepactError("RESULTS_MALFORMED", message, details);

function requireShape(shape: readonly GroupShape[]): void {
  if (!isArray(shape) || shape.length === 0 || shape.length > batchLimits.groups)
    throw malformed(`Results are for 1 to ${batchLimits.groups} groups.`);
  shape.forEach(({ lineCount, amounts }, group) => {
    if (!Number.isInteger(lineCount) || lineCount < 1 || lineCount > batchLimits.lines)
      throw malformed(`A group has 1 to ${batchLimits.lines} lines.`, { group, lineCount });
    if (amounts !== undefined && amounts.length !== lineCount)
      throw malformed("A group needs one amount a line.", { group, lineCount, amounts: amounts.length });
  });
}

function requirePartial(amount: unknown, group: number, line: number, shape: GroupShape): bigint {
  const whole = shape.amounts?.[line] ?? batchLimits.subtotal + 1n;
  if (typeof amount !== "bigint" || amount <= 0n || amount >= whole)
    throw new CarepactError(
      "PARTIAL_AMOUNT_INVALID",
      `Line ${line} of group ${group} is partly met: its amount has to lie above zero and below the line's own.`,
      { group, line, amount, lineAmount: shape.amounts?.[line] ?? null },
    );
  return amount;
}

function packCodes(codes: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(bytesFor(codes.length));
  codes.forEach((code, i) => {
    bytes[i >> 2] = (bytes[i >> 2] ?? 0) | (code << ((i & 3) * 2));
  });
  return bytes;
}

function packAmount(amount: bigint): Uint8Array {
  return getBytes(`0x${amount.toString(16).padStart(AMOUNT_BYTES * 2, "0")}`);
}

/**
 * Packs results as the escrow reads them (ResultsLib): two bits a group, lowest bits of a byte first; then, for each
 * group by line, two bits a line and 11 bytes for the amount of each partly met line.
 * @returns Hex, `0x` first.
 * @throws RESULTS_MALFORMED, PARTIAL_AMOUNT_INVALID
 */
export function encodeResults(results: readonly GroupResult[], shape: readonly GroupShape[]): string {
  requireShape(shape);
  if (!isArray(results) || results.length !== shape.length)
    throw malformed("Results need exactly one entry a group.", { groups: shape.length });

  const parts = [packCodes(results.map((group, index) => codeOf(groupNames, group, { group: index })))];
  results.forEach((group, index) => {
    if (group.result !== "byLine") return;
    const groupShape = shape[index] as GroupShape;
    if (!isArray(group.lines) || group.lines.length !== groupShape.lineCount)
      throw malformed("A group by line needs one result a line.", { group: index, lineCount: groupShape.lineCount });
    parts.push(packCodes(group.lines.map((line, i) => codeOf(lineNames, line, { group: index, line: i }))));
    group.lines.forEach((line, i) => {
      if (line.result === "partlyMet") parts.push(packAmount(requirePartial(line.amount, index, i, groupShape)));
    });
  });
  return hexlify(joinBytes(parts));
}

function codeOf(names: readonly string[], entry: { result: string }, where: Record<string, unknown>): number {
  const code = names.indexOf(entry?.result);
  if (code < 0) throw malformed(`A result is one of ${names.join(", ")}.`, where);
  return code;
}

function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

/**
 * Reads packed results, see {@link encodeResults}. Refuses whatever the escrow would: too short, bytes left over,
 * unused bits set, a partial amount out of range.
 * @param results Hex, `0x` first.
 * @throws RESULTS_MALFORMED, PARTIAL_AMOUNT_INVALID
 */
export function decodeResults(results: string, shape: readonly GroupShape[]): GroupResult[] {
  requireShape(shape);
  if (!isHexString(results) || results.length % 2 !== 0) throw malformed("Results are whole bytes in hex, 0x first.");
  const bytes = getBytes(results);
  let offset = 0;

  const take = (length: number): Uint8Array => {
    if (offset + length > bytes.length)
      throw malformed("The results end too early for these groups.", { length: bytes.length });
    offset += length;
    return bytes.subarray(offset - length, offset);
  };
  const takeCodes = (count: number): number[] => {
    const packed = take(bytesFor(count));
    const codeAt = (i: number): number => ((packed[i >> 2] ?? 0) >> ((i & 3) * 2)) & 3;
    for (let i = count; i < packed.length * CODES_PER_BYTE; i++)
      if (codeAt(i) !== 0) throw malformed("Unused bits of the results have to be zero.", { offset: offset - 1 });
    return Array.from({ length: count }, (_, i) => codeAt(i));
  };

  const groups = takeCodes(shape.length).map((code, group): GroupResult => {
    const result = groupNames[code as 0 | 1 | 2 | 3];
    if (result !== "byLine") return { result };
    const groupShape = shape[group] as GroupShape;
    const lines = takeCodes(groupShape.lineCount).map((lineCode): LineResult => {
      const name = lineNames[lineCode as 0 | 1 | 2 | 3];
      return name === "partlyMet" ? { result: name, amount: 0n } : { result: name };
    });
    lines.forEach((line, index) => {
      if (line.result === "partlyMet")
        line.amount = requirePartial(BigInt(hexlify(take(AMOUNT_BYTES))), group, index, groupShape);
    });
    return { result, lines };
  });
  if (offset !== bytes.length)
    throw malformed("Bytes are left over after the last result.", { read: offset, length: bytes.length });
  return groups;
}

/**
 * Results by line, brought into their cheapest form: a group whose lines all say the same settles by its subtotal, so
 * neither its line codes nor its amounts go on chain.
 */
export function groupResultsOf(lines: readonly (readonly LineResult[])[]): GroupResult[] {
  return lines.map((group): GroupResult => {
    const first = group[0]?.result;
    if (first === undefined) throw malformed("A group has at least one line.");
    return first !== "partlyMet" && group.every((line) => line.result === first)
      ? { result: first }
      : { result: "byLine", lines: [...group] };
  });
}

/** What each of `lineCount` lines of a group is given by the group's result. */
export function lineResultsOf(group: GroupResult, lineCount: number): LineResult[] {
  return group.result === "byLine"
    ? [...group.lines]
    : Array.from({ length: lineCount }, () => ({ result: group.result }));
}
