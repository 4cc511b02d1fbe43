import Table from "cli-table3";

import { printable } from "./printable";

/** Unix seconds as ISO 8601, in UTC. */
export const isoTime = (seconds: number | bigint): string =>
  new Date(Number(seconds) * 1_000).toISOString().replace(".000Z", "Z");

const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
] as const;

/** Seconds as they are typed in: `14d`, `90m`, `0s`. */
export function durationText(seconds: number): string {
  const fitting = UNITS.find(([, length]) => seconds > 0 && seconds % length === 0);
  return fitting === undefined ? `${seconds}s` : `${seconds / fitting[1]}${fitting[0]}`;
}

/** A cell, of one line or several. */
type Cell = string | readonly string[];

/** Lines of a table without colours, which reads the same in a log. Columns named in `right` hold numbers. */
export function table(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  right: readonly string[] = [],
): string[] {
  const built = new Table({
    head: head.map(printable),
    colAligns: head.map((name) => (right.includes(name) ? "right" : "left")),
    style: { head: [], border: [], compact: true },
  });
  // Made printable here already, since its width is counted, and a line that is somebody else's text stays one line.
  built.push(...rows.map((row) => row.map((cell) => [cell].flat().map(printable).join("\n"))));
  return built.toString().split("\n");
}

/** Names and values below each other; what is undefined is left out. */
export function list(entries: Readonly<Record<string, string | number | undefined>>): string[] {
  const shown = Object.entries(entries).filter(([, value]) => value !== undefined);
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
}
