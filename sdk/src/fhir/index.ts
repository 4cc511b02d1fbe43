export { readAuditEvent, writeAuditEvent, type ReadAuditEventOptions } from "./auditEvent";
export { readClaim, type ChargedClaim, type ChargedDetail, type ChargedLine } from "./claim";
export { readConsent, type ReadConsentOptions } from "./consent";
export { writeConsent, type WriteConsentOptions } from "./consentWrite";
export {
  diagnosticReportResult,
  diagnosticReportRules,
  dispenseResult,
  dispenseRules,
  eventReasons,
  lineResultOf,
  type DispenseTerms,
  type EventReason,
  type EventResult,
  type LineTerms,
  type Share,
  type StatusRule,
} from "./events";
export { consentOf, grantConsent, type GrantConsentOptions } from "./grantConsent";
export { consentInstruments } from "./instruments";
export type { ExactQuantity } from "./read";
