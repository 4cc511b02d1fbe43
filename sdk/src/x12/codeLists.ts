import { toUtf8String } from "ethers";

import { CarepactError } from "../errors";

/** A code of a list, as the list itself describes it. */
export interface ListedCode {
  code: string;
  description: string;
  /** First day it may be used, as the list writes it. */
  start?: string;
  /** Last day it may be used, as the list writes it. */
  end?: string;
}

/** Which column has what: by its name in the first row, or by its number, zero for the first, where there are no names. */
export interface CodeListColumns {
  code: string | number;
  description: string | number;
  start?: string | number;
  end?: string | number;
}

/** How a code list is read. */
export interface CodeListOptions {
  /** For errors: `CARC`. */
  name: string;
  columns: CodeListColumns;
  /** A comma unless said otherwise. */
  separator?: "," | "\t" | ";";
}

/** Codes that a customer has a licence for. */
export interface LicensedCodeList {
  readonly name: string;
  /** Number of codes. */
  readonly size: number;
  has(code: string): boolean;
  /** @throws CODE_UNKNOWN */
  entry(code: string): ListedCode;
  /** All, in the list's order. */
  entries(): ListedCode[];
}

/**
 * Reads a code list (claim adjustment reasons, remarks, claim statuses, procedures) from a CSV or TSV file (RFC 4180) of
 * your own. These lists are licensed, and the SDK comes with none; nothing that reads or writes X12 needs one.
 * @param source Text, or bytes in UTF-8.
 * @throws X12_CODE_LIST_INVALID: a column that is not there, a row that is cut off, a code without text or given twice
 */
export function loadCodeList(source: string | Uint8Array, options: CodeListOptions): LicensedCodeList {
  const { name, columns, separator = "," } = options;
  const rows = rowsOf(textOf(source, name).replace(/^\uFEFF/, ""), separator, name);
  const named = [columns.code, columns.description, columns.start, columns.end].some((at) => typeof at === "string");
  const names = named ? (rows.shift() ?? []) : [];
  const column = (at: string | number | undefined): number | undefined => {
    if (at === undefined || typeof at === "number") return at;
    const index = names.indexOf(at);
    if (index < 0) throw invalid(name, `has no column ${JSON.stringify(at.slice(0, 40))} in its first row`);
    return index;
  };
  const at = {
    code: column(columns.code) as number,
    description: column(columns.description) as number,
    start: column(columns.start),
    end: column(columns.end),
  };

  const codes = new Map<string, ListedCode>();
  for (const [i, row] of rows.entries()) {
    const where = `row ${i + 1 + (named ? 1 : 0)}`;
    const [code, description] = [row[at.code]?.trim(), row[at.description]?.trim()];
    if (!code || !description) throw invalid(name, `has no code or no description in ${where}`);
    if (codes.has(code)) throw invalid(name, `has a code twice, again in ${where}`);
    const [start, end] = [at.start, at.end].map((index) => (index === undefined ? "" : (row[index]?.trim() ?? "")));
    codes.set(code, { code, description, ...(start ? { start } : {}), ...(end ? { end } : {}) });
  }
  return new CodesOfCustomer(name, codes);
}

class CodesOfCustomer implements LicensedCodeList {
  constructor(
    readonly name: string,
    private readonly codes: ReadonlyMap<string, ListedCode>,
  ) {}

  get size(): number {
    return this.codes.size;
  }

  has(code: string): boolean {
    return this.codes.has(code);
  }

  entry(code: string): ListedCode {
    const entry = this.codes.get(code);
    if (entry === undefined)
      throw new CarepactError("CODE_UNKNOWN", `Not a code of ${this.name}.`, {
        list: this.name,
        code: typeof code === "string" ? code.slice(0, 80) : typeof code,
      });
    return { ...entry };
  }

  entries(): ListedCode[] {
    return [...this.codes.values()].map((entry) => ({ ...entry }));
  }
}

const invalid = (name: string, problem: string): CarepactError =>
  new CarepactError("X12_CODE_LIST_INVALID", `The list ${name} ${problem}.`, { list: name });

function textOf(source: string | Uint8Array, name: string): string {
  if (typeof source === "string") return source;
  try {
    return toUtf8String(source);
  } catch {
    throw invalid(name, "is not text in UTF-8");
  }
}

/** The rows of a CSV file that hold anything. */
function rowsOf(text: string, separator: string, name: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < text.length) {
    const [field, next] = text[at] === '"' ? quoted(text, at, name) : bare(text, at, separator);
    row.push(field);
    const after = text.charAt(next);
    if (after !== separator && after !== "" && after !== "\n" && after !== "\r")
      throw invalid(name, `has something after a closing quote in row ${rows.length + 1}`);
    at = next + (after === "\r" && text[next + 1] === "\n" ? 2 : 1);
    if (after === separator && at < text.length) continue;
    if (after === separator) row.push("");
    rows.push(row);
    row = [];
  }
  return rows.filter((fields) => fields.some((field) => field.trim() !== ""));
}

const bare = (text: string, from: number, separator: string): readonly [string, number] => {
  let at = from;
  while (at < text.length && text[at] !== separator && text[at] !== "\n" && text[at] !== "\r") at += 1;
  return [text.slice(from, at), at];
};

const quoted = (text: string, from: number, name: string): readonly [string, number] => {
  let field = "";
  for (let at = from + 1; ;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) throw invalid(name, "ends inside quotes");
    field += text.slice(at, quote);
    if (text[quote + 1] !== '"') return [field, quote + 1];
    field += '"';
    at = quote + 2;
  }
};
