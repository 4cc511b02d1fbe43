import { isHexString, toQuantity, type Provider } from "ethers";

import { providerOf, requireChain, type Connection } from "../chain/deployment";
import { sleep, within } from "../chain/options";
import { decodeError } from "../chain/decodeError";
import { CarepactError } from "../errors";
import { read } from "../errors/thrown";

import { failureOf, retryAfterOf } from "./failures";
import type { LogFilter } from "./query";
import type { BlockPoint } from "./types";

/** What is needed of a block. Hashes in lower case. */
export interface Header {
  number: number;
  hash: string;
  parentHash: string;
}

/** A log as a node gives it. Everything in lower case. */
export interface RawLog {
  address: string;
  topics: string[];
  data: string;
  blockNumber: number;
  blockHash: string;
  txHash: string;
  logIndex: number;
}

export interface NodeOptions {
  signal: AbortSignal;
  timeoutMs: number | undefined;
  retries: number;
  retryMs: number;
}

/** A node, asked patiently. */
export interface Node {
  /** @throws CHAIN_MISMATCH */
  requireChain(): Promise<void>;
  /** A block of the canonical chain, if the node knows it. */
  header(block: BlockPoint): Promise<Header | undefined>;
  /** Logs of a range of blocks. Asked once: who asks knows what to ask for instead. */
  logsBetween(filter: LogFilter, fromBlock: number, toBlock: number): Promise<RawLog[]>;
  /** Logs of one block. */
  logsOf(filter: LogFilter, blockHash: string): Promise<RawLog[]>;
  /** Counts failures in a row of what is asked for again and again. */
  patience(): Patience;
  /** Waits. @throws ABORTED */
  rest(ms: number): Promise<void>;
}

/** How long failures in a row are put up with. */
export interface Patience {
  failures: number;
  /** Waits, longer each time; throws what failed when it failed too often. */
  wait(thrown: unknown): Promise<void>;
}

const LONGEST_WAIT = 30_000;

type Send = (method: string, params: unknown[]) => Promise<unknown>;

export function nodeOf(connection: Connection, options: NodeOptions): Node {
  const { signal, timeoutMs, retries, retryMs } = options;
  const provider = providerOf(connection.runner);
  const once = <Value>(work: () => Promise<Value>): Promise<Value> => within({ signal, timeoutMs }, work);
  const rest = (ms: number): Promise<void> => within({ signal }, (inner) => sleep(ms, inner));
  const patience = (): Patience => {
    const own: Patience = {
      failures: 0,
      wait: async (thrown) => {
        own.failures += 1;
        if (own.failures > retries) throw decodeError(thrown);
        const growing = retryMs * 2 ** (own.failures - 1);
        // Not all at the same moment, when many were refused at the same moment.
        const spread = growing * (0.5 + Math.random() / 2);
        await rest(Math.min(retryAfterOf(thrown) ?? spread, LONGEST_WAIT));
      },
    };
    return own;
  };
  const patiently = async <Value>(work: () => Promise<Value>): Promise<Value> => {
    const patient = patience();
    for (;;) {
      try {
        return await once(work);
      } catch (thrown) {
        const failure = failureOf(thrown);
        if (failure === "own" || failure === "refused") throw decodeError(thrown);
        await patient.wait(thrown);
      }
    }
  };
  return {
    requireChain: () => patiently(() => requireChain(connection)),
    header: (block) => patiently(() => headerOf(provider, block)),
    logsBetween: (filter, fromBlock, toBlock) => once(() => logsOf(provider, filter, { fromBlock, toBlock })),
    logsOf: (filter, blockHash) => patiently(() => logsOf(provider, filter, { blockHash })),
    patience,
    rest,
  };
}

/**
 * ethers answers from memory what was asked less than a quarter of a second ago, which is no answer for somebody who asks
 * twice to see whether the chain moved in between. Every provider that speaks JSON-RPC has a way around that.
 */
function sendOf(provider: Provider): Send | undefined {
  const { send } = provider as { send?: Send };
  return typeof send === "function" ? send.bind(provider) : undefined;
}

const tagOf = (block: BlockPoint): string => (typeof block === "number" ? toQuantity(block) : block);

async function headerOf(provider: Provider, block: BlockPoint): Promise<Header | undefined> {
  const send = sendOf(provider);
  const found = await (send ? send("eth_getBlockByNumber", [tagOf(block), false]) : provider.getBlock(block));
  if (found === null) return undefined;
  const header = {
    number: numberIn(found, "number"),
    hash: hashIn(found, "hash"),
    parentHash: hashIn(found, "parentHash"),
  };
  if (typeof block === "number" && header.number !== block)
    throw malformed(`block ${header.number} when it was asked for ${block}`);
  return header;
}

async function logsOf(
  provider: Provider,
  { address, topics }: LogFilter,
  where: { fromBlock: number; toBlock: number } | { blockHash: string },
): Promise<RawLog[]> {
  const send = sendOf(provider);
  if (send === undefined)
    return (await provider.getLogs({ address, topics, ...where })).map(({ index, ...log }) =>
      rawLog({ ...log, logIndex: index }),
    );
  const place =
    "blockHash" in where ? where : { fromBlock: toQuantity(where.fromBlock), toBlock: toQuantity(where.toBlock) };
  const logs = await send("eth_getLogs", [{ address, topics, ...place }]);
  if (!Array.isArray(logs)) throw malformed("no list of logs");
  return logs.map(rawLog);
}

const rawLog = (log: unknown): RawLog => {
  const topics = read(log, "topics");
  if (!Array.isArray(topics)) throw malformed("a log without topics");
  return {
    address: hexIn(log, "address", ADDRESS_BYTES),
    topics: topics.map((_, i) => hexIn(topics, String(i), HASH_BYTES)),
    data: hexIn(log, "data"),
    blockNumber: numberIn(log, "blockNumber"),
    blockHash: hashIn(log, "blockHash"),
    txHash: hashIn(log, "transactionHash"),
    logIndex: numberIn(log, "logIndex"),
  };
};

const ADDRESS_BYTES = 20;
const HASH_BYTES = 32;

const malformed = (what: string): CarepactError =>
  new CarepactError("NODE_INCONSISTENT", `The node answered ${what}: it is broken, or no node of this kind of chain.`);

function hexIn(holder: unknown, key: string, bytes: number | true = true): string {
  const value = read(holder, key);
  if (!isHexString(value, bytes)) throw malformed(`something that is no ${key}`);
  return value.toLowerCase();
}

const hashIn = (holder: unknown, key: string): string => hexIn(holder, key, HASH_BYTES);

/** A quantity of JSON-RPC, or the number that ethers made of it. */
function numberIn(holder: unknown, key: string): number {
  const value = read(holder, key);
  const number = typeof value === "number" || isHexString(value) ? Number(value) : NaN;
  // "0x" is hex as well, and no number.
  if (value === "0x" || !Number.isSafeInteger(number) || number < 0) throw malformed(`something that is no ${key}`);
  return number;
}
