import { join } from "node:path";

import type { EIP1193Provider } from "@nomicfoundation/ignition-core";
import { BrowserProvider, getAddress } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types";

import { Failure } from "./failure";
import { LOCAL_CHAIN } from "./parameters";
import { recordOf } from "./record";

/** What a command may be told. Whatever is left out follows from the network. */
export interface SiteOptions {
  /** File of parameters. */
  parameters?: string | undefined;
  /** Folder of Ignition's journal. */
  journal?: string | undefined;
  /** File that deployments are kept in. */
  record?: string | undefined;
  /** Give up another deployment that the file has on a public chain. */
  replace?: boolean | undefined;
  /** File of the encrypted key that signs. */
  keystore?: string | undefined;
  /** Send transactions on a public chain. */
  send?: boolean | undefined;
}

/** Where a command works, and what it works with. */
export interface Site {
  hre: HardhatRuntimeEnvironment;
  options: SiteOptions;
  /** The node, as Ignition asks it. */
  node: EIP1193Provider;
  /** The node, as ethers asks it. */
  provider: BrowserProvider;
  chainId: number;
  /** Those that the node, or Hardhat, signs for; the first one deploys. */
  accounts: string[];
  /** Undefined on the embedded chain, which ends with the command. */
  journal: string | undefined;
  record: string;
  /** Whether anything may be sent. */
  mayUse: "send" | "look";
  tell: (line: string) => void;
}

const LOCAL_POLLING_MS = 50;
/** Hardhat's number for a node on another chain than configured. */
const OTHER_CHAIN = /\bHH101:/;

/** @param node Another node than the network's, for tests and rehearsals. */
export async function siteOf(
  hre: HardhatRuntimeEnvironment,
  options: SiteOptions,
  tell: (line: string) => void,
  node: EIP1193Provider = hre.network.provider,
): Promise<Site> {
  const ask = async <Answer>(method: string): Promise<Answer> => (await node.request({ method })) as Answer;
  let chainId: number;
  try {
    chainId = Number(await ask<string>("eth_chainId"));
  } catch (thrown) {
    const says = thrown instanceof Error ? thrown.message : String(thrown);
    if (OTHER_CHAIN.test(says)) throw new Failure(says, "input");
    throw new Failure(`The node of network ${hre.network.name} does not answer: ${says}`, "network");
  }
  const accounts = (await ask<string[]>("eth_accounts")).map((account) => getAddress(account));
  const isLocal = chainId === LOCAL_CHAIN;
  // Caching would answer from before the transaction that was just mined.
  const provider = new BrowserProvider({ request: (call) => node.request(call) }, chainId, { cacheTimeout: -1 });
  if (isLocal) provider.pollingInterval = LOCAL_POLLING_MS;
  const isEmbedded = hre.network.name === "hardhat";
  return {
    hre,
    options,
    node,
    provider,
    chainId,
    accounts,
    journal:
      options.journal ?? (isEmbedded ? undefined : join(hre.config.paths.ignition, "deployments", `chain-${chainId}`)),
    record: options.record ?? recordOf(hre),
    mayUse: isLocal || options.send === true ? "send" : "look",
    tell,
  };
}

/** The account that deploys. */
export function deployerOf({ accounts, hre }: Site): string {
  const [deployer] = accounts;
  if (deployer === undefined)
    throw new Failure(
      `Network ${hre.network.name} has no account: give --keystore, or set CAREPACT_KEYSTORE or CAREPACT_PRIVATE_KEY.`,
      "input",
    );
  return deployer;
}
