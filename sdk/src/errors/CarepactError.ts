import type { ErrorCode } from "./codes";

/** A value that JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What an error carries besides its message. Safe to log as JSON: bigints are decimal strings in it. */
export type ErrorDetails = { readonly [key: string]: Json };

const DEEPEST = 8;

const toJson = (value: unknown, depth = 0): Json => {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object") return typeof value;
  if (depth >= DEEPEST) return "…";
  if (Array.isArray(value)) return value.map((entry) => toJson(entry, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, toJson(entry, depth + 1)]));
};

/**
 * The one error this SDK throws on purpose. Branch on `code`; show `message`, which says what to do; log `details`.
 * Ask {@link isCarepactError}, never `instanceof`: two copies of the SDK, or two realms, have two classes.
 */
export class CarepactError extends Error {
  override readonly name = "CarepactError";
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  /**
   * @param details Made JSON-safe here; a `path` in it names the offending element (`Claim.item[0].net`,
   * `$.terms.total`).
   * @param cause What was thrown underneath, if anything.
   */
  constructor(code: ErrorCode, message: string, details: Record<string, unknown> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = toJson(details) as ErrorDetails;
  }

  /** For logs: `JSON.stringify(error)` keeps what matters and leaves the cause, which may not be serializable, out. */
  toJSON(): { name: string; code: ErrorCode; message: string; details: ErrorDetails } {
    return { name: this.name, code: this.code, message: this.message, details: this.details };
  }
}

/** Whether `x` is a {@link CarepactError} of any copy of the SDK; with `code`, whether it carries that one. */
export function isCarepactError(x: unknown, code?: ErrorCode): x is CarepactError {
  if (typeof x !== "object" || x === null) return false;
  const { name, code: actual } = x as { name?: unknown; code?: unknown };
  return name === "CarepactError" && typeof actual === "string" && (code === undefined || actual === code);
}
