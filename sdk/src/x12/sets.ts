import { Envelopes, type SetHead, type SetKind } from "./envelope";
import type { ReadOptions, X12Source } from "./options";
import { rawSegment, type Segment } from "./segment";
import { piecesOf } from "./source";
import { Tokenizer } from "./tokenizer";
import type { Delimiters, RawSegment } from "./types";

/** What makes parts of the segments of a transaction set, ST and SE included. */
export interface SetReader<Part> {
  take(segment: Segment, head: () => SetHead): readonly Part[];
}

/** The parts of every transaction set of an input, whose envelopes are checked. */
export async function* partsOf<Part>(
  source: X12Source,
  kind: SetKind,
  reader: SetReader<Part>,
  options: ReadOptions,
): AsyncGenerator<Part, void> {
  const envelopes = new Envelopes(kind);
  const head = (): SetHead => envelopes.head;
  const tokenizer = new Tokenizer(options);
  let last: Segment | undefined;
  for await (const piece of piecesOf(source, options.encoding))
    for (const segment of tokenizer.feed(piece)) {
      last = segment;
      if (!envelopes.take(segment)) continue;
      // Not yield*: in an async generator it waits for every element, and for none too.
      for (const part of reader.take(segment, head)) yield part;
    }
  tokenizer.finish();
  envelopes.finish(last);
}

/** A segment of any X12 file, envelopes included. */
export interface PlacedSegment extends RawSegment {
  /** One for the first segment of the input. */
  number: number;
  /** Characters of the input before it. */
  position: number;
  /** What it was written with. */
  delimiters: Delimiters;
}

/**
 * Cuts an X12 file of any kind into its segments, piece by piece, and checks the envelopes: delimiters, nesting, counts
 * and control numbers. Elements of ISA keep the spaces that fill them.
 * @throws X12_CHARACTER_INVALID, X12_CONTROL_NUMBER_INVALID, X12_COUNT_MISMATCH, X12_DELIMITERS_INVALID,
 * X12_ELEMENT_INVALID, X12_ENVELOPE_INVALID, X12_SEGMENT_UNEXPECTED, X12_TOO_LARGE, X12_TRUNCATED,
 * X12_VERSION_UNSUPPORTED (of the interchange), INPUT_INVALID (no text or bytes)
 */
export async function* readSegments(
  source: X12Source,
  options: Omit<ReadOptions, "currency"> = {},
): AsyncGenerator<PlacedSegment, void> {
  const envelopes = new Envelopes();
  const tokenizer = new Tokenizer(options);
  let last: Segment | undefined;
  for await (const piece of piecesOf(source, options.encoding))
    for (const segment of tokenizer.feed(piece)) {
      last = segment;
      envelopes.take(segment);
      const { number, position, delimiters } = segment;
      yield { ...rawSegment(segment), number, position, delimiters };
    }
  tokenizer.finish();
  envelopes.finish(last);
}
