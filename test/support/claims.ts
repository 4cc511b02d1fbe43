import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import type { ContractTransactionResponse } from "ethers";
import { ethers } from "hardhat";

import type { GroupResult } from "@carepact/sdk/claims";

import type { TestStablecoin } from "../../typechain-types";
import type { SettlementStruct } from "../../typechain-types/contracts/claims/ClaimEscrow";

import { buildBatch, settlementOf, type AttestationInput, type BatchInput, type TestBatch } from "./batches";
import { deploySystem, deployToken, kinds, publish, register, rulebookOf, type System } from "./system";

/** The whole system with one payer, its rulebook (2 of 3 attesters), and payees. */
export interface Claims extends System {
  token: TestStablecoin;
  payer: HardhatEthersSigner;
  /** In ascending order of address: the attesters of the rulebook, as their signatures have to come. */
  attesters: HardhatEthersSigner[];
  /** In ascending order of address, so that group `i` of a batch is that of payee `i`. */
  payees: HardhatEthersSigner[];
  /** Neither payer nor payee nor attester. */
  stranger: HardhatEthersSigner;
  /** May suspend the rulebook. */
  suspender: HardhatEthersSigner;
  rulebook: string;
}

/** Deploys everything that settling needs. For loadFixture. */
export async function deployClaims(): Promise<Claims> {
  const system = await deploySystem();
  const [, payer, stranger, suspender, ...others] = await ethers.getSigners();
  const attesters = others.slice(0, 3).sort(byAddress);
  const payees = others.slice(3, 13).sort(byAddress);
  await register(system.registry, payer!.address, kinds.payer);
  const rulebook = await publish(
    system.rulebooks,
    rulebookOf(
      attesters.map(({ address }) => address),
      2,
      { suspender: suspender!.address },
    ),
  );
  return {
    ...system,
    token: await deployToken(),
    payer: payer!,
    stranger: stranger!,
    suspender: suspender!,
    attesters,
    payees,
    rulebook,
  };
}

/** Terms of a batch that pays line amounts `lines[i]` to payee `i`. */
export async function batchOf(
  claims: Claims,
  lines: bigint[][],
  changes: Partial<Omit<BatchInput, "lines">> = {},
): Promise<TestBatch> {
  return buildBatch(claims.escrow, {
    payer: claims.payer.address,
    token: await claims.token.getAddress(),
    rulebook: claims.rulebook,
    lines: Object.fromEntries(lines.map((amounts, group) => [claims.payees[group]!.address, amounts])),
    ...changes,
  });
}

/** A funded batch as {@link batchOf} describes it. The pool gets just what it takes, so that what is free later was freed. */
export async function fundedBatch(
  claims: Claims,
  lines: bigint[][],
  changes: Partial<Omit<BatchInput, "lines">> = {},
): Promise<TestBatch> {
  return fundedOf(claims, await batchOf(claims, lines, changes));
}

/** Funds a batch with fresh tokens. */
export async function fundedOf(claims: Claims, batch: TestBatch): Promise<TestBatch> {
  await poolFor(claims, batch);
  await claims.escrow.connect(claims.payer).fund(batch.terms, batch.words);
  return batch;
}

/** Fills the pool with fresh tokens, just what the batch takes. */
export async function poolFor({ escrow, payer, token }: Claims, batch: TestBatch): Promise<void> {
  await token.mint(payer, batch.terms.total);
  await token.connect(payer).approve(escrow, batch.terms.total);
  await escrow.connect(payer).deposit(payer, token, batch.terms.total);
}

/** A settlement of `batch` that two attesters signed. */
export function attested(
  claims: Claims,
  batch: TestBatch,
  results: GroupResult[] | string,
  changes: Partial<AttestationInput> = {},
): Promise<SettlementStruct> {
  return settlementOf(batch, { results, signers: claims.attesters.slice(0, 2), ...changes });
}

/** Where the money of a batch is, if it is the payer's only one: open, back in the payer's free balance, credited by group. */
export interface Money {
  open: bigint;
  free: bigint;
  credits: bigint[];
}

export async function moneyOf(claims: Claims, batch: TestBatch): Promise<Money> {
  const { escrow, payer, token } = claims;
  const { open } = await escrow.claimBatchStatusOf(batch.id);
  const { free } = await escrow.balancesOf(payer, token);
  const credits = await Promise.all(
    batch.groups.map(async ({ payee }) => (await escrow.balancesOf(payee, token)).credit),
  );
  return { open, free, credits };
}

/** What the escrow reported in a transaction, in order: name and arguments of each event. */
export async function eventsOf(
  claims: Claims,
  sent: ContractTransactionResponse | Promise<ContractTransactionResponse>,
): Promise<unknown[][]> {
  const receipt = await (await sent).wait();
  const escrow = await claims.escrow.getAddress();
  return receipt!.logs
    .filter(({ address }) => address === escrow)
    .map((log) => {
      const event = claims.escrow.interface.parseLog(log)!;
      return [event.name, ...(event.args.toArray(true) as unknown[])];
    });
}

/** What payees have to hand in for a refund: the batch's payments, read from its events. */
export async function paymentsOf({ escrow }: Claims, batch: TestBatch): Promise<bigint[]> {
  const events = await escrow.queryFilter(escrow.filters.GroupSettled(batch.id));
  return events.filter(({ args }) => args.paid !== 0n).map(({ args }) => (BigInt(args.payee) << 96n) | args.paid);
}

/** Invariant 1 of the protocol: what the escrow holds is what it owes to payers, batches and payees. */
export async function owedBy(claims: Claims, batches: TestBatch[]): Promise<bigint> {
  const { escrow, token, payer, payees } = claims;
  const open = await Promise.all(batches.map(async ({ id }) => (await escrow.claimBatchStatusOf(id)).open));
  const balances = await Promise.all([payer, ...payees].map((account) => escrow.balancesOf(account, token)));
  return (
    open.reduce((sum, amount) => sum + amount, 0n) + balances.reduce((sum, { free, credit }) => sum + free + credit, 0n)
  );
}

/** Indices, in the batch, of the lines that the escrow keeps as closed. */
export async function closedLinesOf(claims: Claims, batch: TestBatch): Promise<number[]> {
  const count = batch.groups.reduce((sum, { lineCount }) => sum + lineCount, 0);
  const closed: number[] = [];
  for (let word = 0; word * 256 < count; word++) {
    const bits = await claims.escrow.closedLinesOf(batch.id, word);
    for (let bit = 0; bit < 256; bit++) if ((bits >> BigInt(bit)) & 1n) closed.push(word * 256 + bit);
  }
  return closed;
}

function byAddress(a: HardhatEthersSigner, b: HardhatEthersSigner): number {
  return BigInt(a.address) < BigInt(b.address) ? -1 : 1;
}
