import type { Currency } from "../money";

/** What an X12 file is read from: its text or its bytes, at once or piece by piece. */
export type X12Source = string | Uint8Array | Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/** How an X12 file is read. */
export interface ReadOptions {
  /** What amounts are in: US dollars unless said otherwise. */
  currency?: Currency;
  /**
   * How bytes become characters: `utf-8` unless said otherwise. X12 has no word for it; ASCII, which nearly every file
   * is in, is the same in both.
   */
  encoding?: "utf-8" | "latin1";
  /** Most characters taken in: 67,108,864 unless said otherwise. */
  maxLength?: number;
  /** Most characters of a segment: 10,000 unless said otherwise. */
  maxSegmentLength?: number;
  /** Most elements of a segment: 100 unless said otherwise. */
  maxElements?: number;
}

/** @internal */
export const defaultLimits = Object.freeze({ maxLength: 67_108_864, maxSegmentLength: 10_000, maxElements: 100 });
