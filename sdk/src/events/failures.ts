import { decodeError } from "../chain/decodeError";
import { isCarepactError, type ErrorCode } from "../errors";
import { layersOf } from "../errors/thrown";

/**
 * Why a request was not answered.
 * - `own`: nothing that the node did; asking again would not help.
 * - `later`: the network, a rate limit, a node that is down: the same request may be answered later.
 * - `slow`: it took too long, as large ranges do.
 * - `refused`: anything else that a node says, for instance that a range or its results are too large.
 */
export type Failure = "own" | "later" | "slow" | "refused";

const byCode: Partial<Record<ErrorCode, Failure>> = {
  RATE_LIMITED: "later",
  NODE_UNREACHABLE: "later",
  // One node of several may be broken.
  NODE_INCONSISTENT: "later",
  TIMED_OUT: "slow",
  ABORTED: "own",
  CHAIN_MISMATCH: "own",
  INPUT_INVALID: "own",
  RUNNER_CANNOT_READ: "own",
};

const TOO_SLOW = /time[d -]?out|deadline exceeded|took too long|context cancell?ed/i;

/** HTTP statuses. */
const TOO_MANY_REQUESTS = 429;
const SLOW_STATUSES = [408, 504];
const CLIENT_FAULT = 400;
const SERVER_FAULT = 500;

const numberOf = (value: unknown): number =>
  typeof value === "string" || typeof value === "number" ? parseInt(String(value), 10) : NaN;

/** Why something was thrown. Whatever cannot be told apart counts as refused, which is answered by asking for less. */
export function failureOf(thrown: unknown): Failure {
  if (isCarepactError(thrown)) return byCode[thrown.code] ?? (thrown.code === "TRANSACTION_FAILED" ? "refused" : "own");
  const layers = layersOf(thrown);
  // The status comes first: servers say with 400 or 413 what others say in JSON.
  const status = layers.map((layer) => numberOf(layer.get("responseStatus"))).find((number) => number >= CLIENT_FAULT);
  if (status === TOO_MANY_REQUESTS) return "later";
  if (status !== undefined && SLOW_STATUSES.includes(status)) return "slow";
  const { code } = decodeError(thrown);
  if (code === "NODE_UNREACHABLE" && status !== undefined && status < SERVER_FAULT) return "refused";
  const failure = byCode[code] ?? "refused";
  return failure === "refused" && layers.some(({ words }) => TOO_SLOW.test(words)) ? "slow" : failure;
}

/** Milliseconds after which the node wants to be asked again, if it says so: a header, or in Infura's words. */
export function retryAfterOf(thrown: unknown): number | undefined {
  for (const layer of layersOf(thrown)) {
    const response = layer.get("response") as { getHeader?: (name: string) => unknown } | undefined;
    const header = typeof response?.getHeader === "function" ? response.getHeader("retry-after") : undefined;
    const rate = layer.get("rate") as { backoff_seconds?: unknown } | undefined;
    const told = header ?? rate?.backoff_seconds;
    if (typeof told !== "string" && typeof told !== "number") continue;
    const seconds = Number(told);
    const ms = Number.isNaN(seconds) ? Date.parse(String(told)) - Date.now() : seconds * 1_000;
    if (ms >= 0) return ms;
  }
  return undefined;
}
