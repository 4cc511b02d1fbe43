import type { CarepactEvent } from "../events";

/** Names of the events that tell what became of a claim batch. */
export type ClaimBatchEventName =
  | "ClaimBatchFunded"
  | "GroupSettled"
  | "ClaimBatchSettled"
  | "LinesReversed"
  | "ClaimBatchReclaimed"
  | "Refunded"
  | "ResultsPresented"
  | "LinesPresented"
  | "PresentationSettled"
  | "LineDisputed"
  | "DisputeAttested"
  | "DisputeResolved"
  | "PaymentsRetained"
  | "Recouped"
  | "RetentionReleased";

/** Something that happened to a claim batch. */
export type ClaimBatchEvent = CarepactEvent<ClaimBatchEventName, "ClaimEscrow">;

const names = [
  "ClaimBatchFunded",
  "GroupSettled",
  "ClaimBatchSettled",
  "LinesReversed",
  "ClaimBatchReclaimed",
  "Refunded",
  "ResultsPresented",
  "LinesPresented",
  "PresentationSettled",
  "LineDisputed",
  "DisputeAttested",
  "DisputeResolved",
  "PaymentsRetained",
  "Recouped",
  "RetentionReleased",
] as const satisfies readonly ClaimBatchEventName[];

/** A query for all that happened to batches. */
interface BatchEventQuery {
  contracts: readonly ["ClaimEscrow"];
  names: readonly ClaimBatchEventName[];
  args: { batchId: string | readonly string[] };
}

/** Every event of a batch, or of several. */
export const batchEventsOf = (batchId: string | readonly string[]): BatchEventQuery => ({
  contracts: ["ClaimEscrow"],
  names,
  args: { batchId },
});
