import { formatAmount, type Token } from "@carepact/sdk";
import type { Settlement } from "@carepact/sdk/claims";

import { amountText } from "../support/money";
import { table } from "../support/show";

/** What a settlement did, for people. */
export function settledLines({ groups, paid, freed, retained }: Settlement, token: Token): string[] {
  const head = ["payee", `paid, ${token.symbol}`, `freed, ${token.symbol}`];
  const kept = retained === undefined ? [] : [`retained, ${token.symbol}`];
  return [
    ...table(
      [...head, ...kept],
      groups.map((group) => [
        group.payee,
        formatAmount(group.paid, token),
        formatAmount(group.freed, token),
        ...(retained === undefined ? [] : [formatAmount(group.retained ?? 0n, token)]),
      ]),
      [...head.slice(1), ...kept],
    ),
    `Settled: ${amountText(paid, token)} credited to payees, ${amountText(freed, token)} back to the payer.`,
    ...(retained === undefined ? [] : [`Retained during the look-back: ${amountText(retained, token)}.`]),
  ];
}

/** The same for programs: amounts as decimals. */
export const settledJson = ({ batchId, groups, paid, freed, retained }: Settlement, token: Token): object => ({
  batchId,
  changed: true,
  paid: formatAmount(paid, token),
  freed: formatAmount(freed, token),
  ...(retained === undefined ? {} : { retained: formatAmount(retained, token) }),
  groups: groups.map((group) => ({
    payee: group.payee,
    paid: formatAmount(group.paid, token),
    freed: formatAmount(group.freed, token),
    ...(group.retained === undefined ? {} : { retained: formatAmount(group.retained, token) }),
  })),
});
