import { getAddress, isAddress, isHexString } from "ethers";

import { CarepactError, parseAmount } from "@carepact/sdk";

/** Something that is wrong with how a command was called. */
export const usage = (message: string, path: string, cause?: unknown): CarepactError =>
  new CarepactError("INPUT_INVALID", message, { path }, cause);

/** `hpkeKey` → `--hpke-key`. */
const optionName = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** The value of an option that cannot be left out. */
export function needed<Name extends string>(options: { [Key in Name]?: string | undefined }, name: Name): string {
  const value = options[name];
  if (value === undefined || value === "")
    throw usage(`${optionName(name)} is needed; --help says what for.`, optionName(name));
  return value;
}

/** An account or contract, with its checksum. Addresses in one case only have none to check. */
export function addressIn(value: unknown, option: string): string {
  if (!isHexString(value, 20) || !isAddress(value) || BigInt(value) === 0n)
    throw usage(`${option} is not an address: 0x and 40 hex digits, whose capitals fit.`, option);
  return getAddress(value);
}

/** 32 bytes, such as an id. */
export function bytes32In(value: unknown, option: string): string {
  if (!isHexString(value, 32)) throw usage(`${option} is not 32 bytes in hex, 0x first.`, option);
  return value.toLowerCase();
}

/** A list with commas between. */
export const listIn = (value: string): string[] =>
  value
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");

/** An amount above zero such as `90.00`, in base units of `unit`. */
export function amountIn(value: string, unit: { decimals: number }, option: string): bigint {
  const amount = parseAmount(value, unit, option);
  if (amount === 0n) throw usage(`${option} is zero: there is nothing to move.`, option);
  return amount;
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

const isDuration = (value: string): boolean => /^\d{1,6}[smhdw]$/.test(value);

/** Seconds of a duration such as `90s`, `30m`, `72h`, `3d` or `2w`. A number without its unit could be anything. */
export function durationIn(value: unknown, option: string): number {
  if (typeof value !== "string" || !isDuration(value))
    throw usage(`${option} is not a duration such as 72h or 3d.`, option);
  return Number(value.slice(0, -1)) * (SECONDS[value.slice(-1)] ?? 1);
}

const DATE = /^\d{4}-\d\d-\d\d$/;
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$/;
const LAST_SECOND = "T23:59:59Z";

/**
 * Unix seconds of a moment: `2026-12-31T18:00:00Z` (a zone has to be given), `2026-12-31`, which is the last second of that day in UTC, or
 * a duration from now on, such as `14d`.
 */
export async function momentIn(value: string, option: string, now: () => Promise<number>): Promise<number> {
  if (isDuration(value)) return (await now()) + durationIn(value, option);
  const text = DATE.test(value) ? value + LAST_SECOND : value;
  const milliseconds = DATE_TIME.test(text) ? Date.parse(text) : NaN;
  // JavaScript takes the 31st of February for the 3rd of March.
  const day = Number(text.slice(8, 10));
  const lastDay = new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate();
  if (Number.isNaN(milliseconds) || day > lastDay)
    throw usage(`${option} is no moment such as 2026-12-31, 2026-12-31T18:00:00Z or 14d.`, option);
  return Math.floor(milliseconds / 1_000);
}

/** A whole number from `least`. */
export function countIn(value: string, option: string, least = 0): number {
  if (!/^\d{1,9}$/.test(value) || Number(value) < least)
    throw usage(`${option} is not a whole number from ${least} on.`, option);
  return Number(value);
}

/** One of some words. */
export function oneOf<Word extends string>(value: unknown, words: readonly Word[], option: string): Word {
  const found = words.find((word) => word === value);
  if (found === undefined) throw usage(`${option} is one of ${words.join(", ")}.`, option);
  return found;
}
