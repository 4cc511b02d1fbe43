import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Root of the repository. */
export const ROOT = join(__dirname, "..", "..");

/** Text of a page, named by its path from the root. */
export const readPage = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** A fenced block, with what stands around it. */
export interface Block {
  /** What it is written in: `ts`, `sh`, `json`. */
  language: string;
  text: string;
  /** Line of its opening fence; 0 is the first of the page. */
  line: number;
  /** Heading that it stands under. */
  heading: string;
  /** Paragraph before it. */
  paragraph: string;
}

/** All fenced blocks of a page, in order. A fence that readers would not see as one is refused, so that none is overlooked. */
export function fencedBlocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let [heading, paragraph, previous] = ["", "", ""];
  let open: { block: Block; lines: string[] } | undefined;
  page.split("\n").forEach((line, number) => {
    if (open !== undefined) {
      if (line === "```") {
        blocks.push({ ...open.block, text: open.lines.map((inside) => `${inside}\n`).join("") });
        [open, paragraph] = [undefined, ""];
      } else open.lines.push(line);
    } else if (/^\s*(```|~~~)/.test(line)) {
      const [, language] = /^```(\w+)$/.exec(line) ?? [];
      if (language === undefined)
        throw new Error(`Line ${number + 1}: a block begins with three backticks and a language.`);
      open = { block: { language, text: "", line: number, heading, paragraph }, lines: [] };
    } else if (/^#+ /.test(line)) [heading, paragraph] = [line.replace(/^#+ /, ""), ""];
    else if (line !== "") paragraph = previous === "" ? line : `${paragraph} ${line}`;
    previous = line;
  });
  if (open !== undefined) throw new Error(`Line ${open.block.line + 1}: the block has no end.`);
  return blocks;
}

/** Texts of the fenced blocks of one language, in order. */
export const blocksOf = (page: string, language: string): string[] =>
  fencedBlocksOf(page).flatMap((block) => (block.language === language ? [block.text] : []));

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
