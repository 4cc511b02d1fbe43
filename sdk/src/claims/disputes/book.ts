import type { ClaimBatchEvent } from "../batchEvents";
import type { PublicPart } from "../file";

import {
  linesIn,
  outcomeOf,
  packWord,
  paymentOf,
  placeOfLine,
  withoutLine,
  writtenOut,
  type Presentation,
  type Retention,
} from "./structs";

/** A presentation as the escrow takes it, and with its lines and outcomes written out. */
export interface BookedPresentation extends Presentation {
  /** EIP-712 digest of the attestation. */
  attestation: string;
  written: Pick<Presentation, "lines" | "outcomes">;
}

/** A line in dispute. Base units. */
export interface BookedDispute {
  /** Index of the line in the batch. */
  index: number;
  by: string;
  amount: bigint;
  attested: boolean;
  attestedAmount: bigint;
  bond: bigint;
}

/** What the events of a claim batch add up to. Base units. */
export interface BatchBook {
  /** Credited to payees: settled, awarded, or released. */
  paid: bigint;
  /** Gone back to the payer, other than by refunds. */
  freed: bigint;
  /** What waits for the end of its challenge period, by its lowest line. */
  presentations: Map<number, BookedPresentation>;
  /** Presentations that settled, as they stood then. */
  settled: BookedPresentation[];
  /** By index of the line in the batch. */
  disputes: Map<number, BookedDispute>;
  /** What was awarded, by index of the line in the batch. */
  awards: Map<number, bigint>;
  /** By lowest line of the presentation that was settled. */
  retentions: Map<number, Retention>;
  /** What payees received, in order, as words that the escrow hashed: see `IClaimEscrow.refund`. */
  payments: bigint[];
}

/** First line of the presentation of a line of which no result was presented. */
const NO_PRESENTATION = (1n << 256n) - 1n;

/** Adds up the events of a batch, which have to come in order. */
export function bookOf({ groups }: Pick<PublicPart, "groups">, events: Iterable<ClaimBatchEvent>): BatchBook {
  const book: BatchBook = {
    paid: 0n,
    freed: 0n,
    presentations: new Map(),
    settled: [],
    disputes: new Map(),
    awards: new Map(),
    retentions: new Map(),
    payments: [],
  };
  for (const event of events) add(book, groups, event);
  return book;
}

function add(book: BatchBook, groups: PublicPart["groups"], { name, args }: ClaimBatchEvent): void {
  switch (name) {
    // What is left of a batch is told by the others.
    case "ClaimBatchFunded":
    case "ClaimBatchSettled":
    case "Refunded":
      return;
    case "GroupSettled":
      book.freed += args.freed;
      return credit(book, args.payee, args.paid);
    case "LinesReversed":
    case "ClaimBatchReclaimed":
      book.freed += args.amount;
      return;
    case "ResultsPresented": {
      const presentation = { firstLine: Number(args.firstLine), results: args.results, lines: [], outcomes: [] };
      return hold(book, groups, { ...presentation, attestation: args.attestation });
    }
    case "LinesPresented": {
      const presentation = book.presentations.get(Number(args.firstLine));
      if (presentation) hold(book, groups, { ...presentation, lines: args.lines, outcomes: args.outcomes });
      return;
    }
    case "PresentationSettled":
      return settle(book, Number(args.firstLine));
    case "LineDisputed": {
      const { by, amount, attestedAmount, bond } = args;
      const index = Number(args.line);
      const attested = args.firstLine !== NO_PRESENTATION;
      if (attested) takeOut(book, groups, Number(args.firstLine), { index, amount, attestedAmount });
      book.disputes.set(index, { index, by, amount, attested, attestedAmount, bond });
      return;
    }
    case "DisputeAttested": {
      const dispute = book.disputes.get(Number(args.line));
      if (dispute) Object.assign(dispute, { attested: true, attestedAmount: args.attestedAmount });
      return;
    }
    case "DisputeResolved":
      book.disputes.delete(Number(args.line));
      book.awards.set(Number(args.line), args.award);
      book.freed += args.returned;
      return credit(book, args.payee, args.award);
    case "PaymentsRetained": {
      const firstLine = Number(args.firstLine);
      book.retentions.set(firstLine, { firstLine, amounts: args.amounts });
      return;
    }
    case "Recouped":
      book.freed += args.amount;
      return recoup(book, Number(args.firstLine), args.payee, args.amount);
    case "RetentionReleased":
      book.retentions.delete(Number(args.firstLine));
      return credit(book, args.payee, args.amount);
  }
}

function hold(book: BatchBook, groups: PublicPart["groups"], presentation: Omit<BookedPresentation, "written">): void {
  book.presentations.set(presentation.firstLine, { ...presentation, written: writtenOut(groups, presentation) });
}

function credit(book: BatchBook, payee: string, amount: bigint): void {
  book.paid += amount;
  if (amount > 0n) book.payments.push(packWord(BigInt(payee), amount));
}

function settle(book: BatchBook, firstLine: number): void {
  const presentation = book.presentations.get(firstLine);
  if (presentation) book.settled.push(presentation);
  book.presentations.delete(firstLine);
}

/** A line that is disputed leaves its presentation; with the last one that is gone. */
function takeOut(
  book: BatchBook,
  groups: PublicPart["groups"],
  firstLine: number,
  { index, amount, attestedAmount }: Pick<BookedDispute, "index" | "amount" | "attestedAmount">,
): void {
  const presentation = book.presentations.get(firstLine);
  if (presentation === undefined) return;
  const { group } = placeOfLine(groups, index);
  const lines = withoutLine(presentation.written.lines, index);
  const outcomes = presentation.written.outcomes.map((word, i) =>
    i === group ? word - packWord(attestedAmount, amount - attestedAmount) : word,
  );
  book.presentations.delete(firstLine);
  const [lowest] = linesIn(lines);
  if (lowest === undefined) return;
  const written = { lines, outcomes };
  book.presentations.set(lowest, { ...presentation, ...written, written, firstLine: lowest });
}

function recoup(book: BatchBook, firstLine: number, payee: string, amount: bigint): void {
  const retention = book.retentions.get(firstLine);
  if (retention === undefined) return;
  const amounts = retention.amounts.map((word) => (paymentOf(word).payee === payee ? word - amount : word));
  book.retentions.set(firstLine, { firstLine, amounts });
}

const sum = (amounts: Iterable<bigint>): bigint => [...amounts].reduce((total, amount) => total + amount, 0n);

/** What the results of presentations pay and free, together. */
export const presentedIn = ({ presentations }: Pick<BatchBook, "presentations">): bigint =>
  sum(
    [...presentations.values()]
      .flatMap(({ written }) => written.outcomes.map(outcomeOf))
      .flatMap(({ paid, freed }) => [paid, freed]),
  );

/** Amount of all lines in dispute. */
export const frozenIn = ({ disputes }: Pick<BatchBook, "disputes">): bigint =>
  sum([...disputes.values()].map(({ amount }) => amount));

/** What is retained of payments. */
export const retainedIn = ({ retentions }: Pick<BatchBook, "retentions">): bigint =>
  sum([...retentions.values()].flatMap(({ amounts }) => amounts).map((word) => paymentOf(word).amount));

/** Whether the events tell where all money of a batch is that is not open. */
export const isWhole = ({ terms }: Pick<PublicPart, "terms">, open: bigint, book: BatchBook): boolean =>
  open + book.paid + book.freed + presentedIn(book) + frozenIn(book) + retainedIn(book) === terms.total;

/** Indices in the batch of lines that are closed on chain, and can still be paid. */
export const undecidedIn = ({ presentations, disputes }: BatchBook): Set<number> =>
  new Set([...[...presentations.values()].flatMap(({ written }) => linesIn(written.lines)), ...disputes.keys()]);
