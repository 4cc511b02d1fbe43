import type { PaymentReconciliation } from "fhir/r4.js";

import { toPlainJson } from "../encryption";
import { CarepactError, type Json } from "../errors";
import { usDollar, type Currency } from "../money";

import { mismatchOf, moneyAt, signedMoneyAt, sumFails } from "./amounts";
import { resourceIdOf } from "./financial";
import { ElementReader } from "./read";

/** What one part of a payment is for. Amounts in base units. */
export interface ReconciledDetail {
  /** HL7's `payment`, `adjustment` or `advance`, or `system|code` of another. */
  type: string;
  /** Of a payment zero or more; an adjustment or an advance takes from the whole where it is below zero. */
  amount: bigint;
  /** `system|value`. */
  identifier?: string;
  /** The part that it corrects: `system|value`. */
  predecessor?: string;
  /** The claim: a literal reference, or `system|value`. */
  request?: string;
  /** The answer to the claim. */
  response?: string;
  payee?: string;
  date?: string;
}

/** A FHIR R4 PaymentReconciliation whose sum was checked. Amounts in base units of `currency`. */
export interface ReadPaymentReconciliation {
  id: string;
  status: "active" | "cancelled" | "draft" | "entered-in-error";
  outcome?: "queued" | "complete" | "error" | "partial";
  created?: string;
  period?: { start?: string; end?: string };
  /** Who paid: a literal reference, or `system|value`. */
  issuer?: string;
  paymentDate?: string;
  /** `system|value`. */
  paymentIdentifier?: string;
  paymentAmount: bigint;
  currency: Currency;
  details: ReconciledDetail[];
  /** The resource as it came in. */
  resource: Json;
}

const TYPE = "PaymentReconciliation";
const TYPE_SYSTEM = "http://terminology.hl7.org/CodeSystem/payment-type";

const statuses = ["active", "cancelled", "draft", "entered-in-error"] as const;
const outcomes = ["queued", "complete", "error", "partial"] as const;

const read = new ElementReader("INPUT_INVALID");

/**
 * Reads a FHIR R4 PaymentReconciliation: one payment and what it is made of. The details, each with its sign, have to sum
 * to the payment: what is below zero there (an advance that is paid back, an adjustment) was kept back.
 * @param options.currency What amounts have to be in; US dollars unless said otherwise.
 * @throws INPUT_INVALID, PAYMENT_DOES_NOT_BALANCE, CURRENCY_MISMATCH, and the AMOUNT_ codes. `details.path` names the
 * element; of a sum `details` has `equation`, `left` and `right`.
 */
export function readPaymentReconciliation(
  reconciliation: PaymentReconciliation,
  options: { currency?: Currency } = {},
): ReadPaymentReconciliation {
  const currency = options.currency ?? usDollar;
  const plain = toPlainJson(reconciliation, TYPE);
  const resource = read.resource(plain, TYPE);
  const status = read.code(resource["status"], statuses, `${TYPE}.status`);
  const details = read
    .list(resource["detail"], `${TYPE}.detail`)
    .map((entry, i) => readDetail(entry, `${TYPE}.detail[${i}]`, currency));

  const path = `${TYPE}.paymentAmount`;
  const paymentAmount = moneyAt(read, resource["paymentAmount"], path, currency);
  if (paymentAmount === undefined) throw read.refuse(path, "is missing");
  const sum = details.reduce((total, { amount }) => total + amount, 0n);
  if (sum !== paymentAmount)
    throw sumFails(
      "PAYMENT_DOES_NOT_BALANCE",
      mismatchOf(path, "sum of detail amounts = paymentAmount", sum, paymentAmount, currency),
    );

  const { outcome, period: stated, paymentIdentifier, paymentIssuer } = resource;
  const [created, paymentDate] = ["created", "paymentDate"].map((name) => read.date(resource[name], `${TYPE}.${name}`));
  const period = stated === undefined ? undefined : read.element(stated, `${TYPE}.period`);
  const [start, end] = ["start", "end"].map((name) => read.date(period?.[name], `${TYPE}.period.${name}`));
  return {
    id: resourceIdOf(read, resource, TYPE),
    status,
    ...(outcome === undefined ? {} : { outcome: read.code(outcome, outcomes, `${TYPE}.outcome`) }),
    ...(created === undefined ? {} : { created }),
    ...(period === undefined
      ? {}
      : { period: { ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) } }),
    ...(paymentIssuer === undefined ? {} : { issuer: read.reference(paymentIssuer, `${TYPE}.paymentIssuer`) }),
    ...(paymentDate === undefined ? {} : { paymentDate }),
    ...(paymentIdentifier === undefined
      ? {}
      : { paymentIdentifier: read.identifier(paymentIdentifier, `${TYPE}.paymentIdentifier`) }),
    paymentAmount,
    currency,
    details,
    resource: plain,
  };
}

function readDetail(value: unknown, path: string, currency: Currency): ReconciledDetail {
  const detail = read.element(value, path);
  read.noModifiers(detail, path);
  const concept = read.concept(detail["type"], `${path}.type`);
  const type = concept.startsWith(`${TYPE_SYSTEM}|`) ? concept.slice(TYPE_SYSTEM.length + 1) : concept;
  const amount = signedMoneyAt(read, detail["amount"], `${path}.amount`, currency);
  if (amount === undefined) throw read.refuse(`${path}.amount`, "is missing");
  if (type === "payment" && amount < 0n)
    throw new CarepactError("AMOUNT_NEGATIVE", `${path}.amount is below zero, which no payment is.`, {
      path: `${path}.amount`,
    });
  const identified = (name: "identifier" | "predecessor"): object =>
    detail[name] === undefined ? {} : { [name]: read.identifier(detail[name], `${path}.${name}`) };
  const referred = (name: "request" | "response" | "payee"): object =>
    detail[name] === undefined ? {} : { [name]: read.reference(detail[name], `${path}.${name}`) };
  const date = read.date(detail["date"], `${path}.date`);
  return {
    type,
    amount,
    ...identified("identifier"),
    ...identified("predecessor"),
    ...referred("request"),
    ...referred("response"),
    ...referred("payee"),
    ...(date === undefined ? {} : { date }),
  };
}
