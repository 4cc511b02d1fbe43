/**
 * When to say that something was observed, so that what an attester says now never contradicts what it said before: `now`, but after
 * `previous`. The chain refuses what was observed in the future: whoever is ahead of it waits until then.
 * @param previous `observedAt` of the attester's newest attestation of the batch, unix seconds; undefined: there is none.
 * @param now Unix seconds.
 */
export const nextObservedAt = (previous: number | undefined, now: number): number =>
  previous === undefined ? now : Math.max(now, previous + 1);
