import Table from "cli-table3";

/** Where the demo tells people what happens. */
export interface Screen {
  /** Begins a scene. */
  title: (text: string) => void;
  /** Says something; long texts wrap between words. */
  say: (text: string) => void;
  table: (head: readonly string[], rows: readonly (readonly string[])[], layout?: TableLayout) => void;
}

/** How a table looks. */
export interface TableLayout {
  /** Indices of columns that hold numbers. */
  right?: readonly number[];
  /** Width of columns whose texts are long, by index. */
  widths?: Readonly<Record<number, number>>;
}

/** A screen that writes whole lines through `write`. */
export function screenOn(write: (line: string) => void): Screen {
  return {
    title: (text) => write(`\n== ${text}\n`),
    say: (text) => write(wrapped(text)),
    table: (head, rows, { right = [], widths = {} } = {}) => {
      const table = new Table({
        head: [...head],
        colAligns: head.map((_, i) => (right.includes(i) ? "right" : "left")),
        colWidths: head.map((_, i) => widths[i] ?? null),
        wordWrap: true,
        // Plain, so that it reads the same in a log.
        style: { head: [], border: [], compact: true },
      });
      table.push(...rows.map((row) => [...row]));
      write(table.toString());
    },
  };
}

const LINE_WIDTH = 120;

/** Each line of a text, broken between words where it is too long. */
function wrapped(text: string): string {
  const lines = text.split("\n").map((line) => {
    let length = 0;
    return line.split(" ").reduce((sum, word) => {
      const fits = length === 0 || length + 1 + word.length <= LINE_WIDTH;
      length = fits && length > 0 ? length + 1 + word.length : word.length;
      return sum === "" ? word : `${sum}${fits ? " " : "\n"}${word}`;
    }, "");
  });
  return lines.join("\n");
}

/** A whole number with thousands apart. */
export const grouped = (value: number): string => Math.round(value).toLocaleString("en-US");
