import type { Provider, TransactionReceipt, TransactionResponse } from "ethers";

import { CarepactError, isCarepactError } from "../errors";

import { decodeError } from "./decodeError";
import { sleep } from "./options";

/** Milliseconds between questions, for providers that do not say. */
const POLLING_MS = 4_000;
/** How often in a row the node may fail to answer. */
const MOST_FAILURES = 3;
const TRANSIENT = ["NODE_UNREACHABLE", "RATE_LIMITED"] as const;
/** How many of the newest blocks are looked through again. */
const UNSETTLED = 3;

/** What of a transaction tells it from one that took its place. */
type Waited = Pick<TransactionResponse, "hash" | "from" | "nonce" | "to" | "data" | "value">;

/**
 * The receipt of a transaction, or of the same call under another hash: one that was sped up in the wallet. Asks until the
 * signal is aborted, and leaves nothing behind then.
 * @param since Newest block before it was sent
 * @throws TRANSACTION_REPLACED once another transaction of the same nonce has as many confirmations
 */
export async function receiptOf(
  provider: Provider,
  transaction: Waited,
  { confirmations, since, signal }: { confirmations: number; since: number; signal: AbortSignal },
): Promise<TransactionReceipt> {
  const pollingMs = (provider as { pollingInterval?: number }).pollingInterval ?? POLLING_MS;
  let scanned = since - 1;
  let failures = 0;
  /** What is waited for: the transaction, or what took its place. */
  let mined: Waited = transaction;

  const deepEnough = async (receipt: TransactionReceipt): Promise<TransactionReceipt | undefined> =>
    confirmations === 1 || (await provider.getBlockNumber()) - receipt.blockNumber + 1 >= confirmations
      ? receipt
      : undefined;

  /** The mined transaction of the same account and nonce, as far as blocks show it. */
  const successor = async (): Promise<Waited | undefined> => {
    if ((await provider.getTransactionCount(transaction.from)) <= transaction.nonce) return undefined;
    const head = await provider.getBlockNumber();
    for (let number = Math.max(scanned + 1, 0); number <= head; number += 1) {
      signal.throwIfAborted();
      const block = await provider.getBlock(number, true);
      const found = block?.prefetchedTransactions.find(
        ({ from, nonce }) => nonce === transaction.nonce && same(from, transaction.from),
      );
      if (block === null || found !== undefined) return found;
      // The newest blocks may still be exchanged for others.
      scanned = Math.max(scanned, number - UNSETTLED);
    }
    return undefined;
  };

  const look = async (): Promise<TransactionReceipt | undefined> => {
    const known = await provider.getTransactionReceipt(mined.hash);
    if (known !== null) return deepEnough(known);
    // What took its place may itself have been taken back by a reorganization.
    mined = (await successor()) ?? transaction;
    const found = mined === transaction ? null : await provider.getTransactionReceipt(mined.hash);
    return found === null ? undefined : deepEnough(found);
  };

  for (;;) {
    signal.throwIfAborted();
    try {
      const receipt = await look();
      if (receipt !== undefined) {
        if (!isSameCall(mined, transaction)) throw replacedError(mined.hash);
        return receipt;
      }
      failures = 0;
    } catch (thrown) {
      const error = decodeError(thrown);
      failures += 1;
      if (failures > MOST_FAILURES || !TRANSIENT.some((code) => isCarepactError(error, code))) throw error;
    }
    await sleep(pollingMs, signal);
  }
}

const same = (one: string | null, other: string | null): boolean => one?.toLowerCase() === other?.toLowerCase();

const isSameCall = (one: Waited, other: Waited): boolean =>
  same(one.data, other.data) && same(one.to, other.to) && one.value === other.value;

const replacedError = (replacedBy: string): CarepactError =>
  new CarepactError(
    "TRANSACTION_REPLACED",
    "The transaction was replaced by another in the wallet, and will not be mined.",
    { replacedBy },
  );
