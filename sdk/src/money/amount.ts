import { CarepactError } from "../errors";

/** What amounts are counted in. One base unit is 10^-decimals of the currency: a cent for US dollars. */
export interface Currency {
  /** ISO 4217 code, as in FHIR `Money.currency`. */
  code: string;
  /** Decimal places of one unit. */
  decimals: number;
}

/** An ERC-20 token. Its base units are what the contracts count in. */
export interface Token {
  /** Contract address, EIP-55. */
  address: string;
  symbol: string;
  decimals: number;
}

/** US dollars, counted in cents. */
export const usDollar: Currency = Object.freeze({ code: "USD", decimals: 2 });

/** A decimal as it arrives: text, or a JSON number. */
export type DecimalInput = string | number;

/** An exact decimal: `digits` x 10^-`scale`. */
export interface Decimal {
  digits: bigint;
  scale: number;
}

const PLAIN_DECIMAL = /^(0|[1-9][0-9]*)(?:\.([0-9]+))?$/;

/**
 * A double tells decimals of up to 15 significant digits apart. Beyond, the digits sent may not be the digits received.
 */
const EXACT_DIGITS_OF_A_NUMBER = 15;

/** Enough for 96-bit amounts of 18 decimals, and small enough that hostile input cannot make arithmetic slow. */
const MOST_DIGITS = 60;

// Not ethers' formatUnits, which throws beyond 512 bits: errors about hostile products have to be written too.
function plainText({ digits, scale }: Decimal): { whole: string; fraction: string } {
  const text = (digits < 0n ? -digits : digits).toString().padStart(scale + 1, "0");
  const point = text.length - scale;
  return { whole: (digits < 0n ? "-" : "") + text.slice(0, point), fraction: text.slice(point) };
}

const at = (path: string | undefined): string => (path === undefined ? "" : ` (${path})`);

const show = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  return typeof value === "number" ? String(value) : typeof value;
};

/**
 * Reads a non-negative decimal exactly. Text has to be plain (`90.00`); a JSON number has to be one that a double holds
 * exactly as it was written: at most 15 significant digits, no exponent.
 * @param path Names the element in errors.
 * @throws AMOUNT_INVALID, AMOUNT_NEGATIVE, AMOUNT_UNSAFE, AMOUNT_TOO_LARGE
 */
export function parseDecimal(value: unknown, path?: string): Decimal {
  const refuse = (code: "AMOUNT_INVALID" | "AMOUNT_NEGATIVE" | "AMOUNT_UNSAFE" | "AMOUNT_TOO_LARGE", message: string) =>
    new CarepactError(code, `${message}${at(path)}.`, { path: path ?? null, value: show(value) });

  let text: string;
  if (typeof value === "string") {
    text = value;
  } else if (typeof value === "number") {
    if (!Number.isFinite(value)) throw refuse("AMOUNT_INVALID", `${value} is not an amount`);
    text = String(value);
    if (!text.includes("e") && text.replace(/[-.]/g, "").replace(/^0+/, "").length > EXACT_DIGITS_OF_A_NUMBER)
      throw refuse("AMOUNT_UNSAFE", `${text} has more digits than a JSON number holds exactly; send it as a string`);
  } else {
    throw refuse(
      "AMOUNT_INVALID",
      `Expected a decimal string or number, got ${value === null ? "null" : typeof value}`,
    );
  }

  const match = PLAIN_DECIMAL.exec(text);
  if (match === null) {
    if (/^-(0|[1-9][0-9]*)(\.[0-9]+)?$/.test(text)) throw refuse("AMOUNT_NEGATIVE", `${show(value)} is below zero`);
    throw refuse("AMOUNT_INVALID", `${show(value)} is not a plain decimal such as 90.00`);
  }
  const fraction = match[2] ?? "";
  if (text.length > MOST_DIGITS) throw refuse("AMOUNT_TOO_LARGE", `${show(value)} has more than ${MOST_DIGITS} digits`);
  return { digits: BigInt(match[1] + fraction), scale: fraction.length };
}

/**
 * An exact decimal in base units of `unit`.
 * @throws AMOUNT_TOO_PRECISE when it falls between two base units.
 */
export function toBaseUnits(decimal: Decimal, unit: { decimals: number }, path?: string): bigint {
  const shift = unit.decimals - decimal.scale;
  if (shift >= 0) return decimal.digits * 10n ** BigInt(shift);
  const divisor = 10n ** BigInt(-shift);
  if (decimal.digits % divisor !== 0n) {
    const value = formatDecimal(decimal);
    throw new CarepactError(
      "AMOUNT_TOO_PRECISE",
      `${value} has more than the ${unit.decimals} decimal places its currency has${at(path)}; round it before sending.`,
      { path: path ?? null, value, decimals: unit.decimals },
    );
  }
  return decimal.digits / divisor;
}

/**
 * Reads an amount as base units of `unit`: `parseAmount("90.00", usDollar)` is `9000n`.
 * @throws AMOUNT_INVALID, AMOUNT_NEGATIVE, AMOUNT_UNSAFE, AMOUNT_TOO_LARGE, AMOUNT_TOO_PRECISE
 */
export function parseAmount(value: unknown, unit: { decimals: number }, path?: string): bigint {
  return toBaseUnits(parseDecimal(value, path), unit, path);
}

/**
 * Writes base units of `unit` as a decimal, without trailing zeros beyond `minDecimals`: 90000000n of a 6-decimal token
 * is `90.00`.
 * @param minDecimals Decimal places to show at least; two where the unit has them.
 */
export function formatAmount(
  amount: bigint,
  unit: { decimals: number },
  minDecimals: number = Math.min(2, unit.decimals),
): string {
  const { whole, fraction } = plainText({ digits: amount, scale: unit.decimals });
  const shown = fraction.replace(/0+$/, "").padEnd(minDecimals, "0");
  return shown === "" ? whole : `${whole}.${shown}`;
}

/** An exact decimal as text, without zeros that say nothing: `30`, `2.5`. */
export function formatDecimal(decimal: Decimal): string {
  return formatAmount(decimal.digits, { decimals: decimal.scale }, 0);
}

/** The product of exact decimals, exactly. */
export function multiplyDecimals(factors: readonly Decimal[]): Decimal {
  return factors.reduce(
    (product, factor) => ({ digits: product.digits * factor.digits, scale: product.scale + factor.scale }),
    { digits: 1n, scale: 0 },
  );
}

/**
 * quantity x unitPrice x factor in base units of `unit` (FHIR `Claim.item.net`). What is not stated counts as one.
 * @throws AMOUNT_TOO_PRECISE when the product falls between two base units; nothing is rounded here.
 */
export function exactProduct(
  input: { quantity?: DecimalInput; unitPrice: DecimalInput; factor?: DecimalInput },
  unit: { decimals: number },
  path?: string,
): bigint {
  const where = (name: string): string => (path === undefined ? name : `${path}.${name}`);
  const factors = [parseDecimal(input.unitPrice, where("unitPrice"))];
  if (input.quantity !== undefined) factors.push(parseDecimal(input.quantity, where("quantity")));
  if (input.factor !== undefined) factors.push(parseDecimal(input.factor, where("factor")));
  return toBaseUnits(multiplyDecimals(factors), unit, path);
}

/**
 * An amount counted in units of `from`, counted in units of `to` instead: 9000 cents are 90000000 of a 6-decimal token.
 * @throws AMOUNT_TOO_PRECISE when `to` is too coarse for it.
 */
export function rescaleAmount(
  amount: bigint,
  from: { decimals: number },
  to: { decimals: number },
  path?: string,
): bigint {
  return toBaseUnits({ digits: amount, scale: from.decimals }, to, path);
}
