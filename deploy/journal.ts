/**
 * The folder in which Ignition keeps what was done. Ignition resumes by itself; here is what it leaves to people: a chain that is not
 * the one the journal was begun on, and a transaction of which nobody knows whether it was sent when the power went out.
 */
import { existsSync } from "node:fs";
import { appendFile, readFile, rm, truncate } from "node:fs/promises";
import { join } from "node:path";

import { trackTransaction, type EIP1193Provider } from "@nomicfoundation/ignition-core";
import { getAddress } from "ethers";

import { Failure } from "./failure";
import { writeWhole } from "./files";
import { LOCAL_CHAIN } from "./parameters";

/** Which chain a journal belongs to: another with the same id has another first block. */
interface Chain {
  chainId: number;
  genesis: string;
  /** Newest block when the deployment began: none of its transactions is older. */
  begun: number;
}

interface Block {
  hash: string;
  number: string;
  transactions: { hash: string; from: string; nonce: string }[];
}

const journalFile = (folder: string): string => join(folder, "journal.jsonl");
const chainFile = (folder: string): string => join(folder, "chain.json");

const ask = async <Answer>(provider: EIP1193Provider, method: string, params: unknown[] = []): Promise<Answer> =>
  (await provider.request({ method, params })) as Answer;

const hex = (value: number): string => `0x${value.toString(16)}`;

async function readChain(folder: string): Promise<Chain | undefined> {
  const file = chainFile(folder);
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(await readFile(file, "utf8")) as Chain;
  } catch {
    // It is written before anything is sent.
    if (!existsSync(journalFile(folder))) return undefined;
    throw new Failure(`${file} cannot be read: restore it, from where the journal is kept.`, "input");
  }
}

/** Whether anything was begun in a folder. */
export const isBegun = (folder: string): boolean => existsSync(journalFile(folder));

/** Addresses of what was deployed by it, by Ignition's ids. */
export async function addressesIn(folder: string): Promise<Record<string, string>> {
  const file = join(folder, "deployed_addresses.json");
  return existsSync(file) ? (JSON.parse(await readFile(file, "utf8")) as Record<string, string>) : {};
}

/** Makes the folder ready: this chain's, complete, and without a transaction whose fate is unknown. */
export async function openJournal(
  folder: string,
  provider: EIP1193Provider,
  tell: (line: string) => void,
): Promise<void> {
  const chainId = Number(await ask<string>(provider, "eth_chainId"));
  const { hash: genesis } = await ask<Block>(provider, "eth_getBlockByNumber", ["0x0", false]);
  const known = await readChain(folder);
  if (known !== undefined) {
    if (known.genesis === genesis && known.chainId === chainId && (await knowsItsPast(folder, provider))) {
      await settleLost(folder, provider, known, tell);
      return settleOvertaken(folder, provider);
    }
    if (known.chainId !== LOCAL_CHAIN || chainId !== LOCAL_CHAIN)
      throw new Failure(
        `The journal in ${folder} belongs to another chain (id ${known.chainId}), or the node has forgotten its transactions: ` +
          "name another folder, or another node.",
        "input",
      );
    tell("The journal is of a local chain that is gone: beginning anew.");
    await rm(folder, { recursive: true, force: true });
  }
  const begun = Number(await ask<string>(provider, "eth_blockNumber"));
  await writeWhole(chainFile(folder), `${JSON.stringify({ chainId, genesis, begun } satisfies Chain, null, 2)}\n`);
}

/** Whether the node has the first transaction of the journal. Hardhat's own chains may have a first block in common. */
async function knowsItsPast(folder: string, provider: EIP1193Provider): Promise<boolean> {
  const [first] = Object.values((await progressOf(folder)).mined);
  return first === undefined || (await ask(provider, "eth_getTransactionReceipt", [first])) !== null;
}

interface Message {
  type: string;
  futureId?: string;
  networkInteractionId?: number;
  nonce?: number;
  from?: string;
  hash?: string;
  transaction?: { hash: string };
}

interface Receipt {
  blockHash: string;
  blockNumber: string;
  contractAddress: string | null;
  status: string;
  logs: { address: string; logIndex: string; data: string; topics: string[] }[];
}

interface Lost {
  futureId: string;
  networkInteractionId: number;
  nonce: number;
  from: string;
}

/** What a journal says so far, for whoever continues. */
export interface Progress {
  /** Transactions that are mined, by Ignition's ids. */
  mined: Record<string, string>;
  /** Lowest nonce that was used. */
  firstNonce?: number;
}

/** Reads how far a deployment came. */
export async function progressOf(folder: string | undefined): Promise<Progress> {
  const messages = folder === undefined ? [] : await readJournal(folder);
  const confirmed = messages.filter(({ type }) => type === "TRANSACTION_CONFIRM");
  const nonces = messages.filter(({ type }) => type === "TRANSACTION_PREPARE_SEND").map(({ nonce = 0 }) => nonce);
  return {
    mined: Object.fromEntries(confirmed.map(({ futureId = "", hash = "" }) => [futureId, hash])),
    ...(nonces.length > 0 && { firstNonce: Math.min(...nonces) }),
  };
}

/** A last line that was cut off while it was written is taken off: what it said did not happen yet. */
async function readJournal(folder: string): Promise<Message[]> {
  const file = journalFile(folder);
  if (!existsSync(file)) return [];
  const text = await readFile(file, "utf8");
  const lines = text.split("\n").filter((line) => line !== "");
  try {
    return lines.map((line) => JSON.parse(line) as Message);
  } catch {
    const last = lines.pop() ?? "";
    const messages = lines.map((line) => JSON.parse(line) as Message);
    await truncate(file, Buffer.byteLength(text) - Buffer.byteLength(last));
    return messages;
  }
}

/** Transactions that were about to be sent when the run ended. */
function lostIn(messages: readonly Message[]): Lost[] {
  const senders = new Map<string, string>();
  const open = new Map<string, Lost>();
  for (const { type, futureId = "", networkInteractionId = 0, nonce = 0, from } of messages) {
    if (from !== undefined) senders.set(futureId, from);
    const key = `${futureId}/${networkInteractionId}`;
    if (type === "TRANSACTION_PREPARE_SEND")
      open.set(key, { futureId, networkInteractionId, nonce, from: senders.get(futureId) ?? "" });
    else if (type === "TRANSACTION_SEND" || type === "ONCHAIN_INTERACTION_REPLACED_BY_USER") open.delete(key);
  }
  return [...open.values()];
}

/**
 * Ignition notes that it is about to send before it sends, and the hash when the node has answered. A run that was killed in between
 * leaves a transaction that may or may not exist; which of the two, the sender's nonce says.
 */
async function settleLost(
  folder: string,
  provider: EIP1193Provider,
  chain: Chain,
  tell: (line: string) => void,
): Promise<void> {
  for (const lost of lostIn(await readJournal(folder))) {
    const { futureId, networkInteractionId, nonce, from } = lost;
    const countAt = async (block: string) =>
      Number(await ask<string>(provider, "eth_getTransactionCount", [from, block]));
    const [mined, pending] = [await countAt("latest"), await countAt("pending")];
    if (pending <= nonce) {
      // The journal's own word for "forget the nonce, send it again". The same nonce is taken, so that it cannot be mined twice.
      const again = { type: "ONCHAIN_INTERACTION_REPLACED_BY_USER", futureId, networkInteractionId };
      await appendFile(journalFile(folder), `\n${JSON.stringify(again)}`);
      tell(`${futureId} was about to be sent when the last run ended, and was not.`);
      continue;
    }
    const hash = await hashOf(lost, provider, mined > nonce ? chain : undefined);
    if (hash === undefined)
      throw new Failure(
        `${futureId} was sent by ${from} with nonce ${nonce} when the last run ended, and is not mined yet. Run this again when it is.`,
        "unknown",
      );
    tell(`${futureId} had been sent when the last run ended: ${hash}`);
    await trackTransaction(folder, hash, provider);
  }
}

/**
 * Ignition goes on counting from the highest nonce that is not confirmed, and refuses a journal in which a higher one is. It writes
 * such journals itself when it is killed twice among contracts that do not depend on each other: where the sender's address begins
 * with a small letter, it sends the others before it looks at the one that is open. What was overtaken is mined, as deep as what is
 * confirmed, and is confirmed here, as Ignition would.
 */
async function settleOvertaken(folder: string, provider: EIP1193Provider): Promise<void> {
  const messages = await readJournal(folder);
  const confirmed = new Set(messages.filter(({ type }) => type === "TRANSACTION_CONFIRM").map(({ hash }) => hash));
  const sent = messages.filter(({ type }) => type === "TRANSACTION_SEND");
  // One account sends all that a module sends.
  const last = Math.max(...sent.filter((one) => confirmed.has(one.transaction?.hash)).map(({ nonce = 0 }) => nonce));
  for (const { futureId, networkInteractionId, nonce = 0, transaction: { hash } = { hash: "" } } of sent) {
    if (nonce >= last || confirmed.has(hash)) continue;
    // None where another transaction took its place; then Ignition finds out.
    const mined = await ask<Receipt | null>(provider, "eth_getTransactionReceipt", [hash]);
    if (mined === null) continue;
    const receipt = {
      blockHash: mined.blockHash,
      blockNumber: Number(mined.blockNumber),
      ...(mined.contractAddress !== null && { contractAddress: getAddress(mined.contractAddress) }),
      status: Number(mined.status) === 1 ? "SUCCESS" : "FAILURE",
      logs: mined.logs.map(({ address, logIndex, data, topics }) => ({
        address: getAddress(address),
        logIndex: Number(logIndex),
        data,
        topics,
      })),
    };
    const confirm = { type: "TRANSACTION_CONFIRM", futureId, networkInteractionId, hash, receipt };
    await appendFile(journalFile(folder), `\n${JSON.stringify(confirm)}`);
  }
}

/** Hash of the transaction with this sender and nonce: among those not mined yet, or, given the chain, mined since it was begun. */
async function hashOf(lost: Lost, provider: EIP1193Provider, minedOn?: Chain): Promise<string | undefined> {
  const isIt = ({ from, nonce }: Block["transactions"][number]): boolean =>
    from.toLowerCase() === lost.from.toLowerCase() && Number(nonce) === lost.nonce;
  const inBlock = async (tag: string): Promise<string | undefined> =>
    (await ask<Block | null>(provider, "eth_getBlockByNumber", [tag, true]))?.transactions.find(isIt)?.hash;
  if (minedOn === undefined) return inBlock("pending");
  for (let block = Number(await ask<string>(provider, "eth_blockNumber")); block >= minedOn.begun; block--) {
    const hash = await inBlock(hex(block));
    if (hash !== undefined) return hash;
  }
  return undefined;
}
