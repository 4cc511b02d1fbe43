export { readClaim, type ChargedClaim, type ChargedDetail, type ChargedLine } from "./claim";
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
export type { ExactQuantity } from "./read";
