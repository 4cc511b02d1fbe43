export { anchoredRoots, type AnchoredRoot } from "./anchors";
export type { AskedRecord } from "./asked";
export {
  consentPermission,
  type Attempt,
  type AttemptBasis,
  type InstrumentAnswer,
  type InstrumentQuestion,
  type Instruments,
  type Permission,
  type PermissionOptions,
} from "./attempt";
export { audit, type AuditOptions, type AuditResult } from "./audit";
export { signReview, REVIEW_POLICY, type SignedReview, type Unreviewed } from "./breakGlass";
export { findingKinds, type Finding, type FindingKind, type FindingPlace } from "./findings";
export {
  createGateway,
  type AccessAnswer,
  type Anchored,
  type Gateway,
  type GatewayOptions,
  type HistoryViewer,
  type RootsAsked,
  type Notice,
} from "./gateway";
export {
  ACCESS_HISTORY_VERSION,
  entriesOf,
  MAX_HISTORY_BYTES,
  parseHistory,
  readHistory,
  type AccessHistory,
  type HistoryEntry,
  type HistoryRoot,
  type HistoryTrail,
  type HistoryView,
} from "./history";
export {
  accessTypes,
  historyMessage,
  receiptMessage,
  reviewMessage,
  type HistoryTerms,
  type LogRef,
  type ReceiptTerms,
  type ReviewTerms,
} from "./messages";
export { proveEntry, verifyEntry, type AccessProof } from "./proof";
export { readReceipt, verifyReceipt, type AccessReceipt, type ReceiptExpectations } from "./receipt";
export { openHistory, openNotice, type SealedAccess, type SealedContent } from "./sealing";
export { memoryStore, type AccessStore, type StoredValue } from "./store";
export {
  compartments,
  entryHashOf,
  headAfter,
  linkOf,
  placeOf,
  recordLeafOf,
  trailLeafOf,
  trailOf,
  type Compartment,
  type TrailName,
  type TrailState,
} from "./trail";
export {
  accessActions,
  gatewayReasons,
  accessRefusals,
  requireEntry,
  requireStatement,
  statementOf,
  type AccessAction,
  type AccessBasis,
  type AccessEntry,
  type AccessOutcome,
  type AccessReview,
  type AccessStatement,
  type AccessRefusal,
} from "./types";
