import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Root of the repository. */
export const ROOT = join(__dirname, "..", "..");

/** Text of a page, named by its path from the root. */
export const readPage = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** Fenced blocks of one language, in order. */
export function blocksOf(page: string, language: string): string[] {
  return [...page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].flatMap(([, name, text]) =>
    name === language && text !== undefined ? [text] : [],
  );
}

/** A table: cells without the spaces around them. */
export interface Table {
  header: string[];
  rows: string[][];
}

const cellsOf = (line: string): string[] =>
  line
    .slice(1, -1)
    .split("|")
    .map((cell) => cell.trim());

/** All tables of a page, in order. */
export function tablesOf(page: string): Table[] {
  const tables: Table[] = [];
  let lines: string[] = [];
  for (const line of [...page.split("\n"), ""]) {
    if (line.startsWith("|")) {
      lines.push(line);
    } else if (lines.length > 0) {
      const [header, , ...rows] = lines.map(cellsOf);
      tables.push({ header: header ?? [], rows });
      lines = [];
    }
  }
  return tables;
}

/** Rows of all tables of a page that have exactly this header. */
export function rowsOf(page: string, ...header: string[]): string[][] {
  return tablesOf(page)
    .filter((table) => table.header.join("|") === header.join("|"))
    .flatMap(({ rows }) => rows);
}

/** What stands between the backticks of a cell that is nothing but code. */
export const codeIn = (cell: string | undefined): string => cell?.match(/^`([^`]*)`$/)?.[1] ?? "";
