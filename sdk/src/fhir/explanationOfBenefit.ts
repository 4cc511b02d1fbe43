import type { ExplanationOfBenefit } from "fhir/r4.js";

import { toPlainJson } from "../encryption";
import { usDollar, type Currency } from "../money";

import { readAnswer, type PayersAnswer } from "./answer";
import { ElementReader } from "./read";

/** A FHIR R4 ExplanationOfBenefit whose sums were checked. Amounts in base units of `currency`. */
export interface ReadExplanationOfBenefit extends PayersAnswer {
  /** Who gave the care: a literal reference, or `system|value`. */
  provider: string;
  /** The claim, where it is named. */
  claim?: string;
  /** The answer to it, where it is named. */
  claimResponse?: string;
  /** What it says was paid; absent where it tells of no payment. */
  paid?: bigint;
}

const names = { item: "sequence", detail: "sequence", subDetail: "sequence" };

const read = new ElementReader("INPUT_INVALID");

/**
 * Reads a FHIR R4 ExplanationOfBenefit: what was asked for, what the payer gave, and what it says was paid. Its sums are
 * those of `readClaimResponse`, and the total submitted is the sum of the items' nets. It tells what a payer says; what
 * was paid through Carepact the chain's events say.
 * @param options.currency What amounts have to be in; US dollars unless said otherwise.
 * @throws INPUT_INVALID, CLAIM_DOES_NOT_BALANCE, CURRENCY_MISMATCH, and the AMOUNT_ codes. `details.path` names the
 * element; of a sum `details` has `equation`, `left` and `right`.
 */
export function readExplanationOfBenefit(
  explanation: ExplanationOfBenefit,
  options: { currency?: Currency } = {},
): ReadExplanationOfBenefit {
  const type = "ExplanationOfBenefit";
  const plain = toPlainJson(explanation, type);
  const { answer, resource } = readAnswer(plain, type, names, options.currency ?? usDollar);
  const { claim, claimResponse } = resource;
  return {
    ...answer,
    provider: read.reference(resource["provider"], `${type}.provider`),
    ...(claim === undefined ? {} : { claim: read.reference(claim, `${type}.claim`) }),
    ...(claimResponse === undefined ? {} : { claimResponse: read.reference(claimResponse, `${type}.claimResponse`) }),
    ...(answer.payment === undefined ? {} : { paid: answer.payment.amount }),
  };
}
