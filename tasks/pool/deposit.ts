import { createPools } from "@carepact/sdk/pools";

import type { Call, Ending } from "../support/call";
import { addressIn } from "../support/input";
import { carryOut, endOf, requireKey } from "../support/sending";
import { signingSiteOf } from "../support/site";

import { amountWanted, type AmountOptions } from "./wanted";

export async function run(
  call: Call,
  { payer: to, permit, ...options }: AmountOptions & { payer?: string; permit: boolean },
): Promise<Ending> {
  const site = await signingSiteOf(call);
  // A permit is signed before anything can be tried out.
  if (permit) requireKey(site);
  const payer = to === undefined ? site.account : addressIn(to, "--payer");
  const { token, amount, text } = await amountWanted(site, options);
  const pools = createPools(site.connection);
  const input = { token: token.address, amount, payer };
  const action = permit ? pools.depositWithPermit(input) : pools.deposit(input);
  return endOf(site, await carryOut(site, action, { amount: text }), () => ({
    lines: [`Deposited ${text} in the pool of ${payer}.`],
    json: { token, amount: text, payer },
  }));
}
