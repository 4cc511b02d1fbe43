import type { ClaimResponse } from "fhir/r4.js";

import { toPlainJson } from "../encryption";
import { usDollar, type Currency } from "../money";

import { readAnswer, type PayersAnswer } from "./answer";
import { fundabilityOf, type Fundability } from "./financial";
import { ElementReader, type Element } from "./read";

/** What the payer could not work with (`ClaimResponse.error`). */
export interface AnswerError {
  /** `system|code`. */
  code: string;
  itemSequence?: number;
  detailSequence?: number;
  subDetailSequence?: number;
}

/** A FHIR R4 ClaimResponse whose sums were checked. Amounts in base units of `currency`. */
export type ReadClaimResponse = PayersAnswer &
  Fundability & {
    /** The claim that it answers (`request`): a literal reference, or `system|value`. */
    request?: string;
    /** Number of the prior authorization that it gives. */
    preAuthRef?: string;
    errors: AnswerError[];
  };

const names = { item: "itemSequence", detail: "detailSequence", subDetail: "subDetailSequence" };

const read = new ElementReader("INPUT_INVALID");

/**
 * Reads a FHIR R4 ClaimResponse: what the payer decided by item, detail and subDetail, its totals and its payment. Each
 * total has to be the sum of the items in its category (or of their details, where the items say something else), and
 * the payment the total benefit less the payment's adjustment. Nothing is rounded. Whether the decision may be funded is
 * told: `decisionOf` makes one for `adjudicate`.
 * @param options.currency What amounts have to be in; US dollars unless said otherwise.
 * @throws INPUT_INVALID, CLAIM_DOES_NOT_BALANCE, CURRENCY_MISMATCH, and the AMOUNT_ codes. `details.path` names the
 * element; of a sum `details` has `equation`, `left` and `right`.
 */
export function readClaimResponse(response: ClaimResponse, options: { currency?: Currency } = {}): ReadClaimResponse {
  const plain = toPlainJson(response, "ClaimResponse");
  const { answer, resource } = readAnswer(plain, "ClaimResponse", names, options.currency ?? usDollar);
  const fundability = fundabilityOf(read, resource, "ClaimResponse");
  const complete: Fundability =
    answer.outcome === "complete"
      ? { fundable: true }
      : { fundable: false, reason: { path: "ClaimResponse.outcome", value: answer.outcome } };
  const preAuthRef = read.optionalText(resource["preAuthRef"], "ClaimResponse.preAuthRef");
  return {
    ...answer,
    ...(resource["request"] === undefined
      ? {}
      : { request: read.reference(resource["request"], "ClaimResponse.request") }),
    ...(preAuthRef === undefined ? {} : { preAuthRef }),
    errors: read.list(resource["error"], "ClaimResponse.error").map(readError),
    ...(fundability.fundable ? complete : fundability),
  };
}

function readError(value: unknown, i: number): AnswerError {
  const path = `ClaimResponse.error[${i}]`;
  const error: Element = read.element(value, path);
  const sequence = (name: string): number | undefined =>
    error[name] === undefined ? undefined : read.sequence(error[name], `${path}.${name}`);
  const [item, detail, subDetail] = [names.item, names.detail, names.subDetail].map(sequence);
  return {
    code: read.concept(error["code"], `${path}.code`),
    ...(item === undefined ? {} : { itemSequence: item }),
    ...(detail === undefined ? {} : { detailSequence: detail }),
    ...(subDetail === undefined ? {} : { subDetailSequence: subDetail }),
  };
}
