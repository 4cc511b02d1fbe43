import type { Provider } from "ethers";

import type { Connection } from "../../chain/deployment";
import { within, type CallOptions } from "../../chain/options";
import { reading } from "../../chain/read";
import { CarepactError } from "../../errors";
import { createEvents, type ReadOptions } from "../../events";
import { ClaimEscrow__factory, ClaimEscrowExtension__factory, type ClaimEscrowExtension } from "../../generated";
import { batchEventsOf, type ClaimBatchEvent } from "../batchEvents";
import type { PublicPart } from "../file";

import { bookOf, isWhole, type BatchBook, type BookedDispute, type BookedPresentation } from "./book";
import {
  linesIn,
  outcomeOf,
  paymentOf,
  placeOfLine,
  presentationCommitmentOf,
  retentionCommitmentOf,
  type BatchLine,
  type Presentation,
  type Retention,
} from "./structs";

/** Results that were presented and wait for the end of their challenge period. */
export interface PresentationStatus extends Presentation {
  /** EIP-712 digest of the attestation. */
  attestation: string;
  /** Lines that it holds: all that were presented, less those disputed since. */
  held: BatchLine[];
  /** What payees will be paid, a share that is retained included, in base units. */
  paid: bigint;
  /** What will go back to the payer, in base units. */
  freed: bigint;
  /** Last moment at which it can be disputed, unix seconds, as things stand: stops move it. */
  challengeUntil: number;
}

/** A line in dispute. Amounts in base units. */
export interface DisputeStatus extends BatchLine {
  payee: string;
  /** Who disputes it. */
  by: "payer" | "payee";
  amount: bigint;
  /** Whether a result of the line is attested: that holds if the arbiter stays silent. */
  attested: boolean;
  /** What its payee is paid by that result. */
  attestedAmount: bigint;
  /** What the one who disputes it locked. */
  bond: bigint;
  /** Last moment for the arbiter, unix seconds, as things stand: stops move it. */
  resolveBy: number;
}

/** What is retained of the payments of one settlement. */
export interface RetentionStatus extends Retention {
  /** The same for people: what is left of each payee's, in base units. */
  payments: { payee: string; amount: bigint }[];
  /** Sum of what is left, in base units. */
  amount: bigint;
  /** Last moment at which the arbiter can recoup of it, unix seconds, as things stand: stops move it. */
  recoupUntil: number;
}

/** What of a batch is neither open nor paid nor back with the payer. */
interface Current {
  presentations: PresentationStatus[];
  disputes: DisputeStatus[];
  retentions: RetentionStatus[];
}

/** Whether anything can ever be presented, disputed or retained of a batch: all of that needs an arbiter. */
export const hasArbiter = ({ rulebook }: Pick<PublicPart, "rulebook">): boolean => BigInt(rulebook.arbiter) !== 0n;

/** What the events of a batch add up to, up to a block. */
export async function readBook(
  connection: Connection,
  batch: PublicPart,
  options: ReadOptions & { toBlock?: number } = {},
): Promise<BatchBook> {
  const { toBlock, ...reads } = options;
  const events: ClaimBatchEvent[] = [];
  const query = { ...batchEventsOf(batch.batchId), toBlock };
  for await (const event of createEvents(connection).read(query, reads)) events.push(event);
  return bookOf(batch, events);
}

/**
 * What of a batch is presented, in dispute or retained: from its events, held against what the chain commits to.
 * @throws NODE_INCONSISTENT where the node's events do not tell all, what `Events.read` throws, and what {@link reading} throws
 */
export async function currentOf(
  connection: Connection,
  batch: PublicPart,
  options: ReadOptions = {},
): Promise<Current> {
  const nothing: Current = { presentations: [], disputes: [], retentions: [] };
  const { signal, timeoutMs }: CallOptions = options;
  if (!hasArbiter(batch)) return within({ signal, timeoutMs }, () => Promise.resolve(nothing));
  const blockTag = await reading(connection, (provider) => provider.getBlockNumber(), { signal, timeoutMs });
  const book = await readBook(connection, batch, { ...options, toBlock: blockTag });
  const read = async (provider: Provider): Promise<Current> => {
    const address = connection.deployment.claimEscrow;
    const { funded, open } = await ClaimEscrow__factory.connect(address, provider).claimBatchStatusOf(batch.batchId, {
      blockTag,
    });
    if (!funded) return nothing;
    if (!isWhole(batch, open, book)) throw incomplete(batch);
    const at = { escrow: ClaimEscrowExtension__factory.connect(address, provider), batch, blockTag };
    const [presentations, disputes, retentions] = await Promise.all([
      Promise.all([...book.presentations.values()].map((presentation) => presentationStatus(at, presentation))),
      Promise.all([...book.disputes.values()].map((dispute) => disputeStatus(at, dispute))),
      Promise.all([...book.retentions.values()].map((retention) => retentionStatus(at, retention))),
    ]);
    return { presentations, disputes, retentions: retentions.flatMap((retention) => retention ?? []) };
  };
  return reading(connection, read, { signal, timeoutMs });
}

const incomplete = ({ batchId }: PublicPart): CarepactError =>
  new CarepactError(
    "NODE_INCONSISTENT",
    "The node's events do not lead to what the chain says of the batch: ask a node that keeps all logs.",
    { batchId },
  );

interface At {
  escrow: ClaimEscrowExtension;
  batch: PublicPart;
  blockTag: number;
}

const same = (left: string, right: string): boolean => left.toLowerCase() === right.toLowerCase();

async function presentationStatus(
  { escrow, batch, blockTag }: At,
  presentation: BookedPresentation,
): Promise<PresentationStatus> {
  const { firstLine, results, lines, outcomes, attestation, written } = presentation;
  const { commitment, challengeUntil } = await escrow.presentationOf(batch.terms, firstLine, { blockTag });
  if (!same(commitment, presentationCommitmentOf(presentation))) throw incomplete(batch);
  const said = written.outcomes.map(outcomeOf);
  return {
    ...{ firstLine, results, lines, outcomes, attestation },
    held: linesIn(written.lines).map((index) => placeOfLine(batch.groups, index)),
    paid: said.reduce((sum, { paid }) => sum + paid, 0n),
    freed: said.reduce((sum, { freed }) => sum + freed, 0n),
    challengeUntil: Number(challengeUntil),
  };
}

async function disputeStatus({ escrow, batch, blockTag }: At, dispute: BookedDispute): Promise<DisputeStatus> {
  const { index, amount, attested, attestedAmount, bond, by } = dispute;
  const onChain = await escrow.disputeOf(batch.terms, index, { blockTag });
  const { resolveBy, byPayer } = onChain;
  const agrees =
    onChain.amount === amount && onChain.attested === attested && onChain.attestedAmount === attestedAmount;
  if (!agrees) throw incomplete(batch);
  const place = placeOfLine(batch.groups, index);
  const { payee } = batch.groups[place.group] as { payee: string };
  if (!same(by, byPayer ? batch.terms.payer : payee)) throw incomplete(batch);
  return {
    ...place,
    payee,
    by: byPayer ? "payer" : "payee",
    amount,
    attested,
    attestedAmount,
    bond,
    resolveBy: Number(resolveBy),
  };
}

async function retentionStatus(
  { escrow, batch, blockTag }: At,
  retention: Retention,
): Promise<RetentionStatus | undefined> {
  const { firstLine, amounts } = retention;
  const payments = amounts.map(paymentOf);
  const amount = payments.reduce((sum, payment) => sum + payment.amount, 0n);
  const { commitment, recoupUntil } = await escrow.retentionOf(batch.terms, firstLine, { blockTag });
  // Once all of it was recouped, releasing the rest tells nothing more.
  if (amount === 0n && BigInt(commitment) === 0n) return undefined;
  if (!same(commitment, retentionCommitmentOf(retention))) throw incomplete(batch);
  return { ...retention, payments, amount, recoupUntil: Number(recoupUntil) };
}
