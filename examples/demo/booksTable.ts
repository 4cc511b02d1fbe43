import { Contract, formatUnits, type ContractRunner } from "ethers";

import { owedIn, type BooksReport } from "./books";
import type { Screen } from "./print";

const tokenViews = ["function symbol() view returns (string)", "function decimals() view returns (uint8)"];

/** Shows the books as tables, and every inequality in words. `names`: what to call accounts. */
export async function showBooks(
  screen: Screen,
  report: BooksReport,
  runner: ContractRunner,
  names: ReadonlyMap<string, string> = new Map(),
): Promise<void> {
  for (const token of report.tokens.values()) {
    const contract = new Contract(token.token, tokenViews, runner);
    const [symbol, decimals] = (await Promise.all([
      contract.getFunction("symbol")(),
      contract.getFunction("decimals")(),
    ])) as [string, bigint];
    const show = (amount: bigint): string => {
      const [whole = "0", fraction = ""] = formatUnits(amount, decimals).split(".");
      return decimals < 2n ? whole : `${whole}.${fraction.replace(/0+$/, "").padEnd(2, "0")}`;
    };
    const of = <Entry extends { token: string }>(entries: Map<string, Entry>): Entry[] =>
      [...entries.values()].filter((entry) => entry.token === token.token);

    screen.say(`Events of ${symbol} (${token.token}), added up:`);
    const came = token.deposited + token.refundedInTokens;
    const went = token.withdrawn + token.paidOut;
    screen.table(
      [
        "deposited",
        "funded",
        "paid",
        "freed",
        "recouped",
        "reversed",
        "reclaimed",
        "refunded",
        "paid out",
        "withdrawn",
      ],
      [
        [
          token.deposited,
          token.funded,
          token.paid,
          token.freed,
          token.recouped,
          token.reversed,
          token.reclaimed,
          token.refundedFromCredit + token.refundedInTokens,
          token.paidOut,
          token.withdrawn,
        ].map(show),
      ],
      { right: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
    );
    screen.table(
      ["claim batch", "total", "paid", "freed", "recouped", "reversed", "reclaimed", "held", "unsettled"],
      of(report.batches).map(({ batchId, total, paid, freed, recouped, reversed, reclaimed, unsettled, ...held }) => [
        `${batchId.slice(0, 10)}…`,
        // What is in dispute or retained is neither side's yet.
        ...[total, paid, freed, recouped, reversed, reclaimed, held.frozen + held.retained, unsettled].map(show),
      ]),
      { right: [1, 2, 3, 4, 5, 6, 7, 8] },
    );
    screen.table(
      ["account", "free", "credit"],
      of(report.accounts).map(({ account, free, credit }) => [names.get(account) ?? account, show(free), show(credit)]),
      { right: [1, 2] },
    );
    const held = report.held.get(token.token) ?? 0n;
    screen.say(
      `Came in ${show(came)}, went out ${show(went)}. Owed to accounts, batches and bonds ${show(owedIn(report, token.token))}; ` +
        `the escrow holds ${show(held)}.`,
    );
  }
  for (const { name, message, about, expected, found } of report.inequalities)
    screen.say(`${name}: ${message} ${about}: events say ${expected}, found ${found}.`);
  screen.say(
    report.balanced
      ? `${report.events} events, ${report.batches.size} claim batches, ${report.accounts.size} accounts: the books balance.`
      : `The books do NOT balance: ${report.inequalities.length} inequalities.`,
  );
}
