import { expect } from "chai";

import { createEvents, MAX_CURSOR_LENGTH, type EventQuery, type FollowOptions } from "../../sdk/src/events";

import { EventsView } from "../support/eventsView";

import { batch, deployment, FakeNode, payee, rpcError, settled } from "./eventsNode";
import { refusedAsync } from "./refused";

const atOnce = { retryMs: 0, pollMs: 0 };

/** Follows until everything up to the chain's head, and up to `block`, is known. */
async function catchUp(
  node: FakeNode,
  view = new EventsView(),
  { query = {}, block = node.head.number, ...options }: FollowOptions & { query?: EventQuery; block?: number } = {},
): Promise<EventsView> {
  const start = view.cursor === undefined ? query : { ...query, after: view.cursor };
  for await (const change of createEvents(node.connection).follow(start, { ...atOnce, ...options })) {
    view.take(change);
    if (change.type === "reached" && change.current && change.blockNumber >= block) break;
  }
  return view;
}

const some = (block: number): ReturnType<typeof settled>[] => [settled(block, 1n), settled(block, 2n, 2)];

const chainOf = (blocks: number): FakeNode => {
  const node = new FakeNode();
  for (let block = 1; block < blocks; block += 1) node.mine(...(block % 3 === 0 ? some(block) : []));
  return node;
};

const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;

describe("SDK: following events", () => {
  it("tells what is there, then what each new block adds", async () => {
    const node = chainOf(40);
    const view = new EventsView();
    let mined = 0;
    for await (const change of createEvents(node.connection).follow({}, atOnce)) {
      view.take(change);
      if (change.type !== "reached" || !change.current) continue;
      expect(change.blockNumber).to.equal(node.head.number);
      expect(view.ids).to.deep.equal(node.ids());
      if ((mined += 1) > 5) break;
      node.mine(...some(mined)).mine();
    }
    expect(view.ids.length).to.equal(36);
  });

  it("waits for confirmations", async () => {
    const node = chainOf(40);
    const view = await catchUp(node, new EventsView(), { confirmations: 5, block: 34 });
    expect(view.ids).to.deep.equal(node.ids().slice(0, 2 * Math.floor(34 / 3)));
    await catchUp(node.mineEmpty(5), view, { confirmations: 5, block: 39 });
    expect(view.ids).to.deep.equal(node.ids());
  });

  it("begins with the next block when asked to", async () => {
    const node = chainOf(40);
    const view = await catchUp(node, new EventsView(), { query: { fromBlock: "latest" } });
    expect(view.ids).to.deep.equal([]);
    node.mine(...some(1));
    expect((await catchUp(node, view)).ids).to.deep.equal(node.ids().slice(-2));
  });

  for (let depth = 1; depth <= 8; depth += 1)
    for (const when of ["while it runs", "while it does not run"])
      it(`given a reorganization ${depth} deep ${when}, takes back what is gone, last first`, async () => {
        const node = chainOf(60);
        const view = new EventsView();
        const blocks = Array.from({ length: depth + 1 }, (_, i) => (i % 2 === 0 ? some(100 + i) : []));
        if (when === "while it runs") {
          let reorganized = false;
          for await (const change of createEvents(node.connection).follow({}, atOnce)) {
            view.take(change);
            if (change.type !== "reached" || !change.current) continue;
            if (reorganized) break;
            node.reorg(depth, ...blocks);
            reorganized = true;
          }
        } else {
          await catchUp(node, view);
          await catchUp(node.reorg(depth, ...blocks), view);
        }
        expect(view.ids).to.deep.equal(node.ids());
        const gone = [59, 58, 57, 56, 55, 54, 53, 52].slice(0, depth).filter((block) => block % 3 === 0).length;
        expect(view.removed).to.equal(gone * 2);
      });

  it("given a reorganization between the events of one block, from a cursor in the middle of it, takes back what was told", async () => {
    const node = chainOf(10).mine(...some(1), ...some(2));
    const view = new EventsView();
    for await (const change of createEvents(node.connection).follow({}, atOnce)) {
      view.take(change);
      if (change.type === "added" && change.event.blockNumber === 10 && change.event.logIndex === 1) break;
    }
    expect(view.ids).to.deep.equal(node.ids().slice(0, -2));
    const before = view.copy();
    await catchUp(node, view);
    expect(view.ids).to.deep.equal(node.ids());
    await catchUp(node.reorg(1, some(5), some(6)), before);
    expect(before.ids).to.deep.equal(node.ids());
    expect(before.removed).to.equal(2);
  });

  it("given an interruption between two removals, and the old chain back, tells what is missing again", async () => {
    const node = chainOf(10)
      .mine(...some(1), ...some(2))
      .mine();
    const view = await catchUp(node);
    const old = [...node.chain];
    node.reorg(2, [], [], []);
    for await (const change of createEvents(node.connection).follow({ after: view.cursor! }, atOnce)) {
      view.take(change);
      if (view.removed === 3) break;
    }
    node.chain.splice(0, node.chain.length, ...old);
    await catchUp(node.mineEmpty(2), view);
    expect(view.ids).to.deep.equal(node.ids());
  });

  it("given a reorganization that leaves its first block in doubt, takes back everything", async () => {
    const node = chainOf(5).mine(...some(1));
    const view = await catchUp(node, new EventsView(), { query: { fromBlock: 5 } });
    await catchUp(node.reorg(3, [], [], some(2), some(3)), view, { query: {} });
    expect(view.ids).to.deep.equal(node.ids().slice(-2 * 2));
  });

  it("given a reorganization deeper than it looks after, says what to do", async () => {
    const node = chainOf(60);
    const view = await catchUp(node, new EventsView(), { maxReorgDepth: 8 });
    node.reorg(30, ...Array.from({ length: 31 }, () => []));
    const error = await refusedAsync("REORG_TOO_DEEP", catchUp(node, view, { maxReorgDepth: 8 }));
    expect(error.message).to.contain("begin anew");
    expect(error.details["maxReorgDepth"]).to.equal(8);
  });

  it("given a node that lags behind, waits, and takes nothing back", async () => {
    const node = chainOf(60);
    const view = await catchUp(node);
    const blocks = node.chain.splice(50);
    let looks = 0;
    node.before = ({ params: [tag] }) => {
      if (tag === "latest" && (looks += 1) === 4) node.chain.push(...blocks.splice(0));
    };
    await catchUp(node, view, { block: 59 });
    expect(view.ids).to.deep.equal(node.ids());
    expect(view.removed).to.equal(0);
  });

  it("given blocks that do not go on from what was told before, looks again", async () => {
    for (const grown of [3, 40]) {
      const node = chainOf(60);
      const view = await catchUp(node);
      node.mineEmpty(grown);
      let looks = 0;
      node.before = ({ params: [tag] }) => {
        // The newest block, the last one that was told, and then the first of the next page.
        if (tag === "latest" || (looks += 1) !== 2) return;
        node.reorg(grown + 5, ...Array.from({ length: grown + 6 }, (_, i) => (i < 3 ? some(i) : [])));
      };
      await catchUp(node, view, { block: 60 + grown });
      expect(view.ids).to.deep.equal(node.ids());
    }
  });

  it("given a block that is gone before its events were read, looks again", async () => {
    const node = chainOf(60);
    let reads = 0;
    node.before = ({ method, params: [filter] }) => {
      if (method === "eth_getLogs" && "blockHash" in (filter as object) && (reads += 1) === 3)
        node.reorg(4, some(7), [], some(8), [], some(9));
    };
    expect((await catchUp(node, new EventsView(), { block: 60 })).ids).to.deep.equal(node.ids());
  });

  it("given another chain in the wallet, says so, and takes nothing back", async () => {
    const node = chainOf(20);
    const view = await catchUp(node);
    node.reorg(5, [], [], [], [], [], []);
    const told = createEvents(node.connection).follow({ after: view.cursor! }, atOnce);
    // At the beginning it was still the right one.
    node.before = () => void (node.chainId = 1n);
    await refusedAsync("CHAIN_MISMATCH", told.next());
  });

  it("asks once a round while nothing happens", async () => {
    const node = chainOf(20);
    const changes = createEvents(node.connection).follow({ fromBlock: "latest" }, atOnce);
    await changes.next();
    const before = node.asked.length;
    const next = changes.next();
    let looks = 0;
    await new Promise<void>((resolve) => {
      node.before = () => {
        if ((looks += 1) === 10) node.mine();
        if (looks === 11) resolve();
      };
    });
    expect((await next).value).to.include({ type: "reached", blockNumber: 20 });
    // Nine looks without news, one with, and the new block's events by its hash.
    expect(node.asked.slice(before).filter(({ method }) => method === "eth_getLogs").length).to.equal(1);
    expect(node.asked.length - before).to.equal(11);
    await changes.return();
  });

  it("keeps two consumers of one provider apart", async () => {
    const node = chainOf(30);
    const { connection } = node;
    const events = createEvents(connection);
    const [first, second] = [new EventsView(), new EventsView()];
    const one = events.follow({}, atOnce);
    const other = events.follow({ args: { payee: payee(2) } }, atOnce);
    for (let round = 0; round < 5; round += 1) {
      await Promise.all([
        first.takeUntilCurrent(one, node.head.number),
        second.takeUntilCurrent(other, node.head.number),
      ]);
      expect(first.ids).to.deep.equal(node.ids());
      expect(second.ids).to.deep.equal(node.ids(({ topics }) => topics[2]!.endsWith(payee(2).slice(2))));
      if (round === 2) await one.return();
      node.reorg(3, some(1), [], some(2), []);
      if (round >= 2) break;
    }
    await second.takeUntilCurrent(other, node.head.number);
    expect(second.ids).to.deep.equal(node.ids(({ topics }) => topics[2]!.endsWith(payee(2).slice(2))));
    await other.return();
  });

  describe("when it is to end", () => {
    it("given an abort during a pause, ends at once, and leaves no timer and no listener", async () => {
      const node = chainOf(5);
      const caller = new AbortController();
      const changes = createEvents(node.connection).follow(
        { fromBlock: "latest" },
        { pollMs: 3_600_000, signal: caller.signal },
      );
      await changes.next();
      const before = timers();
      const next = changes.next();
      await new Promise((resolve) => setImmediate(resolve));
      expect(timers()).to.equal(before + 1);
      caller.abort("the page was closed");
      const error = await refusedAsync("ABORTED", next);
      expect(error.cause).to.equal("the page was closed");
      expect(timers()).to.equal(before);
      const asked = node.asked.length;
      expect(await changes.next()).to.deep.equal({ done: true, value: undefined });
      expect(node.asked.length).to.equal(asked);
    });

    it("given an abort during a request, ends at once", async () => {
      const node = chainOf(5);
      const caller = new AbortController();
      node.before = () => {
        caller.abort();
        return new Promise(() => undefined);
      };
      await refusedAsync(
        "ABORTED",
        createEvents(node.connection)
          .follow({}, { ...atOnce, signal: caller.signal })
          .next(),
      );
      expect(node.asked.length).to.equal(1);
    });

    it("given that it is left during a pause, ends without an error", async () => {
      const node = chainOf(5);
      const changes = createEvents(node.connection).follow({ fromBlock: "latest" }, { pollMs: 3_600_000 });
      await changes.next();
      const before = timers();
      const next = changes.next();
      await changes.return();
      expect(await next).to.deep.equal({ done: true, value: undefined });
      expect(timers()).to.equal(before);
    });

    it("given that it is left by break, asks nothing more", async () => {
      const node = chainOf(30);
      await new Promise((resolve) => setImmediate(resolve));
      const before = timers();
      for await (const change of createEvents(node.connection).follow({}, atOnce)) if (change.type === "added") break;
      const asked = node.asked.length;
      await new Promise((resolve) => setImmediate(resolve));
      expect(node.asked.length).to.equal(asked);
      expect(timers()).to.equal(before);
    });
  });

  describe("cursors", () => {
    it("are small, and say nothing of what is too old to be taken back", async () => {
      const node = new FakeNode();
      for (let block = 1; block < 400; block += 1) node.mine(...some(block), ...some(block + 1));
      const view = new EventsView();
      for await (const change of createEvents(node.connection).follow({}, { ...atOnce, maxReorgDepth: 64 })) {
        view.take(change);
        const { length } = change.cursor;
        if (change.type === "added" && change.event.blockNumber < 400 - 64) expect(length).to.be.lessThan(400);
        expect(length).to.be.lessThan(400 + 65 * (90 + 4 * 10));
        if (change.type === "reached" && change.current) break;
      }
    });

    it("stay small while blocks without events pass", async () => {
      const node = new FakeNode(10);
      const view = await catchUp(node);
      for (let block = 0; block < 300; block += 1) await catchUp(node.mine(), view);
      expect(view.cursor!.length).to.be.lessThan(1_600);
    });

    it("that were changed, or are of something else, are refused, whatever was done to them", async () => {
      const node = chainOf(30);
      const { cursor } = await catchUp(node);
      const json = JSON.parse(cursor!) as Record<string, unknown> & { marks: unknown[][] };
      const { marks } = json;
      const wrong: unknown[] = [
        "",
        "null",
        "[]",
        "{}",
        7,
        null,
        {},
        "x".repeat(MAX_CURSOR_LENGTH + 1),
        ...[
          { v: 0 },
          { v: 2 },
          { v: "1" },
          { chainId: 1 },
          { query: "0x" },
          { open: 1 },
          { kinds: {} },
          { kinds: ["ClaimEscrow.Nothing"] },
          { kinds: ["__proto__.constructor"] },
          { marks: [] },
          { marks: {} },
          { marks: [null] },
          { marks: [[0.5, null]] },
          { marks: [[-2, null]] },
          { marks: [[1, "0x00"]] },
          { marks: [[1, batch(1).toUpperCase()]] },
          { marks: [[1, null, [0, 0]]] },
          { marks: [[1, batch(1), [0]]] },
          { marks: [[1, batch(1), [1, 0, 1, 0]]] },
          { marks: [[1, batch(1), [0, 99]]] },
          { marks: [[1, batch(1), "00"]] },
          { marks: [[1, batch(1), [], 1]] },
          { marks: [...marks].reverse() },
          { marks: [...marks, marks[0]] },
          { marks: [[99, null]], open: true },
        ].map((change) => JSON.stringify({ ...json, ...change })),
      ];
      const { connection } = node;
      for (const after of wrong)
        await refusedAsync(
          "CURSOR_INVALID",
          createEvents(connection)
            .follow({ after: after as string }, atOnce)
            .next(),
        );
      await refusedAsync(
        "CURSOR_INVALID",
        createEvents(connection)
          .follow({ after: cursor!, names: ["GroupSettled"] }, atOnce)
          .next(),
      );
      const elsewhere = { ...connection, deployment: { ...deployment, claimEscrow: payee(5) } };
      await refusedAsync("CURSOR_INVALID", createEvents(elsewhere).follow({ after: cursor! }, atOnce).next());
    });
  });

  it("given failures now and then, goes on", async () => {
    const node = chainOf(60);
    node.before = (_, count) => {
      if (count % 4 === 0) throw rpcError(429, "Too Many Requests");
    };
    expect((await catchUp(node)).ids).to.deep.equal(node.ids());
  });
});
