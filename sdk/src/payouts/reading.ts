import type { Connection } from "../chain/deployment";
import type { CallOptions } from "../chain/options";
import { createEvents, type CarepactEvent, type EventStream } from "../events";

const creditNames = ["GroupSettled", "DisputeResolved", "RetentionReleased", "Refunded", "PaidOut"] as const;

/** An event that changes a payee's credit, or may. */
export type CreditEvent = CarepactEvent<(typeof creditNames)[number] | "LineDisputed", "ClaimEscrow">;

/** Batches whose tokens are asked for at once: nodes take a few thousand parameters at most. */
const BATCHES_AT_ONCE = 1_000;
/** Most events that wait until then. */
const MOST_WAITING = 20_000;

/** All events up to a block that change a payee's credit in one token, in order, those of a block together. */
export async function* creditEvents(
  connection: Connection,
  { payee, token, toBlock }: { payee: string; token: string; toBlock: number },
  options: CallOptions,
): AsyncGenerator<CreditEvent[], void, undefined> {
  const events = createEvents(connection);
  const contracts = ["ClaimEscrow"] as const;
  // Whoever disputes is no payee in the event's words, so that these come apart.
  const merged = inOrder<CreditEvent>(
    events.read({ contracts, names: creditNames, args: { payee }, toBlock }, options),
    events.read({ contracts, names: ["LineDisputed"], args: { by: payee }, toBlock }, options),
  );
  const tokens = new Map<string, string>();
  const tokenOf = ({ name, args }: CreditEvent): string | undefined =>
    name === "PaidOut" ? args.token : tokens.get(args.batchId);
  const learn = async (batchId: string[]): Promise<void> => {
    if (batchId.length === 0) return;
    const query = { contracts, names: ["ClaimBatchFunded"] as const, args: { batchId }, toBlock };
    for await (const { args } of events.read(query, options)) tokens.set(args.batchId, args.token);
  };

  let waiting: CreditEvent[][] = [];
  let [count, unknown] = [0, new Set<string>()];
  const release = async (): Promise<CreditEvent[][]> => {
    await learn([...unknown]);
    const known = waiting.map((block) => block.filter((event) => tokenOf(event) === token));
    [waiting, count, unknown] = [[], 0, new Set()];
    return known.filter((block) => block.length > 0);
  };
  for await (const block of byBlock(merged)) {
    waiting.push(block);
    count += block.length;
    for (const event of block)
      if (event.name !== "PaidOut" && !tokens.has(event.args.batchId)) unknown.add(event.args.batchId);
    if (unknown.size >= BATCHES_AT_ONCE - MOST_NEW_IN_A_BLOCK || count >= MOST_WAITING) yield* await release();
  }
  yield* await release();
}

/** Room that is left for the batches of one more block. */
const MOST_NEW_IN_A_BLOCK = 500;

const isBefore = (a: CreditEvent, b: CreditEvent): boolean =>
  a.blockNumber < b.blockNumber || (a.blockNumber === b.blockNumber && a.logIndex < b.logIndex);

/** Two streams, each in order, as one. */
async function* inOrder<Event extends CreditEvent>(
  left: EventStream<Event>,
  right: EventStream<Event>,
): AsyncGenerator<Event, void, undefined> {
  try {
    let [a, b] = await Promise.all([left.next(), right.next()]);
    for (;;) {
      if (a.value !== undefined && (b.value === undefined || isBefore(a.value, b.value))) {
        yield a.value;
        a = await left.next();
      } else if (b.value !== undefined) {
        yield b.value;
        b = await right.next();
      } else return;
    }
  } finally {
    await Promise.all([left.return(), right.return()]);
  }
}

async function* byBlock(events: AsyncIterable<CreditEvent>): AsyncGenerator<CreditEvent[], void, undefined> {
  let block: CreditEvent[] = [];
  for await (const event of events) {
    if (block[0] !== undefined && block[0].blockNumber !== event.blockNumber) {
      yield block;
      block = [];
    }
    block.push(event);
  }
  if (block.length > 0) yield block;
}
