import { HDNodeWallet, Transaction } from "ethers";

import type { Deployment } from "../chain/deployment";
import { decodeError } from "../chain/decodeError";
import { sleep, within, type CallOptions } from "../chain/options";
import { deployments } from "../deployments";
import { CarepactError } from "../errors";
import { bytecode } from "../generated/devnetBytecode";

import { steps, token } from "./recording";

/** A node, as ethers asks it: any `JsonRpcProvider` or `BrowserProvider` is one. */
export interface JsonRpc {
  send(method: string, params: unknown[]): Promise<unknown>;
}

/** Constants of every devnet. Accounts are the published test accounts that Hardhat's and anvil's own chains give ether to. */
export const devnet = {
  chainId: 31337,
  /** Published with Hardhat and anvil: whoever sends money to its accounts on a public chain loses it. */
  mnemonic: "test test test test test test test test test test test junk",
  /** The test stablecoin: anybody mints. `mint(address to, uint256 amount)`, in base units. */
  token,
  /** Which test account has which role. */
  roles: { upgrader: 0, pauser: 0, credentialing: 0, governance: 9 },
} as const;

type Role = keyof typeof devnet.roles;

/** What stands on a devnet. */
export interface Devnet {
  deployment: Deployment;
  token: { address: string; name: string; symbol: string; decimals: number };
  /** Accounts with a role; {@link devnetAccount} signs for them. */
  roles: Record<Role, string>;
}

/** One of the published test accounts, by its number; connect it to a provider to sign. */
export const devnetAccount = (index: number): HDNodeWallet =>
  HDNodeWallet.fromPhrase(devnet.mnemonic, "", `m/44'/60'/0'/0/${index}`);

/**
 * Brings an empty Hardhat or anvil chain to where Carepact is deployed, at the addresses of `deployments[31337]`, with a test stablecoin: sends
 * from the first test account what the protocol's own deployment sends. Where that was done, it looks and returns; where it was interrupted, it
 * goes on.
 * @throws CHAIN_MISMATCH where the chain is not 31337, or the account sent something else; NODE_UNREACHABLE, TRANSACTION_FAILED,
 * ABORTED, TIMED_OUT
 */
export async function deployDevnet(rpc: JsonRpc, options: CallOptions = {}): Promise<Devnet> {
  return within(options, async (signal) => {
    const chainId = Number(await ask(rpc, "eth_chainId"));
    if (chainId !== devnet.chainId)
      throw new CarepactError(
        "CHAIN_MISMATCH",
        `The devnet needs a Hardhat or anvil chain, whose id is ${devnet.chainId}. This is chain ${chainId}.`,
        { chainId },
      );
    const transactions = await signed();
    const last = transactions.at(-1);
    if (last !== undefined && (await isMined(rpc, last.hash))) return result();

    const sender = devnetAccount(0).address;
    const count = Number(await ask(rpc, "eth_getTransactionCount", [sender, "pending"]));
    for (const [nonce, { hash }] of transactions.entries()) {
      if (nonce >= count) break;
      if ((await ask(rpc, "eth_getTransactionByHash", [hash])) === null)
        throw new CarepactError(
          "CHAIN_MISMATCH",
          `The first test account was used on this chain for something else, or for another version of Carepact: start the node anew.`,
          { account: sender, nonce },
        );
    }
    for (const { raw, hash } of transactions.slice(count)) {
      signal.throwIfAborted();
      await send(rpc, raw, hash);
    }
    for (const { hash } of transactions) await mined(rpc, hash, signal);
    return result();
  });
}

const result = (): Devnet => {
  const deployment = deployments[devnet.chainId];
  if (deployment === undefined) throw new CarepactError("CHAIN_MISMATCH", "This SDK was built without a devnet.");
  const { upgrader, pauser, credentialing, governance } = devnet.roles;
  const addressOf = (index: number): string => devnetAccount(index).address;
  return {
    deployment,
    token,
    roles: {
      upgrader: addressOf(upgrader),
      pauser: addressOf(pauser),
      credentialing: addressOf(credentialing),
      governance: addressOf(governance),
    },
  };
};

/** More than any of the transactions takes, and below the most that one may take (EIP-7825). */
const GAS_LIMIT = 8_000_000n;
/** Constant, so that hashes are, by which a chain is known. A fresh chain asks for about 1 gwei. */
const FEES = { maxFeePerGas: 100_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n };

interface Signed {
  raw: string;
  hash: string;
}

/** Signatures are deterministic (RFC 6979): the same transactions have the same hashes on every devnet. */
async function signed(): Promise<Signed[]> {
  const account = devnetAccount(0);
  return Promise.all(
    steps.map(async (step, nonce) => {
      const what =
        "to" in step
          ? { to: step.to, data: step.data }
          : { to: null, data: `${bytecode[step.creates]}${step.args.slice(2)}` };
      const raw = await account.signTransaction({
        ...what,
        type: 2,
        chainId: devnet.chainId,
        nonce,
        gasLimit: GAS_LIMIT,
        ...FEES,
      });
      return { raw, hash: Transaction.from(raw).hash ?? "" };
    }),
  );
}

async function ask(rpc: JsonRpc, method: string, params: unknown[] = []): Promise<unknown> {
  try {
    return await rpc.send(method, params);
  } catch (thrown) {
    throw decodeError(thrown);
  }
}

async function send(rpc: JsonRpc, raw: string, hash: string): Promise<void> {
  try {
    await rpc.send("eth_sendRawTransaction", [raw]);
  } catch (thrown) {
    // Somebody else brings up the same devnet at this moment: what was sent is the same.
    if ((await ask(rpc, "eth_getTransactionByHash", [hash])) !== null) return;
    throw decodeError(thrown);
  }
}

async function isMined(rpc: JsonRpc, hash: string): Promise<boolean> {
  const receipt = (await ask(rpc, "eth_getTransactionReceipt", [hash])) as { status: string } | null;
  if (receipt === null) return false;
  if (Number(receipt.status) === 1) return true;
  throw new CarepactError("TRANSACTION_FAILED", "A transaction of the devnet was mined, but reverted.", { hash });
}

const POLLING_MS = 100;

/** Nodes mine at once unless they were told otherwise. */
async function mined(rpc: JsonRpc, hash: string, signal: AbortSignal): Promise<void> {
  while (!(await isMined(rpc, hash))) {
    signal.throwIfAborted();
    await sleep(POLLING_MS, signal);
  }
}
