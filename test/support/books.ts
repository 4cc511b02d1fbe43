import { expect } from "chai";
import { AbiCoder, Interface, keccak256, solidityPackedKeccak256, toBeHex, type LogDescription } from "ethers";
import { ethers } from "hardhat";

import type { TestBatch } from "./batches";
import type { Claims } from "./claims";

/** A presentation as it stands: {IPresentations-ResultsPresented}, less the lines disputed since. */
export interface HeldPresentation {
  firstLine: bigint;
  results: string;
  lines: bigint[];
  outcomes: bigint[];
}

/** A retention as it stands: {IRetentions-PaymentsRetained}, less what was recouped since. */
export interface HeldRetention {
  firstLine: bigint;
  amounts: bigint[];
}

export interface HeldDispute {
  amount: bigint;
  attested: boolean;
  attestedAmount: bigint;
  byPayer: boolean;
  bond: bigint;
}

/** What events say of one batch. */
export interface BatchBook {
  presentations: Map<bigint, HeldPresentation>;
  disputes: Map<bigint, HeldDispute>;
  retentions: Map<bigint, HeldRetention>;
  /** Words as a refund takes them. */
  payments: bigint[];
  paid: bigint;
  freed: bigint;
}

export interface Book {
  batches: Map<string, BatchBook>;
}

const MASK = (1n << 96n) - 1n;
const NOT_PRESENTED = (1n << 256n) - 1n;
const sumOf = (amounts: Iterable<bigint>): bigint => [...amounts].reduce((sum, amount) => sum + amount, 0n);

/** What events and errors of escrow and extension are read with. */
export const interfaceOf = ({ escrow, receiver }: Claims): Interface =>
  new Interface([...escrow.interface.fragments, ...receiver.interface.fragments]);

/** What the escrow reported in a transaction, in order: name and arguments of each event. */
export async function reportedBy(
  claims: Claims,
  sent: Promise<{ wait(): Promise<{ logs: readonly { address: string }[] } | null> }>,
): Promise<unknown[][]> {
  const receipt = await (await sent).wait();
  const reader = interfaceOf(claims);
  const address = await claims.escrow.getAddress();
  return (receipt!.logs as { address: string; topics: string[]; data: string }[])
    .filter((log) => log.address === address)
    .map((log) => {
      const event = reader.parseLog(log)!;
      return [event.name, ...(event.args.toArray(true) as unknown[])];
    });
}

/** Reads all events of the escrow about `batches`. */
export async function bookOf(claims: Claims, batches: TestBatch[]): Promise<Book> {
  const reader = interfaceOf(claims);
  const logs = await ethers.provider.getLogs({ address: await claims.escrow.getAddress(), fromBlock: 0 });
  const book: Book = { batches: new Map() };
  for (const { id } of batches)
    book.batches.set(id, {
      presentations: new Map(),
      disputes: new Map(),
      retentions: new Map(),
      payments: [],
      paid: 0n,
      freed: 0n,
    });
  for (const log of logs) {
    const event = reader.parseLog(log);
    const batch = event?.fragment.inputs[0]?.name === "batchId" && batches.find(({ id }) => id === event.args[0]);
    if (event && batch) note(book.batches.get(batch.id)!, batch, event);
  }
  return book;
}

function note(book: BatchBook, batch: TestBatch, { name, args }: LogDescription): void {
  const pay = (payee: string, amount: bigint): void => {
    book.paid += amount;
    if (amount > 0n) book.payments.push((BigInt(payee) << 96n) | amount);
  };
  const notes: Record<string, () => void> = {
    GroupSettled: () => {
      pay(args.payee as string, args.paid as bigint);
      book.freed += args.freed as bigint;
    },
    LinesReversed: () => (book.freed += args.amount as bigint),
    ClaimBatchReclaimed: () => (book.freed += args.amount as bigint),
    ResultsPresented: () => {
      const { firstLine, results } = args as unknown as HeldPresentation;
      book.presentations.set(firstLine, { firstLine, results, lines: [], outcomes: [] });
    },
    LinesPresented: () => {
      const held = book.presentations.get(args.firstLine as bigint)!;
      [held.lines, held.outcomes] = [[...(args.lines as bigint[])], [...(args.outcomes as bigint[])]];
    },
    PresentationSettled: () => book.presentations.delete(args.firstLine as bigint),
    LineDisputed: () => noteDispute(book, batch, args as unknown as DisputedArgs),
    DisputeAttested: () => {
      const held = book.disputes.get(args.line as bigint)!;
      held.attested = true;
      held.attestedAmount = args.attestedAmount as bigint;
    },
    DisputeResolved: () => {
      book.disputes.delete(args.line as bigint);
      pay(args.payee as string, args.award as bigint);
      book.freed += args.returned as bigint;
    },
    PaymentsRetained: () =>
      book.retentions.set(args.firstLine as bigint, {
        firstLine: args.firstLine as bigint,
        amounts: [...(args.amounts as bigint[])],
      }),
    Recouped: () => {
      const { amounts } = book.retentions.get(args.firstLine as bigint)!;
      const index = amounts.findIndex((word) => word >> 96n === BigInt(args.payee as string));
      amounts[index]! -= args.amount as bigint;
      book.freed += args.amount as bigint;
    },
    RetentionReleased: () => {
      book.retentions.delete(args.firstLine as bigint);
      pay(args.payee as string, args.amount as bigint);
    },
  };
  notes[name]?.();
}

interface DisputedArgs {
  by: string;
  line: bigint;
  firstLine: bigint;
  amount: bigint;
  attestedAmount: bigint;
  bond: bigint;
}

function noteDispute(book: BatchBook, batch: TestBatch, disputed: DisputedArgs): void {
  const { by, line, firstLine, amount, attestedAmount, bond } = disputed;
  const attested = firstLine !== NOT_PRESENTED;
  book.disputes.set(line, { amount, attested, attestedAmount, byPayer: attested && by === batch.terms.payer, bond });
  if (!attested) return;
  const held = writtenOut(batch, book.presentations.get(firstLine)!);
  book.presentations.delete(firstLine);
  held.lines[Number(line >> 8n)]! ^= 1n << (line & 255n);
  held.outcomes[groupOf(batch, line)]! -= (attestedAmount << 96n) | (amount - attestedAmount);
  const bits = held.lines.reduceRight((all, word) => (all << 256n) | word, 0n);
  if (bits === 0n) return;
  while (((bits >> held.firstLine) & 1n) === 0n) held.firstLine++;
  book.presentations.set(held.firstLine, held);
}

/** A presentation with the lists of its lines and outcomes, where its results say it all without them. */
export function writtenOut({ groups }: TestBatch, held: HeldPresentation): HeldPresentation {
  if (held.outcomes.length > 0) return { ...held, lines: [...held.lines], outcomes: [...held.outcomes] };
  const codes = Buffer.from(held.results.slice(2), "hex");
  let [bits, end] = [0n, 0n];
  const outcomes = groups.map(({ lineCount, subtotal }, group) => {
    const code = (codes[group >> 2]! >> ((group & 3) << 1)) & 3;
    if (code !== 0) bits |= ((1n << BigInt(lineCount)) - 1n) << end;
    end += BigInt(lineCount);
    return code === 0 ? 0n : code === 1 ? subtotal << 96n : subtotal;
  });
  const lines = Array.from({ length: Number((end + 255n) / 256n) }, (_, word) =>
    BigInt.asUintN(256, bits >> BigInt(256 * word)),
  );
  return { ...held, lines, outcomes };
}

function groupOf({ groups }: TestBatch, line: bigint): number {
  let end = 0n;
  return groups.findIndex(({ lineCount }) => line < (end += BigInt(lineCount)));
}

const presentedIn = (batch: TestBatch, { presentations }: BatchBook): bigint =>
  sumOf(
    [...presentations.values()].flatMap((held) =>
      writtenOut(batch, held).outcomes.map((word) => (word >> 96n) + (word & MASK)),
    ),
  );
const frozenIn = ({ disputes }: BatchBook): bigint => sumOf([...disputes.values()].map(({ amount }) => amount));
const bondsIn = ({ disputes }: BatchBook): bigint => sumOf([...disputes.values()].map(({ bond }) => bond));
const retainedIn = ({ retentions }: BatchBook): bigint =>
  sumOf([...retentions.values()].flatMap(({ amounts }) => amounts.map((word) => word & MASK)));

/**
 * Holds the protocol's first two invariants against the chain: each batch's money is all accounted for, and the escrow's tokens are what
 * it owes. And what events say against what the chain committed to.
 */
export async function expectSound(claims: Claims, batches: TestBatch[], ...others: string[]): Promise<void> {
  const { escrow, token } = claims;
  const book = await bookOf(claims, batches);
  let owed = 0n;
  for (const batch of batches) {
    const books = book.batches.get(batch.id)!;
    const { open } = await escrow.claimBatchStatusOf(batch.id);
    const held = open + presentedIn(batch, books) + frozenIn(books) + retainedIn(books);
    expect(books.paid + books.freed + held).to.equal(batch.terms.total, "a batch's money");
    owed += held + bondsIn(books);
    await expectCommitments(claims, batch, books);
  }
  const accounts = new Set([...(await ethers.getSigners()).map(({ address }) => address), ...others]);
  for (const account of accounts) {
    const { free, credit } = await escrow.balancesOf(account, token);
    owed += free + credit;
  }
  expect(await token.balanceOf(escrow)).to.equal(owed, "the escrow's tokens");
}

async function expectCommitments({ receiver }: Claims, { terms, groups }: TestBatch, book: BatchBook): Promise<void> {
  const lines = groups.reduce((sum, { lineCount }) => sum + lineCount, 0);
  for (let line = 0; line < Math.min(lines, 8); line++) {
    const presented = await receiver.presentationOf(terms, line);
    expect(presented.commitment).to.equal(commitmentTo(book.presentations.get(BigInt(line))), "a presentation");
    const retained = await receiver.retentionOf(terms, line);
    const retention = book.retentions.get(BigInt(line));
    // No event says that nothing was released.
    if (!retention || retention.amounts.some((word) => (word & MASK) !== 0n))
      expect(retained.commitment).to.equal(retainedCommitmentTo(retention), "a retention");
    const { amount, attested, attestedAmount, byPayer } = await receiver.disputeOf(terms, line);
    const dispute = book.disputes.get(BigInt(line));
    expect([amount, attested, attestedAmount, byPayer]).to.deep.equal(
      dispute ? [dispute.amount, dispute.attested, dispute.attestedAmount, dispute.byPayer] : [0n, false, 0n, false],
    );
  }
}

const NOTHING = toBeHex(0, 32);
/** The part of a hash that the chain keeps. */
const keptOf = (hash: string): string => toBeHex(BigInt.asUintN(214, BigInt(hash)), 32);

/** What the chain keeps of a presentation. */
export function commitmentTo(held: HeldPresentation | undefined): string {
  if (!held) return NOTHING;
  const { results, lines, outcomes } = held;
  const [types, values] =
    outcomes.length === 0
      ? [["bytes32", "uint256"], [0n]]
      : [
          ["bytes32", "uint256[]", "uint256[]"],
          [lines, outcomes],
        ];
  return keptOf(keccak256(AbiCoder.defaultAbiCoder().encode(types, [keccak256(results), ...values])));
}

/** What the chain keeps of a retention. */
export const retainedCommitmentTo = (held: HeldRetention | undefined): string =>
  held ? keptOf(solidityPackedKeccak256(["uint256[]"], [held.amounts])) : NOTHING;
