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
export { openedGroupsOf, publicPartOf, type BatchSource } from "./batchSource";
export {
  checkReasons,
  type Accepted,
  type CheckNeeds,
  type CheckOptions,
  type CheckReason,
  type CheckResult,
} from "./check";
export { createClaims, type Claims } from "./createClaims";
export * from "./file";
export type { FundedBatch, FundInput } from "./funding";
export type {
  ClaimBatchChange,
  ClaimBatchEvent,
  ClaimBatchEventName,
  ClaimBatchUpdate,
  HistoryOptions,
  WatchOptions,
} from "./history";
export * from "./input";
export * from "./manifestTree";
export type { RecordedReport, ReportedStatement } from "./reporting";
export * from "./results";
export type { RefundInput, Returned } from "./returning";
export type { SettleInput, Settlement, Settlements } from "./settling";
export type { ClaimBatchStatus } from "./status";
export * from "./types";
