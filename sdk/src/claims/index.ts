export { combineAttestations, type Attestation, type AttestOptions, type CombinedAttestation } from "./attestation";
export { openedGroupsOf, publicPartOf, type BatchSource } from "./batchSource";
export { checkReasons, type Accepted, type CheckOptions, type CheckReason, type CheckResult } from "./check";
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
export * from "./results";
export type { RefundInput, Returned } from "./returning";
export type { SettleInput, Settlement, Settlements } from "./settling";
export type { ClaimBatchStatus } from "./status";
export * from "./types";
