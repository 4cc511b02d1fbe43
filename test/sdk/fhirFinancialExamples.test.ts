import { expect } from "chai";
import type { Claim, ClaimResponse, ExplanationOfBenefit, PaymentReconciliation } from "fhir/r4";

import { isCarepactError } from "../../sdk/src/errors";
import { readClaim, readClaimResponse, readExplanationOfBenefit, readPaymentReconciliation } from "../../sdk/src/fhir";

import { hl7, hl7Names } from "./hl7";

const readers: Record<string, (name: string) => unknown> = {
  Claim: (name) => readClaim(hl7<Claim>(name)),
  ClaimResponse: (name) => readClaimResponse(hl7<ClaimResponse>(name)),
  ExplanationOfBenefit: (name) => readExplanationOfBenefit(hl7<ExplanationOfBenefit>(name)),
  PaymentReconciliation: (name) => readPaymentReconciliation(hl7<PaymentReconciliation>(name)),
};

// What becomes of every example of the package that is about money: mapped, or the sum that fails.
const outcomes: Record<string, string> = {
  "Claim-100150": "mapped",
  "Claim-100151": "mapped",
  "Claim-100152": "mapped",
  "Claim-100153": "mapped",
  "Claim-100154": "mapped",
  "Claim-100155": "mapped",
  "Claim-100156": "mapped",
  "Claim-660150": "mapped",
  "Claim-660151": "mapped",
  "Claim-660152": "mapped",
  "Claim-760150": "mapped",
  "Claim-760151": "mapped",
  "Claim-760152": "mapped",
  "Claim-860150": "mapped",
  "Claim-960150": "mapped",
  "Claim-960151": "mapped",
  "Claim-MED-00050": "mapped",
  "ClaimResponse-R3500":
    "CLAIM_DOES_NOT_BALANCE at ClaimResponse.payment.amount: " +
    "total benefit - payment adjustment = payment amount, 90.47 against 100.47",
  "ClaimResponse-R3501": "mapped",
  "ClaimResponse-R3502": "mapped",
  "ClaimResponse-R3503":
    "CLAIM_DOES_NOT_BALANCE at ClaimResponse.payment.amount: " +
    "total benefit - payment adjustment = payment amount, 1054.47 against 100.47",
  "ClaimResponse-UR3503": "mapped",
  "ExplanationOfBenefit-EB3500":
    "CLAIM_DOES_NOT_BALANCE at ExplanationOfBenefit.total[0].amount: " +
    "sum of items' submitted = total submitted, 335.57 against 135.57",
  "ExplanationOfBenefit-EB3501": "mapped",
  "PaymentReconciliation-ER2500":
    "PAYMENT_DOES_NOT_BALANCE at PaymentReconciliation.paymentAmount: " +
    "sum of detail amounts = paymentAmount, 6000.00 against 7000.00",
};

const outcomeOf = (type: string, name: string): string => {
  try {
    readers[type]?.(name);
    return "mapped";
  } catch (thrown) {
    if (!isCarepactError(thrown)) throw thrown;
    const { path, equation, left, right } = thrown.details as Record<string, string>;
    return `${thrown.code} at ${path}: ${equation}, ${left} against ${right}`;
  }
};

describe("HL7's examples about money", () => {
  it("are mapped, or refused by the element and the sum that fails: all seventeen claims, five answers, two explanations, one payment", () => {
    const results = Object.keys(readers).flatMap((type) =>
      hl7Names(type).map((name): [string, string] => [name, outcomeOf(type, name)]),
    );
    expect(Object.fromEntries(results)).to.deep.equal(outcomes);
  });
});
