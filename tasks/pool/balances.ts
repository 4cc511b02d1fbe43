import { formatAmount } from "@carepact/sdk";
import { createPools } from "@carepact/sdk/pools";

import type { Call, Ending } from "../support/call";
import { addressIn, needed } from "../support/input";
import { amountText, tokenAt } from "../support/money";
import { list } from "../support/show";
import { siteOf } from "../support/site";

export async function run(call: Call, options: { token?: string; account?: string }): Promise<Ending> {
  const account = addressIn(needed(options, "account"), "--account");
  const site = await siteOf(call);
  const token = await tokenAt(site, needed(options, "token"), "--token");
  const { free, credit } = await createPools(site.connection).balances({ account, token: token.address }, site.options);
  return {
    lines: list({
      account,
      free: `${amountText(free, token)} (can be withdrawn, or fund claim batches)`,
      credit: `${amountText(credit, token)} (was earned, and can be paid out)`,
    }),
    json: { account, token, free: formatAmount(free, token), credit: formatAmount(credit, token) },
  };
}
