export {
  attestationMessageOf,
  attestationOf,
  statementOf,
  type Attestation,
  type AttestOptions,
  type PatientLine,
  type StatementOptions,
} from "./attestation";
export { askChain } from "./attesters/askChain";
export { askedSignaturesOf, type AskedCondition } from "./attesters/asked";
export { combineAttestations, type CombinedAttestation } from "./attesters/combine";
export { verifyAttestation, type KnownBatch, type SignatureKnowledge } from "./attesters/signed";
export type { Verifiers } from "./attesters/verify";
export type { ClaimBatchEvent, ClaimBatchEventName } from "./batchEvents";
export { openedGroupsOf, publicPartOf, type BatchSource } from "./batchSource";
export {
  checkReasons,
  type Accepted,
  type CheckNeeds,
  type CheckOptions,
  type CheckReason,
  type CheckResult,
} from "./check";
export * from "./coordination";
export { createClaims, type Claims } from "./createClaims";
export type { DisputeStatus, PresentationStatus, RetentionStatus } from "./disputes/current";
export type { DisputeAttested, Disputed, Resolved } from "./disputes/disputing";
export type { Presented } from "./disputes/presenting";
export {
  parseRefundOrder,
  refundOrderDigestOf,
  type RefundOrder,
  type RefundOrderInput,
} from "./disputes/refundOrders";
export type { RecoupInput, Released } from "./disputes/retaining";
export type { BatchLine, Presentation, Retention } from "./disputes/structs";
export * from "./file";
export type { FundedBatch, FundInput } from "./funding";
export type { ClaimBatchChange, ClaimBatchUpdate, HistoryOptions, WatchOptions } from "./history";
export * from "./input";
export * from "./manifestTree";
export * from "./remittance";
export type { RecordedReport, ReportedStatement } from "./reporting";
export * from "./results";
export type { RefundInput, Returned } from "./returning";
export type { Outcome, SettleInput } from "./preparing";
export type { SettledGroup, Settlement, SettlementPreview, Settlements } from "./settling";
export type { ClaimBatchStatus } from "./status";
export * from "./types";
