import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { ethers } from "hardhat";

import type { ClaimEscrow, OrganizationRegistry, TestStablecoin } from "../../typechain-types";

import { type BatchInput, type TestBatch, buildBatch, met, settle, settlementOf } from "./batches";
import { deploySystem, deployToken, kinds, publish, register, rulebookOf, type System } from "./system";

/** 1.00 of the test token, in base units. */
export const DOLLAR = 1_000_000n;
/** What the payer's free balance holds at first. */
export const POOL = 10_000n * DOLLAR;

/** A deployed system in which a payer has filled its pool and a rulebook, 2 of 3 attesters, is published. */
export interface Funded extends System {
  token: TestStablecoin;
  /** Registered as a payer; has {@link POOL} in the escrow, as much at hand, and approved that. */
  payer: HardhatEthersSigner;
  /** The same once more. */
  otherPayer: HardhatEthersSigner;
  pharmacy: HardhatEthersSigner;
  laboratory: HardhatEthersSigner;
  /** A PBM, in no role and not registered. */
  operator: HardhatEthersSigner;
  attesters: HardhatEthersSigner[];
  suspender: HardhatEthersSigner;
  /** Nobody in particular. */
  stranger: HardhatEthersSigner;
  /** Id of the rulebook. */
  rulebook: string;
}

export async function deployFunded(): Promise<Funded> {
  const system = await deploySystem();
  const [, payer, otherPayer, pharmacy, laboratory, operator, suspender, stranger, ...rest] = await ethers.getSigners();
  if (!payer || !otherPayer || !pharmacy || !laboratory || !operator || !suspender || !stranger || rest.length < 3)
    throw new Error("eleven signers are needed");
  const attesters = rest.slice(0, 3);

  const token = await deployToken();
  for (const account of [payer, otherPayer]) {
    await register(system.registry, account.address, kinds.payer);
    await token.mint(account, 2n * POOL);
    await token.connect(account).approve(system.escrow, 2n * POOL);
    await system.escrow.connect(account).deposit(account, token, POOL);
  }
  await register(system.registry, pharmacy.address, kinds.pharmacy);
  await register(system.registry, laboratory.address, kinds.laboratory);

  const terms = rulebookOf(
    attesters.map(({ address }) => address),
    2,
    { suspender: suspender.address },
  );
  const rulebook = await publish(system.rulebooks, terms);
  return {
    ...system,
    token,
    payer,
    otherPayer,
    pharmacy,
    laboratory,
    operator,
    attesters,
    suspender,
    stranger,
    rulebook,
  };
}

/** Builds a batch of the payer: unless told otherwise, 90.00 and 25.00 to the pharmacy and 75.00 to the laboratory. */
export async function batchOf(context: Funded, changes: Partial<BatchInput> = {}): Promise<TestBatch> {
  return buildBatch(context.escrow, {
    payer: context.payer.address,
    token: await context.token.getAddress(),
    rulebook: context.rulebook,
    lines: {
      [context.pharmacy.address]: [90n * DOLLAR, 25n * DOLLAR],
      [context.laboratory.address]: [75n * DOLLAR],
    },
    ...changes,
  });
}

/** Builds a batch as {@link batchOf} does, and lets the payer fund it. */
export async function fundedBatchOf(context: Funded, changes: Partial<BatchInput> = {}): Promise<TestBatch> {
  const batch = await batchOf(context, changes);
  await context.escrow.connect(context.payer).fund(batch.terms, batch.words);
  return batch;
}

/** Free balance of an account. */
export async function freeOf(escrow: ClaimEscrow, account: string, token: string): Promise<bigint> {
  const [free] = await escrow.balancesOf(account, token);
  return free;
}

/** Credit of an account. */
export async function creditOf(escrow: ClaimEscrow, account: string, token: string): Promise<bigint> {
  const [, credit] = await escrow.balancesOf(account, token);
  return credit;
}

/** {@link deployFunded}, and a batch as {@link batchOf} builds it, paid: 115.00 to the pharmacy, 75.00 to the laboratory. */
export async function deployPaid(): Promise<Funded & { batch: TestBatch }> {
  const context = await loadFixture(deployFunded);
  const batch = await fundedBatchOf(context);
  await settle(
    context.escrow,
    await settlementOf(batch, { results: [met, met], signers: context.attesters.slice(0, 2) }),
  );
  return { ...context, batch };
}

/** Changes the kinds of a registered organization, as the credentialing role does. */
export async function changeKinds(registry: OrganizationRegistry, account: string, kind: number): Promise<void> {
  const [{ npi, ncpdpId, clia, hpkeKey, name, endpoint }] = await registry.organizationOf(account);
  await registry.update(account, { kinds: kind, npi, ncpdpId, clia, hpkeKey, name, endpoint });
}
