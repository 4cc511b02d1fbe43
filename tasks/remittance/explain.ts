import type { Token } from "@carepact/sdk";
import { createPayouts, type CreditPart } from "@carepact/sdk/payouts";

import type { Call, Ending } from "../support/call";
import { bytes32In, needed } from "../support/input";
import { amountText, tokenAt } from "../support/money";
import { table } from "../support/show";
import { siteOf } from "../support/site";

export async function run(call: Call, options: { tx?: string }): Promise<Ending> {
  const tx = bytes32In(needed(options, "tx"), "--tx");
  const site = await siteOf(call);
  const explained = await createPayouts(site.connection).explain(tx, site.options);
  const shown = await Promise.all(
    explained.map(async (payout) => ({ ...payout, token: await tokenAt(site, payout.token, "token") })),
  );
  return {
    lines: shown.flatMap(({ payee, to, amount, token, parts }) => [
      `${amountText(amount, token)} of ${payee} to ${to}:`,
      ...table(
        ["what", "batch", "transaction", "amount"],
        parts.map((part) => [part.kind, part.batchId, part.txHash, amountText(part.amount, token)]),
        ["amount"],
      ),
    ]),
    json: {
      payouts: shown.map(({ amount, token, parts, left, ...rest }) => ({
        ...rest,
        token,
        amount: amountText(amount, token),
        parts: partsJson(parts, token),
        left: partsJson(left, token),
      })),
    },
  };
}

const partsJson = (parts: readonly CreditPart[], token: Token): object[] =>
  parts.map(({ credited, amount, ...part }) => ({
    ...part,
    credited: amountText(credited, token),
    amount: amountText(amount, token),
  }));
