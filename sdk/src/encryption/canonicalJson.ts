import canonicalize from "canonicalize";
import { concat, isHexString, keccak256, toUtf8Bytes } from "ethers";

import { CarepactError, type Json } from "../errors";

/** FHIR resources are nested about ten deep. The limit keeps hostile input from exhausting the stack. */
const DEEPEST = 64;

const LONE_SURROGATE = /\p{Surrogate}/u;

const childOf = (path: string, key: string): string =>
  /^[A-Za-z_$][A-Za-z0-9_$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  // A plain object of another realm has another Object.prototype, but one whose own prototype is null just the same.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
};

/**
 * A deep copy of what JSON can carry of `value`, with properties that are undefined left out.
 * @throws INPUT_INVALID for anything JSON would change or drop silently: bigints, functions, dates, NaN, cycles.
 */
export function toPlainJson(value: unknown, path = "$"): Json {
  return copy(value, path, 0);
}

function copy(value: unknown, path: string, depth: number): Json {
  const refuse = (what: string): CarepactError =>
    new CarepactError("INPUT_INVALID", `${path} ${what}; pass plain JSON.`, { path });

  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") {
    if (LONE_SURROGATE.test(value)) throw refuse("holds half of a surrogate pair");
    return value;
  }
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw refuse(`is ${value}`);
    return value;
  }
  if (typeof value !== "object") throw refuse(`is a ${typeof value}`);
  if (depth >= DEEPEST) throw refuse(`is nested more than ${DEEPEST} deep`);
  // Array.from, and not map, which leaves holes out.
  if (Array.isArray(value)) return Array.from(value, (entry, i) => copy(entry, `${path}[${i}]`, depth + 1));
  if (!isPlain(value)) throw refuse("is not a plain object");
  if (Object.keys(value).some((key) => LONE_SURROGATE.test(key)))
    throw refuse("has a name that holds half of a surrogate pair");
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, entry]) => entry !== undefined)
      .map(([key, entry]) => [key, copy(entry, childOf(path, key), depth + 1)]),
  );
}

/** The one text of a JSON value under RFC 8785 (JSON Canonicalization Scheme). @throws INPUT_INVALID */
export function canonicalJson(value: unknown, path = "$"): string {
  return canonicalize(toPlainJson(value, path)) as string;
}

/**
 * Commitment to a JSON value: keccak256(salt ‖ canonical JSON in UTF-8). The salt, 32 bytes, keeps a value that can be
 * guessed from being found by trying.
 * @throws INPUT_INVALID
 */
export function saltedHashOf(salt: string, value: unknown): string {
  if (!isHexString(salt, 32)) throw new CarepactError("INPUT_INVALID", "A salt is 32 bytes in hex.", { path: "salt" });
  return keccak256(concat([salt, toUtf8Bytes(canonicalJson(value))]));
}
