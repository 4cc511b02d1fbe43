import { usDollar } from "../money";

import { kinds837 } from "./layout837";
import type { ReadOptions, X12Source } from "./options";
import { Reader837 } from "./read837";
import { partsOf } from "./sets";
import type { Claim837 } from "./types837";

/**
 * Reads the claims (X12 837, 5010 guides X222 professional, X223 institutional, X224 dental) of an input one by one, as
 * soon as each is complete; what claims have in common (submission, provider, subscriber) they share. Checked are the
 * envelopes, the hierarchy (HL), and that the charges of the lines sum to that of the claim: a tax (AMT*T) is part of the
 * line's charge and not added. What of a claim is not named by the model is kept as it stands. **Nothing is sure before
 * the end**: what comes later may not count, and then throws.
 * @throws X12_AMOUNT_INVALID, X12_CHARACTER_INVALID, X12_CONTROL_NUMBER_INVALID, X12_COUNT_MISMATCH,
 * X12_DELIMITERS_INVALID, X12_DOES_NOT_BALANCE, X12_ELEMENT_INVALID, X12_ENVELOPE_INVALID, X12_HIERARCHY_INVALID,
 * X12_SEGMENT_MISSING, X12_SEGMENT_UNEXPECTED, X12_TOO_LARGE, X12_TRUNCATED, X12_VERSION_UNSUPPORTED: `details` has
 * `segment` (counted from one), `id` and `position` (characters before it), and `element` where it is one;
 * CURRENCY_MISMATCH for a CUR of another currency; INPUT_INVALID for a source that is neither text nor bytes
 */
export function parse837(source: X12Source, options: ReadOptions = {}): AsyncGenerator<Claim837, void> {
  const kind = { functionalId: "HC", set: "837", versions: Object.keys(kinds837) };
  return partsOf(source, kind, new Reader837(options.currency ?? usDollar), options);
}
