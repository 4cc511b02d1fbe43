import type { JsonRpcSigner } from "ethers";

import { run, type Deployment } from "@carepact/sdk";
import type { Attestation, BatchSource, GroupResult } from "@carepact/sdk/claims";
import { generateSealingKeys } from "@carepact/sdk/encryption";
import { createPools } from "@carepact/sdk/pools";
import { createRulebooks, eventKinds, simpleRulebook } from "@carepact/sdk/rulebooks";

import type { Story } from "./story";
import { attestAs, DAY, enrol, mint, NPI, type World } from "./world";

/** What the guide for several payers takes as given. */
export interface SeveralPayersGiven {
  plan: JsonRpcSigner;
  supplement: JsonRpcSigner;
  account: JsonRpcSigner;
  pharmacy: JsonRpcSigner;
  privateKey: string;
  deployment: Deployment;
  token: string;
  rulebook: string;
  eventBy: number;
  attest: (batch: BatchSource, results: GroupResult[]) => Promise<Attestation[]>;
}

/** The guide for several payers. */
export async function severalPayersStory(world: World): Promise<Story> {
  const { payer: plan, pbm: supplement, pharmacy, deployment, token, provider } = world;
  const [, , account] = world.attesters as [JsonRpcSigner, JsonRpcSigner, JsonRpcSigner];
  const amount = 1_000_000_000n;
  for (const runner of [plan, supplement, account]) {
    await enrol(world, runner.address, "payer", await generateSealingKeys());
    await mint(world, runner.address, amount);
    await run(createPools({ runner, deployment }).depositWithPermit({ token, amount }));
  }
  await enrol(world, pharmacy.signer.address, "pharmacy", pharmacy.keys, NPI.pharmacy);
  const terms = simpleRulebook({
    attesters: world.attesters.slice(0, 2).map(({ address }) => address),
    threshold: 2,
    eventKinds: eventKinds.dispense,
    grace: 3 * DAY,
    suspender: plan.address,
  });
  const { id: rulebook } = await run(createRulebooks({ runner: plan, deployment }).publish(terms));
  const given: SeveralPayersGiven = {
    plan,
    supplement,
    account,
    pharmacy: pharmacy.signer,
    privateKey: pharmacy.keys.privateKey,
    deployment,
    token,
    rulebook,
    eventBy: ((await provider.getBlock("latest"))?.timestamp ?? 0) + 14 * DAY,
    attest: (batch, results) => attestAs(world, batch, results),
  };
  return { page: "docs/guides/several-payers.md", given };
}
