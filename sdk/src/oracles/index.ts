export { createAttester, type AttestOnceOptions, type AttestWith, type Attester, type OpenedBatch } from "./attester";
export type {
  AttestationLedger,
  AttestedLine,
  ClaimedLine,
  ConflictReason,
  EventConflict,
  LinePlace,
  Observation,
} from "./ledger";
export { memoryLedger } from "./memoryLedger";
export type { Released, ReleasedLine, ReleaseOptions } from "./release";
export { decodeReport, encodeReport, workflowKeyOf, workflowNameOf, type WorkflowReport } from "./report";
export {
  checkPickup,
  confirmPickup,
  isPickupFor,
  pickedUpIn,
  pickupAnswer,
  pickupRequest,
  pickupUrl,
  readPickupAnswer,
  readPickupRequest,
  type ConfirmOptions,
  type PickedUp,
  type PickupFault,
  type PickupLine,
  type PickupRequest,
} from "./pickup";
export { equivocationOf, findEquivocation } from "./equivocation";
export { nextObservedAt } from "./observing";
