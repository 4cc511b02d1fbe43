import { rescaleAmount, type Currency, type Token } from "../../money";

/** Counts amounts of a token in a currency. */
export interface Counter {
  token: Token;
  currency: Currency;
  /** @throws AMOUNT_TOO_PRECISE for fractions of the currency's base unit */
  exact(amount: bigint, path: string): bigint;
  /** The same, rounded up: for what a retention keeps back, which may be any fraction. */
  up(amount: bigint): bigint;
  /** Base units of the token. */
  inToken(amount: bigint): bigint;
}

/** @throws AMOUNT_TOO_PRECISE when the token has fewer decimals than the currency and an amount falls between */
export function counterOf(token: Token, currency: Currency): Counter {
  const exact = (amount: bigint, path: string): bigint => rescaleAmount(amount, token, currency, path);
  const inToken = (amount: bigint): bigint => rescaleAmount(amount, currency, token);
  const fraction = token.decimals > currency.decimals ? 10n ** BigInt(token.decimals - currency.decimals) : 1n;
  const up = (amount: bigint): bigint => {
    const rest = amount % fraction;
    return exact(rest === 0n ? amount : amount + fraction - rest, "retained");
  };
  return { token, currency, exact, up, inToken };
}

export const sumOf = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
