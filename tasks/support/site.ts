import { BrowserProvider, VoidSigner, Wallet, getAddress, isAddress, type Eip1193Provider, type Signer } from "ethers";

import { CarepactError, deployments, type CallOptions, type Connection, type Deployment } from "@carepact/sdk";

import type { Call } from "./call";
import { readJson } from "./files";
import { durationIn, usage } from "./input";
import { namedSigningKey } from "./keystore";

/** Hardhat's and anvil's own chains, where nothing has a value. */
export const LOCAL_CHAIN = 31337;

/** Where a command works. */
export interface Site {
  call: Call;
  chainId: number;
  isLocal: boolean;
  deployment: Deployment;
  provider: BrowserProvider;
  /** For reading. */
  connection: Connection;
  /** For every call of the SDK. */
  options: CallOptions;
  /** The chain's own clock, unix seconds. */
  now: () => Promise<number>;
}

/** A site, with an account that signs, or that is only rehearsed with. */
export interface SigningSite extends Site {
  signer: Signer;
  account: string;
  /** Whether there is no key behind the account. */
  rehearsing: boolean;
}

const LOCAL_POLLING_MS = 50;
const POLLING_MS = 2_000;
const FIVE_MINUTES = 300;

/** Asks the node which chain it is, and finds the deployment. @throws NODE_UNREACHABLE, CHAIN_MISMATCH, INPUT_INVALID */
export async function siteOf(call: Call): Promise<Site> {
  const { hre, common } = call;
  const node: Eip1193Provider = {
    request: ({ method, params = [] }) => hre.network.provider.send(method, params as unknown[]),
  };
  const chainId = Number(await node.request({ method: "eth_chainId" }));
  // Caching would answer from before the transaction that was just mined.
  const provider = new BrowserProvider(node, chainId, { cacheTimeout: -1, staticNetwork: true });
  const isLocal = chainId === LOCAL_CHAIN;
  provider.pollingInterval = isLocal ? LOCAL_POLLING_MS : POLLING_MS;
  const deployment = await deploymentOn(chainId, common.deployment);
  const seconds = common.timeout === undefined ? FIVE_MINUTES : durationIn(common.timeout, "--timeout");
  return {
    call,
    chainId,
    isLocal,
    deployment,
    provider,
    connection: { runner: provider, deployment },
    options: { timeoutMs: seconds * 1_000 },
    now: async () => (await provider.getBlock("latest"))?.timestamp ?? 0,
  };
}

const addresses = [
  "accessManager",
  "organizationRegistry",
  "rulebooks",
  "mandates",
  "claimEscrow",
  "consentRegistry",
  "patientRecovery",
  "accessLog",
  "p256Verifier",
  "webAuthnVerifier",
  "webAuthnOriginVerifier",
] as const;

async function deploymentOn(chainId: number, file: string | undefined): Promise<Deployment> {
  if (file === undefined) {
    const known = deployments[chainId];
    if (known !== undefined) return known;
    throw usage(
      `Carepact is not known to be deployed on chain ${chainId}: name its addresses by --deployment.`,
      "--deployment",
    );
  }
  const value = await readJson(file, "--deployment");
  const entries = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  // A file of one deployment, or of several by chain id, as the deploy task keeps them.
  const entry = ("chainId" in entries ? entries : entries[chainId]) as Partial<Deployment> | undefined;
  if (
    entry === undefined ||
    addresses.some((name) => !isAddress(entry[name])) ||
    !Number.isSafeInteger(entry.startBlock)
  )
    throw usage(`--deployment: ${file} names no deployment on chain ${chainId}.`, "--deployment");
  if (entry.chainId !== chainId)
    throw new CarepactError(
      "CHAIN_MISMATCH",
      `${file} is of chain ${entry.chainId}, the node on ${chainId}: choose another --network.`,
      {
        node: chainId,
        deployment: entry.chainId,
      },
    );
  return entry as Deployment;
}

/** The site with the account that signs. @throws INPUT_INVALID */
export async function signingSiteOf(call: Call): Promise<SigningSite> {
  const site = await siteOf(call);
  const { signer, rehearsing = false } = await signerOf(site);
  const account = await signer.getAddress();
  return { ...site, signer, account, rehearsing, connection: { runner: signer, deployment: site.deployment } };
}

async function signerOf(site: Site): Promise<{ signer: Signer; rehearsing?: boolean }> {
  const { call, provider } = site;
  const { keystore, as } = call.common;
  if (keystore !== undefined && as !== undefined)
    throw usage("--keystore and --as name two accounts: leave one out.", "--as");
  if (as !== undefined) return site.isLocal ? { signer: await nodeAccount(site, as) } : rehearsedAs(site, as);
  const key = await namedSigningKey(call, keystore);
  if (key !== undefined) return { signer: new Wallet(key, provider) };
  throw usage(
    `Nothing says which account signs: give --keystore, set CAREPACT_KEYSTORE or CAREPACT_PRIVATE_KEY, or ` +
      (site.isLocal ? "say --as 0 for the node's first account." : "say --as 0x... to rehearse without a key."),
    "--keystore",
  );
}

/** An account that the node has the key of, by number or address. @throws INPUT_INVALID */
export async function nodeAccount({ provider }: Site, as: string, option = "--as"): Promise<Signer> {
  const accounts = ((await provider.send("eth_accounts", [])) as string[]).map((account) => getAddress(account));
  const wanted = isAddress(as) ? getAddress(as) : /^\d{1,4}$/.test(as) ? accounts[Number(as)] : undefined;
  if (wanted === undefined || !accounts.includes(wanted))
    throw usage(`${option}: the node has no such account; it has ${accounts.length}, from number 0 on.`, option);
  return provider.getSigner(wanted);
}

function rehearsedAs({ call, chainId, provider }: Site, as: string): { signer: Signer; rehearsing: boolean } {
  if (!isAddress(as))
    throw usage(
      `--as: on chain ${chainId}, which is not local, give the address of the account to rehearse as.`,
      "--as",
    );
  if (call.common.send === true)
    throw usage("--as has no key to send with: give --keystore, or leave --send out.", "--as");
  return { signer: new VoidSigner(getAddress(as), provider), rehearsing: true };
}
