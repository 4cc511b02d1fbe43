import { time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { id } from "ethers";

import { isCarepactError, run } from "@carepact/sdk";
import {
  createGateway,
  entriesOf,
  memoryStore,
  type AccessAnswer,
  type AccessReceipt,
  type AccessStore,
} from "@carepact/sdk/access";

import { SEED } from "../support/arbitraries";
import { DAY } from "../support/system";

import { failingStore, forget, shuffledStore, storeOf } from "./accessStores";
import { attemptOf, audited, deployAccessWorld, gatewayOver, historyOf, worldOf } from "./accessWorld";
import { refusal, reverted } from "./support";

const numbersFrom0 = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe("SDK: store of an access log", () => {
  const stores: [string, () => AccessStore][] = [
    ["the memory store", memoryStore],
    ["the tests' own store", () => storeOf(new Map())],
  ];
  for (const [name, make] of stores)
    it(`${name} writes only over the version that was read`, async () => {
      const store = make();
      expect(await store.get("a/1")).to.equal(undefined);
      expect(await store.put("a/1", { x: [1] }, "1")).to.equal(false);
      expect(await store.put("a/1", { x: [1] })).to.equal(true);
      expect(await store.put("a/1", { x: [2] })).to.equal(false);
      const first = await store.get("a/1");
      expect(first?.value).to.deep.equal({ x: [1] });
      expect(await store.put("a/1", { x: [3] }, first?.version)).to.equal(true);
      expect(await store.put("a/1", { x: [4] }, first?.version)).to.equal(false);
      expect((await store.get("a/1"))?.value).to.deep.equal({ x: [3] });
      await store.put("a/2", null);
      await store.put("b/1", true);
      expect(await store.list("a/")).to.have.members(["a/1", "a/2"]);
    });

  it("numbers without gaps and forks when many ask at once, of several processes", async () => {
    const world = await worldOf(deployAccessWorld);
    const gateways = [1, 2, 3].map((n) => gatewayOver(world, { store: shuffledStore(world.store, SEED + n) }));
    const answers = await Promise.all(
      numbersFrom0(30).map((i) =>
        gateways[i % 3]!.attempt(attemptOf(world, i % 2 === 0 ? {} : { who: world.stranger.address })),
      ),
    );
    await run(world.gateway.anchor());
    const history = await historyOf(world);
    expect(history.trails.shared?.entries.map(({ number }) => number)).to.deep.equal(numbersFrom0(30));
    const result = await audited(world, history, { receipts: answers.map(({ receipt }) => receipt) });
    expect(result.findings).to.deep.equal([]);
  });

  it("gives nothing out, and stays whole, wherever a step fails", async () => {
    const world = await worldOf(deployAccessWorld);
    const receipts: AccessReceipt[] = [];
    let tried = 0;
    for (const when of ["before", "after"] as const)
      for (let step = 0, done = false; !done; step += 1) {
        const broken = gatewayOver(world, { store: failingStore(world.store, step, when) });
        let answer: AccessAnswer | undefined;
        try {
          answer = await broken.attempt(attemptOf(world));
          done = true;
          receipts.push(answer.receipt);
        } catch (thrown) {
          expect(isCarepactError(thrown, "ACCESS_NOT_LOGGED"), String(thrown)).to.equal(true);
        }
        tried += 1;
        // Whoever comes next goes on as if nothing had been.
        receipts.push((await gatewayOver(world).attempt(attemptOf(world))).receipt);
        expect(step).to.be.below(60);
      }
    await run(world.gateway.anchor());
    const history = await historyOf(world);
    const numbers = history.trails.shared!.entries.map(({ number }) => number);
    expect(numbers).to.deep.equal(numbersFrom0(numbers.length));
    expect(tried).to.be.above(20);
    expect(numbers.length).to.be.within(receipts.length, receipts.length + tried);
    expect((await audited(world, history, { receipts })).findings).to.deep.equal([]);
  });

  it("does not sign twice for an entry at different places, after a restart or from another process", async () => {
    const world = await worldOf(deployAccessWorld);
    const { receipt } = await world.gateway.attempt(attemptOf(world));
    const [entry] = (await historyOf(world, gatewayOver(world))).trails.shared!.entries;
    expect([entry?.signature, entry?.salt]).to.deep.equal([receipt.signature, receipt.salt]);
  });

  it("says that it lost entries, and does not hide it", async () => {
    const world = await worldOf(deployAccessWorld);
    for (let i = 0; i < 3; i += 1) await world.gateway.attempt(attemptOf(world));
    forget(world.rows, `entry/${world.patient}/shared/000000000000001`);
    const error = await refusal("ACCESS_LOG_INCONSISTENT", historyOf(world));
    expect(error.details).to.deep.equal({ entries: 1, noted: 3 });
  });

  describe("anchoring", () => {
    it("counts once, however often it is sent, and by however many processes", async () => {
      const world = await worldOf(deployAccessWorld);
      await world.gateway.attempt(attemptOf(world));
      const [one, other] = [world.gateway.anchor(), gatewayOver(world).anchor()];
      await Promise.all([one.populate(), other.populate()]);
      const anchored = await run(one);
      expect(anchored.sequence).to.equal(1);
      // The answer was lost: the same action again, and the other process's.
      for (const again of [one, other])
        expect(await reverted("SequenceNotNext", run(again))).to.deep.equal({
          gateway: await world.gateway.account(),
          next: "2",
        });
      const history = await historyOf(world);
      expect(history.roots.map(({ sequence }) => sequence)).to.deep.equal([1]);
      expect((await audited(world, history)).findings).to.deep.equal([]);
      expect((await run(gatewayOver(world).anchor())).sequence).to.equal(2);
      expect((await audited(world, await historyOf(world))).findings).to.deep.equal([]);
    });

    it("holds what was noted since, where one was prepared and never sent", async () => {
      const world = await worldOf(deployAccessWorld);
      await world.gateway.attempt(attemptOf(world));
      await world.gateway.anchor().populate();
      await time.increase(DAY / 2);
      await world.gateway.attempt(attemptOf(world));
      const { head, sequence } = await run(world.gateway.anchor());
      expect(head).to.match(/^0x[0-9a-f]{64}$/);
      const { trails, sequence: proved } = (await historyOf(world)).roots[0]!;
      expect([sequence, proved, trails.shared?.count]).to.deep.equal([1, 1, 2]);
    });

    it("proves each root under which something was added, and the newest", async () => {
      const world = await worldOf(deployAccessWorld);
      for (const count of [1, 0, 2, 0, 0]) {
        for (let i = 0; i < count; i += 1) await world.gateway.attempt(attemptOf(world));
        await world.gateway.attempt(attemptOf(world, { patient: id("another") }));
        await run(world.gateway.anchor());
      }
      const history = await historyOf(world);
      expect(history.roots.map(({ sequence, trails }) => [sequence, trails.shared?.count])).to.deep.equal([
        [1, 1],
        [3, 3],
        [5, 3],
      ]);
      expect((await audited(world, history)).findings).to.deep.equal([]);
    });

    it("is as whole, wherever a step fails", async () => {
      const world = await worldOf(deployAccessWorld);
      for (const when of ["before", "after"] as const)
        for (let step = 0, done = false; !done; step += 1) {
          await world.gateway.attempt(attemptOf(world));
          const action = gatewayOver(world, { store: failingStore(world.store, step, when) }).anchor();
          try {
            await run(action);
            done = true;
          } catch {
            await run(gatewayOver(world).anchor());
          }
          expect(step).to.be.below(60);
        }
      const history = await historyOf(world);
      expect((await audited(world, history)).findings).to.deep.equal([]);
      expect(entriesOf(history).length).to.equal(history.trails.shared?.entries.length);
    });

    it("goes on with what is there after the store was lost, and the loss shows", async () => {
      const world = await worldOf(deployAccessWorld);
      const { receipt } = await world.gateway.attempt(attemptOf(world));
      await run(world.gateway.anchor());
      world.rows.clear();
      await world.gateway.attempt(attemptOf(world));
      await time.increase(DAY / 2);
      await run(world.gateway.anchor());
      const history = await historyOf(world);
      expect(history.roots.map(({ sequence }) => sequence)).to.deep.equal([2]);
      const { findings } = await audited(world, history, { receipts: [receipt] });
      expect(findings.map(({ kind }) => kind)).to.deep.equal(["removed"]);
    });

    it("is refused to an account that is no gateway, and open to one that was suspended", async () => {
      const world = await worldOf(deployAccessWorld);
      const { otherGateway, stranger, deployment, office } = world;
      const strangers = createGateway({ runner: stranger, deployment }, { store: memoryStore() });
      await reverted("NotGateway", run(strangers.anchor()));
      await run(office.suspend(otherGateway.address));
      const suspended = createGateway({ runner: otherGateway, deployment }, { store: memoryStore() });
      expect((await run(suspended.anchor())).sequence).to.equal(1);
      expect((await suspended.anchor().simulate()).head).to.match(/^0x[0-9a-f]{64}$/);
      const reader = createGateway(world.reader, { store: memoryStore() });
      await refusal("RUNNER_CANNOT_SIGN", reader.anchor().populate());
    });
  });
});
