import { createClaims } from "@carepact/sdk/claims";

import type { Call, Ending } from "../support/call";
import { amountIn, needed, oneOf } from "../support/input";
import { amountText } from "../support/money";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

import { sourceIn } from "./source";

export async function run(call: Call, options: { file?: string; amount?: string; from?: string }): Promise<Ending> {
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
