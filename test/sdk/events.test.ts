import { expect } from "chai";
import { getAddress, type ContractRunner } from "ethers";

import { createEvents, type CarepactEvent, type ReadOptions, type ReadQuery } from "../../sdk/src/events";

import {
  batch,
  deployment,
  endpointChanged,
  FakeNode,
  functionRoleUpdated,
  httpError,
  payee,
  roleGranted,
  rpcError,
  settled,
} from "./eventsNode";
import { refusedAsync } from "./refused";

/** No waiting in tests. */
const atOnce = { retryMs: 0 };

async function all(node: FakeNode, query: ReadQuery = {}, options: ReadOptions = {}): Promise<CarepactEvent[]> {
  const events: CarepactEvent[] = [];
  for await (const event of createEvents(node.connection).read(query, { ...atOnce, ...options })) events.push(event);
  return events;
}

const idsOf = (events: readonly { id: string }[]): string[] => events.map(({ id }) => id);

/** 3 batches settled over 200 blocks, every 10th block two events. */
function chainOf200(): FakeNode {
  const node = new FakeNode();
  for (let block = 1; block < 200; block += 1)
    if (block % 10 === 0) node.mine(settled(block % 3, BigInt(block)), settled(block % 3, 1n, 2));
    else node.mine();
  return node;
}

describe("SDK: reading events", () => {
  it("gives plain typed events, in order, with all that is known of them", async () => {
    const node = new FakeNode(4).mine(settled(7, 90n), endpointChanged(payee(1), "https://example.org")).mineEmpty(2);
    const [first, second, ...more] = await all(node);
    expect(more).to.deep.equal([]);
    const { hash } = node.chain[4]!;
    expect(first).to.deep.include({
      id: `${hash}-0`,
      contract: "ClaimEscrow",
      name: "GroupSettled",
      args: { batchId: batch(7), payee: getAddress(payee(1)), paid: 90n, freed: 0n },
      blockNumber: 4,
      blockHash: hash,
      logIndex: 0,
    });
    expect(second).to.deep.include({
      contract: "OrganizationRegistry",
      name: "EndpointChanged",
      args: { account: getAddress(payee(1)), endpoint: "https://example.org" },
      logIndex: 1,
    });
    expect(Object.getPrototypeOf(first!.args)).to.equal(Object.prototype);
  });

  it("given text that is no UTF-8, which anybody may send, reads on", async () => {
    const bad = endpointChanged(payee(1), "ab");
    const node = new FakeNode(1).mine({ ...bad, data: bad.data.replace("6162", "ff62") }, settled(1, 5n));
    expect((await all(node)).map(({ args }) => ("endpoint" in args ? args.endpoint : ""))).to.deep.equal([
      "\ufffdb",
      "",
    ]);
  });

  it("gives what the query asks for, and nothing else", async () => {
    const node = new FakeNode()
      .mine(settled(1, 10n, 1), settled(1, 20n, 2), settled(2, 30n, 1), endpointChanged(payee(1), ""))
      .mine({ ...settled(1, 99n), address: payee(9) });
    const paid = async (query: ReadQuery): Promise<string[]> =>
      (await all(node, query)).map(({ args }) => ("paid" in args ? String(args.paid) : "-"));
    expect(await paid({})).to.deep.equal(["10", "20", "30", "-"]);
    expect(await paid({ contracts: ["OrganizationRegistry"] })).to.deep.equal(["-"]);
    expect(await paid({ names: ["GroupSettled"] })).to.deep.equal(["10", "20", "30"]);
    expect(await paid({ args: { batchId: batch(1) } })).to.deep.equal(["10", "20"]);
    expect(await paid({ args: { batchId: [batch(2), batch(1)], payee: payee(1) } })).to.deep.equal(["10", "30"]);
    expect(await paid({ args: { account: payee(1).toUpperCase().replace("0X", "0x") } })).to.deep.equal(["-"]);
    expect(await paid({ fromBlock: 2 })).to.deep.equal([]);
    expect(await paid({ toBlock: 0 })).to.deep.equal([]);
    expect(await paid({ fromBlock: "latest" })).to.deep.equal([]);
    expect(await paid({ fromBlock: 99 })).to.deep.equal([]);
  });

  it("given an argument that events have at different places, gives those with its value only", async () => {
    const node = new FakeNode().mine(
      roleGranted(1n),
      functionRoleUpdated(1n),
      roleGranted(2n),
      functionRoleUpdated(2n),
    );
    const events = await all(node, { args: { roleId: 2n } });
    expect(events.map(({ name }) => name)).to.deep.equal(["RoleGranted", "TargetFunctionRoleUpdated"]);
    expect(events.map(({ args }) => ("roleId" in args ? args.roleId : undefined))).to.deep.equal([2n, 2n]);
    expect(idsOf(events)).to.deep.equal(node.ids().slice(2));
  });

  it("ends at the finalized block when asked to", async () => {
    const node = new FakeNode().mine(settled(1, 1n)).mine(settled(1, 2n));
    node.finalized = 1;
    expect(idsOf(await all(node, { toBlock: "finalized" }))).to.deep.equal(node.ids().slice(0, 1));
  });

  it("begins at the deployment's first block", async () => {
    const node = chainOf200();
    const connection = { ...node.connection, deployment: { ...deployment, startBlock: 150 } };
    const events = [];
    for await (const event of createEvents(connection).read()) events.push(event);
    expect(idsOf(events)).to.deep.equal(node.ids().slice(-10));
    expect(node.ranges()[0]![0]).to.equal(150);
  });

  it("refuses queries and options that make no sense, before anything is asked", async () => {
    const node = new FakeNode(3);
    const wrong: [unknown, unknown?][] = [
      [{ contracts: ["Nobody"] }],
      [{ names: ["Nothing"] }],
      [{ names: ["GroupSettled"], contracts: ["Mandates"] }],
      [{ names: ["GroupSettled"], args: { payer: payee(1) } }],
      [{ args: { batchId: batch(1), account: payee(1) } }],
      [{ args: { batchId: "somebody.eth" } }],
      [{ args: { payee: 7 } }],
      [{ args: { payee: [] } }],
      [{ args: { roleId: -1n } }],
      [{ fromBlock: 1.5 }],
      [{ fromBlock: -1 }],
      [{ fromBlock: 1, after: "{}" }],
      [{}, { pageBlocks: 0 }],
      [{}, { retries: -1 }],
      [{}, { maxReorgDepth: 5000 }],
      [{}, { timeoutMs: 0 }],
    ];
    for (const [query, options] of wrong)
      await refusedAsync("INPUT_INVALID", all(node, query as ReadQuery, options as ReadOptions));
    expect(node.asked).to.deep.equal([]);
    await refusedAsync("INPUT_INVALID", all(node, { toBlock: -1 }));
  });

  it("given another chain, says so", async () => {
    const node = new FakeNode(3);
    node.chainId = 1n;
    await refusedAsync("CHAIN_MISMATCH", all(node));
  });

  describe("in pages", () => {
    it("loses and repeats nothing, whatever their size", async () => {
      for (const pageBlocks of [1, 2, 3, 7, 64, 199, 200, 10_000]) {
        const node = chainOf200();
        expect(idsOf(await all(node, {}, { pageBlocks })), `${pageBlocks}`).to.deep.equal(node.ids());
        expect(node.ranges().every(([from, to]) => to - from < pageBlocks)).to.equal(true);
      }
    });

    // In the words of the nodes and providers that say so.
    const refusals: Record<string, Error> = {
      "Infura, results": rpcError(-32005, "query returned more than 10000 results"),
      "Infura, range": rpcError(-32602, "range 1000000 exceeds limit of 10000"),
      Alchemy: httpError(
        "400 Bad Request",
        '{"error":{"code":-32600,"message":"You can make eth_getLogs requests with up to a 500 block range."}}',
      ),
      "Alchemy, size": rpcError(-32602, "Log response size exceeded. Please reduce query block range."),
      QuickNode: httpError("413 Payload Too Large", '{"error":{"message":"eth_getLogs is limited to a 10,000 range"}}'),
      geth: rpcError(-32000, "exceed maximum block range: 5000"),
      "geth, time": rpcError(-32002, "request timed out"),
      Nethermind: rpcError(-32016, "eth_getLogs request was canceled due to enabled timeout."),
      Besu: rpcError(-32005, "Requested range exceeds maximum RPC range limit"),
      reth: rpcError(-32602, "query exceeds max block range 100000"),
      Tenderly: rpcError(-32602, "invalid params", { payload: "range 9009594 is bigger than range limit 2000" }),
      "a gateway": httpError("504 Gateway Timeout"),
      "a node with other words": rpcError(-1, "no"),
    };
    for (const [who, refusal] of Object.entries(refusals))
      it(`given ${who} that refuses large ranges, asks for smaller ones, and not one by one`, async () => {
        const node = chainOf200();
        node.before = ({ params: [filter] }) => {
          const { fromBlock, toBlock } = filter as { fromBlock?: string; toBlock?: string };
          if (fromBlock !== undefined && Number(toBlock) - Number(fromBlock) >= 13) throw refusal;
        };
        expect(idsOf(await all(node))).to.deep.equal(node.ids());
        const answered = node.ranges().filter(([from, to]) => to - from < 13);
        expect(answered.length).to.be.lessThan(25);
        expect(node.ranges().length - answered.length).to.be.lessThan(15);
      });

    it("given a node that refuses many results, asks for less where there are many, and for more again elsewhere", async () => {
      const node = new FakeNode(300);
      for (let i = 0; i < 40; i += 1) node.mine(settled(1, 1n), settled(2, 2n));
      node.mineEmpty(2000);
      node.before = ({ params: [filter] }) => {
        const { fromBlock, toBlock } = filter as { fromBlock?: string; toBlock?: string };
        if (fromBlock === undefined) return;
        const logs = node.chain.slice(Number(fromBlock), Number(toBlock) + 1).flatMap((block) => block.logs);
        if (logs.length > 5) throw rpcError(-32005, "query returned more than 5 results");
      };
      expect(idsOf(await all(node, {}, { pageBlocks: 256 }))).to.deep.equal(node.ids());
      const sizes = node.ranges().map(([from, to]) => to - from + 1);
      expect(Math.max(...sizes.slice(-20))).to.be.greaterThan(100);
    });

    it("given a node that refuses a single block, says what the node says", async () => {
      const node = chainOf200();
      node.before = ({ method }) => {
        if (method === "eth_getLogs") throw rpcError(-32601, "the method is not available");
      };
      const error = await refusedAsync("TRANSACTION_FAILED", all(node, {}, { retries: 2 }));
      expect(error.message).to.contain("not available");
      expect(node.ranges().at(-1)).to.deep.equal([0, 0]);
    });
  });

  describe("when requests fail", () => {
    const passing: Record<string, Error> = {
      "a rate limit": rpcError(429, "Your app has exceeded its compute units per second capacity."),
      "QuickNode's rate limit": rpcError(-32012, "credits limited to 6000/sec"),
      "a daily limit": rpcError(-32005, "daily request count exceeded, request rate limited"),
      "HTTP 429": httpError("429 Too Many Requests", "", "0"),
      "HTTP 503": httpError("503 Service Unavailable"),
      "a refused connection": Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" }),
      "a broken connection": Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" }),
      "a browser's fetch": new TypeError("Failed to fetch"),
    };
    for (const [what, failure] of Object.entries(passing))
      it(`given ${what}, asks again, and loses nothing`, async () => {
        const node = chainOf200();
        node.before = (_, count) => {
          if (count % 3 === 0) throw failure;
        };
        expect(idsOf(await all(node))).to.deep.equal(node.ids());
      });

    it("gives up after so many failures in a row, and says why", async () => {
      const node = chainOf200();
      node.before = () => {
        throw httpError("503 Service Unavailable");
      };
      await refusedAsync("NODE_UNREACHABLE", all(node, {}, { retries: 3 }));
      expect(node.asked.length).to.equal(4);
    });

    it("given a range that is never answered in time, asks for a smaller one", async () => {
      const node = chainOf200();
      node.before = ({ params: [filter] }) => {
        const { fromBlock, toBlock } = filter as { fromBlock?: string; toBlock?: string };
        const tooLong = fromBlock !== undefined && Number(toBlock) - Number(fromBlock) > 100;
        return tooLong ? new Promise(() => undefined) : undefined;
      };
      expect(idsOf(await all(node, {}, { timeoutMs: 20 }))).to.deep.equal(node.ids());
    });

    it("given a node that answers nothing, is out of time", async () => {
      const node = chainOf200();
      node.before = () => new Promise(() => undefined);
      await refusedAsync("TIMED_OUT", all(node, {}, { timeoutMs: 1, retries: 1 }));
    });
  });

  describe("when the chain moves meanwhile", () => {
    it("given a page from another fork than its ends, reads it again", async () => {
      const node = chainOf200();
      let pages = 0;
      node.before = ({ method }) => {
        if (method !== "eth_getLogs" || ++pages !== 2) return;
        // Deep enough to change what the page holds.
        const blocks = Array.from({ length: 60 }, (_, i) => (i % 2 ? [settled(5, BigInt(i))] : []));
        node.reorg(60, ...blocks);
      };
      expect(idsOf(await all(node, {}, { pageBlocks: 100 }))).to.deep.equal(node.ids());
    });

    it("given a page whose blocks are gone once it was read, reads it again", async () => {
      const node = chainOf200();
      let moved = false;
      node.before = ({ method }) => {
        const last = node.asked.at(-2);
        if (moved || method !== "eth_getBlockByNumber" || last?.method !== "eth_getLogs") return;
        moved = true;
        node.reorg(60, ...Array.from({ length: 60 }, (_, i) => (i % 2 ? [settled(5, BigInt(i))] : [])));
      };
      expect(idsOf(await all(node))).to.deep.equal(node.ids());
      expect(moved).to.equal(true);
    });

    it("given logs of a block that is not on the chain, reads the page again", async () => {
      const node = chainOf200();
      let pages = 0;
      node.before = ({ method, params }) => {
        if (method !== "eth_getLogs" || "blockHash" in (params[0] as object) || ++pages !== 1) return undefined;
        const strange = { ...settled(1, 1n), transactionHash: batch(1), logIndex: "0x0" };
        return [{ ...strange, blockNumber: "0x0", blockHash: batch(1) }];
      };
      expect(idsOf(await all(node))).to.deep.equal(node.ids());
    });

    it("given events that are gone after they were read, says so", async () => {
      const node = chainOf200();
      const events = createEvents(node.connection).read({}, atOnce);
      const first = await all(node);
      const last = first[first.length - 1]!;
      node.reorg(10, ...Array.from({ length: 12 }, () => []));
      const error = await refusedAsync("CHAIN_REORGED", all(node, { after: last.cursor }));
      expect(error.details).to.deep.equal({ id: last.id, blockNumber: 190 });
      await events.return();
    });

    it("given a node whose answers never fit together, gives up", async () => {
      const node = chainOf200();
      node.before = ({ method, params: [tag] }) =>
        method === "eth_getBlockByNumber" && tag !== "latest"
          ? { number: tag, hash: batch(1), parentHash: batch(2) }
          : undefined;
      await refusedAsync("NODE_INCONSISTENT", all(node, {}, { retries: 3 }));
    });
  });

  describe("when a node's answers are malformed", () => {
    const header = { number: "0x5", hash: batch(1), parentHash: batch(2) };
    const log = { address: payee(1), topics: [], data: "0x", blockNumber: "0x1" };
    for (const [what, method, answer] of [
      ["a head without a number", "eth_getBlockByNumber", { ...header, number: "0x" }],
      ["a head whose number is none", "eth_getBlockByNumber", { ...header, number: {} }],
      ["a head without a hash", "eth_getBlockByNumber", { ...header, hash: null }],
      ["a head that is a text", "eth_getBlockByNumber", "0x5"],
      ["another block than it was asked for", "eth_getBlockByNumber", header],
      ["logs that are no list", "eth_getLogs", { jsonrpc: "2.0", result: [] }],
      ["logs that are nothing", "eth_getLogs", null],
      ["logs without fields", "eth_getLogs", [log]],
      ["a log that is nothing", "eth_getLogs", [null]],
    ] as const)
      it(`given ${what}, says so, and does not end as if nothing had happened`, async () => {
        const node = chainOf200();
        node.before = (asked) => (asked.method === method ? answer : undefined);
        const { cause } = await refusedAsync("NODE_INCONSISTENT", all(node, {}, { retries: 1 }));
        expect(cause).to.equal(undefined);
      });

    it("given a chain that ends before the deployment, says so, or waits for more of it", async () => {
      const node = new FakeNode(3);
      const connection = { ...node.connection, deployment: { ...deployment, startBlock: 7 } };
      const events = createEvents(connection);
      await refusedAsync("NODE_INCONSISTENT", events.read({}, { ...atOnce, retries: 1 }).next());
      node.before = (_, count) => {
        if (count === 6) node.mineEmpty(5);
      };
      const stream = events.follow({}, { ...atOnce, pollMs: 0 });
      expect((await stream.next()).value).to.include({ type: "reached", blockNumber: 7 });
      await stream.return();
    });
  });

  it("goes on after a cursor, from wherever it is", async () => {
    const node = chainOf200();
    const events = await all(node);
    for (const [index, { cursor }] of events.entries())
      expect(idsOf(await all(node, { after: cursor }))).to.deep.equal(node.ids().slice(index + 1));
  });

  it("works with a provider that has no send", async () => {
    const node = chainOf200();
    const send = (node.connection.runner.provider as unknown as { send: (...args: unknown[]) => Promise<unknown> })
      .send;
    const hex = (value: unknown): unknown => (typeof value === "number" ? `0x${value.toString(16)}` : value);
    const provider = {
      getNetwork: () => Promise.resolve({ chainId: 31337n }),
      getBlock: (tag: unknown) => send("eth_getBlockByNumber", [hex(tag), false]),
      getLogs: async (filter: Record<string, unknown>) => {
        const raw = (await send("eth_getLogs", [
          Object.fromEntries(Object.entries(filter).map(([key, value]) => [key, hex(value)])),
        ])) as Record<string, string>[];
        return raw.map((log) => ({ ...log, index: Number(log["logIndex"]), blockNumber: Number(log["blockNumber"]) }));
      },
    };
    const connection = { runner: { provider } as unknown as ContractRunner, deployment };
    const events = [];
    for await (const event of createEvents(connection).read()) events.push(event);
    expect(idsOf(events)).to.deep.equal(node.ids());
  });
});
