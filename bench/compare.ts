import type { Row } from "./budgets";

/** Gas by key: of a whole transaction, or per line or item with two decimals. */
export type Gas = Record<string, number>;

/** Largest change, as a part of the committed value, that needs nobody's consent. */
const TOLERANCE = 0.01;

/** One sentence for each row that takes more than its budget, or was not measured. */
export function budgetsMissed(measured: Gas, rows: readonly Row[]): string[] {
  return rows.flatMap(({ key, budget }) => {
    const gas = measured[key];
    if (gas === undefined) return [`${key} was not measured.`];
    if (budget === undefined || gas <= budget) return [];
    return [`${key} takes ${gas}, its budget is ${budget}.`];
  });
}

/** One sentence for each key that changed by more than 1 %, in either direction, came, or went. */
export function changesSince(committed: Gas, measured: Gas): string[] {
  const keys = [...new Set([...Object.keys(committed), ...Object.keys(measured)])];
  return keys.flatMap((key) => {
    const [before, now] = [committed[key], measured[key]];
    if (before === undefined) return [`${key} is new: ${now}.`];
    if (now === undefined) return [`${key} is no longer measured; it was ${before}.`];
    if (Math.abs(now - before) <= before * TOLERANCE) return [];
    const percent = ((now / before - 1) * 100).toFixed(2);
    return [`${key} changed from ${before} to ${now} (${now > before ? "+" : ""}${percent} %).`];
  });
}
