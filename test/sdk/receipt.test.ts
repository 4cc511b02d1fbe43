import { expect } from "chai";
import type { Provider } from "ethers";

import { receiptOf } from "../../sdk/src/chain/receipt";

import { refusedAsync } from "./refused";

const FROM = "0x00000000000000000000000000000000000000A1";
const sent = { hash: "0x01", from: FROM, nonce: 7, to: "0x02", data: "0x1234", value: 0n };
const faster = { ...sent, hash: "0x03", from: FROM.toLowerCase() };
const cancelling = { ...sent, hash: "0x04", to: FROM, data: "0x" };
const other = { ...sent, hash: "0x05", nonce: 6 };

/** A chain of blocks, each a list of transactions; `turn` changes it each time that the head's depth or a receipt is asked. */
function chainOf(blocks: (typeof sent)[][], turn: (blocks: (typeof sent)[][], asked: number) => unknown = () => 0) {
  const node = {
    asked: 0,
    pollingInterval: 0,
    getTransactionReceipt: async (hash: string) => {
      node.asked += 1;
      await turn(blocks, node.asked);
      const blockNumber = blocks.findIndex((block) => block.some((one) => one.hash === hash));
      return blockNumber < 0 ? null : { hash, blockNumber, status: 1 };
    },
    getBlockNumber: () => Promise.resolve(blocks.length - 1),
    getTransactionCount: () => Promise.resolve(1 + Math.max(0, ...blocks.flat().map(({ nonce }) => nonce))),
    getBlock: (number: number) =>
      Promise.resolve(blocks[number] === undefined ? null : { prefetchedTransactions: blocks[number] }),
  };
  return node;
}

const receipt = (node: ReturnType<typeof chainOf>, options: { confirmations?: number; signal?: AbortSignal } = {}) =>
  receiptOf(node as unknown as Provider, sent, {
    confirmations: 1,
    since: 1,
    signal: new AbortController().signal,
    ...options,
  });

/** Until whatever was begun has had the time to go on. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe("waiting for a receipt", () => {
  it("asks until the transaction is mined, and as deep as it was told", async () => {
    const node = chainOf([[], [other]], (blocks, asked) => asked > 2 && blocks.push(asked === 3 ? [sent] : []));
    expect(await receipt(node, { confirmations: 3 })).to.include({ hash: sent.hash, blockNumber: 2 });
    expect(node.asked).to.equal(5);
  });

  it("takes the same call under another hash for the one it was", async () => {
    const node = chainOf([[], [other], [], [faster]]);
    expect(await receipt(node)).to.include({ hash: faster.hash });
  });

  it("says which other transaction took its place, once that one is as deep as asked", async () => {
    const node = chainOf([[], [other], [cancelling]], (blocks) => blocks.push([]));
    const { details } = await refusedAsync("TRANSACTION_REPLACED", receipt(node, { confirmations: 4 }));
    expect(details).to.deep.equal({ replacedBy: cancelling.hash });
    expect(node.asked).to.be.above(2);
  });

  it("goes back to the transaction itself when the other one is taken back", async () => {
    const node = chainOf([[], [other], [cancelling]], (blocks, asked) => {
      if (asked === 3) blocks.splice(2, 1, [sent], []);
    });
    expect(await receipt(node, { confirmations: 2 })).to.include({ hash: sent.hash });
  });

  it("is not misled by a node that has its block before its receipt", async () => {
    const node = chainOf([[], [other], []], (blocks, asked) => {
      blocks[2] = asked < 3 ? [] : [sent];
    });
    expect(await receipt(node)).to.include({ hash: sent.hash });
  });

  it("is not misled by a node that has the block of another before its receipt", async () => {
    const node = chainOf([[], [other], [faster]]);
    const get = node.getTransactionReceipt;
    node.getTransactionReceipt = async (hash) => {
      const known = await get(hash);
      return node.asked < 6 ? null : known;
    };
    expect(await receipt(node)).to.include({ hash: faster.hash });
  });

  it("puts up with a node that is away for a moment, and with no other failure", async () => {
    const failing = (most: number, words: string) =>
      chainOf([[], [sent]], (_, asked) => (asked <= most ? Promise.reject(new Error(words)) : undefined));
    expect(await receipt(failing(3, "fetch failed"))).to.include({ hash: sent.hash });
    await refusedAsync("NODE_UNREACHABLE", receipt(failing(4, "fetch failed")));
    const broke = failing(1, "insufficient balance");
    await refusedAsync("GAS_FUNDS_MISSING", receipt(broke));
    expect(broke.asked).to.equal(1);
  });

  it("leaves nothing behind when it is aborted", async () => {
    const { setTimeout: set, clearTimeout: clear } = globalThis;
    const pollingInterval = 3_600_000;
    const running = new Set<unknown>();
    const setting = (work: () => void, ms?: number) => {
      const timer = set(work, ms);
      if (ms === pollingInterval) running.add(timer);
      return timer;
    };
    const clearing = (timer?: NodeJS.Timeout) => (running.delete(timer), clear(timer));
    Object.assign(globalThis, { setTimeout: setting, clearTimeout: clearing });
    try {
      const caller = new AbortController();
      const node = Object.assign(chainOf([[], [other]]), { pollingInterval });
      const waiting = receipt(node, { signal: caller.signal });
      await quiet();
      expect(running.size).to.equal(1);
      caller.abort(new Error("aborted"));
      expect(await waiting.catch((error: Error) => error.message)).to.contain("aborted");
      await quiet();
      expect([running.size, node.asked]).to.deep.equal([0, 1]);
    } finally {
      Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
    }
  });
});
