import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { ethers } from "hardhat";

import { run } from "@carepact/sdk";
import {
  openClaimBatchRecord,
  type AdjudicatedClaim,
  type ClaimBatchFile,
  type OpenedGroup,
  type OpenedRecord,
} from "@carepact/sdk/claims";
import { eventKinds, simpleRulebook, type ArbitrationTerms } from "@carepact/sdk/rulebooks";

import { DAY, GRACE } from "../support/system";

import { CENT, deployWorld, fundedBatch, openAs, sdkFor, type Party, type World } from "./support";

export const DOLLAR = 100n * CENT;
/** What whoever disputes a line locks under the strict rulebook. */
export const BOND = 5n * DOLLAR;
export const CHALLENGE_PERIOD = 2 * DAY;
export const ARBITER_DEADLINE = 14 * DAY;
export const LOOK_BACK = 90 * DAY;

/** A world with an arbiter, and a batch under a rulebook of its own: 90.00 and 12.34 for the pharmacy, 60.00 and 15.00 for the laboratory. */
export interface StrictWorld extends World {
  arbiter: Party;
  /** Id of the rulebook without an arbiter. */
  plain: string;
  file: ClaimBatchFile;
  record: OpenedRecord;
  /** The pharmacy's group. */
  own: OpenedGroup;
}

type Terms = Omit<ArbitrationTerms, "arbiter"> & { default?: "payer" | "payee" };

async function worldWith({ default: side, ...terms }: Terms, adjudicated?: AdjudicatedClaim[]): Promise<StrictWorld> {
  const world = await loadFixture(deployWorld);
  const { admin, payer, pharmacy, attesters, suspender, deployment, tokenAddress: token } = world;
  const signer = (await ethers.getSigners())[10]!;
  const arbiter = { address: signer.address, signer, ...sdkFor(signer, deployment) };
  const { id: rulebook } = await run(
    admin.rulebooks.publish(
      simpleRulebook({
        attesters: attesters.map(({ address }) => address),
        threshold: 2,
        eventKinds: eventKinds.dispense | eventKinds.diagnosticReport,
        grace: GRACE,
        suspender: suspender.address,
        arbiter: { account: arbiter.address, deadline: ARBITER_DEADLINE, ...(side && { default: side }) },
        ...terms,
      }),
    ),
  );
  // So that the pharmacy has a bond to lock before it has earned anything.
  await run(payer.pools.approve({ token, amount: 2n * BOND }));
  await run(payer.pools.deposit({ token, amount: 2n * BOND, payer: pharmacy.address }));
  const ruled = { ...world, rulebook };
  const { file, record } = await fundedBatch(ruled, adjudicated);
  return {
    ...ruled,
    plain: world.rulebook,
    arbiter,
    file,
    record: openClaimBatchRecord(record),
    own: await openAs(pharmacy, file),
  };
}

/** For loadFixture: results can be disputed, and a tenth of each payment is retained. */
export const strictWorld = (): Promise<StrictWorld> =>
  worldWith({ challengePeriod: CHALLENGE_PERIOD, bond: BOND, retention: { bps: 1_000, lookBack: LOOK_BACK } });

/** For loadFixture: results can be disputed, without a bond; nothing is retained. */
export const challengedWorld = (): Promise<StrictWorld> => worldWith({ challengePeriod: CHALLENGE_PERIOD });

/** For loadFixture: a tenth of each payment is retained; nothing can be disputed that was attested. */
export const retainedWorld = (): Promise<StrictWorld> =>
  worldWith({ bond: BOND, retention: { bps: 1_000, lookBack: LOOK_BACK } });

/** For loadFixture: attestations settle at once, and a missing one can be disputed, by default for the payee. */
export const arbitratedWorld = (): Promise<StrictWorld> => worldWith({ bond: BOND, default: "payee" });
