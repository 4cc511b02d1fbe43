export { readAuditEvent, writeAuditEvent, type ReadAuditEventOptions } from "./auditEvent";
export { readClaim, type ChargedClaim, type ChargedDetail, type ChargedLine } from "./claim";
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
export { eventKindBits, eventReasons, eventRules } from "./eventTables";
export { consentOf, grantConsent, type GrantConsentOptions } from "./grantConsent";
export { consentInstruments } from "./instruments";
export type { ExactQuantity } from "./read";
