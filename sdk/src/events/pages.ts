import { failureOf } from "./failures";
import type { Header, Node, RawLog } from "./node";
import type { CompiledQuery } from "./query";
import { nextBlockOf, tipOf, type Position } from "./trail";

/** A block with events that the query wants, all of them, in order. */
export interface BlockOfLogs {
  number: number;
  hash: string;
  logs: RawLog[];
}

/** Some blocks of one chain, which goes on from the position that it was asked for. */
export interface Page {
  blocks: BlockOfLogs[];
  /** Its last block, with or without events. */
  end: { number: number; hash: string };
}

/** Reads page after page. */
export interface Pager {
  /**
   * The next blocks behind a position, at most up to `target`; undefined when the node's answers do not fit together, as
   * while the chain is reorganized: look where the chain stands, and ask again.
   */
  page(position: Position, head: Header, target: number): Promise<Page | undefined>;
}

/**
 * So many of the newest blocks are read one by one, by their hash. A range near the chain's head may be answered from
 * another fork, or by a node that lags behind and leaves out what it does not know, and nothing would show it.
 */
const NEAR_HEAD = 8;

/** After how many pages of one size a larger one is tried. */
const SOONEST_TRIAL = 4;
const LATEST_TRIAL = 256;

export function pagerOf(node: Node, query: CompiledQuery, pageBlocks: number): Pager {
  const span = spanUpTo(pageBlocks);
  const patience = node.patience();

  async function farPage(position: Position, last: number): Promise<Page | undefined> {
    const fromBlock = nextBlockOf(position);
    for (;;) {
      const toBlock = Math.min(fromBlock + span.size() - 1, last);
      const end = await node.header(toBlock);
      if (end === undefined) return undefined;
      const logs = await rangeOf(fromBlock, toBlock);
      if (logs === undefined) continue;
      // What was asked for afterwards shows that the chain stood still meanwhile, and that it goes on from the position.
      const [first, next] = await Promise.all([node.header(fromBlock), node.header(toBlock + 1)]);
      if (first === undefined || !goesOn(position, first) || next?.parentHash !== end.hash) return undefined;
      const known = [first, end, { number: next.number, hash: next.hash }];
      return pageOf(query, logs, { fromBlock, end }, known);
    }
  }

  async function nearPage(position: Position, head: Header, last: number): Promise<Page | undefined> {
    const fromBlock = nextBlockOf(position);
    const numbers = Array.from({ length: last - fromBlock + 1 }, (_, i) => fromBlock + i);
    const headers = await Promise.all(
      numbers.map(async (number) => (number === head.number ? head : node.header(number))),
    );
    const chain = headers.filter((header) => header !== undefined);
    const [first, end] = [chain[0], chain.at(-1)];
    if (first === undefined || end === undefined || chain.length < headers.length) return undefined;
    if (!goesOn(position, first) || chain.some(({ parentHash }, i) => i > 0 && parentHash !== chain[i - 1]?.hash))
      return undefined;
    const answers = await Promise.allSettled(chain.map(({ hash }) => node.logsOf(query.filter, hash)));
    const failed = answers.find((answer) => answer.status === "rejected");
    if (failed !== undefined) {
      // A block that is not known any more is refused: then the next look at the chain shows it.
      if (failureOf(failed.reason) !== "refused") throw failed.reason;
      await patience.wait(failed.reason);
      return undefined;
    }
    patience.failures = 0;
    const logs = answers.flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
    return pageOf(query, logs, { fromBlock, end }, chain);
  }

  /** The logs, or undefined when it is to be asked for less, or again. */
  async function rangeOf(fromBlock: number, toBlock: number): Promise<RawLog[] | undefined> {
    const blocks = toBlock - fromBlock + 1;
    try {
      const logs = await node.logsBetween(query.filter, fromBlock, toBlock);
      patience.failures = 0;
      span.answered(blocks);
      return logs;
    } catch (thrown) {
      const failure = failureOf(thrown);
      if (failure === "own") throw thrown;
      const transient = failure === "later";
      // What fails again and again for no reason that is understood may be too large all the same.
      const less = blocks > 1 && (!transient || patience.failures > 0);
      if (less) span.refused(blocks, transient);
      // A smaller range is another question, and may be asked at once.
      if (transient || !less) await patience.wait(thrown);
      return undefined;
    }
  }

  return {
    page: (position, head, target) => {
      const far = Math.min(target, head.number - NEAR_HEAD);
      return nextBlockOf(position) <= far ? farPage(position, far) : nearPage(position, head, target);
    },
  };
}

/** Whether a block is the next one of a position, or the one that the position is in. */
function goesOn(position: Position, first: Header): boolean {
  const { hash } = tipOf(position);
  return hash === undefined || hash === (position.open ? first.hash : first.parentHash);
}

/** Blocks of logs; undefined when a log is not of one of the blocks that it should be of. */
function pageOf(
  query: CompiledQuery,
  logs: readonly RawLog[],
  { fromBlock, end }: { fromBlock: number; end: Header },
  known: readonly { number: number; hash: string }[],
): Page | undefined {
  const hashes = new Map(known.map(({ number, hash }) => [number, hash]));
  const blocks = new Map<number, Map<number, RawLog>>();
  for (const log of logs) {
    const { blockNumber, blockHash, logIndex } = log;
    if (!(blockNumber >= fromBlock && blockNumber <= end.number)) return undefined;
    const expected = hashes.get(blockNumber) ?? blockHash;
    if (blockHash !== expected) return undefined;
    hashes.set(blockNumber, expected);
    if (query.kindOf(log) === undefined) continue;
    const block = blocks.get(blockNumber) ?? new Map<number, RawLog>();
    blocks.set(blockNumber, block.set(logIndex, log));
  }
  return {
    end: { number: end.number, hash: end.hash },
    blocks: [...blocks.entries()]
      .sort(([a], [b]) => a - b)
      .map(([number, block]) => ({
        number,
        hash: hashes.get(number) ?? "",
        logs: [...block.values()].sort((a, b) => a.logIndex - b.logIndex),
      })),
  };
}

interface Span {
  size(): number;
  answered(blocks: number): void;
  /** A failure that says nothing of the size makes it smaller only for now. */
  refused(blocks: number, transient: boolean): void;
}

/**
 * How many blocks to ask for: half of what was refused, then more again, between what was answered and what was refused.
 * Once these are close the size stays, and a larger one is tried now and then, since blocks differ in what they hold; the
 * less often, the more often that was refused.
 */
function spanUpTo(most: number): Span {
  let size = most;
  let answered = 0;
  let ceiling = most;
  let steady = 0;
  let steadyUntil = SOONEST_TRIAL;
  let trying = false;
  return {
    size: () => size,
    answered: (blocks) => {
      // The last pages are small for want of blocks: that says nothing.
      if (blocks < size) return;
      if (size >= answered * 1.5) steadyUntil = SOONEST_TRIAL;
      answered = size;
      const room = ceiling - size;
      if (room > ceiling / 8) {
        size = Math.min(size * 2, ceiling === most ? most : size + Math.ceil(room / 2));
        return;
      }
      steady += 1;
      if (steady < steadyUntil || ceiling === most) return;
      steady = 0;
      trying = true;
      ceiling = Math.min(ceiling * 2, most);
      size = Math.min(size * 2, ceiling);
    },
    refused: (blocks, transient) => {
      if (!transient) ceiling = Math.max(1, Math.min(ceiling, blocks - 1));
      if (!transient && trying) steadyUntil = Math.min(steadyUntil * 2, LATEST_TRIAL);
      trying = false;
      if (answered >= blocks) answered = 0;
      size = Math.max(1, answered, Math.floor(blocks / 2));
      steady = 0;
    },
  };
}
