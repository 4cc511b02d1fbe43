import { CarepactError } from "../../errors";
import { formatAmount } from "../../money";

import { sumOf, type Counter } from "./money";
import type { Movement } from "./replay";
import type { EventSource, ForwardedBalance, RemittedAdjustment } from "./types";

/** A batch's number where 835 has room for 50 characters or less. */
export const batchReference = (batchId: string): string => batchId.slice(2, 32).toUpperCase();

/** Money of one batch in the period that belongs to no claim of the remittance. */
export interface BatchMoney {
  batchId: string;
  /** Of the period. */
  movements: readonly Movement[];
  /** What the payee returned of the batch up to the period's end, base units of the token. */
  refunded: bigint;
  /** What reversals in this remittance ask the payee to return, base units of the currency. */
  reversed: bigint;
  /** Balances of the batch that earlier remittances moved forward. */
  forwarded: readonly ForwardedBalance[];
  /** What the payee agreed to return in all, base units of the token; zero without a refund order. */
  ordered: bigint;
}

/** Entries of a PLB, and what they leave to the next remittance. */
export interface Adjusted {
  adjustments: RemittedAdjustment[];
  forwarded: ForwardedBalance[];
}

/**
 * Provider adjustments for the money of a batch.
 * @param reference TRN02 of the remittance.
 * @throws REMITTANCE_UNBACKED, AMOUNT_TOO_PRECISE
 */
export function adjustmentsOf(money: BatchMoney, counter: Counter, reference: string): Adjusted {
  const adjustments: RemittedAdjustment[] = [];
  const batch = batchReference(money.batchId);
  const add = (reason: string, amount: bigint, source?: EventSource, about = batch): void => {
    if (amount !== 0n)
      adjustments.push({ reason, reference: about, amount, ...(source === undefined ? {} : { source }) });
  };

  for (const { amount, reference: earlier } of money.forwarded) add("FB", amount, undefined, earlier);
  let due = sumOf(money.forwarded.map(({ amount }) => amount));
  let reversed = money.reversed;
  const take = (wanted: bigint, left: bigint): bigint => (wanted < left ? wanted : left);
  for (const { kind, amount: moved, source } of money.movements) {
    if (kind === "settled" || kind === "awarded") continue;
    if (kind === "retained" || kind === "released") {
      const share = counter.up(moved);
      add("E3", kind === "retained" ? share : -share, source);
      continue;
    }
    const amount = counter.exact(moved, `${kind} in transaction ${source.txHash}`);
    if (kind === "bond") add("CS", -amount, source);
    if (kind === "recouped") {
      // What was withheld is withheld no more, and recovered at once.
      add("E3", -amount, source);
      add("WO", amount, source);
    }
    if (kind !== "repaid" && kind !== "returned") continue;
    const forDue = take(due, amount);
    const forReversal = take(reversed, amount - forDue);
    due -= forDue;
    reversed -= forReversal;
    // A claim's reversal lowers the payment by itself; one that tokens were brought for has to leave it as it is.
    if (kind === "returned") add("WO", -forReversal, source);
    add("WO", amount - forDue - (kind === "repaid" ? forReversal : 0n), source);
    if (kind === "returned") add("72", -amount, source);
  }

  const owed = due + reversed;
  requireOrdered(money, reversed, counter);
  add("FB", -owed, undefined, reference);
  return { adjustments, forwarded: owed === 0n ? [] : [{ batchId: money.batchId, amount: owed, reference }] };
}

/** What is reversed and not returned yet has to stand in an order of the payee. */
function requireOrdered({ batchId, ordered, refunded }: BatchMoney, missing: bigint, counter: Counter): void {
  const promised = ordered < refunded ? 0n : ordered - refunded;
  if (missing === 0n || counter.inToken(missing) <= promised) return;
  const { currency, token } = counter;
  const [lacking, open] = [formatAmount(missing, currency), formatAmount(promised, token)];
  throw new CarepactError(
    "REMITTANCE_UNBACKED",
    `Reversals of batch ${batchId} ask for ${lacking} more than the payee returned in the period, and its refund order has ${open} left.`,
    { batchId, missing: lacking, ordered: open },
  );
}
