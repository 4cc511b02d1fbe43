/** One unavoidable cost of an operation. */
export interface FloorItem {
  what: string;
  gas: number;
}

// Prices of Osaka: EIP-2028 (calldata), EIP-2929 (cold), EIP-2200 (slots), EIP-1153 (transient), and the yellow paper's.
const COLD_ACCOUNT = 2_600;
const COLD_READ = 2_100;
const COLD_CHANGE = 5_000;
const COLD_NEW_SLOT = 22_100;
const TRANSIENT = 100;
const HASH = 30;
const HASH_WORD = 6;
/** Copied, and memory grown by it. */
const WORD_TO_MEMORY = 6;
/** The cheapest opcodes that compute. */
const STEP = 3;

const calldata = (nonZero: number, zero: number): FloorItem => ({
  what: `calldata: ${nonZero} non-zero bytes, ${zero} zero bytes`,
  gas: 16 * nonZero + 4 * zero,
});
const log = (event: string, topics: number, bytes: number): FloorItem => ({
  what: `event ${event}: ${topics} topics, ${bytes} bytes`,
  gas: 375 + 375 * topics + 8 * bytes,
});
const read = (slot: string): FloorItem => ({ what: `read ${slot}`, gas: COLD_READ });
const change = (slot: string): FloorItem => ({ what: `read and change ${slot}`, gas: COLD_CHANGE });
const create = (slot: string): FloorItem => ({ what: `a new slot: ${slot}`, gas: COLD_NEW_SLOT });

const transaction: FloorItem = { what: "transaction", gas: 21_000 };
const proxy = (calldataWords: number): FloorItem => ({
  what: "proxy: slot and account of the implementation, calldata handed on",
  gas: COLD_READ + COLD_ACCOUNT + calldataWords * WORD_TO_MEMORY,
});
/** Loaded, compared, and jumped on: code that trusts no argument does so once for each word. */
const checkedArguments = (words: number): FloorItem => ({
  what: `arguments: ${words} words loaded and held against their bounds`,
  gas: words * (3 + 3 + 10),
});
/** Compared, jumped on, jumped to. */
const rounds = (what: string, count: number): FloorItem => ({ what, gas: count * (3 + 10 + 1) });
const guard: FloorItem = { what: "transient reentrancy guard: read, set, clear", gas: 3 * TRANSIENT };
/** Brought to memory and hashed; one entry of `words` for each hash. */
const hashes = (what: string, ...words: number[]): FloorItem => ({
  what,
  gas: words.reduce((sum, count) => sum + HASH + count * (HASH_WORD + WORD_TO_MEMORY), 0),
});
const batchId = hashes("batch id: EIP-712 hashes of domain, terms, both", 5, 9, 3);
const places = (count: number): FloorItem =>
  hashes(`places of mappings: ${count} hashes`, ...Array<number>(count).fill(2));

/**
 * What operations cannot cost less than under the protocol's rules, however well they are written: the transaction, its
 * calldata, the proxy, slots and events, and the hashes and sums that checks consist of, at the bare price of their opcodes.
 * ABI decoding beyond one check of each word, stack and control flow come on top. Fixed numbers, so that an operation that grows does not raise its
 * own floor.
 */
export const floors = {
  "reverse.1of500": [
    transaction,
    calldata(831, 549),
    proxy(44),
    checkedArguments(44),
    read("the stop clock"),
    change("the batch's slot"),
    create("the first closed line among 256"),
    change("the payer's balances"),
    log("LinesReversed", 3, 128),
    batchId,
    hashes("hash of 10 groups", 10),
    hashes("leaf of 50 amounts, and 5 nodes up to the manifest root", 9, 2, 2, 2, 2, 2),
    { what: "sum of 50 amounts: load, shift, add, step", gas: 50 * 7 * STEP },
    rounds("rounds of that sum, four amounts each", 13),
    places(5),
  ],
  "refund.1": [
    transaction,
    calldata(188, 296),
    proxy(16),
    checkedArguments(16),
    guard,
    read("the stop clock"),
    read("the batch's slot"),
    create("what this payee refunded of this batch"),
    change("the payee's balances"),
    change("the payer's balances"),
    log("Refunded", 3, 64),
    batchId,
    hashes("hash of 1 group", 1),
    places(6),
  ],
  "payout.1": [
    transaction,
    calldata(43, 25),
    proxy(3),
    checkedArguments(3),
    guard,
    change("the payee's balances"),
    log("PaidOut", 4, 32),
    { what: "account of the token", gas: COLD_ACCOUNT },
    change("the escrow's balance in the token"),
    change("the payee's balance in the token"),
    { what: "the issuer's blacklist, for sender and receiver", gas: 2 * COLD_READ },
    log("Transfer", 3, 32),
    places(6),
  ],
} satisfies Record<string, readonly FloorItem[]>;

/** Sum of the items, in gas. */
export const totalOf = (items: readonly FloorItem[]): number => items.reduce((sum, { gas }) => sum + gas, 0);
