import type { ErrorCode } from "./codes";

/** A value that JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What an error carries besides its message. Safe to log as JSON: bigints are decimal strings in it. */
export type ErrorDetails = { readonly [key: string]: Json };

/** What is known of a contract's refusal, or of a transaction. */
export interface ErrorFacts {
  /** Contract that declares the error; absent when none does, or several do. */
  contract?: string | undefined;
  /** Name of the contract's error: of a custom error, or `Error`, `Panic`, `Unknown`. */
  name?: string | undefined;
  /** The error's arguments by name, amounts as bigint: `message` of `Error`, `code` of `Panic`, `data` of `Unknown`. */
  args?: Readonly<Record<string, unknown>> | undefined;
  /** Hash of the transaction that the error is about. */
  txHash?: string | undefined;
}

/** A {@link CarepactError} as JSON has it. */
export interface ErrorJson {
  name: string;
  code: ErrorCode;
  message: string;
  contract?: string;
  args?: ErrorDetails;
  txHash?: string;
  details: ErrorDetails;
}

const DEEPEST = 8;
/** Longest text kept: a log is no place for a contract's megabytes. */
const LONGEST = 4_096;

const toJson = (value: unknown, depth = 0): Json => {
  if (typeof value === "string") return value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value;
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object") return typeof value;
  if (depth >= DEEPEST) return "…";
  if (Array.isArray(value)) return value.map((entry) => toJson(entry, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, toJson(entry, depth + 1)]));
};

// In the registry that copies of the SDK and realms share, as classes are not.
const BRAND: unique symbol = Symbol.for("carepact.error");

/**
 * The one error this SDK throws on purpose. Branch on `code`; show `message`, which says what to do; log it as JSON.
 * Ask {@link isCarepactError}, never `instanceof`: two copies of the SDK, or two realms, have two classes.
 */
export class CarepactError extends Error {
  /** The contract's name for it when a contract refused: a custom error's, `Error`, `Panic` or `Unknown`. */
  override readonly name: string;
  readonly code: ErrorCode;
  declare readonly contract?: string;
  declare readonly args?: Readonly<Record<string, unknown>>;
  declare readonly txHash?: string;
  readonly details: ErrorDetails;

  /**
   * @param details Made JSON-safe here; a `path` in it names the offending element (`Claim.item[0].net`,
   * `$.terms.total`).
   * @param cause What was thrown underneath, if anything.
   */
  constructor(
    code: ErrorCode,
    message: string,
    details: Record<string, unknown> = {},
    cause?: unknown,
    { name = "CarepactError", contract, args, txHash }: ErrorFacts = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = name;
    this.code = code;
    if (contract !== undefined) this.contract = contract;
    if (args !== undefined) this.args = args;
    if (txHash !== undefined) this.txHash = txHash;
    this.details = toJson(details) as ErrorDetails;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** For logs: `JSON.stringify(error)` keeps what matters and leaves the cause, which may not be serializable, out. */
  toJSON(): ErrorJson {
    const { name, code, message, contract, args, txHash, details } = this;
    return {
      name,
      code,
      message,
      ...(contract === undefined ? {} : { contract }),
      ...(args === undefined ? {} : { args: toJson(args) as ErrorDetails }),
      ...(txHash === undefined ? {} : { txHash }),
      details,
    };
  }
}

/** Whether `x` is a {@link CarepactError} of any copy of the SDK; with `code`, whether it carries that one. */
export function isCarepactError(x: unknown, code?: ErrorCode): x is CarepactError {
  if (typeof x !== "object" || x === null) return false;
  try {
    const { [BRAND]: branded, code: actual } = x as { [BRAND]?: unknown; code?: unknown };
    return branded === true && typeof actual === "string" && (code === undefined || actual === code);
  } catch {
    // Something that cannot even be looked at.
    return false;
  }
}

/** @internal The error with the hash of the transaction that it is about, unless it has one. */
export function withTxHash(error: CarepactError, txHash: string): CarepactError {
  const { code, message, details, cause, name, contract, args } = error;
  return error.txHash === undefined
    ? new CarepactError(code, message, details, cause, { name, contract, args, txHash })
    : error;
}
