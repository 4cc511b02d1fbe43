import type { Result } from "ethers";

import { accountKey, entryOf, move, note, tokenBook } from "./booksEntries";
import type { BatchBook, Books } from "./booksTypes";

/** Books the funding of a claim batch. */
export function bookFunding(
  books: Books,
  { batchId, payer, token, total }: { batchId: string; payer: string; token: string; total: bigint },
): void {
  if (books.batches.has(batchId))
    return note(books, "BATCH_FUNDED_TWICE", `batch ${batchId}`, "one funding", "another one");
  books.batches.set(batchId, {
    batchId,
    token,
    payer,
    total,
    unsettled: total,
    payees: new Map(),
    paidInFull: false,
    wasPresented: false,
    ...{ paid: 0n, freed: 0n, reversed: 0n, reclaimed: 0n, recouped: 0n, settlements: 0 },
    ...{ frozen: 0n, retained: 0n, unfinished: 0n, unfinishedPaid: 0n },
  });
  tokenBook(books, token).funded += total;
  move(books, token, payer, "free", -total);
}

/** Books what happens to a claim batch later. */
export function bookInBatch(books: Books, name: string, args: Result, place: string): void {
  const { batchId } = args as Result & { batchId: string };
  const batch = books.batches.get(batchId);
  if (batch === undefined) return note(books, "EVENT_OF_UNKNOWN_BATCH", place, "a funded batch", batchId);
  switch (name) {
    case "GroupSettled":
      return bookGroup(books, batch, args as Result & { payee: string; paid: bigint; freed: bigint });
    case "ClaimBatchSettled":
      return finish(books, batch, place);
    case "LinesReversed":
    case "ClaimBatchReclaimed":
      return bookReturn(books, batch, name, (args as Result & { amount: bigint }).amount);
    case "Refunded":
      return bookRefund(books, batch, args as Result & { payee: string; amount: bigint; fromCredit: boolean });
    case "ResultsPresented":
      batch.wasPresented = true;
      return;
    case "PresentationSettled":
      return finishPresentation(books, batch, place);
    case "LineDisputed":
      return bookDispute(books, batch, args as Result & Dispute);
    case "DisputeResolved":
      return bookRuling(books, batch, args as Result & Ruling);
    case "PaymentsRetained":
      return bookRetention(books, batch, args as Result & { amounts: bigint[] });
    case "Recouped":
    case "RetentionReleased":
      return bookRetained(books, batch, name, args as Result & { payee: string; amount: bigint });
  }
}

const AMOUNT_BITS = 96n;
const amountIn = (word: bigint): bigint => word & ((1n << AMOUNT_BITS) - 1n);
const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);

/** Parts of a batch's money that is neither paid nor back. */
type Part = "unsettled" | "frozen" | "retained";

function take(books: Books, batch: BatchBook, part: Part, amount: bigint): void {
  batch[part] -= amount;
  if (batch[part] < 0n)
    note(books, "BELOW_ZERO", `${part} amount of batch ${batch.batchId}`, "zero or more", batch[part]);
}

const shareOf = (batch: BatchBook, payee: string) => entryOf(batch.payees, payee, () => ({ paid: 0n, refunded: 0n }));

function pay(books: Books, batch: BatchBook, payee: string, amount: bigint): void {
  batch.paid += amount;
  shareOf(batch, payee).paid += amount;
  tokenBook(books, batch.token).paid += amount;
  move(books, batch.token, payee, "credit", amount);
}

function free(books: Books, batch: BatchBook, amount: bigint): void {
  batch.freed += amount;
  tokenBook(books, batch.token).freed += amount;
  move(books, batch.token, batch.payer, "free", amount);
}

function bookGroup(
  books: Books,
  batch: BatchBook,
  { payee, paid, freed }: { payee: string; paid: bigint; freed: bigint },
): void {
  batch.unfinished += paid + freed;
  batch.unfinishedPaid += paid;
  pay(books, batch, payee, paid);
  free(books, batch, freed);
  take(books, batch, "unsettled", paid + freed);
}

/** Ends a settlement: its groups come before. */
function finish(books: Books, batch: BatchBook, place: string): void {
  batch.settlements += 1;
  batch.paidInFull ||= batch.unfinishedPaid === batch.total;
  if (batch.unfinished === 0n) note(books, "SETTLEMENT_INCOMPLETE", place, "GroupSettled before it", "none");
  batch.unfinished = 0n;
  batch.unfinishedPaid = 0n;
}

function bookReturn(books: Books, batch: BatchBook, name: string, amount: bigint): void {
  const to = name === "LinesReversed" ? "reversed" : "reclaimed";
  batch[to] += amount;
  tokenBook(books, batch.token)[to] += amount;
  move(books, batch.token, batch.payer, "free", amount);
  take(books, batch, "unsettled", amount);
  // What is presented is not reclaimed.
  if (to === "reclaimed" && batch.unsettled !== 0n && !batch.wasPresented)
    note(books, "RECLAIM_LEFT_OPEN", `batch ${batch.batchId}`, 0n, batch.unsettled);
}

function bookRefund(
  books: Books,
  batch: BatchBook,
  { payee, amount, fromCredit }: { payee: string; amount: bigint; fromCredit: boolean },
): void {
  const entry = shareOf(batch, payee);
  entry.refunded += amount;
  if (entry.refunded > entry.paid)
    note(books, "REFUND_ABOVE_PAID", `${payee} in batch ${batch.batchId}`, entry.paid, entry.refunded);
  const token = tokenBook(books, batch.token);
  if (fromCredit) token.refundedFromCredit += amount;
  else token.refundedInTokens += amount;
  if (fromCredit) move(books, batch.token, payee, "credit", -amount);
  move(books, batch.token, batch.payer, "free", amount);
}

function finishPresentation(books: Books, batch: BatchBook, place: string): void {
  if (!batch.wasPresented) note(books, "SETTLEMENT_INCOMPLETE", place, "a presentation before it", "none");
  // All of a payment may be retained, so that nothing is credited.
  if (batch.retained > 0n && batch.unfinished === 0n) batch.settlements += 1;
  else finish(books, batch, place);
}

interface Dispute {
  by: string;
  amount: bigint;
  bond: bigint;
}

function bookDispute(books: Books, batch: BatchBook, { by, amount, bond }: Dispute): void {
  take(books, batch, "unsettled", amount);
  batch.frozen += amount;
  tokenBook(books, batch.token).bonds += bond;
  // Out of the free balance first.
  const balance = books.accounts.get(accountKey(batch.token, by))?.free ?? 0n;
  const fromFree = balance < bond ? balance : bond;
  move(books, batch.token, by, "free", -fromFree);
  move(books, batch.token, by, "credit", fromFree - bond);
}

interface Ruling {
  payee: string;
  award: bigint;
  returned: bigint;
  bondTo: string;
  bond: bigint;
}

function bookRuling(books: Books, batch: BatchBook, { payee, award, returned, bondTo, bond }: Ruling): void {
  take(books, batch, "frozen", award + returned);
  pay(books, batch, payee, award);
  free(books, batch, returned);
  tokenBook(books, batch.token).bonds -= bond;
  move(books, batch.token, bondTo, bondTo === batch.payer ? "free" : "credit", bond);
}

function bookRetention(books: Books, batch: BatchBook, { amounts }: { amounts: readonly bigint[] }): void {
  const amount = sum(amounts.map(amountIn));
  take(books, batch, "unsettled", amount);
  batch.retained += amount;
}

function bookRetained(
  books: Books,
  batch: BatchBook,
  name: string,
  { payee, amount }: { payee: string; amount: bigint },
): void {
  take(books, batch, "retained", amount);
  if (name === "RetentionReleased") return pay(books, batch, payee, amount);
  batch.recouped += amount;
  tokenBook(books, batch.token).recouped += amount;
  move(books, batch.token, batch.payer, "free", amount);
}
