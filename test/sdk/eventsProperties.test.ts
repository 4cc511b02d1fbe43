import { expect } from "chai";
import * as fc from "fast-check";

import { createEvents } from "../../sdk/src/events";
import { EventsView } from "../support/eventsView";

import { batch, FakeNode, rpcError, settled, type Emitted } from "./eventsNode";

const RUNS = 150;

/** What happens to the chain when so many more requests were sent. */
interface Move {
  after: number;
  depth: number;
  blocks: number[];
}

const block = fc.nat({ max: 3 });
const move: fc.Arbitrary<Move> = fc.record({
  after: fc.nat({ max: 9 }),
  // Growth alone as often as a reorganization.
  depth: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 8 })),
  blocks: fc.array(block, { maxLength: 10 }),
});

let paid = 0n;
/** A block of so many events, of two batches, one of which is not asked for. */
const logsOf = (events: number): Emitted[] =>
  Array.from({ length: events * 2 }, (_, i) => settled(i % 2, (paid += 1n)));

describe("SDK: following events, whatever happens", () => {
  it("has the canonical chain's events in order, none twice and none missing, across reorganizations and interruptions", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          begin: fc.array(block, { minLength: 1, maxLength: 60 }),
          moves: fc.array(move, { maxLength: 12 }),
          pageBlocks: fc.integer({ min: 1, max: 40 }),
          limit: fc.integer({ min: 1, max: 40 }),
          failing: fc.integer({ min: 3, max: 30 }),
          interruptions: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 8 }),
          fromBlock: fc.nat({ max: 20 }),
        }),
        async ({ begin, moves, pageBlocks, limit, failing, interruptions, fromBlock }) => {
          const node = new FakeNode();
          begin.forEach((events) => node.mine(...logsOf(events)));
          const highest = fromBlock + begin.length + moves.reduce((sum, { blocks }) => sum + blocks.length, 0);
          // Last, it grows beyond whatever it was: a chain that only lost blocks is waited for.
          const schedule = [...moves, { after: 1, depth: 0, blocks: [1, 0, 1] }];
          let waiting = schedule[0]?.after ?? 0;
          node.before = ({ params: [filter] }, count) => {
            const next = schedule[0];
            if (next !== undefined && (waiting -= 1) < 0) {
              schedule.shift();
              waiting = schedule[0]?.after ?? 0;
              node.reorg(next.depth, ...next.blocks.map(logsOf));
              if (schedule.length === 0) while (node.head.number <= highest + 1) node.mine();
            }
            const { fromBlock: from, toBlock: to } = filter as { fromBlock?: string; toBlock?: string };
            if (from !== undefined && Number(to) - Number(from) >= limit) throw rpcError(-32005, "too many");
            if (count % failing === 0) throw rpcError(429, "rate limit");
          };
          const pauses = [...interruptions];
          const view = new EventsView();
          const query = { args: { batchId: batch(0) } };
          for (let done = false; !done;) {
            let left = pauses.shift() ?? Infinity;
            const place = view.cursor === undefined ? { fromBlock } : { after: view.cursor };
            const changes = createEvents(node.connection).follow(
              { ...query, ...place },
              { pageBlocks, pollMs: 0, retryMs: 0, maxReorgDepth: 256 },
            );
            for await (const change of changes) {
              view.take(change);
              done =
                change.type === "reached" &&
                change.current &&
                schedule.length === 0 &&
                change.blockNumber === node.head.number;
              if (done || (left -= 1) === 0) break;
            }
          }
          const expected = node.chain
            .slice(fromBlock)
            .flatMap(({ hash, logs }) =>
              logs.flatMap((log, i) => (log.topics[1] === batch(0) ? [`${hash}-${i}`] : [])),
            );
          expect(view.ids).to.deep.equal(expected);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it("reads every event of a chain once, whatever the pages, and goes on from any of them", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(block, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 20 }),
        async (blocks, pageBlocks, stop) => {
          const node = new FakeNode();
          blocks.forEach((events) => node.mine(...logsOf(events)));
          const ids: string[] = [];
          let after: string | undefined;
          for (let more = true; more;) {
            more = false;
            let left = stop;
            for await (const event of createEvents(node.connection).read({ after }, { pageBlocks, retryMs: 0 })) {
              ids.push(event.id);
              after = event.cursor;
              if ((left -= 1) > 0) continue;
              more = true;
              break;
            }
          }
          expect(ids).to.deep.equal(node.ids());
        },
      ),
      { numRuns: RUNS },
    );
  });
});
