import type { CarepactEvent } from "../../events";

/** Names of the events that tell where the money of a claim batch went. */
export const moneyEventNames = [
  "ClaimBatchFunded",
  "GroupSettled",
  "ClaimBatchSettled",
  "LinesReversed",
  "ClaimBatchReclaimed",
  "Refunded",
  "ResultsPresented",
  "PresentationSettled",
  "LineDisputed",
  "DisputeResolved",
  "PaymentsRetained",
  "Recouped",
  "RetentionReleased",
] as const;

/** An event that tells where the money of a claim batch went. */
export type MoneyEvent = CarepactEvent<(typeof moneyEventNames)[number], "ClaimEscrow">;
