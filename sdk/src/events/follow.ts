import type { Connection } from "../chain/deployment";
import { decodeError } from "../chain/decodeError";
import { CarepactError } from "../errors";

import { readCursor, writeCursor } from "./cursor";
import { nodeOf, type Header, type Node } from "./node";
import { settingsOf, type Settings } from "./options";
import { pagerOf, type BlockOfLogs } from "./pages";
import { compileQuery, type CompiledQuery } from "./query";
import {
  afterBlock,
  afterEvent,
  nextBlockOf,
  pruned,
  startAt,
  tipOf,
  toldLogOf,
  withoutLast,
  type Mark,
  type Position,
} from "./trail";
import type { BlockPoint, EventChange, EventQuery, FollowOptions, ReadQuery } from "./types";

/** What both ways of reading begin with. */
interface Session {
  query: CompiledQuery;
  node: Node;
  settings: Settings;
  chainId: number;
  start: Position;
}

async function begin(
  connection: Connection,
  query: EventQuery,
  options: FollowOptions,
  signal: AbortSignal,
): Promise<Session> {
  const { deployment } = connection;
  const { chainId } = deployment;
  const settings = settingsOf(options);
  const compiled = compileQuery(deployment, query);
  const node = nodeOf(connection, { ...settings, signal });
  const { after, fromBlock } = query;
  if (after !== undefined && fromBlock !== undefined)
    throw new CarepactError("INPUT_INVALID", "Give fromBlock, or a cursor to go on after, not both.", {
      path: "fromBlock",
    });
  const resumed = after === undefined ? undefined : readCursor(chainId, compiled, after);
  if (typeof fromBlock === "number") requireBlock("fromBlock", fromBlock);
  await node.requireChain();
  const start =
    resumed ??
    startAt(fromBlock === "latest" ? (await newestOf(node)).number + 1 : (fromBlock ?? deployment.startBlock));
  return { query: compiled, node, settings, chainId, start };
}

function requireBlock(path: string, block: number): void {
  if (!Number.isSafeInteger(block) || block < 0)
    throw new CarepactError("INPUT_INVALID", `${path} is a block number.`, { path, block });
}

async function newestOf(node: Node): Promise<Header> {
  const head = await node.header("latest");
  if (head === undefined) throw inconsistent("The node knows no newest block.");
  return head;
}

const inconsistent = (problem: string): CarepactError => new CarepactError("NODE_INCONSISTENT", problem);

/** Tells what becomes of a query's events, for ever. */
export async function* follow(
  connection: Connection,
  query: EventQuery,
  options: FollowOptions,
  signal: AbortSignal,
): AsyncGenerator<EventChange, void, undefined> {
  const session = await begin(connection, query, options, signal);
  const { node, settings } = session;
  const { startBlock } = connection.deployment;
  const walk = walkOf(session);
  for (;;) {
    const head = await newestOf(node);
    if (head.number >= startBlock) yield* walk.upTo(head, head.number - settings.confirmations);
    await node.rest(settings.pollMs);
  }
}

/** Tells a query's events once. */
export async function* read(
  connection: Connection,
  query: ReadQuery,
  options: FollowOptions,
  signal: AbortSignal,
): AsyncGenerator<EventChange, void, undefined> {
  const session = await begin(connection, query, options, signal);
  const { node } = session;
  const { startBlock } = connection.deployment;
  const toBlock = await lastOf(node, query.toBlock ?? "latest");
  const walk = walkOf(session);
  const patience = node.patience();
  for (;;) {
    const head = await newestOf(node);
    const target = Math.min(toBlock, head.number);
    const before = walk.position();
    // A chain on which the contracts stand is longer.
    const outcome = head.number < startBlock ? "behind" : yield* walk.upTo(head, target);
    if (outcome === "done") return;
    if (walk.position() !== before) patience.failures = 0;
    await patience.wait(
      inconsistent(
        outcome === "behind"
          ? "The node does not know blocks that there are: is it still synchronizing?"
          : "The node's answers do not fit together: does it answer from several forks?",
      ),
    );
  }
}

async function lastOf(node: Node, toBlock: BlockPoint): Promise<number> {
  if (typeof toBlock === "number") {
    requireBlock("toBlock", toBlock);
    return toBlock;
  }
  const header = await node.header(toBlock);
  if (header === undefined) throw inconsistent(`The node knows no ${toBlock} block.`);
  return header.number;
}

/**
 * - `done`: everything up to the target was told.
 * - `behind`: the node does not know that of the deployment, or all blocks that were told before, and nothing shows that
 *   they are gone.
 * - `torn`: its answers do not fit together.
 */
type Outcome = "done" | "behind" | "torn";

interface Walk {
  position(): Position;
  /** Takes back what is not on the chain any more, then tells what is new up to a block. */
  upTo(head: Header, target: number): AsyncGenerator<EventChange, Outcome, undefined>;
}

function walkOf({ query, node, settings, chainId, start }: Session): Walk {
  const { maxReorgDepth } = settings;
  const pager = pagerOf(node, query, settings.pageBlocks);
  let position = start;
  let lastReached: Position | undefined;

  const cursorOf = (place: Position): string => writeCursor(chainId, query, place);

  async function* upTo(head: Header, target: number): AsyncGenerator<EventChange, Outcome, undefined> {
    if (!(yield* takeBack(head))) return "behind";
    while (nextBlockOf(position) <= target) {
      const page = await pager.page(position, head, target);
      if (page === undefined) return "torn";
      const { open } = position;
      if (open && open.told > 0 && !page.blocks.some(({ number }) => number === open.mark.number)) return "torn";
      const horizon = head.number - maxReorgDepth;
      for (const block of page.blocks) yield* tell(block, horizon);
      const { number, hash } = page.end;
      if (tipOf(position).number < number || position.open)
        position = pruned(afterBlock(position, { number, hash, events: [] }), horizon);
      if (number < target) yield reached(false);
    }
    if (position !== lastReached) yield reached(true);
    return "done";
  }

  function reached(current: boolean): EventChange {
    const place = position;
    if (current) lastReached = place;
    return {
      type: "reached",
      blockNumber: nextBlockOf(place) - 1,
      current,
      get cursor() {
        return cursorOf(place);
      },
    };
  }

  function* tell({ number, hash, logs }: BlockOfLogs, horizon: number): Generator<EventChange, void, undefined> {
    const kinds = logs.map((log) => query.kindOf(log));
    const events = logs.flatMap(({ logIndex }, i) => {
      const kind = kinds[i];
      return kind === undefined ? [] : [{ logIndex, kind }];
    });
    const mark: Mark = { number, hash, events };
    const toldLog = number === nextBlockOf(position) ? toldLogOf(position) : -1;
    const before: Position = { marks: position.marks };
    for (const [index, log] of logs.entries()) {
      const kind = kinds[index];
      if (log.logIndex <= toldLog || kind === undefined) continue;
      const place = afterEvent(before, mark, index);
      position = place;
      const event = {
        id: idOf(hash, log.logIndex),
        contract: kind.contract,
        name: kind.name,
        args: query.argsOf(kind, log),
        blockNumber: number,
        blockHash: hash,
        logIndex: log.logIndex,
        txHash: log.txHash,
        get cursor() {
          return cursorOf(place);
        },
      };
      yield {
        type: "added",
        // The kind was chosen by the log's own topic, and its arguments were decoded by the kind.
        event: event as unknown as Extract<EventChange, { type: "added" }>["event"],
        get cursor() {
          return cursorOf(place);
        },
      };
    }
    position = pruned(afterBlock(before, mark), horizon);
  }

  /** Whether the position stands on the chain now, as far as can be seen. @throws REORG_TOO_DEEP */
  async function* takeBack(head: Header): AsyncGenerator<EventChange, boolean, undefined> {
    for (;;) {
      const { marks, open } = position;
      const mark = [...marks, ...(open ? [open.mark] : [])].findLast(({ number }) => number <= head.number);
      const tip = tipOf(position);
      if (tip.hash === undefined) return true;
      if (mark?.hash === undefined) return false;
      const hash = await hashAt(mark.number, head);
      if (hash === undefined) return false;
      if (hash === mark.hash) return mark === tip;
      // Another chain has other blocks as well: a wallet may have been switched meanwhile.
      await node.requireChain();
      yield* takeBackTo(mark);
    }
  }

  async function hashAt(number: number, head: Header): Promise<string | undefined> {
    if (number === head.number) return head.hash;
    if (number === head.number - 1) return head.parentHash;
    return (await node.header(number))?.hash;
  }

  function* takeBackTo(lost: Mark): Generator<EventChange, void, undefined> {
    for (;;) {
      if (position.marks.length + (position.open ? 1 : 0) === 1) throw tooDeep(lost, maxReorgDepth);
      const { position: place, mark, event } = withoutLast(position);
      position = place;
      if (event === undefined) {
        if (mark === lost) return;
        continue;
      }
      yield {
        type: "removed",
        event: {
          id: idOf(mark.hash ?? "", event.logIndex),
          contract: event.kind.contract,
          name: event.kind.name,
          blockNumber: mark.number,
          blockHash: mark.hash ?? "",
          logIndex: event.logIndex,
        },
        get cursor() {
          return cursorOf(place);
        },
      };
    }
  }

  return { position: () => position, upTo };
}

const idOf = (blockHash: string, logIndex: number): string => `${blockHash}-${logIndex}`;

const tooDeep = ({ number }: Mark, maxReorgDepth: number): CarepactError =>
  new CarepactError(
    "REORG_TOO_DEEP",
    `Block ${number} was taken back, which is deeper than the ${maxReorgDepth} blocks that are looked after: older events ` +
      "cannot be named any more. Drop what was kept of them, and begin anew without a cursor.",
    { blockNumber: number, maxReorgDepth },
  );

/** Anything thrown, as the SDK's own error. */
export async function* decoding<Value>(
  values: AsyncGenerator<Value, void, undefined>,
): AsyncGenerator<Value, void, undefined> {
  try {
    yield* values;
  } catch (thrown) {
    throw decodeError(thrown);
  }
}
