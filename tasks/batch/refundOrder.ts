import { createClaims } from "@carepact/sdk/claims";

import { signatorySiteOf, type ActorOptions } from "../support/actor";
import type { Call, Ending } from "../support/call";
import { fileText, outputTo } from "../support/files";
import { amountIn, momentIn, needed } from "../support/input";
import { amountText } from "../support/money";
import { isoTime } from "../support/show";

import { sourceIn } from "./source";

interface Options extends ActorOptions {
  file?: string;
  amount?: string;
  deadline?: string;
  out?: string;
  force: boolean;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  const text = needed(options, "amount");
  const until = needed(options, "deadline");
  const output = options.out === undefined ? undefined : await outputTo(options.out, "--out", options);
  const { source, batch } = await sourceIn(options);
  const upTo = amountIn(text, batch.token, "--amount");
  const payees = batch.groups.map(({ payee }) => payee.toLowerCase());
  const site = await signatorySiteOf(call, options, payees);
  const deadline = await momentIn(until, "--deadline", () => site.now());
  const order = await createClaims(site.connection).signRefundOrder(source, {
    ...site.options,
    upTo,
    deadline,
    signer: site.key,
  });
  await output?.write(fileText(order));
  return {
    lines:
      output === undefined
        ? [JSON.stringify(order)]
        : [
            `${order.payee} lets its credits repay ${amountText(upTo, batch.token)} of this batch, until ${isoTime(deadline)}: ` +
              `the order is in ${output.path}, for batch:refund --order.`,
          ],
    json: { order },
  };
}
