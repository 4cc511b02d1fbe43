import { formatAmount } from "@carepact/sdk";
import { createClaims } from "@carepact/sdk/claims";

import type { Call, Ending } from "../support/call";
import { amountText } from "../support/money";
import { carryOut, endOf } from "../support/sending";
import { isoTime } from "../support/show";
import { signingSiteOf } from "../support/site";

import { sourceIn } from "./source";

export async function run(call: Call, options: { file?: string }): Promise<Ending> {
  const { source, batch } = await sourceIn(options);
  const { token, batchId } = batch;
  const site = await signingSiteOf(call);
  const claims = createClaims(site.connection);
  const retentions = await claims.retentions(source, site.options);
  const [first, ...others] = [...retentions].sort((a, b) => a.recoupUntil - b.recoupUntil);
  if (first === undefined || (await site.now()) <= first.recoupUntil)
    return {
      lines: [
        first === undefined
          ? "Nothing is retained: there is nothing to release."
          : `The look-back lasts until ${isoTime(first.recoupUntil)}: there is nothing to release yet.`,
      ],
      json: { batchId, changed: false, amount: formatAmount(0n, token), waiting: retentions.length },
    };
  const outcome = await carryOut(site, claims.release(source, first), { amount: amountText(first.amount, token) });
  return endOf(site, outcome, ({ amount, payments }) => ({
    lines: [`Released ${amountText(amount, token)} to ${payments.length} payees: it is their credit.`],
    json: {
      batchId,
      changed: true,
      amount: formatAmount(amount, token),
      payments: payments.map((payment) => ({ payee: payment.payee, amount: formatAmount(payment.amount, token) })),
      waiting: others.length,
    },
  }));
}
