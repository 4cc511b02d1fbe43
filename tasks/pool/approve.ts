import { createPools } from "@carepact/sdk/pools";

import type { Call, Ending } from "../support/call";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

import { amountWanted, type AmountOptions } from "./wanted";

export async function run(call: Call, options: AmountOptions): Promise<Ending> {
  const site = await signingSiteOf(call);
  const { token, amount, text } = await amountWanted(site, options);
  const action = createPools(site.connection).approve({ token: token.address, amount });
  return endOf(site, await carryOut(site, action, { amount: text }), () => ({
    lines: [`The escrow may take ${text} of ${site.account}.`],
    json: { token, amount: text },
  }));
}
