/**
 * Independent bookkeeping of one escrow. It knows nothing but the escrow's events and views, as anybody can read them from a
 * node: it adds up what the events say, account by account and batch by batch, and holds the sums against what the chain says.
 * On purpose it shares no code with the contracts' tests, the SDK or the demo: an error there must not repeat itself here.
 */
import { Interface, type LogDescription, type Result } from "ethers";

import { move, note, tokenBook } from "./booksEntries";
import { bookFunding, bookInBatch } from "./booksOfBatches";
import type { AccountBook, Books, BooksReport, ChainReadings, InequalityName } from "./booksTypes";

export type { Books, BooksReport, ChainReadings, InequalityName } from "./booksTypes";

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
  "event ResultsPresented(bytes32 indexed batchId, bytes32 indexed attestation, uint256 indexed firstLine, bytes results)",
  "event PresentationSettled(bytes32 indexed batchId, uint256 indexed firstLine)",
  "event LineDisputed(bytes32 indexed batchId, address indexed by, uint256 indexed line, uint256 firstLine, uint256 amount, uint256 attestedAmount, uint256 bond)",
  "event DisputeResolved(bytes32 indexed batchId, address indexed payee, uint256 indexed line, uint256 award, uint256 returned, bool byArbiter, address bondTo, uint256 bond)",
  "event PaymentsRetained(bytes32 indexed batchId, uint256 indexed firstLine, uint256[] amounts)",
  "event Recouped(bytes32 indexed batchId, address indexed payee, uint256 indexed firstLine, uint256 amount)",
  "event RetentionReleased(bytes32 indexed batchId, address indexed payee, uint256 indexed firstLine, uint256 amount)",
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
      note(
        books,
        "SETTLEMENT_INCOMPLETE",
        `batch ${batch.batchId}`,
        "the settlement's own event after GroupSettled",
        "none",
      );
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
  for (const [batchId, { unsettled, paidInFull, wasPresented }] of books.batches) {
    const status = chain.statuses.get(batchId);
    const isPart = wasPresented && status !== undefined && status.open <= unsettled;
    if (!isPart) same("OPEN_DIFFERS", `batch ${batchId}`, unsettled, status?.open);
    same("STATUS_DIFFERS", `batch ${batchId}: funded`, true, status?.funded);
    same("STATUS_DIFFERS", `batch ${batchId}: paid in full`, paidInFull, status?.paidInFull);
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

/** What the escrow owes in one token: free balances, credits, bonds, and what in batches is neither paid nor back. Base units. */
export function owedIn(books: Books, token: string): bigint {
  let owed = 0n;
  for (const entry of books.accounts.values()) if (entry.token === token) owed += entry.free + entry.credit;
  for (const entry of books.batches.values())
    if (entry.token === token) owed += entry.unsettled + entry.frozen + entry.retained;
  return owed + (books.tokens.get(token)?.bonds ?? 0n);
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
