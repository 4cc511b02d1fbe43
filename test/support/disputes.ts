import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { loadFixture, takeSnapshot, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroHash, type AddressLike, type BigNumberish, type ContractTransactionResponse } from "ethers";
import { ethers } from "hardhat";

import { escrowDomain, type GroupResult } from "@carepact/sdk/claims";

import type { SettlementStruct } from "../../typechain-types/contracts/claims/ClaimEscrow";
import type { LineOpeningStruct } from "../../typechain-types/contracts/claims/ClaimEscrowExtension";
import type { RulebookStruct } from "../../typechain-types/contracts/rulebooks/Rulebooks";

import { type AttestationInput, type BatchInput, type TestBatch, buildBatch } from "./batches";
import {
  type BatchBook,
  type HeldPresentation,
  type HeldRetention,
  bookOf,
  expectSound,
  interfaceOf,
  writtenOut,
} from "./books";
import { type Claims, attested, deployClaims, fundedBatch, fundedOf } from "./claims";
import { DAY, GRACE, publish, rulebookOf } from "./system";

/** Seconds, base units and hundredths of a percent of the rulebooks below. */
export const CHALLENGE = 5 * DAY;
export const ARBITER_TIME = 10 * DAY;
export const LOOK_BACK = 100 * DAY;
export const BOND = 7n;
export const BPS = 1_000n;

/** Two groups of several lines, one of a single line: 2,100 in all. */
export const LINES = [[1_000n, 200n], [500n], [300n, 40n, 60n]];

const arbitration = { arbiterDeadline: ARBITER_TIME } as const;
const challenge = { ...arbitration, challengePeriod: CHALLENGE } as const;
const retention = { ...arbitration, retentionBps: BPS, lookBack: LOOK_BACK } as const;

/** What each rulebook says beside its attesters (2 of 3) and its arbiter. */
const TERMS = {
  challenged: { ...challenge, bond: BOND },
  bondless: { ...challenge, arbiterDefault: 1 },
  retaining: retention,
  full: { ...challenge, ...retention, bond: BOND, arbiterDefault: 1 },
  arbitrated: { ...arbitration, bond: BOND },
  payeeDefault: { ...arbitration, arbiterDefault: 1 },
} as const satisfies Record<string, Partial<RulebookStruct>>;

export type RulebookName = keyof typeof TERMS;

/** The whole system, with rulebooks under which results are presented, disputed, or paid in part at first. */
export interface Disputing extends Claims {
  arbiter: HardhatEthersSigner;
  /** Of other rulebooks. */
  otherArbiter: HardhatEthersSigner;
  ids: Record<RulebookName, string>;
}

/** A case that tests follow: its batch, and all batches that the escrow holds money of. */
export interface Given extends Disputing {
  batch: TestBatch;
  batches: TestBatch[];
}

/** Deploys all of it. For loadFixture. */
export async function deployDisputing(): Promise<Disputing> {
  const claims = await deployClaims();
  const signers = await ethers.getSigners();
  const [arbiter, otherArbiter] = signers.slice(17, 19) as [HardhatEthersSigner, HardhatEthersSigner];
  const ids: Partial<Record<RulebookName, string>> = {};
  for (const name of Object.keys(TERMS) as RulebookName[])
    ids[name] = await publishTerms(claims, { ...TERMS[name], arbiter: arbiter.address });
  return { ...claims, arbiter, otherArbiter, ids: ids as Disputing["ids"] };
}

/** Publishes a rulebook of the system's attesters (2 of 3) and its suspender. */
export function publishTerms(claims: Claims, terms: Partial<RulebookStruct>): Promise<string> {
  const attesters = claims.attesters.map(({ address }) => address);
  return publish(claims.rulebooks, rulebookOf(attesters, 2, { suspender: claims.suspender.address, ...terms }));
}

let watched: Given | undefined;

/** Has the invariants of the protocol checked after each test of a suite, on all batches that {@link given} and {@link another} made. */
export function soundAfterEach(): void {
  afterEach(async () => {
    const context = watched;
    watched = undefined;
    if (context) await expectSound(context, context.batches);
  });
}

/** A funded batch under a rulebook, by its name or its id. */
export async function given(
  rulebook: RulebookName = "challenged",
  lines: bigint[][] = LINES,
  changes: Partial<Omit<BatchInput, "lines">> = {},
): Promise<Given> {
  const disputing = await loadFixture(deployDisputing);
  return watch(disputing, await fundedBatch(disputing, lines, { rulebook: disputing.ids[rulebook], ...changes }));
}

/** A case of a batch that was funded in another way. */
export function watch(disputing: Disputing, batch: TestBatch): Given {
  watched = { ...disputing, batch, batches: [batch] };
  return watched;
}

/** The same case with one more batch, which is the one at hand. */
export async function another(
  context: Given,
  lines: bigint[][] = LINES,
  changes: Partial<Omit<BatchInput, "lines">> = {},
): Promise<Given> {
  const batch = await fundedBatch(context, lines, { rulebook: context.batch.terms.rulebook, ...changes });
  context.batches.push(batch);
  return { ...context, batch };
}

/** The same case with one more batch, of these payees' lines. */
export async function anotherTo(context: Given, lines: Record<string, bigint[]>): Promise<Given> {
  const { payer, token, rulebook } = context.batch.terms;
  const batch = await fundedOf(context, await buildBatch(context.escrow, { payer, token, rulebook, lines }));
  context.batches.push(batch);
  return { ...context, batch };
}

type Sent = Promise<ContractTransactionResponse>;

/** Presents what two attesters signed. */
export async function present(
  context: Given,
  results: GroupResult[] | string,
  changes: Partial<AttestationInput> = {},
): Sent {
  return bring(context, await attested(context, context.batch, results, changes));
}

/** Presents an attestation, by line where lines are opened. */
export function bring(
  { batch, receiver, stranger }: Given,
  { attestation, opened }: Pick<SettlementStruct, "attestation" | "opened">,
): Sent {
  const asStranger = receiver.connect(stranger);
  return opened.groups.length === 0
    ? asStranger.present(batch.terms, batch.words, attestation)
    : asStranger.presentByLine(batch.terms, batch.words, attestation, opened);
}

/** What the chain's events say of the batch at hand. */
export async function bookedOf(context: Given): Promise<BatchBook> {
  const book = await bookOf(context, context.batches);
  return book.batches.get(context.batch.id)!;
}

/** The presentation that is left of what `firstLine` names. */
export async function presentationAt(context: Given, firstLine = 0n): Promise<HeldPresentation> {
  const { presentations } = await bookedOf(context);
  const found = presentations.get(firstLine);
  if (!found) throw new Error(`Nothing is presented at line ${firstLine}.`);
  return found;
}

/** The retention that is left of what `firstLine` names. */
export async function retentionAt(context: Given, firstLine = 0n): Promise<HeldRetention> {
  const { retentions } = await bookedOf(context);
  const found = retentions.get(firstLine);
  if (!found) throw new Error(`Nothing is retained of line ${firstLine}.`);
  return found;
}

/** A line with the proof of its amount. */
export function openingOf({ batch }: Given, group: number, line: number): LineOpeningStruct {
  return { group, line, ...batch.openOne(group) };
}

/** A line of a group that has no other: its amount is the subtotal. */
export const unopened = (group: number, line = 0): LineOpeningStruct => ({
  group,
  line,
  opened: { group: 0, salt: ZeroHash, amounts: "0x" },
  proof: [],
});

/** Disputes a line of the presentation that holds it. */
export async function dispute(
  context: Given,
  by: HardhatEthersSigner,
  group: number,
  line: number,
  presentation?: HeldPresentation,
): Sent {
  const { batch, receiver } = context;
  const held = presentation ?? (await holdingOf(context, group, line));
  return receiver.connect(by).dispute(batch.terms, batch.words, openingOf(context, group, line), held);
}

async function holdingOf(context: Given, group: number, line: number): Promise<HeldPresentation> {
  const index = lineOf(context.batch, group, line);
  const { presentations } = await bookedOf(context);
  const holds = (held: HeldPresentation): boolean =>
    ((writtenOut(context.batch, held).lines[index >> 8]! >> BigInt(index & 255)) & 1n) === 1n;
  return [...presentations.values()].find(holds) ?? presentationAt(context);
}

/** Index of a line in the batch. */
export const lineOf = ({ groups }: TestBatch, group: number, line: number): number =>
  groups.slice(0, group).reduce((sum, { lineCount }) => sum + lineCount, line);

/** Disputes that a line has no result. */
export function disputeMissing(context: Given, by: HardhatEthersSigner, group: number, line: number): Sent {
  const { batch, receiver } = context;
  return receiver.connect(by).disputeMissing(batch.terms, batch.words, openingOf(context, group, line));
}

/** Brings what two attesters signed for a line in dispute. */
export async function presentDisputed(
  context: Given,
  results: GroupResult[] | string,
  group: number,
  line: number,
  changes: Partial<AttestationInput> = {},
): Sent {
  const { attestation } = await attested(context, context.batch, results, changes);
  return context.receiver
    .connect(context.stranger)
    .presentDisputed(context.batch.terms, context.batch.words, attestation, group, line);
}

export function resolve(
  { batch, receiver, arbiter }: Given,
  group: number,
  line: number,
  award: BigNumberish,
  by = arbiter,
): Sent {
  return receiver.connect(by).resolve(batch.terms, batch.words, group, line, award);
}

export function resolveByDefault({ batch, receiver, stranger }: Given, group: number, line: number): Sent {
  return receiver.connect(stranger).resolveByDefault(batch.terms, batch.words, group, line);
}

/** Settles the presentation that is left of what `firstLine` names, unless another is handed in. */
export async function settlePresented(context: Given, firstLine = 0n, presentation?: HeldPresentation): Sent {
  const { batch, receiver, stranger } = context;
  return receiver
    .connect(stranger)
    .settlePresented(batch.terms, batch.words, presentation ?? (await presentationAt(context, firstLine)));
}

/** Recoups from the retention that is left of what `firstLine` names, unless another is handed in. */
export async function recoup(
  context: Given,
  index: number,
  amount: BigNumberish,
  { by = context.arbiter, firstLine = 0n, retention: held = undefined as HeldRetention | undefined } = {},
): Sent {
  return context.receiver
    .connect(by)
    .recoup(context.batch.terms, held ?? (await retentionAt(context, firstLine)), index, amount);
}

/** Releases the retention that is left of what `firstLine` names, unless another is handed in. */
export async function release(context: Given, firstLine = 0n, held?: HeldRetention): Sent {
  return context.receiver
    .connect(context.stranger)
    .release(context.batch.terms, held ?? (await retentionAt(context, firstLine)));
}

/** What a payee signs to have credits refunded. */
export const refundOrderTypes = {
  RefundOrder: [
    { name: "batchId", type: "bytes32" },
    { name: "payee", type: "address" },
    { name: "upTo", type: "uint256" },
    { name: "deadline", type: "uint256" },
  ],
};

/** An order over the batch at hand, signed by `signer`, good for a day unless said otherwise. */
export async function refundOrderOf(
  { batch }: Given,
  signer: HardhatEthersSigner,
  upTo: bigint,
  changes: { payee?: string; deadline?: bigint | number; batchId?: string } = {},
): Promise<{ order: { payee: string; upTo: bigint; deadline: bigint | number }; signature: string }> {
  const { batchId = batch.id, ...rest } = changes;
  const order = { payee: signer.address, upTo, deadline: (await time.latest()) + DAY, ...rest };
  const signature = await signer.signTypedData(escrowDomain(batch.ref), refundOrderTypes, { batchId, ...order });
  return { order, signature };
}

/** Adds fresh tokens to the free balance of an account. */
export async function deposit({ escrow, token, admin }: Claims, account: AddressLike, amount: bigint): Promise<void> {
  await token.mint(admin, amount);
  await token.approve(escrow, amount);
  await escrow.deposit(account, token, amount);
}

/** Moves the clock so that the next transaction is mined at `second` (unix). */
export const at = (second: bigint | number): Promise<void> => time.setNextBlockTimestamp(second);

/** Last second at which an attestation of a batch may land, if nothing was stopped. */
export const attestByOf = ({ terms }: TestBatch): number => Number(terms.eventBy) + GRACE;

/** Tries each of `atLast` at the last second that a deadline leaves, and each of `after` one second later, as if nothing else was tried. */
export async function around(
  deadline: bigint | number,
  tries: Record<"atLast" | "after", (() => Promise<unknown>)[]>,
): Promise<void> {
  for (const [late, send] of [
    ...tries.atLast.map((send) => [0, send] as const),
    ...tries.after.map((send) => [1, send] as const),
  ]) {
    const snapshot = await takeSnapshot();
    await at(Number(deadline) + late);
    await send();
    await snapshot.restore();
  }
}

/** Expects that something is refused with this error, and these arguments if any are given. */
export async function refuses(
  claims: Claims,
  sent: Promise<unknown>,
  error: string,
  ...args: unknown[]
): Promise<void> {
  const refused = expect(sent).to.be.revertedWithCustomError({ interface: interfaceOf(claims) }, error);
  await (args.length > 0 ? refused.withArgs(...args) : refused);
}
