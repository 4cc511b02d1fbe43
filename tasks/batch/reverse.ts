import { formatAmount } from "@carepact/sdk";
import { createClaims } from "@carepact/sdk/claims";

import type { Call, Ending } from "../support/call";
import { countIn, listIn, needed } from "../support/input";
import { amountText } from "../support/money";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

import { groupIn, type SourceOptions } from "./source";

export async function run(call: Call, options: SourceOptions & { lines?: string }): Promise<Ending> {
  const lines = [...new Set(listIn(needed(options, "lines")).map((line) => countIn(line, "--lines")))];
  const site = await signingSiteOf(call);
  const group = await groupIn(call, { ...options, payee: site.account });
  const { token, batchId } = group;
  const action = createClaims(site.connection).reverse(group, lines);
  const { amount } = await action.simulate(site.options);
  return endOf(site, await carryOut(site, action, { amount: amountText(amount, token) }), (returned) => ({
    lines: [`Gave up ${lines.length} lines: ${amountText(returned.amount, token)} go back to the payer.`],
    json: { batchId, lines, amount: formatAmount(returned.amount, token) },
  }));
}
