import { CarepactError } from "../errors";
import { formatAmount, parseAmount, parseDecimal, type Currency, type Decimal } from "../money";

import type { Element, ElementReader } from "./read";

/** A sum of a resource that fails. Amounts as decimals of its currency. */
export interface SumMismatch {
  /** The element that states `left`. */
  path: string;
  equation: string;
  left: string;
  right: string;
}

/** A FHIR Money that is zero or more, in base units. @returns undefined when it is not stated */
export function moneyAt(read: ElementReader, value: unknown, path: string, currency: Currency): bigint | undefined {
  return value === undefined
    ? undefined
    : parseAmount(moneyElement(read, value, path, currency)["value"], currency, `${path}.value`);
}

/** The same where FHIR gives amounts below zero a meaning. */
export function signedMoneyAt(
  read: ElementReader,
  value: unknown,
  path: string,
  currency: Currency,
): bigint | undefined {
  if (value === undefined) return undefined;
  const { value: amount } = moneyElement(read, value, path, currency);
  const text = typeof amount === "number" ? String(amount) : amount;
  if (typeof text !== "string" || !text.startsWith("-")) return parseAmount(amount, currency, `${path}.value`);
  // A number goes on as a number, so that one whose digits a double does not hold is refused as such.
  const size = typeof amount === "number" ? -amount : text.slice(1);
  return -parseAmount(size, currency, `${path}.value`);
}

/** The value of a Money as an exact decimal: a unit price may be finer than a cent. */
export function decimalMoneyAt(read: ElementReader, value: unknown, path: string, currency: Currency): Decimal {
  return parseDecimal(moneyElement(read, value, path, currency)["value"], `${path}.value`);
}

function moneyElement(read: ElementReader, value: unknown, path: string, currency: Currency): Element {
  const element = read.element(value, path);
  const code = read.text(element["currency"], `${path}.currency`);
  if (code !== currency.code)
    throw new CarepactError("CURRENCY_MISMATCH", `${path} is in ${code}, where ${currency.code} is asked for.`, {
      path: `${path}.currency`,
      currency: code,
      expected: currency.code,
    });
  return element;
}

/** A sum that fails, in the currency's decimals. */
export const mismatchOf = (
  path: string,
  equation: string,
  left: bigint,
  right: bigint,
  currency: Currency,
): SumMismatch => ({ path, equation, left: formatAmount(left, currency), right: formatAmount(right, currency) });

/** The error for a sum that fails. */
export const sumFails = (
  code: "CLAIM_TOTAL_MISMATCH" | "CLAIM_NET_MISMATCH" | "CLAIM_DOES_NOT_BALANCE" | "PAYMENT_DOES_NOT_BALANCE",
  mismatch: SumMismatch,
): CarepactError =>
  new CarepactError(
    code,
    `${mismatch.path} does not balance: ${mismatch.equation} fails, ${mismatch.left} against ${mismatch.right}.`,
    { ...mismatch },
  );
