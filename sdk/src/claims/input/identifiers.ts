import { CarepactError } from "../../errors";
import { requireAddress } from "../types";

const invalid = (path: string, problem: string): CarepactError =>
  new CarepactError("IDENTIFIER_INVALID", `${path} ${problem}.`, { path });

/** US health care identifiers are issuer 80840 under ISO/IEC 7812; its digits enter the check digit. */
const NPI_PREFIX = "80840";

/**
 * Whether `npi` is a National Provider Identifier (45 CFR 162.406): ten digits, the last of which is the Luhn check
 * digit of the others with 80840 before them.
 */
export function isNpi(npi: unknown): npi is string {
  if (typeof npi !== "string" || !/^[12][0-9]{9}$/.test(npi)) return false;
  const sum = [...(NPI_PREFIX + npi)].reverse().reduce((total, digit, i) => {
    const value = Number(digit) * (i % 2 === 1 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}

/** @throws IDENTIFIER_INVALID */
export function requireNpi(npi: unknown, path: string): string {
  if (!isNpi(npi)) throw invalid(path, "is not an NPI: its format or its check digit is wrong");
  return npi;
}

/** A CLIA number: two digits, D, seven digits. @throws IDENTIFIER_INVALID */
export function requireClia(clia: string, path: string): string {
  if (!/^[0-9]{2}D[0-9]{7}$/.test(clia)) throw invalid(path, "is not a CLIA number such as 99D1234567");
  return clia;
}

/** An ISO 8601 date that exists. @throws INPUT_INVALID */
export function requireDate(date: string, path: string): string {
  const exists = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(date) && !Number.isNaN(Date.parse(date));
  // Date.parse takes 30 February for 1 March in some engines.
  if (!exists || new Date(date).toISOString().slice(0, 10) !== date)
    throw new CarepactError("INPUT_INVALID", `${path} is not a date such as 2026-01-31.`, { path });
  return date;
}

/**
 * The account of whoever is to be paid. Takes what a directory look-up gave, nothing included.
 * @throws PAYEE_UNKNOWN
 */
export function requirePayee(payee: string | undefined, who: string): string {
  try {
    return requireAddress(payee, "payee");
  } catch (cause) {
    throw new CarepactError(
      "PAYEE_UNKNOWN",
      `No account is known for ${who}: it has to be registered before it can be paid.`,
      { payee: payee ?? null },
      cause,
    );
  }
}
