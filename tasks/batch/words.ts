import { formatAmount, type Token } from "@carepact/sdk";
import type { AttestationStatement, GroupResult, LineResult, PublicPart } from "@carepact/sdk/claims";

import { amountText } from "../support/money";
import { isoTime } from "../support/show";

const words = { pending: "pending", met: "met", notMet: "not met", partlyMet: "partly met" } as const;

const lineText = (line: LineResult, token: Token): string =>
  line.result === "partlyMet" ? `${words.partlyMet}, ${amountText(line.amount, token)}` : words[line.result];

/** What results say, in words: a line for each group, and each line of which something is said by itself. */
export function resultLines({ groups, token }: PublicPart, results: readonly GroupResult[]): string[] {
  return groups.flatMap(({ payee, lineCount, subtotal }, group) => {
    const result = results[group] as GroupResult;
    const of = `group ${group} of ${payee}, ${lineCount === 1 ? "1 line" : `${lineCount} lines`}, ${amountText(subtotal, token)}`;
    if (result.result !== "byLine") return [`${of}: all ${words[result.result]}`];
    return [`${of}:`, ...result.lines.map((line, i) => `  line ${i}: ${lineText(line, token)}`)];
  });
}

/** The same for programs: amounts as decimals. */
export const resultsJson = ({ groups, token }: PublicPart, results: readonly GroupResult[]): object[] =>
  groups.map(({ payee }, group) => {
    const result = results[group] as GroupResult;
    if (result.result !== "byLine") return { payee, result: result.result };
    const lines = result.lines.map((line) =>
      line.result === "partlyMet" ? { ...line, amount: formatAmount(line.amount, token) } : line,
    );
    return { payee, result: "byLine", lines };
  });

/** Until when a statement may settle, and when its makers looked. */
export const timesText = ({ observedAt, validUntil }: AttestationStatement): string =>
  `observed at ${isoTime(observedAt)}, valid until ${isoTime(validUntil)}`;
