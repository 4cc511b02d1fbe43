import { BrowserProvider } from "ethers";

import type { Deployment } from "@carepact/sdk";

import { artifactsOf } from "./artifacts";
import Carepact from "./Carepact";
import { deploymentIn, checkDeployment } from "./deploying";
import type { Finding } from "./checkContracts";
import { Failure } from "./failure";
import { progressOf } from "./journal";
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
