export { readAuditEvent, writeAuditEvent, type ReadAuditEventOptions } from "./auditEvent";
export { adjudicationCategories, type AddedPart, type Adjudication, type AnsweredPart } from "./adjudications";
export type { SumMismatch } from "./amounts";
export type { PayersAnswer, StatedPayment } from "./answer";
export { readClaim, type ChargedClaim, type ChargedClaimParts, type ChargedDetail, type ChargedLine } from "./claim";
export { readClaimResponse, type AnswerError, type ReadClaimResponse } from "./claimResponse";
export { readConsent, type ReadConsentOptions } from "./consent";
export { writeConsent, type WriteConsentOptions } from "./consentWrite";
export {
  diagnosticReportResult,
  dispenseResult,
  eventResult,
  immunizationResult,
  lineResultOf,
  procedureResult,
  taskResult,
  type DispenseTerms,
  type EventOptions,
  type EventReason,
  type EventResource,
  type EventResult,
  type FhirVersion,
  type LineTerms,
  type Share,
  type StatusRule,
} from "./events";
export { decisionOf, type DecisionOptions } from "./decision";
export { eventKindBits, eventReasons, eventRules } from "./eventTables";
export { readExplanationOfBenefit, type ReadExplanationOfBenefit } from "./explanationOfBenefit";
export { writeExplanationOfBenefit } from "./explanationOfBenefitWrite";
export type { Fundability, FhirClaimKind } from "./financial";
export { consentOf, grantConsent, type GrantConsentOptions } from "./grantConsent";
export { consentInstruments } from "./instruments";
export {
  readPaymentReconciliation,
  type ReadPaymentReconciliation,
  type ReconciledDetail,
} from "./paymentReconciliation";
export { writePaymentReconciliation } from "./paymentReconciliationWrite";
export type { ExactQuantity } from "./read";
export type { WriteRemittanceOptions } from "./remittanceWrite";
