import { formatAmount } from "@carepact/sdk";
import { createClaims, type RetentionStatus } from "@carepact/sdk/claims";

import type { Call, Ending } from "../support/call";
import { addressIn, amountIn, countIn, needed, usage } from "../support/input";
import { amountText } from "../support/money";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

import { sourceIn } from "./source";

interface Options {
  file?: string;
  payee?: string;
  amount?: string;
  retention?: string;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  const payee = addressIn(needed(options, "payee"), "--payee");
  const text = needed(options, "amount");
  const { source, batch } = await sourceIn(options);
  const { token, batchId } = batch;
  const amount = amountIn(text, token, "--amount");
  const site = await signingSiteOf(call);
  const claims = createClaims(site.connection);
  const retention = retentionIn(await claims.retentions(source, site.options), payee, options);
  const action = claims.recoup(source, { retention, payee, amount });
  return endOf(site, await carryOut(site, action, { amount: amountText(amount, token) }), (returned) => ({
    lines: [
      `Recouped ${amountText(returned.amount, token)} of what is retained of ${payee}: it is in the payer's pool.`,
    ],
    json: {
      batchId,
      changed: true,
      payee,
      retention: retention.firstLine,
      amount: formatAmount(returned.amount, token),
    },
  }));
}

/** The retention that is meant: the only one of the payee's payments, or the one that is named. */
function retentionIn(retentions: readonly RetentionStatus[], payee: string, { retention }: Options): RetentionStatus {
  const firstLine = retention === undefined ? undefined : countIn(retention, "--retention");
  const found = retentions.filter(
    (one) =>
      (firstLine === undefined || one.firstLine === firstLine) &&
      one.payments.some((payment) => payment.payee === payee && payment.amount > 0n),
  );
  const [only] = found;
  if (only === undefined || found.length > 1)
    throw usage(
      `--retention: ${found.length} fit, and one is meant: batch:status names them by their first lines.`,
      "--retention",
    );
  return only;
}
