import type { Action, Token } from "@carepact/sdk";
import { createPools, type TokenAmount } from "@carepact/sdk/pools";

import type { Call, Ending } from "../support/call";
import { addressIn, amountIn, usage } from "../support/input";
import { amountText, tokenAt } from "../support/money";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf, type Site } from "../support/site";

import { sourceIn } from "./source";

interface Options {
  token?: string;
  file?: string;
  payee?: string;
  to?: string;
  amount?: string;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  const site = await signingSiteOf(call);
  const token = await tokenIn(site, options);
  const payee = options.payee === undefined ? site.account : addressIn(options.payee, "--payee");
  const to = options.to === undefined ? payee : addressIn(options.to, "--to");
  if (to !== payee && payee !== site.account)
    throw usage("--to: only the payee itself may have its credit sent elsewhere.", "--to");
  if (options.amount !== undefined && options.to === undefined)
    throw usage("--amount goes with --to: without it all credit is paid out.", "--amount");

  const pools = createPools(site.connection);
  const { credit } = await pools.balances({ account: payee, token: token.address }, site.options);
  if (credit === 0n)
    return {
      lines: [`${payee} has no credit in ${token.symbol}: there is nothing to pay out.`],
      json: { changed: false, payee, token },
    };
  const amount = options.amount === undefined ? credit : amountIn(options.amount, token, "--amount");
  const input = { token: token.address, amount };
  const action: Action<TokenAmount, unknown> =
    options.to === undefined ? pools.payout({ ...input, payee }) : pools.payoutTo({ ...input, to });
  const outcome = await carryOut(site, action, { amount: amountText(amount, token) });
  return endOf(site, outcome, (paid) => ({
    lines: [`Paid out ${amountText(paid.amount, token)} to ${to}.`],
    json: { changed: true, payee, to, amount: amountText(paid.amount, token), token },
  }));
}

async function tokenIn(site: Site, { token, file }: Options): Promise<Token> {
  if ((token === undefined) === (file === undefined)) throw usage("Give --token or --file, one of them.", "--token");
  return token === undefined ? (await sourceIn({ file })).batch.token : tokenAt(site, token, "--token");
}
