import { usDollar } from "../money";

import type { SetKind } from "./envelope";
import { VERSION_835 } from "./layout835";
import type { ReadOptions, X12Source } from "./options";
import { Reader835, type Part835 } from "./read835";
import { partsOf } from "./sets";
import type { Claim835, Head835, Section835, Transaction835 } from "./types";

/** How an 835 is read. */
export interface Parse835Options extends ReadOptions {
  /** Whether each sum is checked once it is complete, as `balance835` does; true unless said otherwise. */
  balance?: boolean;
}

const kind: SetKind = { functionalId: "HP", set: "835", versions: [VERSION_835] };

/**
 * Reads the claim payments of an input piece by piece, each part as soon as it is complete: head, then sections (LX) with
 * their claims, then tail, and the next transaction set's head. No more than a claim is held, whatever the size of the
 * file. **Nothing is sure before the tail**: what comes later may not count or not balance, and then throws.
 * @throws As {@link parse835}
 */
export function stream835(source: X12Source, options: Parse835Options = {}): AsyncGenerator<Part835, void> {
  return partsOf(source, kind, new Reader835(options.currency ?? usDollar, options.balance ?? true), options);
}

/**
 * Reads the claim payments (X12 835, 5010 guide X221A1) of an input, one transaction set after the other. Whatever is not
 * understood is refused; nothing is left out.
 * @throws X12_AMOUNT_INVALID, X12_CHARACTER_INVALID, X12_CONTROL_NUMBER_INVALID, X12_COUNT_MISMATCH,
 * X12_DELIMITERS_INVALID, X12_DOES_NOT_BALANCE, X12_ELEMENT_INVALID, X12_ENVELOPE_INVALID, X12_SEGMENT_MISSING,
 * X12_SEGMENT_UNEXPECTED, X12_TOO_LARGE, X12_TRUNCATED, X12_VERSION_UNSUPPORTED: `details` has `segment` (counted from
 * one), `id` and `position` (characters before it), and `element` where it is one; CURRENCY_MISMATCH for a CUR of another
 * currency; INPUT_INVALID for a source that is neither text nor bytes
 */
export async function* parse835(
  source: X12Source,
  options: Parse835Options = {},
): AsyncGenerator<Transaction835, void> {
  let head: Head835 | undefined;
  let sections: (Section835 & { claims: Claim835[] })[] = [];
  for await (const part of stream835(source, options))
    switch (part.kind) {
      case "head":
        head = part.head;
        sections = [];
        break;
      case "section":
        sections.push({ ...part.section, claims: [] });
        break;
      case "claim":
        sections[sections.length - 1]?.claims.push(part.claim);
        break;
      case "tail":
        yield { ...(head as Head835), sections, providerAdjustments: part.providerAdjustments };
    }
}
