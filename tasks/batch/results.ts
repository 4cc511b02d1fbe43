import { parseAmount, type Token } from "@carepact/sdk";
import {
  openedGroupsOf,
  type BatchSource,
  type GroupResult,
  type LineResult,
  type OpenedLine,
  type PublicPart,
} from "@carepact/sdk/claims";

import { readJson } from "../support/files";
import { addressIn, oneOf, usage } from "../support/input";

import { eventResultsIn, isAbout, type LineName } from "./events";

/** Results as options give them. */
export interface ResultOptions {
  all?: string;
  results?: string;
  events?: string;
  fhirVersion?: string;
}

const OPTION = "--results";
const plain = ["pending", "met", "notMet"] as const;

/** What a file's results of a group are read against. */
interface Shape {
  lineCount: number;
  token: Token;
  /** Where they are open. */
  lines: readonly OpenedLine[] | undefined;
}

/** One result for each group of a batch. @throws INPUT_INVALID, and the AMOUNT_ codes */
export async function resultsIn(
  source: BatchSource,
  batch: PublicPart,
  { all, results, events, fhirVersion }: ResultOptions,
): Promise<GroupResult[]> {
  const { groups, token } = batch;
  if ([all, results, events].filter((option) => option !== undefined).length !== 1)
    throw usage("Give --all, --results or --events, one of them.", OPTION);
  if (fhirVersion !== undefined && events === undefined)
    throw usage("--fhir-version goes with --events.", "--fhir-version");
  if (events !== undefined) return eventResultsIn(source, batch, { events, fhirVersion });
  if (all !== undefined) {
    const result = oneOf(all, ["met", "notMet"], "--all");
    return groups.map(() => ({ result }));
  }
  const opened = openedGroupsOf(source);
  const shapes = groups.map(({ payee, lineCount }): Shape => {
    const lines = opened.find((group) => group.payee === payee)?.lines;
    return { lineCount, token, lines };
  });
  const value = await readJson(results ?? "", OPTION);
  if (Array.isArray(value)) {
    if (value.length !== groups.length)
      throw usage(`${OPTION}: the batch has ${groups.length} groups, the file ${value.length} results.`, OPTION);
    return shapes.map((shape, i) => groupResult(value[i], shape, `[${i}]`));
  }
  if (typeof value !== "object" || value === null) throw usage(`${OPTION}: this is no list of results.`, OPTION);
  const byPayee = new Map(Object.entries(value).map(([payee, entry]) => [addressIn(payee, OPTION), entry as unknown]));
  const strangers = [...byPayee.keys()].filter((payee) => !groups.some((group) => group.payee === payee));
  if (strangers.length > 0) throw usage(`${OPTION}: the batch has no group of ${strangers.join(", ")}.`, OPTION);
  return groups.map(({ payee }, i) => groupResult(byPayee.get(payee) ?? "pending", shapes[i] as Shape, payee));
}

const resultOf = (entry: unknown): unknown =>
  typeof entry === "object" && entry !== null ? (entry as { result?: unknown }).result : entry;

function groupResult(entry: unknown, shape: Shape, path: string): GroupResult {
  if (resultOf(entry) !== "byLine") return { result: oneOf(resultOf(entry), plain, `${OPTION} ${path}`) };
  const { lines } = entry as { lines?: unknown };
  if (!Array.isArray(lines)) throw usage(`${OPTION} ${path}: lines is a list.`, OPTION);
  const results = lines.map((line, i) => lineResult(line, shape.token, `${path}.lines[${i}]`));
  if (!lines.some(isNamed)) return { result: "byLine", lines: results };
  const all = Array.from({ length: shape.lineCount }, (): LineResult => ({ result: "pending" }));
  const seen = new Set<number>();
  results.forEach((result, i) => {
    const index = indexOf(lines[i], shape, `${path}.lines[${i}]`);
    if (seen.has(index)) throw usage(`${OPTION} ${path}.lines[${i}]: line ${index} was named before.`, OPTION);
    seen.add(index);
    all[index] = result;
  });
  return { result: "byLine", lines: all };
}

/** A line's name: its number in the group, as batch:check shows it, or its claim. */
type Named = LineName & { line?: unknown };

const isNamed = (entry: unknown): entry is Named =>
  typeof entry === "object" && entry !== null && ("line" in entry || "claimId" in entry);

function indexOf(entry: unknown, { lineCount, lines }: Shape, path: string): number {
  if (!isNamed(entry)) throw usage(`${OPTION} ${path}: name each line of the group, or none and give all.`, OPTION);
  const { line } = entry;
  if (line !== undefined) {
    if (typeof line === "number" && Number.isInteger(line) && line >= 0 && line < lineCount) return line;
    throw usage(`${OPTION} ${path}: line is a number from 0 to ${lineCount - 1}.`, OPTION);
  }
  if (lines === undefined)
    throw usage(
      `${OPTION} ${path}: claims can be named where lines are open, by the payer's record or the payee's sealing key; else the line's number.`,
      OPTION,
    );
  const found = lines.filter((one) => isAbout(entry, one));
  const [about] = found;
  if (about === undefined || found.length > 1)
    throw usage(`${OPTION} ${path}: ${found.length} lines fit its claimId and lineNumber; one has to.`, OPTION);
  return about.index;
}

function lineResult(entry: unknown, token: Token, path: string): LineResult {
  const result = oneOf(resultOf(entry), [...plain, "partlyMet"], `${OPTION} ${path}`);
  if (result !== "partlyMet") return { result };
  return { result, amount: parseAmount((entry as { amount?: unknown }).amount, token, `${OPTION} ${path}.amount`) };
}
