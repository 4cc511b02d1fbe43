import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { format } from "prettier";

import type { Gas } from "./compare";
import { markdownFloors, markdownTable } from "./report";

const gasPath = (root: string): string => join(root, "bench", "gas.json");
const docsPath = (root: string): string => join(root, "docs", "benchmarks.md");

/** The committed result; empty where there is none yet. */
export function readCommitted(root: string): Gas {
  const path = gasPath(root);
  if (!existsSync(path)) return {};
  const read: unknown = JSON.parse(readFileSync(path, "utf8"));
  if (typeof read !== "object" || read === null || !Object.values(read).every((value) => typeof value === "number"))
    throw new Error(`${path} is no object of numbers.`);
  return read as Gas;
}

/** docs/benchmarks.md with its tables written anew from these results. */
export async function benchmarksPage(root: string, gas: Gas): Promise<string> {
  const page = readFileSync(docsPath(root), "utf8");
  const withTable = replaceSection(page, "gas", markdownTable(gas));
  return format(replaceSection(withTable, "floors", markdownFloors()), { parser: "markdown", printWidth: 120 });
}

/** Writes the result, and the tables that show it. */
export async function writeCommitted(root: string, gas: Gas): Promise<void> {
  writeFileSync(gasPath(root), `${JSON.stringify(gas, null, 2)}\n`);
  writeFileSync(docsPath(root), await benchmarksPage(root, gas));
}

/** Replaces what stands between the comments that begin and end a section. */
function replaceSection(page: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/benchmarks.md has no section "${name}".`);
  return `${page.slice(0, from + begin.length)}\n\n${content}\n\n${page.slice(to)}`;
}
