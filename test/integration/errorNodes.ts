import { TASK_NODE_CREATE_SERVER } from "hardhat/builtin-tasks/task-names";
import {
  BrowserProvider,
  JsonRpcProvider,
  Wallet,
  type AbstractSigner,
  type Eip1193Provider,
  type Network,
} from "ethers";
import { ethers, network, run as runTask } from "hardhat";
import type { JsonRpcServer } from "hardhat/types";

import { startAnvil } from "../support/anvil";

/** First account of Hardhat's and anvil's published test mnemonic. */
const KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

/** A node, and the ways in which a program may hold it. */
export interface ErrorNode {
  url: string;
  provider: JsonRpcProvider;
  signers: Record<string, AbstractSigner>;
  stop(): Promise<void>;
}

/** Asks at once and keeps no answer; does not look which chain it is when a network is given. */
export const providerAt = (url: string, network?: Network | number): JsonRpcProvider =>
  new JsonRpcProvider(url, network, {
    cacheTimeout: -1,
    pollingInterval: 20,
    batchMaxCount: 1,
    ...(typeof network === "object" && { staticNetwork: network }),
  });

/** What a wallet injects into a page: requests go to the node, and its errors come back as EIP-1193 has them. */
const walletOn = (provider: JsonRpcProvider): Eip1193Provider => ({
  request: async ({ method, params }) => {
    const [answer] = await provider._send({ id: 1, jsonrpc: "2.0", method, params: params ?? [] });
    if (answer !== undefined && "error" in answer) {
      const { code, message, data } = answer.error as { code: number; message: string; data?: unknown };
      throw Object.assign(new Error(message), { code, data });
    }
    return (answer as { result: unknown }).result;
  },
});

async function signersOn(provider: JsonRpcProvider): Promise<Record<string, AbstractSigner>> {
  return {
    "JsonRpcProvider and Wallet": new Wallet(KEY, provider),
    BrowserProvider: await new BrowserProvider(walletOn(provider), undefined, { cacheTimeout: -1 }).getSigner(),
  };
}

/** Hardhat: its server, and the provider that scripts and tests have in their own process. */
export async function startHardhat(): Promise<ErrorNode> {
  const options = { hostname: "127.0.0.1", port: 0, provider: network.provider };
  const server = (await runTask(TASK_NODE_CREATE_SERVER, options)) as JsonRpcServer;
  const { address, port } = await server.listen();
  const url = `http://${address}:${port}`;
  const provider = providerAt(url);
  const [hardhatSigner] = await ethers.getSigners();
  return {
    url,
    provider,
    signers: {
      ...(await signersOn(provider)),
      "BrowserProvider in the same process": await new BrowserProvider(network.provider).getSigner(),
      HardhatEthersSigner: hardhatSigner as never,
    },
    stop: async () => {
      provider.destroy();
      await server.close();
    },
  };
}

export async function startAnvilNode(): Promise<ErrorNode> {
  const anvil = await startAnvil();
  const provider = providerAt(anvil.url);
  return {
    url: anvil.url,
    provider,
    signers: await signersOn(provider),
    stop: async () => {
      provider.destroy();
      await anvil.stop();
    },
  };
}
