import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { EIP1193Provider } from "@nomicfoundation/ignition-core";
import { BrowserProvider } from "ethers";

import type { Deployment } from "@carepact/sdk";

import { artifactsOf } from "./artifacts";
import Carepact from "./Carepact";
import { deploymentIn, checkDeployment } from "./deploying";
import type { Finding } from "./checkContracts";
import { Failure } from "./failure";
import { isBegun, openJournal, progressOf } from "./journal";
import type { Parameters } from "./parameters";
import { embeddedChain } from "./provider";
import { runModule } from "./run";
import type { Site } from "./site";

/** What trying out a deployment showed. */
export interface Rehearsal {
  /** Addresses that it will have, if the deployer sends nothing else before. The block is the rehearsal's. */
  deployment: Deployment;
  findings: Finding[];
  /** Transactions in all, and those that an earlier run sent. */
  transactions: number;
  done: number;
  /** Of all that are left. */
  gas: bigint;
  /** Of the largest that is left. */
  largestGas: bigint;
  /** Wei that those left cost at today's price, and what the deployer has. */
  cost: bigint;
  balance: bigint;
}

const ENOUGH = 10n ** 24n;
const quantity = (value: bigint): string => `0x${value.toString(16)}`;

/** Deploys on a chain of its own, with the real one's id, and the deployer's address and nonce. */
export async function rehearse(site: Site, deployer: string, parameters: Parameters): Promise<Rehearsal> {
  const { hre, chainId, provider, journal, tell } = site;
  if (journal !== undefined && isBegun(journal)) await requireResumable(site, journal, parameters);
  const earlier = await progressOf(journal);
  const firstNonce = earlier.firstNonce ?? (await provider.getTransactionCount(deployer));
  const balance = await provider.getBalance(deployer);
  const { gasPrice } = await provider.getFeeData();
  if (gasPrice === null) throw new Failure("The node does not say what gas costs.", "network");

  tell("Rehearsing on a chain of its own ...");
  const node = await embeddedChain(hre, chainId);
  await node.request({ method: "hardhat_impersonateAccount", params: [deployer] });
  await node.request({ method: "hardhat_setBalance", params: [deployer, quantity(ENOUGH)] });
  await node.request({ method: "hardhat_setNonce", params: [deployer, quantity(BigInt(firstNonce))] });
  const outcome = await runModule(
    Carepact,
    { ...parameters },
    {
      node,
      chainId,
      accounts: [deployer],
      artifacts: artifactsOf(hre),
      config: { blockPollingInterval: 20, requiredConfirmations: 1 },
      tell: () => undefined,
    },
  );
  const stage = new BrowserProvider({ request: (call) => node.request(call) }, chainId, { cacheTimeout: -1 });
  const deployment = await deploymentIn({ provider: stage, chainId }, outcome);
  const findings = await checkDeployment({ hre, provider: stage }, deployment, parameters);
  const left = Object.entries(outcome.mined).filter(([id]) => earlier.mined[id] === undefined);
  const receipts = await Promise.all(left.map(([, hash]) => stage.getTransactionReceipt(hash)));
  const used = receipts.map((receipt) => receipt?.gasUsed ?? 0n);
  const gas = used.reduce((sum, one) => sum + one, 0n);
  return {
    deployment,
    findings,
    transactions: Object.keys(outcome.mined).length,
    done: Object.keys(outcome.mined).length - left.length,
    gas,
    largestGas: used.reduce((most, one) => (one > most ? one : most), 0n),
    cost: gas * gasPrice,
    balance,
  };
}

/** Thrown in place of sending. */
class Reached extends Error {}

/** What Ignition asks for first once it has found that it may go on. */
const GOING_ON = ["eth_getTransactionCount", "eth_estimateGas", "eth_sendTransaction", "eth_sendRawTransaction"];

/**
 * Lets Ignition itself say whether it would go on with a journal: with this chain, deployer, these contracts and parameters. It works on
 * a copy, and is stopped before it sends anything.
 * @throws Failure as a run that sends would
 */
async function requireResumable(site: Site, journal: string, parameters: Parameters): Promise<void> {
  const { hre, node, chainId, accounts } = site;
  const tell = (): void => undefined;
  const looking: EIP1193Provider = {
    request: (call) => (GOING_ON.includes(call.method) ? Promise.reject(new Reached()) : node.request(call)),
  };
  const copy = await mkdtemp(join(tmpdir(), "carepact-rehearsal-"));
  try {
    await cp(journal, copy, { recursive: true });
    // Asks for nonces, too.
    await openJournal(copy, node, tell);
    const artifacts = artifactsOf(hre);
    await runModule(Carepact, { ...parameters }, { node: looking, chainId, accounts, artifacts, journal: copy, tell });
  } catch (thrown) {
    if (!(thrown instanceof Reached)) throw thrown;
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}
