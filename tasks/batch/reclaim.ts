import { formatAmount } from "@carepact/sdk";
import { createClaims } from "@carepact/sdk/claims";

import type { Call, Ending } from "../support/call";
import { amountText } from "../support/money";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

import { sourceIn } from "./source";

export async function run(call: Call, options: { file?: string }): Promise<Ending> {
  const { source, batch } = await sourceIn(options);
  const { token, batchId } = batch;
  const site = await signingSiteOf(call);
  const claims = createClaims(site.connection);
  const { funded, open } = await claims.status(source, site.options);
  if (funded && open === 0n)
    return {
      lines: ["Nothing is open in this batch: there is nothing to reclaim."],
      json: { batchId, changed: false, amount: formatAmount(0n, token) },
    };
  const outcome = await carryOut(site, claims.reclaim(source), { amount: amountText(open, token) });
  return endOf(site, outcome, ({ amount }) => ({
    lines: [`Reclaimed ${amountText(amount, token)}: it is in the payer's pool again.`],
    json: { batchId, changed: true, amount: formatAmount(amount, token) },
  }));
}
