import type { PaymentReconciliation, PaymentReconciliationDetail } from "fhir/r4.js";

import type { Remittance } from "../claims/remittance/types";

import { moneyOf } from "./moneyWrite";
import {
  claimReference,
  fhirDate,
  organizationReference,
  remittanceIdentifier,
  type WriteRemittanceOptions,
} from "./remittanceWrite";

const PAYMENT_TYPE = "http://terminology.hl7.org/CodeSystem/payment-type";

/**
 * The FHIR R4 PaymentReconciliation of a remittance: one detail for each claim and each provider adjustment, which sum to
 * the payment. Reversals, and what lowers the payment, are below zero.
 * @throws AMOUNT_UNSAFE
 */
export function writePaymentReconciliation(
  remittance: Remittance,
  { parties }: WriteRemittanceOptions,
): PaymentReconciliation {
  const { claims, providerAdjustments, payment, currency, period, payer, payee } = remittance;
  const detail = (type: "payment" | "adjustment", amount: bigint): PaymentReconciliationDetail => ({
    type: { coding: [{ system: PAYMENT_TYPE, code: type }] },
    amount: moneyOf(amount, currency),
  });
  return {
    resourceType: "PaymentReconciliation",
    identifier: [remittanceIdentifier(remittance)],
    status: "active",
    period: { start: fhirDate(period.from), end: fhirDate(period.to - 1) },
    created: new Date(period.to * 1_000).toISOString(),
    paymentIssuer: organizationReference(payer, parties.payer),
    requestor: organizationReference(payee, parties.payee),
    outcome: "complete",
    paymentDate: fhirDate(period.to - 1),
    paymentAmount: moneyOf(payment, currency),
    paymentIdentifier: remittanceIdentifier(remittance),
    detail: [
      ...claims.map((claim) => ({
        ...detail(claim.status === "22" ? "adjustment" : "payment", claim.paid),
        request: claimReference(claim),
      })),
      ...providerAdjustments.map(({ reason, reference, amount }) => ({
        ...detail("adjustment", -amount),
        identifier: { value: `${reason}:${reference}` },
      })),
    ],
  };
}
