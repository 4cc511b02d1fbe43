import { CarepactError } from "../errors";

/** How long a call may take. */
export interface CallOptions {
  /** Ends the call early. */
  signal?: AbortSignal | undefined;
  /** Milliseconds after which the call is given up; no limit unless given. */
  timeoutMs?: number | undefined;
}

/** The most milliseconds that timers count; one that is told more fires at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

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
  let timer: ReturnType<typeof setTimeout> | undefined;
  const giveUpAfter = (limit: number, left = limit): void => {
    const later = (): void =>
      left > LONGEST_TIMER ? giveUpAfter(limit, left - LONGEST_TIMER) : inner.abort(timedOutError(limit));
    timer = setTimeout(later, Math.min(left, LONGEST_TIMER));
  };
  if (timeoutMs !== undefined && timeoutMs !== Infinity) giveUpAfter(timeoutMs);
  try {
    return await Promise.race([work(inner.signal), rejectionOf(inner.signal)]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}

/** Waits; ends early, and leaves no timer behind, when the signal is aborted. */
export const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(ms, LONGEST_TIMER));
    if (signal.aborted) done();
    else signal.addEventListener("abort", done, { once: true });
  });

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
