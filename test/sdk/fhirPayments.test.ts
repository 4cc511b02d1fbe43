import { expect } from "chai";
import fc from "fast-check";
import type { ExplanationOfBenefit, PaymentReconciliation } from "fhir/r4";

import { isCarepactError, type ErrorCode } from "../../sdk/src/errors";
import { readExplanationOfBenefit, readPaymentReconciliation } from "../../sdk/src/fhir";

import { hl7, pathsOf, withElements } from "./hl7";
import { refused } from "./refused";

const explanation = (changes: Record<string, unknown> = {}): ExplanationOfBenefit =>
  withElements(hl7<ExplanationOfBenefit>("ExplanationOfBenefit-EB3500"), changes);
const payment = (changes: Record<string, unknown> = {}): PaymentReconciliation =>
  withElements(hl7<PaymentReconciliation>("PaymentReconciliation-ER2500"), changes);

const money = (value: unknown): object => ({ value, currency: "USD" });

const tame = (read: () => unknown): void => {
  try {
    read();
  } catch (error) {
    expect(isCarepactError(error), String(error)).to.equal(true);
  }
};

describe("FHIR ExplanationOfBenefit", () => {
  const balanced = { "total[0].amount.value": 335.57, "total[1].amount.value": 276 };

  it("says what was asked, given and paid", () => {
    const read = readExplanationOfBenefit(explanation({ ...balanced, payment: { amount: money(276) } }));
    expect(read).to.deep.include({
      id: "EB3500",
      kind: "oral",
      provider: "Practitioner/1",
      insurer: "Organization/3",
      claim: "Claim/100150",
      claimResponse: "ClaimResponse/R3500",
      benefit: 27_600n,
      level: "item",
      mismatches: [],
      paid: 27_600n,
    });
    expect(read.items.map(({ net }) => net)).to.deep.equal([13_557n, 20_000n]);
  });

  it("tells of no payment where none is stated, in an error for one", () => {
    expect(readExplanationOfBenefit(explanation(balanced)).paid).to.equal(undefined);
    const error = readExplanationOfBenefit(hl7<ExplanationOfBenefit>("ExplanationOfBenefit-EB3501"));
    expect(error).to.deep.include({ outcome: "error", benefit: 0n, items: [] });
    expect(error.paid).to.equal(undefined);
  });

  it("refuses a benefit, or a payment, that its items do not sum to", () => {
    const { details } = refused("CLAIM_DOES_NOT_BALANCE", () =>
      readExplanationOfBenefit(explanation({ "total[0].amount.value": 335.57 })),
    );
    expect(details).to.deep.equal({
      path: "ExplanationOfBenefit.total[1].amount",
      equation: "sum of items' benefit = total benefit",
      left: "276.00",
      right: "96.00",
    });
    const paid = refused("CLAIM_DOES_NOT_BALANCE", () =>
      readExplanationOfBenefit(explanation({ ...balanced, payment: { amount: money(275.99) } })),
    );
    expect(paid.details.path).to.equal("ExplanationOfBenefit.payment.amount");
  });

  it("answers garbage with a CarepactError or what it says", () => {
    fc.assert(
      fc.property(fc.anything(), (value) => tame(() => readExplanationOfBenefit(value as ExplanationOfBenefit))),
    );
    const source = explanation(balanced);
    const paths = pathsOf(source);
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.anything(), (path, value) =>
        tame(() => readExplanationOfBenefit(withElements(source, { [path]: value }))),
      ),
      { numRuns: 200 },
    );
  });
});

describe("FHIR PaymentReconciliation", () => {
  const balanced = { "paymentAmount.value": 6000 };

  it("is read with its parts, each with its sign", () => {
    const read = readPaymentReconciliation(payment(balanced));
    expect(read).to.deep.include({
      id: "ER2500",
      status: "active",
      outcome: "complete",
      created: "2014-08-16",
      period: { start: "2014-08-16", end: "2014-08-31" },
      issuer: "Organization/2",
      paymentDate: "2014-08-01",
      paymentIdentifier: "http://www.BenefitsInc.com/payment/2018|10-12345",
      paymentAmount: 600_000n,
    });
    expect(read.details.map(({ type, amount: part }) => [type, part])).to.deep.equal([
      ["payment", 350_000n],
      ["payment", 400_000n],
      ["advance", -150_000n],
    ]);
    expect(read.details[0]).to.deep.equal({
      type: "payment",
      amount: 350_000n,
      identifier: "http://www.BenefitsInc.com/payment/2018/detail|10-12345-001",
      request: "http://happyvalleyclinic.com/claim|AB12345",
      response: "http://www.BenefitsInc.com/fhir/claimresponse|CR20140815-AB12345",
      payee: "Organization/1",
      date: "2014-08-16",
    });
  });

  it("refuses a payment below zero, and one of no parts that is not nothing", () => {
    const path = "PaymentReconciliation.detail[0].amount";
    const negative = payment({ ...balanced, "detail[0].amount.value": -3500 });
    expect(refused("AMOUNT_NEGATIVE", () => readPaymentReconciliation(negative)).details.path).to.equal(path);
    refused("PAYMENT_DOES_NOT_BALANCE", () => readPaymentReconciliation(payment({ detail: undefined })));
    expect(readPaymentReconciliation(payment({ detail: undefined, "paymentAmount.value": 0 })).paymentAmount).to.equal(
      0n,
    );
  });

  it("takes signs from text and numbers alike, exactly", () => {
    const text = payment({ ...balanced, "detail[2].amount.value": "-1500.00" });
    expect(readPaymentReconciliation(text).details[2]?.amount).to.equal(-150_000n);
    for (const [code, value] of [
      ["AMOUNT_UNSAFE", -(0.1 + 0.2)],
      ["AMOUNT_TOO_PRECISE", "-0.001"],
      ["AMOUNT_NEGATIVE", "--1"],
      ["AMOUNT_INVALID", "-"],
      ["AMOUNT_INVALID", -1e-9],
    ] as const)
      refused(code, () => readPaymentReconciliation(payment({ "detail[2].amount.value": value })));
  });

  it("refuses what is missing or not understood, by its path", () => {
    const cases: [ErrorCode, string, Record<string, unknown>][] = [
      ["INPUT_INVALID", "PaymentReconciliation.status", { status: "done" }],
      ["INPUT_INVALID", "PaymentReconciliation.paymentAmount", { paymentAmount: undefined }],
      ["INPUT_INVALID", "PaymentReconciliation.detail[1].type", { "detail[1].type": undefined }],
      ["INPUT_INVALID", "PaymentReconciliation.detail[1].amount", { "detail[1].amount": undefined }],
      ["INPUT_INVALID", "PaymentReconciliation.paymentDate", { paymentDate: "soon" }],
      ["CURRENCY_MISMATCH", "PaymentReconciliation.detail[1].amount.currency", { "detail[1].amount.currency": "CAD" }],
    ];
    for (const [code, path, changes] of cases)
      expect(
        refused(code, () => readPaymentReconciliation(payment({ ...balanced, ...changes }))).details.path,
      ).to.equal(path);
  });

  it("answers garbage with a CarepactError or what it says", () => {
    const source = payment(balanced);
    fc.assert(
      fc.property(fc.constantFrom("", ...pathsOf(source)), fc.anything(), (path, value) =>
        tame(() =>
          readPaymentReconciliation(
            path === "" ? (value as PaymentReconciliation) : withElements(source, { [path]: value }),
          ),
        ),
      ),
      { numRuns: 200 },
    );
  });
});
