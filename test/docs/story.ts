import { createRequire } from "node:module";
import { format } from "node:util";
import { runInThisContext } from "node:vm";

import ts from "typescript";

import { fencedBlocksOf, readPage, type Block } from "./page";

/** A page whose blocks are run from the first to the last, as one program. */
export interface Story {
  /** Path from the root. */
  page: string;
  /** What the page's code takes as given, by the names it has there. */
  given: object;
  /** What others do before the first block under a heading, time included. */
  meanwhile?: Readonly<Record<string, () => Promise<unknown>>>;
  /** What to do with a block that is not TypeScript, by its language. A block that is in neither is an error. */
  others?: Readonly<Record<string, (block: Block) => unknown>>;
  /** The page's text, if it is to be another than what is written. */
  text?: string;
}

/**
 * A page as one module: its TypeScript on the lines where the page has it, each block behind a call of `step` with the block's number.
 * So its blocks share their names, and what a compiler says of a line is said of the page's line.
 */
export function moduleOf(text: string): string {
  const blocks = fencedBlocksOf(text);
  const lines = text.split("\n").map(() => "");
  blocks.forEach(({ language, line, text: inside }, number) => {
    lines[line] = `await step(${number});`;
    if (language === "ts")
      inside
        .split("\n")
        .slice(0, -1)
        .forEach((code, i) => (lines[line + 1 + i] = code));
  });
  return lines.join("\n");
}

/**
 * Tells a page's story. Whatever it prints stands in a comment behind that line: it prints just that.
 * @throws what a block throws, and when there is a block that nobody would run
 */
export async function tell({ page, given, meanwhile = {}, others = {}, text = readPage(page) }: Story): Promise<void> {
  const blocks = fencedBlocksOf(text);
  for (const { language, line } of blocks)
    if (language !== "ts" && others[language] === undefined)
      throw new Error(`${page}:${line + 1}: nothing runs a block of ${language}.`);
  for (const heading of Object.keys(meanwhile))
    if (!blocks.some((block) => block.heading === heading)) throw new Error(`${page} has no block under "${heading}".`);
  requireNamed(page, text, Object.keys(given));

  let under = "";
  const step = async (number: number): Promise<void> => {
    const block = blocks[number]!;
    if (block.heading !== under) await meanwhile[block.heading]?.();
    under = block.heading;
    await others[block.language]?.(block);
  };
  const module = moduleOf(text);
  const { outputText } = ts.transpileModule(module, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS, esModuleInterop: true },
  });
  const names = Object.keys(given);
  const body = runInThisContext(
    `(async (require, exports, step, console, ${names.join(", ")}) => {\n${outputText}\n})`,
    {
      filename: page,
    },
  ) as (...args: unknown[]) => Promise<void>;
  const printed: string[] = [];
  const console = { log: (...values: unknown[]) => printed.push(format(...values)) };
  await body(createRequire(__filename), {}, step, console, ...(Object.values(given) as unknown[]));
  const promised = promisedBy(module);
  if (printed.join("\n") !== promised.join("\n"))
    throw new Error(`${page} prints\n${printed.join("\n")}\nwhere it says\n${promised.join("\n")}`);
}

/** What a page says that it prints: the comment behind each `console.log`. */
function promisedBy(module: string): string[] {
  const promised: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isExpressionStatement(node) && node.expression.getText(source).startsWith("console.log(")) {
      const [comment] = ts.getTrailingCommentRanges(module, node.end) ?? [];
      promised.push(comment === undefined ? "(nothing)" : module.slice(comment.pos, comment.end).replace(/^\/\/ /, ""));
    }
    ts.forEachChild(node, visit);
  };
  const source = ts.createSourceFile("page.ts", module, ts.ScriptTarget.ES2022, true);
  visit(source);
  return promised;
}

/** A reader finds every name that code takes as given in the page's words. */
function requireNamed(page: string, text: string, names: readonly string[]): void {
  const words = text.replace(/^```[\s\S]*?^```$/gm, "");
  const unsaid = names.filter((name) => !words.includes(`\`${name}\``));
  if (unsaid.length > 0) throw new Error(`${page} takes as given, and does not say so: ${unsaid.join(", ")}.`);
}
