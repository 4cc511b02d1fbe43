import { ethers } from "hardhat";

/** An event as it stands in a receipt. */
export interface SeenLog {
  address: string;
  topics: readonly string[];
  data: string;
}

/** A transaction as anybody sees it who has the chain. */
export interface SeenTransaction {
  hash: string;
  from: string;
  to: string;
  data: string;
  /** Unix seconds of its block. */
  time: number;
  logs: readonly SeenLog[];
}

/** Reads all that happened after block `from`: each transaction with its sender, calldata, time and events. */
export async function record(from: number): Promise<SeenTransaction[]> {
  const seen: SeenTransaction[] = [];
  const last = await ethers.provider.getBlockNumber();
  for (let number = from + 1; number <= last; number++) {
    const block = await ethers.provider.getBlock(number, true);
    for (const { hash, from: sender, to, data } of block?.prefetchedTransactions ?? []) {
      const receipt = await ethers.provider.getTransactionReceipt(hash);
      const logs = (receipt?.logs ?? []).map((log) => ({
        address: log.address.toLowerCase(),
        topics: log.topics,
        data: log.data,
      }));
      seen.push({
        hash,
        from: sender.toLowerCase(),
        to: (to ?? "").toLowerCase(),
        data,
        time: block?.timestamp ?? 0,
        logs,
      });
    }
  }
  return seen;
}

/** The 32-byte words of calldata behind its selector. */
export function wordsOf(data: string): string[] {
  const words: string[] = [];
  for (let at = 10; at + 64 <= data.length; at += 64) words.push(`0x${data.slice(at, at + 64)}`);
  return words;
}
