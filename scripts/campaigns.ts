import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./processes";

/** Fewest calls that all campaigns together have to make. */
const LEAST_CALLS = 200_000;
/** How often each handler has to do what it is for, in all campaigns together. */
const LEAST_SUCCESSES = 500;

const HANDLERS = join(ROOT, "test", "properties", "campaign");

/** What the campaigns did, by handler, and what that falls short of. */
export interface Campaigns {
  readonly table: readonly string[];
  readonly shortfalls: readonly string[];
}

/** Handlers by their sources: one that forge never called is in none of its tables. */
function handlersInSources(): string[] {
  const sources = readdirSync(HANDLERS).map((file) => readFileSync(join(HANDLERS, file), "utf8"));
  return sources.flatMap((source) =>
    Array.from(source.matchAll(/function (\w+)\([^)]*\) external counted/g), ([, name]) => name!),
  );
}

/**
 * Reads the tables that forge prints after each campaign. A call that reverted or was discarded did nothing; all others did what their
 * handler is for.
 * @param output Of `forge test`, without colours.
 */
export function readCampaigns(output: string): Campaigns {
  const successes = new Map(handlersInSources().map((handler) => [handler, 0]));
  for (const [, handler, calls, reverts, discards] of output.matchAll(
    /^\| Handlers +\| (\w+) +\| (\d+) +\| (\d+) +\| (\d+) +\|$/gm,
  )) {
    successes.set(handler!, (successes.get(handler!) ?? 0) + Number(calls) - Number(reverts) - Number(discards));
  }
  const calls = [...successes.values()].reduce((sum, count) => sum + count, 0);
  const rows = [...successes].sort(([, a], [, b]) => a - b);
  const shortfalls = rows
    .filter(([, count]) => count < LEAST_SUCCESSES)
    .map(([handler, count]) => `${handler} succeeded ${count} times, less than ${LEAST_SUCCESSES}`);
  if (calls < LEAST_CALLS) shortfalls.push(`the campaigns made ${calls} calls, less than ${LEAST_CALLS}`);
  const width = Math.max(...rows.map(([handler]) => handler.length));
  const table = rows.map(([handler, count]) => `${handler.padEnd(width)} ${String(count).padStart(7)}`);
  return {
    table: [
      "Successes of each handler, in all campaigns:",
      ...table,
      `${"all".padEnd(width)} ${String(calls).padStart(7)}`,
    ],
    shortfalls,
  };
}
