import { parseAmount, type Token } from "@carepact/sdk";
import type { BatchSource, GroupResult, LineResult, PublicPart } from "@carepact/sdk/claims";

import { readJson } from "../support/files";
import { addressIn, oneOf, usage } from "../support/input";

import { eventResultsIn } from "./events";

/** Results as options give them. */
export interface ResultOptions {
  all?: string;
  results?: string;
  events?: string;
}

const OPTION = "--results";
const plain = ["pending", "met", "notMet"] as const;

/** One result for each group of a batch. @throws INPUT_INVALID, and the AMOUNT_ codes */
export async function resultsIn(
  source: BatchSource,
  batch: PublicPart,
  { all, results, events }: ResultOptions,
): Promise<GroupResult[]> {
  const { groups, token } = batch;
  if ([all, results, events].filter((option) => option !== undefined).length !== 1)
    throw usage("Give --all, --results or --events, one of them.", OPTION);
  if (events !== undefined) return eventResultsIn(source, batch, events);
  if (all !== undefined) {
    const result = oneOf(all, ["met", "notMet"], "--all");
    return groups.map(() => ({ result }));
  }
  const value = await readJson(results ?? "", OPTION);
  if (Array.isArray(value)) {
    if (value.length !== groups.length)
      throw usage(`${OPTION}: the batch has ${groups.length} groups, the file ${value.length} results.`, OPTION);
    return value.map((entry, i) => groupResult(entry, token, `[${i}]`));
  }
  if (typeof value !== "object" || value === null) throw usage(`${OPTION}: this is no list of results.`, OPTION);
  const byPayee = new Map(
    Object.entries(value).map(([payee, entry]) => [addressIn(payee, OPTION), groupResult(entry, token, payee)]),
  );
  const strangers = [...byPayee.keys()].filter((payee) => !groups.some((group) => group.payee === payee));
  if (strangers.length > 0) throw usage(`${OPTION}: the batch has no group of ${strangers.join(", ")}.`, OPTION);
  return groups.map(({ payee }) => byPayee.get(payee) ?? { result: "pending" });
}

const resultOf = (entry: unknown): unknown =>
  typeof entry === "object" && entry !== null ? (entry as { result?: unknown }).result : entry;

function groupResult(entry: unknown, token: Token, path: string): GroupResult {
  if (resultOf(entry) !== "byLine") return { result: oneOf(resultOf(entry), plain, `${OPTION} ${path}`) };
  const { lines } = entry as { lines?: unknown };
  if (!Array.isArray(lines)) throw usage(`${OPTION} ${path}: lines is a list.`, OPTION);
  return { result: "byLine", lines: lines.map((line, i) => lineResult(line, token, `${path}.lines[${i}]`)) };
}

function lineResult(entry: unknown, token: Token, path: string): LineResult {
  const result = oneOf(resultOf(entry), [...plain, "partlyMet"], `${OPTION} ${path}`);
  if (result !== "partlyMet") return { result };
  return { result, amount: parseAmount((entry as { amount?: unknown }).amount, token, `${OPTION} ${path}.amount`) };
}
