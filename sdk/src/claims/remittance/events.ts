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

const AMOUNT_BITS = 96n;

/** Payee and amount of a word as the escrow reports payments. */
export const payeeAndAmount = (word: bigint): { payee: bigint; amount: bigint } => ({
  payee: word >> AMOUNT_BITS,
  amount: word & ((1n << AMOUNT_BITS) - 1n),
});
