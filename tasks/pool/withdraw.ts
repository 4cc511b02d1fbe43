import { createPools } from "@carepact/sdk/pools";

import type { Call, Ending } from "../support/call";
import { addressIn } from "../support/input";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

import { amountWanted, type AmountOptions } from "./wanted";

export async function run(call: Call, options: AmountOptions & { to?: string }): Promise<Ending> {
  const site = await signingSiteOf(call);
  const to = options.to === undefined ? site.account : addressIn(options.to, "--to");
  const { token, amount, text } = await amountWanted(site, options);
  const action = createPools(site.connection).withdraw({ token: token.address, amount, to });
  return endOf(site, await carryOut(site, action, { amount: text }), () => ({
    lines: [`Withdrew ${text} to ${to}.`],
    json: { token, amount: text, to },
  }));
}
