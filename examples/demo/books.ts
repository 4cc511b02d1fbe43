/**
 * Independent bookkeeping of one escrow. It knows nothing but the escrow's events and views, as anybody can read them from a
 * node: it adds up what the events say, account by account and batch by batch, and holds the sums against what the chain says.
 * On purpose it shares no code with the contracts' tests, the SDK or the demo: an error there must not repeat itself here.
 */
import { Interface, type LogDescription, type Result } from "ethers";

/** A node, as EIP-1193 asks it. */
export interface Node {
  request(call: { method: string; params?: unknown[] }): Promise<unknown>;
}

/** A log as `eth_getLogs` returns it; of more fields than these nothing is read. */
export interface RawLog {
  topics: string[];
  data: string;
  blockNumber: string;
  transactionHash: string;
  logIndex: string;
}

/** Sums over all events of one token, and what they lead to. Base units. */
export interface TokenBook {
  token: string;
  deposited: bigint;
  withdrawn: bigint;
  funded: bigint;
  paid: bigint;
  freed: bigint;
  reversed: bigint;
  reclaimed: bigint;
  refundedFromCredit: bigint;
  refundedInTokens: bigint;
  paidOut: bigint;
}

/** What one account should have in one token. Base units. */
export interface AccountBook {
  token: string;
  account: string;
  free: bigint;
  credit: bigint;
}

/** What became of one claim batch. Base units. */
export interface BatchBook {
  batchId: string;
  token: string;
  payer: string;
  total: bigint;
  paid: bigint;
  freed: bigint;
  reversed: bigint;
  reclaimed: bigint;
  open: bigint;
  /** Attestations that settled something. */
  settlements: number;
  /** What each payee was paid and has refunded. */
  payees: Map<string, { paid: bigint; refunded: bigint }>;
  /** Amounts of GroupSettled events whose ClaimBatchSettled has not come yet. */
  unfinished: bigint;
}

/** What can be wrong with books. */
export const inequalityNames = {
  EVENT_TWICE: "The same event stands in the input twice.",
  EVENT_UNREADABLE: "An event's data does not decode.",
  EVENT_OF_UNKNOWN_BATCH: "An event names a claim batch that was never funded.",
  BATCH_FUNDED_TWICE: "A claim batch was funded twice.",
  SETTLEMENT_INCOMPLETE: "A settlement's events of groups and of the batch do not belong together.",
  RECLAIM_LEFT_OPEN: "A reclaim did not return all that was open.",
  REFUND_ABOVE_PAID: "A payee refunded more than it was paid from the batch.",
  BELOW_ZERO: "More left an account or batch than was in it.",
  FREE_DIFFERS: "A free balance is not what the events add up to.",
  CREDIT_DIFFERS: "A credit is not what the events add up to.",
  OPEN_DIFFERS: "The open amount of a claim batch is not what the events add up to.",
  STATUS_DIFFERS: "The chain says otherwise whether a claim batch is funded, or paid in full.",
  SUM_DIFFERS: "What came in and did not go out is not what accounts and open batches add up to.",
  TOKENS_MISSING: "The escrow holds fewer tokens than it owes.",
  TOKENS_UNEXPLAINED: "The escrow holds more tokens than its events explain.",
} as const;
export type InequalityName = keyof typeof inequalityNames;

/** One thing that does not hold. Safe to log as JSON: amounts are decimal strings of base units. */
export interface Inequality {
  name: InequalityName;
  message: string;
  /** Token, account, batch or event it is about. */
  about: string;
  /** What the events say. */
  expected: string;
  /** What the chain says, or the other events. */
  found: string;
}

/** What events alone add up to. */
export interface Books {
  events: number;
  tokens: Map<string, TokenBook>;
  accounts: Map<string, AccountBook>;
  batches: Map<string, BatchBook>;
  inequalities: Inequality[];
}

/** What the chain says, read at one block. Keys as in {@link Books}. */
export interface ChainReadings {
  /** Tokens that the escrow holds. */
  held: Map<string, bigint>;
  balances: Map<string, { free: bigint; credit: bigint }>;
  statuses: Map<string, { funded: boolean; paidInFull: boolean; open: bigint }>;
}

/** The books, held against the chain. */
export interface BooksReport extends Books {
  balanced: boolean;
  /** Per token: what the escrow holds. */
  held: Map<string, bigint>;
}

const events = new Interface([
  "event Deposited(address indexed token, address indexed payer, address indexed from, uint256 amount)",
  "event Withdrawn(address indexed token, address indexed payer, address indexed to, uint256 amount)",
  "event PaidOut(address indexed token, address indexed payee, address indexed to, uint256 amount)",
  "event ClaimBatchFunded(bytes32 indexed batchId, address indexed payer, bytes32 indexed rulebook, address token, uint256 total)",
  "event GroupSettled(bytes32 indexed batchId, address indexed payee, uint256 paid, uint256 freed)",
  "event ClaimBatchSettled(bytes32 indexed batchId, bytes32 indexed attestation, bytes results)",
  "event LinesReversed(bytes32 indexed batchId, address indexed payee, uint256 amount, uint256[] lines)",
  "event ClaimBatchReclaimed(bytes32 indexed batchId, uint256 amount)",
  "event Refunded(bytes32 indexed batchId, address indexed payee, uint256 amount, bool fromCredit)",
]);

const views = new Interface([
  "function balanceOf(address account) view returns (uint256)",
  "function balancesOf(address account, address token) view returns (uint256 free, uint256 credit)",
  "function claimBatchStatusOf(bytes32 batchId) view returns (tuple(bool funded, bool paidInFull, uint96 open, uint40 stoppedAtFunding))",
]);

/** Nodes limit how many blocks one question may span. */
const BLOCKS_A_PAGE = 10_000;

const hex = (value: number): string => `0x${value.toString(16)}`;

/** The escrow's money events from block `from` to block `to`, both included. */
export async function readLogs(node: Node, escrow: string, from: number, to: number): Promise<RawLog[]> {
  const topics = [events.fragments.map((fragment) => events.getEvent(fragment.format("sighash"))?.topicHash)];
  const logs: RawLog[] = [];
  for (let first = from; first <= to; first += BLOCKS_A_PAGE) {
    const last = Math.min(first + BLOCKS_A_PAGE - 1, to);
    const filter = { address: escrow, topics, fromBlock: hex(first), toBlock: hex(last) };
    logs.push(...((await node.request({ method: "eth_getLogs", params: [filter] })) as RawLog[]));
  }
  return logs;
}

/** Adds up what events say. Pure: the same logs give the same books, in whatever order they come. */
export function keepBooks(logs: readonly RawLog[]): Books {
  const books: Books = { events: 0, tokens: new Map(), accounts: new Map(), batches: new Map(), inequalities: [] };
  const seen = new Set<string>();
  const inOrder = [...logs].sort(
    (a, b) => Number(a.blockNumber) - Number(b.blockNumber) || Number(a.logIndex) - Number(b.logIndex),
  );
  for (const log of inOrder) {
    const place = `event ${Number(log.logIndex)} of block ${Number(log.blockNumber)}, transaction ${log.transactionHash}`;
    if (seen.has(place)) {
      note(books, "EVENT_TWICE", place, "once", "twice");
      continue;
    }
    seen.add(place);
    const event = decode(books, log, place);
    if (event === undefined) continue;
    books.events += 1;
    book(books, event, place);
  }
  for (const batch of books.batches.values())
    if (batch.unfinished !== 0n)
      note(books, "SETTLEMENT_INCOMPLETE", `batch ${batch.batchId}`, "ClaimBatchSettled after GroupSettled", "none");
  return books;
}

function decode(books: Books, log: RawLog, place: string): LogDescription | undefined {
  try {
    return events.parseLog(log) ?? undefined;
  } catch {
    note(books, "EVENT_UNREADABLE", place, "an event of this kind", "data that does not decode");
    return undefined;
  }
}

function note(books: Books, name: InequalityName, about: string, expected: unknown, found: unknown): void {
  books.inequalities.push({
    name,
    message: inequalityNames[name],
    about,
    expected: String(expected),
    found: String(found),
  });
}

const NOTHING_YET: Omit<TokenBook, "token"> = {
  deposited: 0n,
  withdrawn: 0n,
  funded: 0n,
  paid: 0n,
  freed: 0n,
  reversed: 0n,
  reclaimed: 0n,
  refundedFromCredit: 0n,
  refundedInTokens: 0n,
  paidOut: 0n,
};

function entryOf<Value>(map: Map<string, Value>, key: string, create: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const created = create();
  map.set(key, created);
  return created;
}

const tokenBook = (books: Books, token: string): TokenBook =>
  entryOf(books.tokens, token, () => ({ token, ...NOTHING_YET }));

/** Key of an account's entry. */
const accountKey = (token: string, account: string): string => `${account} in ${token}`;

function move(books: Books, token: string, account: string, side: "free" | "credit", by: bigint): void {
  const key = accountKey(token, account);
  const entry = entryOf(books.accounts, key, () => ({ token, account, free: 0n, credit: 0n }));
  entry[side] += by;
  if (entry[side] < 0n) note(books, "BELOW_ZERO", `${side} of ${key}`, "zero or more", entry[side]);
}

/** Books one event. Every entry that takes from one side gives to another. */
function book(books: Books, { name, args }: LogDescription, place: string): void {
  switch (name) {
    case "Deposited": {
      const { token, payer, amount } = args as Result & { token: string; payer: string; amount: bigint };
      tokenBook(books, token).deposited += amount;
      return move(books, token, payer, "free", amount);
    }
    case "Withdrawn": {
      const { token, payer, amount } = args as Result & { token: string; payer: string; amount: bigint };
      tokenBook(books, token).withdrawn += amount;
      return move(books, token, payer, "free", -amount);
    }
    case "PaidOut": {
      const { token, payee, amount } = args as Result & { token: string; payee: string; amount: bigint };
      tokenBook(books, token).paidOut += amount;
      return move(books, token, payee, "credit", -amount);
    }
    case "ClaimBatchFunded":
      return bookFunding(books, args as Result & { batchId: string; payer: string; token: string; total: bigint });
    default:
      return bookInBatch(books, name, args, place);
  }
}

function bookFunding(
  books: Books,
  { batchId, payer, token, total }: { batchId: string; payer: string; token: string; total: bigint },
): void {
  if (books.batches.has(batchId))
    return note(books, "BATCH_FUNDED_TWICE", `batch ${batchId}`, "one funding", "another one");
  const none = { paid: 0n, freed: 0n, reversed: 0n, reclaimed: 0n, settlements: 0, unfinished: 0n };
  books.batches.set(batchId, { batchId, token, payer, total, open: total, payees: new Map(), ...none });
  tokenBook(books, token).funded += total;
  move(books, token, payer, "free", -total);
}

function bookInBatch(books: Books, name: string, args: Result, place: string): void {
  const { batchId, payee, amount } = args as Result & { batchId: string; payee: string; amount: bigint };
  const batch = books.batches.get(batchId);
  if (batch === undefined) return note(books, "EVENT_OF_UNKNOWN_BATCH", place, "a funded batch", batchId);
  const token = tokenBook(books, batch.token);
  const share = (account: string) => entryOf(batch.payees, account, () => ({ paid: 0n, refunded: 0n }));

  switch (name) {
    case "GroupSettled": {
      const { paid, freed } = args as Result & { paid: bigint; freed: bigint };
      batch.paid += paid;
      batch.freed += freed;
      batch.unfinished += paid + freed;
      share(payee).paid += paid;
      token.paid += paid;
      token.freed += freed;
      move(books, batch.token, payee, "credit", paid);
      move(books, batch.token, batch.payer, "free", freed);
      return close(books, batch, paid + freed);
    }
    case "ClaimBatchSettled":
      batch.settlements += 1;
      if (batch.unfinished === 0n) note(books, "SETTLEMENT_INCOMPLETE", place, "GroupSettled before it", "none");
      batch.unfinished = 0n;
      return;
    case "LinesReversed":
      batch.reversed += amount;
      token.reversed += amount;
      move(books, batch.token, batch.payer, "free", amount);
      return close(books, batch, amount);
    case "ClaimBatchReclaimed":
      batch.reclaimed += amount;
      token.reclaimed += amount;
      move(books, batch.token, batch.payer, "free", amount);
      close(books, batch, amount);
      if (batch.open !== 0n) note(books, "RECLAIM_LEFT_OPEN", `batch ${batchId}`, 0n, batch.open);
      return;
    case "Refunded": {
      const { fromCredit } = args as Result & { fromCredit: boolean };
      const entry = share(payee);
      entry.refunded += amount;
      if (entry.refunded > entry.paid)
        note(books, "REFUND_ABOVE_PAID", `${payee} in batch ${batchId}`, entry.paid, entry.refunded);
      if (fromCredit) token.refundedFromCredit += amount;
      else token.refundedInTokens += amount;
      if (fromCredit) move(books, batch.token, payee, "credit", -amount);
      return move(books, batch.token, batch.payer, "free", amount);
    }
  }
}

function close(books: Books, batch: BatchBook, amount: bigint): void {
  batch.open -= amount;
  if (batch.open < 0n) note(books, "BELOW_ZERO", `open amount of batch ${batch.batchId}`, "zero or more", batch.open);
}

/** Asks the chain, at one block, about every token, account and batch that the books know. */
export async function readChain(node: Node, escrow: string, books: Books, block: number): Promise<ChainReadings> {
  const ask = async (to: string, name: string, values: unknown[]): Promise<Result> => {
    const call = { to, data: views.encodeFunctionData(name, values) };
    const answer = await node.request({ method: "eth_call", params: [call, hex(block)] });
    return views.decodeFunctionResult(name, answer as string);
  };
  const readings: ChainReadings = { held: new Map(), balances: new Map(), statuses: new Map() };
  for (const token of books.tokens.keys())
    readings.held.set(token, (await ask(token, "balanceOf", [escrow]))[0] as bigint);
  for (const [key, { account, token }] of books.accounts) {
    const { free, credit } = (await ask(escrow, "balancesOf", [account, token])) as Result & AccountBook;
    readings.balances.set(key, { free, credit });
  }
  for (const batchId of books.batches.keys()) {
    const [status] = (await ask(escrow, "claimBatchStatusOf", [batchId])) as unknown as [
      { funded: boolean; paidInFull: boolean; open: bigint },
    ];
    readings.statuses.set(batchId, { funded: status.funded, paidInFull: status.paidInFull, open: status.open });
  }
  return readings;
}

/** What of the chain's tokens is not an error. */
export interface BooksOptions {
  /** Somebody may have sent the escrow tokens by hand, which no event of the escrow tells. False unless given. */
  allowSurplus?: boolean;
}

/** Holds the books against the chain. */
export function compareBooks(books: Books, chain: ChainReadings, options: BooksOptions = {}): BooksReport {
  const report: BooksReport = {
    ...books,
    inequalities: [...books.inequalities],
    held: chain.held,
    balanced: false,
  };
  const same = (name: InequalityName, about: string, expected: unknown, found: unknown): void => {
    if (expected !== found) note(report, name, about, expected, found ?? "nothing");
  };

  for (const [key, { free, credit }] of books.accounts) {
    same("FREE_DIFFERS", key, free, chain.balances.get(key)?.free);
    same("CREDIT_DIFFERS", key, credit, chain.balances.get(key)?.credit);
  }
  for (const [batchId, { open, total, paid, settlements }] of books.batches) {
    const status = chain.statuses.get(batchId);
    same("OPEN_DIFFERS", `batch ${batchId}`, open, status?.open);
    same("STATUS_DIFFERS", `batch ${batchId}: funded`, true, status?.funded);
    same("STATUS_DIFFERS", `batch ${batchId}: paid in full`, settlements === 1 && paid === total, status?.paidInFull);
  }
  for (const token of books.tokens.values()) {
    const owed = owedIn(books, token.token);
    const kept = token.deposited + token.refundedInTokens - token.withdrawn - token.paidOut;
    same("SUM_DIFFERS", `token ${token.token}`, kept, owed);
    const held = chain.held.get(token.token) ?? 0n;
    if (held < owed) note(report, "TOKENS_MISSING", `token ${token.token}`, owed, held);
    if (held > owed && options.allowSurplus !== true)
      note(report, "TOKENS_UNEXPLAINED", `token ${token.token}`, owed, held);
  }
  report.balanced = report.inequalities.length === 0;
  return report;
}

/** What the escrow owes in one token: free balances, credits, and what is open in batches. Base units. */
export function owedIn(books: Books, token: string): bigint {
  let owed = 0n;
  for (const entry of books.accounts.values()) if (entry.token === token) owed += entry.free + entry.credit;
  for (const entry of books.batches.values()) if (entry.token === token) owed += entry.open;
  return owed;
}

/**
 * Reads the escrow's events from block `from` (the first unless given) up to the newest block, adds them up, and holds the sums
 * against what the chain says at that block.
 * @param change For showing that it notices: changes the events before they are added up.
 */
export async function checkBooks(
  node: Node,
  escrow: string,
  options: BooksOptions & { from?: number; change?: (logs: RawLog[]) => RawLog[] } = {},
): Promise<BooksReport> {
  const newest = Number(await node.request({ method: "eth_blockNumber" }));
  const logs = await readLogs(node, escrow, options.from ?? 0, newest);
  const books = keepBooks(options.change === undefined ? logs : options.change(logs));
  return compareBooks(books, await readChain(node, escrow, books, newest), options);
}
