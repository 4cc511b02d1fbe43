import Table from "cli-table3";

import { type Peer, type Row, rows } from "./budgets";
import type { Gas } from "./compare";
import { floors, totalOf } from "./floors";

const number = (gas: number): string =>
  gas.toLocaleString("en-US", Number.isInteger(gas) ? {} : { minimumFractionDigits: 2 });

const peerText = (gas: Gas, peer: Peer): string =>
  "quoted" in peer ? `${peer.name} ${number(peer.quoted)} *` : `${peer.name} ${number(gas[peer.measured] ?? NaN)}`;

const share = (gas: number, { budget }: Row): string =>
  budget === undefined ? "" : `${((gas / budget) * 100).toFixed(1)} %`;

/** Cells of each row that was measured: operation, gas, budget, share of the budget, peers. */
function cells(gas: Gas): { row: Row; texts: [string, string, string, string]; peers: string[] }[] {
  return rows.flatMap((row) => {
    const value = gas[row.key];
    if (value === undefined) return [];
    const texts: [string, string, string, string] = [
      row.operation,
      number(value),
      row.budget === undefined ? "" : number(row.budget),
      share(value, row),
    ];
    return [{ row, texts, peers: row.peers.map((peer) => peerText(gas, peer)) }];
  });
}

const heads = ["operation", "gas", "budget", "of it", "beside it"];

/** The table for people at a terminal. */
export function terminalTable(gas: Gas): string {
  const table = new Table({
    head: heads,
    colAligns: ["left", "right", "right", "right", "left"],
    // Plain, so that it reads the same in a log.
    style: { head: [], border: [], compact: true },
  });
  for (const { texts, peers } of cells(gas)) table.push([...texts, peers.join("\n")]);
  return `${table.toString()}\n* not measured here: quoted, see docs/benchmarks.md. EAS is measured in this run, on this chain.`;
}

const markdownRow = (values: readonly string[]): string => `| ${values.join(" | ")} |`;

/** The same table for docs/benchmarks.md. */
export function markdownTable(gas: Gas): string {
  return [
    markdownRow(["key", ...heads]),
    markdownRow(["---", "---", "---:", "---:", "---:", "---"]),
    ...cells(gas).map(({ row, texts, peers }) =>
      markdownRow([`\`${row.key}\``, ...texts, peers.join("; ").replaceAll("*", "\\*")]),
    ),
  ].join("\n");
}

/** The floors of docs/benchmarks.md, item by item. */
export function markdownFloors(): string {
  return Object.entries(floors)
    .map(([key, items]) =>
      [
        `\`${key}\``,
        "",
        markdownRow(["unavoidable", "gas"]),
        markdownRow(["---", "---:"]),
        ...items.map(({ what, gas }) => markdownRow([what, number(gas)])),
        markdownRow(["**floor**", `**${number(totalOf(items))}**`]),
      ].join("\n"),
    )
    .join("\n\n");
}
