import type { Token } from "@carepact/sdk";

import { amountIn, needed } from "../support/input";
import { amountText, tokenAt } from "../support/money";
import type { Site } from "../support/site";

/** A token and an amount of it, as options give them. */
export interface AmountOptions {
  token?: string;
  amount?: string;
}

/** The amount in base units, and in words. */
export async function amountWanted(
  site: Site,
  options: AmountOptions,
): Promise<{ token: Token; amount: bigint; text: string }> {
  const text = needed(options, "amount");
  const token = await tokenAt(site, needed(options, "token"), "--token");
  const amount = amountIn(text, token, "--amount");
  return { token, amount, text: amountText(amount, token) };
}
