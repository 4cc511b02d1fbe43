import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";

import { run } from "@carepact/sdk";
import {
  openClaimBatchRecord,
  type AdjudicatedClaim,
  type Attestation,
  type FundedBatch,
  type OpenedGroup,
  type OpenedRecord,
} from "@carepact/sdk/claims";
import { generateSealingKeys } from "@carepact/sdk/encryption";
import { createAttester, type AttestationLedger, type Attester } from "@carepact/sdk/oracles";

import type { LedgerFolder } from "../sdk/ledgers";
import { met } from "../support/batches";

import { deployWorld, fill, fundInput, POOL, type Party, type World } from "./support";

/** The world, with a second payer. */
interface Worlds extends World {
  second: Party;
}

async function deployTwoPayers(): Promise<Worlds> {
  const world = await loadFixture(deployWorld);
  const { admin, stranger: second, token, tokenAddress } = world;
  const { publicKey: hpkeKey } = await generateSealingKeys();
  await run(admin.organizations.register(second.address, { name: "second", kinds: ["payer"], hpkeKey }));
  await token.mint(second.address, POOL);
  await run(second.pools.depositWithPermit({ token: tokenAddress, amount: POOL }));
  return { ...world, second };
}

export interface Attesting extends Worlds {
  ledger: AttestationLedger;
  attester: Attester<Attestation>;
}

/** Funds these claims, by the first payer unless told otherwise, and opens all of the batch. */
export async function funded(world: World, claims: AdjudicatedClaim[], payer = world.payer): Promise<OpenedRecord> {
  const batch: FundedBatch = await run(payer.claims.fund(await fundInput(world, claims)));
  return openClaimBatchRecord(batch.record);
}

export const groupOf = ({ opened }: OpenedRecord): OpenedGroup => opened[0]!;

/** An attester with a new ledger in a real database. */
export async function attesting(folder: LedgerFolder): Promise<Attesting> {
  const world = await loadFixture(deployTwoPayers);
  const ledger = folder.open();
  return { ...world, ledger, attester: createAttester(world.attesters[0].connection, { ledger }) };
}

/** A batch of one fill, of 90.00. */
export const oneFill = (world: World, payer?: Party): Promise<OpenedRecord> =>
  funded(world, [fill(world.pharmacy.address, "11", "90.00")], payer);

/** The same, and that batch attested as met. */
export async function attestedOnce(folder: LedgerFolder): Promise<Attesting & { first: OpenedRecord }> {
  const world = await attesting(folder);
  const first = await oneFill(world);
  await world.attester.attest(first, [met]);
  return { ...world, first };
}
