import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Contract, type JsonRpcProvider, type JsonRpcSigner } from "ethers";

import type { Deployment } from "@carepact/sdk";
import { run } from "@carepact/sdk";
import {
  createClaims,
  openClaimBatchFile,
  parseClaimBatchFile,
  type Attestation,
  type BatchSource,
  type GroupResult,
  type OpenedGroup,
} from "@carepact/sdk/claims";
import { deployDevnet } from "@carepact/sdk/devnet";
import { generateSealingKeys, type SealingKeyPair } from "@carepact/sdk/encryption";
import { createOrganizations, type OrganizationKind } from "@carepact/sdk/organizations";

import { startAnvil, type Anvil } from "../support/anvil";

export const DAY = 24 * 60 * 60;

/** NPIs that are nobody's, with valid check digits. Numbers that are issued begin with 1. */
export const NPI = { pharmacy: "2900000011", laboratory: "2900000052" } as const;

/** A payee, with the key that opens its parts of files. */
export interface Payee {
  signer: JsonRpcSigner;
  keys: SealingKeyPair;
}

/** A chain of a process of its own, with the system, a stablecoin and everybody who takes part. */
export interface World {
  anvil: Anvil;
  provider: JsonRpcProvider;
  deployment: Deployment;
  token: string;
  office: JsonRpcSigner;
  payer: JsonRpcSigner;
  pbm: JsonRpcSigner;
  pharmacy: Payee;
  laboratory: Payee;
  attesters: JsonRpcSigner[];
  end(): Promise<void>;
}

/** Makes an empty folder the current one, for files that pages read and write, until it is left. */
export async function ownFolder(): Promise<() => Promise<void>> {
  const home = process.cwd();
  const folder = await mkdtemp(join(tmpdir(), "carepact-page-"));
  process.chdir(folder);
  return async () => {
    process.chdir(home);
    await rm(folder, { recursive: true, force: true });
  };
}

/** Starts a world, in which nobody is registered. */
export async function startWorld(): Promise<World> {
  // Finality comes two blocks later, and not a minute's worth of them.
  const anvil = await startAnvil(["--slots-in-an-epoch", "1"]);
  const { provider } = anvil;
  const { deployment, token } = await deployDevnet(provider);
  const signers = await Promise.all([...Array(10).keys()].map((index) => provider.getSigner(index)));
  const [office, payer, pharmacy, laboratory, pbm, ...others] = signers as [
    JsonRpcSigner,
    JsonRpcSigner,
    JsonRpcSigner,
    JsonRpcSigner,
    JsonRpcSigner,
  ];
  return {
    anvil,
    provider,
    deployment,
    token: token.address,
    office,
    payer,
    pbm,
    pharmacy: { signer: pharmacy, keys: await generateSealingKeys() },
    laboratory: { signer: laboratory, keys: await generateSealingKeys() },
    attesters: others.slice(0, 3),
    end: () => anvil.stop(),
  };
}

/** Gives somebody test dollars, in base units. */
export async function mint({ token, office }: World, to: string, amount: bigint): Promise<void> {
  const coin = new Contract(token, ["function mint(address to, uint256 amount)"], office);
  const sent = (await coin.getFunction("mint")(to, amount)) as { wait(): Promise<unknown> };
  await sent.wait();
}

/** Has the credentialing office register somebody. */
export async function enrol(
  { office, deployment }: World,
  account: string,
  kind: OrganizationKind,
  keys: SealingKeyPair,
  npi?: string,
): Promise<void> {
  const entry = { name: `A ${kind}`, kinds: [kind], hpkeKey: keys.publicKey, ...(npi !== undefined && { npi }) };
  await run(createOrganizations({ runner: office, deployment }).register(account, entry));
}

/** Lets time pass on the chain. */
export async function pass({ provider }: World, seconds: number): Promise<void> {
  await provider.send("evm_increaseTime", [seconds]);
  await provider.send("evm_mine", []);
}

/** Lets the chain go on until what is mined is final. */
export const finalize = async ({ provider }: World): Promise<unknown> => provider.send("anvil_mine", ["0x4"]);

/** A payee opens the file that it was sent. */
export const openAs = ({ signer, keys }: Payee, text: string): Promise<OpenedGroup> =>
  openClaimBatchFile(parseClaimBatchFile(text), { payee: signer.address, privateKey: keys.privateKey });

/** Two attesters sign the same. */
export async function attestAs(
  { attesters, deployment, provider }: World,
  batch: BatchSource,
  results: GroupResult[],
): Promise<Attestation[]> {
  const observedAt = (await provider.getBlock("latest"))?.timestamp ?? 0;
  const seen = { observedAt, evidence: `0x${"5e".repeat(32)}` };
  return Promise.all(
    attesters.slice(0, 2).map((runner) => createClaims({ runner, deployment }).attest(batch, results, seen)),
  );
}
