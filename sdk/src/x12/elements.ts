import { formatAmount, formatDecimal, type Currency } from "../money";

import { componentsOf, wrongElement, type Segment } from "./segment";

/** X12 type R. HIPAA's guides allow no exponents. */
const DECIMAL = /^-?[0-9]*(?:\.[0-9]+)?$/;
/** Digits of a monetary amount (element 782) or a quantity (element 380) in the standard. */
const MOST_DIGITS = 18;

const DATE = /^[0-9]{8}$/;
const TIME = /^([01][0-9]|2[0-3])[0-5][0-9]([0-5][0-9]([0-9]{1,2})?)?$/;

/**
 * `20260131` → `2026-01-31`; nothing where it has another form. Whether there is such a day is not asked: payers write
 * others, and a payment is not to be lost over them.
 */
export function isoDate(text: string): string | undefined {
  return DATE.test(text) ? `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}` : undefined;
}

/** Whether it is `HHMM`, `HHMMSS`, or with tenths or hundredths of a second. */
export const isTime = (text: string): boolean => TIME.test(text);

/** Digits before and after the point of a number of X12 type R, of at most 18 digits. */
function digitsOf(text: string): readonly [whole: string, fraction: string] | undefined {
  if (!DECIMAL.test(text)) return undefined;
  const from = text.startsWith("-") ? 1 : 0;
  const point = text.indexOf(".");
  const [whole, fraction] = point < 0 ? [text.slice(from), ""] : [text.slice(from, point), text.slice(point + 1)];
  const digits = whole.length + fraction.length;
  return digits > 0 && digits <= MOST_DIGITS ? [whole, fraction] : undefined;
}

/** Whether it is a number of X12 type R, of at most 18 digits. */
export const isDecimal = (text: string): boolean => digitsOf(text) !== undefined;

/** The same number as the rest of the SDK has it: `.50` → `0.5`. */
export function plainDecimal(text: string): string {
  const [whole, fraction] = digitsOf(text) ?? ["0", ""];
  const digits = BigInt(whole + fraction);
  return formatDecimal({ digits: text.startsWith("-") ? -digits : digits, scale: fraction.length });
}

/** Base units as X12 writes them: without zeros that say nothing. `450`, `-1.27`, `.5`, `0`. */
export function x12Amount(amount: bigint, currency: Currency): string {
  const text = formatAmount(amount < 0n ? -amount : amount, currency, 0);
  return (amount < 0n ? "-" : "") + (text.startsWith("0.") ? text.slice(1) : text);
}

/** Base units of an amount of X12 type R, or why it is none. */
export function baseUnits(text: string, { code, decimals }: Currency): bigint | string {
  const digits = digitsOf(text);
  if (digits === undefined) return "is not an amount such as 450, -1.27 or .5";
  const [whole, fraction] = digits;
  if (fraction.length > decimals) return `has more than the ${decimals} decimal places of ${code}`;
  const amount = BigInt(whole + fraction.padEnd(decimals, "0"));
  return text.startsWith("-") ? -amount : amount;
}

/** What stands in an element, where anything does. @throws X12_ELEMENT_INVALID where it is not simple. */
export function optional(segment: Segment, at: number): string | undefined {
  const text = segment.parts[at];
  if (text === undefined || text === "") return undefined;
  const { component, repetition } = segment.delimiters;
  if (segment.structured && (text.includes(component) || text.includes(repetition)))
    throw wrongElement(segment, at, "is a simple element, but holds a separator of components or repetitions");
  return text;
}

/** @throws X12_ELEMENT_INVALID */
export function required(segment: Segment, at: number): string {
  const text = optional(segment, at);
  if (text === undefined) throw wrongElement(segment, at, "is missing; the guide requires it");
  return text;
}

/** @throws X12_ELEMENT_INVALID where an element beyond the last that is used holds anything. */
export function nothingBeyond(segment: Segment, last: number): void {
  if (segment.parts.length - 1 > last)
    throw wrongElement(
      segment,
      segment.parts.length - 1,
      `holds something; the guide uses ${segment.id} up to element ${last}`,
    );
}

/** @throws X12_AMOUNT_INVALID */
export function amountOf(segment: Segment, at: number, text: string, currency: Currency): bigint {
  const amount = baseUnits(text, currency);
  if (typeof amount === "string") throw wrongElement(segment, at, amount, "X12_AMOUNT_INVALID");
  return amount;
}

/** @throws X12_ELEMENT_INVALID */
export function dateOf(segment: Segment, at: number, text: string): string {
  const date = isoDate(text);
  if (date === undefined) throw wrongElement(segment, at, "is not a date such as 20260131");
  return date;
}

/** The components of a composite element, empty where there is none. @throws X12_ELEMENT_INVALID */
export function composite(segment: Segment, at: number): string[] {
  const text = segment.parts[at];
  if (text === undefined || text === "") return [];
  if (segment.structured && text.includes(segment.delimiters.repetition))
    throw wrongElement(segment, at, "repeats, where the guide has it once");
  return componentsOf(text, segment.delimiters);
}
