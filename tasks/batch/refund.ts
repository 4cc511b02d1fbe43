import { formatAmount } from "@carepact/sdk";
import { createClaims, parseRefundOrder } from "@carepact/sdk/claims";

import type { Call, Ending } from "../support/call";
import { readText } from "../support/files";
import { amountIn, needed, oneOf, usage } from "../support/input";
import { amountText } from "../support/money";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

import { sourceIn } from "./source";

interface Options {
  file?: string;
  amount?: string;
  from?: string;
  order?: string;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  if (options.order !== undefined) return runOrder(call, options, options.order);
  const text = needed(options, "amount");
  const from = oneOf(options.from ?? "credit", ["credit", "tokens"], "--from");
  const { source, batch } = await sourceIn(options);
  const amount = amountIn(text, batch.token, "--amount");
  const shown = amountText(amount, batch.token);
  const site = await signingSiteOf(call);
  const action = createClaims(site.connection).refund(source, { amount, from });
  return endOf(site, await carryOut(site, action, { amount: shown }), () => ({
    lines: [
      `Refunded ${shown} from ${from === "credit" ? "credit" : "the account's tokens"}: it is in the payer's pool.`,
    ],
    json: { batchId: batch.batchId, amount: shown, from },
  }));
}

/** Anyone may bring a payee's order. */
async function runOrder(call: Call, options: Options, path: string): Promise<Ending> {
  if (options.amount !== undefined || options.from !== undefined)
    throw usage("--order says how much, and takes it from credit: leave --amount and --from out.", "--order");
  const { source, batch } = await sourceIn(options);
  const { token, batchId } = batch;
  const order = parseRefundOrder(await readText(path, "--order"));
  const site = await signingSiteOf(call);
  const action = createClaims(site.connection).refundByOrder(source, order);
  const { amount } = await action.simulate(site.options);
  const json = { batchId, payee: order.payee, from: "credit" };
  if (amount === 0n)
    return {
      lines: [`${order.payee} has no credit, or refunded all that its order allows: there is nothing to refund.`],
      json: { ...json, changed: false, amount: formatAmount(0n, token) },
    };
  return endOf(site, await carryOut(site, action, { amount: amountText(amount, token) }), (returned) => ({
    lines: [
      `Refunded ${amountText(returned.amount, token)} from the credit of ${order.payee}: it is in the payer's pool.`,
    ],
    json: { ...json, changed: true, amount: formatAmount(returned.amount, token) },
  }));
}
