import { CarepactError } from "../errors";

/** How long a call may take. */
export interface CallOptions {
  /** Ends the call early. */
  signal?: AbortSignal | undefined;
  /** Milliseconds after which the call is given up; no limit unless given. */
  timeoutMs?: number | undefined;
}

/**
 * Does `work` until it is done, aborted or out of time. Whoever waits is told at once. Work that reads in
 * several steps may still finish these in the background, unheard; work that sends, or goes on for ever, asks `signal` before each.
 * @throws ABORTED, TIMED_OUT, and what `work` throws
 */
export async function within<Value>(
  { signal, timeoutMs }: CallOptions,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const inner = new AbortController();
  const abort = (): void => inner.abort(abortedError(signal?.reason));
  if (signal?.aborted) throw abortedError(signal.reason);
  if (timeoutMs !== undefined && !(timeoutMs > 0))
    throw new CarepactError("INPUT_INVALID", "timeoutMs is a number of milliseconds above zero.", { timeoutMs });
  signal?.addEventListener("abort", abort, { once: true });
  const timer =
    timeoutMs === undefined || timeoutMs === Infinity
      ? undefined
      : setTimeout(() => inner.abort(timedOutError(timeoutMs)), timeoutMs);
  try {
    return await Promise.race([work(inner.signal), rejectionOf(inner.signal)]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

const abortedError = (reason: unknown): CarepactError =>
  new CarepactError("ABORTED", "The call was aborted by its signal.", {}, reason);

const timedOutError = (timeoutMs: number): CarepactError =>
  new CarepactError("TIMED_OUT", `The call took longer than ${timeoutMs} ms: is the node reachable?`, { timeoutMs });

const rejectionOf = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const stop = (): void => reject(signal.reason as CarepactError);
    // A provider may have aborted it before it returned: then no event comes any more.
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
