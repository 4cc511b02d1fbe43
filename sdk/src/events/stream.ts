import type { EventStream } from "./types";

/**
 * A generator that can be left at any moment: `return()` does not wait for a request or a pause that is under way, as a
 * bare generator's would, but ends it.
 */
export function streamOf<Value>(
  make: (signal: AbortSignal) => AsyncGenerator<Value, void, undefined>,
  signal: AbortSignal | undefined,
): EventStream<Value> {
  const inner = new AbortController();
  const abort = (): void => inner.abort(signal?.reason);
  let left = false;
  let values: AsyncGenerator<Value, void, undefined> | undefined;

  const clean = (): void => signal?.removeEventListener("abort", abort);
  const begin = (): AsyncGenerator<Value, void, undefined> => {
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
    return make(inner.signal);
  };
  const stream: EventStream<Value> = {
    [Symbol.asyncIterator]: () => stream,
    next: async () => {
      if (left) return { done: true, value: undefined };
      values ??= begin();
      try {
        const result = await values.next();
        if (result.done !== true) return result;
        clean();
        return { done: true, value: undefined };
      } catch (thrown) {
        clean();
        if (left) return { done: true, value: undefined };
        throw thrown;
      }
    },
    return: async () => {
      left = true;
      clean();
      inner.abort();
      await values?.return();
      return { done: true, value: undefined };
    },
  };
  return stream;
}
