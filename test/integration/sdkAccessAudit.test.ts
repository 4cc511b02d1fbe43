import { time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { id } from "ethers";
import { ethers } from "hardhat";

import { run } from "@carepact/sdk";
import { createGateway, type AccessHistory, type AccessStatement, type HistoryTrail } from "@carepact/sdk/access";

import { DAY } from "../support/system";

import { forget, rewrite, storeOf } from "./accessStores";
import { cheated, copyOf, gatewayWithClock } from "./accessTampering";
import {
  attemptOf,
  audited,
  deployAccessWorld,
  emergencyOf,
  finds,
  gatewayOver,
  historyOf,
  kindsOf,
  logged,
  worldOf,
  type AccessWorld,
} from "./accessWorld";
import { nodeWith, refusal } from "./support";

const sharedOf = ({ trails }: AccessHistory): HistoryTrail => trails.shared!;

/** Four entries under two roots. */
async function twoRounds(): Promise<AccessWorld & { history: AccessHistory }> {
  const world = await deployAccessWorld();
  const read = attemptOf(world);
  await logged(world, [read, attemptOf(world, { resourceTypes: ["MedicationRequest"] })], [read, read]);
  return { ...world, history: await historyOf(world) };
}

describe("SDK: audit of an access log", () => {
  describe("given an honest gateway", () => {
    it("finds nothing, with all receipts and all earlier histories", async () => {
      const world = await worldOf(deployAccessWorld);
      const receipts: unknown[] = [];
      const earlier: unknown[] = [];
      for (let round = 0; round < 4; round += 1) {
        const asked = [attemptOf(world), attemptOf(world, { who: world.stranger.address }), emergencyOf(world)];
        receipts.push(...(await logged(world, asked.slice(0, round))).map(({ receipt }) => receipt));
        earlier.push(await historyOf(world));
        await time.increase(DAY / 2);
      }
      await run(world.gateway.anchor());
      const result = await audited(world, await historyOf(world), { receipts, earlier });
      expect(result.findings).to.deep.equal([]);
      expect(result.entries).to.have.length(6);
      expect(result.provedTo?.sequence).to.equal(5);
    });

    it("finds nothing where nothing was noted", async () => {
      const world = await worldOf(deployAccessWorld);
      await run(world.gateway.anchor());
      const history = await historyOf(world);
      expect([history.trails, history.roots]).to.deep.equal([{}, []]);
      expect(await audited(world, history)).to.deep.equal({ findings: [], entries: [], pending: [] });
    });

    it("finds nothing in what is not anchored yet, and asks to look later for a receipt that is too new", async () => {
      const world = await worldOf(deployAccessWorld);
      await logged(world, [attemptOf(world)]);
      const history = await historyOf(world);
      const { receipt } = await world.gateway.attempt(attemptOf(world));
      const result = await audited(world, history, { receipts: [receipt] });
      expect(result.findings).to.deep.equal([]);
      expect(result.pending).to.deep.equal([receipt]);
      const later = await audited(world, await historyOf(world), { receipts: [receipt] });
      expect([later.findings, later.pending, later.entries.length]).to.deep.equal([[], [], 2]);
    });

    it("takes no notice of receipts about others, or from elsewhere", async () => {
      const { history, ...world } = await worldOf(twoRounds);
      const { receipt } = await world.gateway.attempt(attemptOf(world, { patient: id("somebody else") }));
      const elsewhere = { ...receipt, statement: { ...receipt.statement, patient: world.patient }, chainId: 1 };
      await time.increase(DAY / 2);
      const result = await audited(world, await historyOf(world), { receipts: [receipt, elsewhere] });
      expect([result.findings, result.pending]).to.deep.equal([[], []]);
      expect(history.roots).to.have.length(2);
    });
  });

  describe("given a gateway that cheats, it finds", () => {
    it("a gap, where an entry was left out", async () => {
      const { history, ...world } = await worldOf(twoRounds);
      const tampered = await cheated(world, history, (copy) => sharedOf(copy).entries.splice(1, 1));
      const result = await audited(world, tampered);
      expect(result.findings.map(({ kind, number }) => [kind, number])).to.deep.equal([["gap", 1]]);
    });

    it("a removed entry, where the last ones were left out", async () => {
      const { history, ...world } = await worldOf(twoRounds);
      const tampered = await cheated(world, history, (copy) => sharedOf(copy).entries.splice(3));
      const result = await audited(world, tampered);
      expect(result.findings.map(({ kind, number, sequence }) => [kind, number, sequence])).to.deep.equal([
        ["removed", 3, 2],
        ["outdated", undefined, 2],
      ]);
    });

    it("a removed entry by its receipt, where the store was set back before it was anchored", async () => {
      const world = await worldOf(deployAccessWorld);
      await logged(world, [attemptOf(world)]);
      const before = new Map(world.rows);
      const { receipt } = await world.gateway.attempt(attemptOf(world, { resourceTypes: ["MedicationRequest"] }));
      world.rows.clear();
      for (const [key, row] of before) world.rows.set(key, row);
      await logged(world, [attemptOf(world), attemptOf(world)]);
      await time.increase(DAY / 2);
      const history = await historyOf(world, gatewayOver(world));
      expect((await audited(world, history)).findings).to.deep.equal([]);
      await finds("removed", world, history, { receipts: [receipt] });
    });

    it("a fork, where one number was given twice, by an earlier history", async () => {
      const world = await worldOf(deployAccessWorld);
      await world.gateway.attempt(attemptOf(world));
      const before = new Map(world.rows);
      await world.gateway.attempt(attemptOf(world));
      const earlier = await historyOf(world);
      world.rows.clear();
      for (const [key, row] of before) world.rows.set(key, row);
      await logged(world, [attemptOf(world)]);
      const history = await historyOf(world);
      expect((await audited(world, history)).findings).to.deep.equal([]);
      const { findings } = await audited(world, history, { earlier: [earlier] });
      expect(findings.map(({ kind, number }) => [kind, number])).to.deep.equal([["fork", 1]]);
    });

    it("a fork, where a second trail was begun for the patient", async () => {
      const world = await worldOf(deployAccessWorld);
      const [hidden] = await logged(world, [attemptOf(world)]);
      const earlier = await historyOf(world);
      for (const prefix of ["record/", "entry/", "end/", "proof/"]) forget(world.rows, prefix);
      await logged(world, [attemptOf(world)]);
      await time.increase(DAY / 2);
      const history = await historyOf(world);
      expect((await audited(world, history)).findings).to.deep.equal([]);
      await finds("fork", world, history, { earlier: [earlier] });
      await finds("removed", world, history, { receipts: [hidden!.receipt] });
    });

    it("a fork, where the gateway signed for an entry at another place than it shows", async () => {
      const world = await worldOf(deployAccessWorld);
      await world.gateway.attempt(attemptOf(world));
      const before = new Map(world.rows);
      const { receipt } = await world.gateway.attempt(attemptOf(world));
      const entry = [...world.rows].find(([key]) => key.startsWith("entry/") && !before.has(key))!;
      world.rows.clear();
      for (const [key, row] of before) world.rows.set(key, row);
      // The same entry, but behind another one.
      await world.gateway.attempt(attemptOf(world, { who: world.stranger.address }));
      const moved = JSON.parse(entry[1].text) as { number: number };
      const key = entry[0].replace(/\d$/, "2");
      world.rows.set(key, { text: JSON.stringify({ ...moved, number: 2 }), version: 1 });
      forget(world.rows, "receipt/");
      await run(world.gateway.anchor());
      const history = await historyOf(world);
      expect((await audited(world, history)).findings).to.deep.equal([]);
      await finds("fork", world, history, { receipts: [receipt] });
    });

    it("a fork, where a number stands twice", async () => {
      const { history, ...world } = await worldOf(twoRounds);
      await finds(
        "fork",
        world,
        await cheated(world, history, (copy) => sharedOf(copy).entries.push({ ...sharedOf(copy).entries[3]! })),
      );
    });

    it("entries in another order", async () => {
      const { history, ...world } = await worldOf(twoRounds);
      await finds("reordered", world, await cheated(world, history, (copy) => sharedOf(copy).entries.reverse()));
    });

    it("times that run backwards", async () => {
      const { history, ...world } = await worldOf(twoRounds);
      const tampered = await cheated(world, history, (copy) => {
        const [first, , , last] = sharedOf(copy).entries.map(({ statement }) => statement) as [
          AccessStatement,
          unknown,
          unknown,
          AccessStatement,
        ];
        [first.at, last.at] = [last.at, first.at];
      });
      await finds("reordered", world, tampered);
    });

    it("an entry that is dated back to before a root in which it is not", async () => {
      const world = await worldOf(deployAccessWorld);
      await logged(world, [attemptOf(world)]);
      await time.increase(3 * DAY);
      await run(world.gateway.anchor());
      await gatewayWithClock(world, -2 * DAY).attempt(attemptOf(world));
      await run(world.gateway.anchor());
      const { findings } = await audited(world, await historyOf(world));
      expect(findings.map(({ kind, number, sequence }) => [kind, number, sequence])).to.deep.equal([
        ["backDated", 1, 2],
      ]);
    });

    it("an entry that claims to be younger than the root that covers it", async () => {
      const world = await worldOf(deployAccessWorld);
      await gatewayWithClock(world, DAY / 2).attempt(attemptOf(world));
      await run(world.gateway.anchor());
      await finds("backDated", world, await historyOf(world));
    });

    it("an entry that was altered in the store after it was anchored", async () => {
      const world = await worldOf(deployAccessWorld);
      await logged(world, [attemptOf(world)], [attemptOf(world)]);
      rewrite(world.rows, "entry/", (entry: { statement: AccessStatement }) => ({
        ...entry,
        statement: { ...entry.statement, who: world.stranger.address },
      }));
      forget(world.rows, "end/");
      const { findings } = await audited(world, await historyOf(world));
      expect(findings.map(({ kind, sequence }) => [kind, sequence])).to.deep.include.members([
        ["altered", 1],
        ["altered", 2],
      ]);
    });

    it("an altered entry, whatever of it was altered", async () => {
      const { history, ...world } = await worldOf(twoRounds);
      const changes: Partial<AccessStatement>[] = [
        { action: "delete" },
        { purposes: ["HMARKT"] },
        { resourceTypes: ["Patient"] },
        { sensitivities: ["PSY"] },
        { confidentiality: "V" },
        { basis: { kind: "policy", policy: "urn:x" } },
        { outcome: { result: "refused", reason: "Revoked" } },
        { patient: id("another") },
        { gateway: world.otherGateway.address },
        { original: { resourceType: "AuditEvent" } },
      ];
      for (const change of changes) {
        const tampered = await cheated(world, history, (copy) => {
          Object.assign(sharedOf(copy).entries[2]!.statement, change);
        });
        const result = await audited(world, tampered);
        expect(kindsOf(result), JSON.stringify(change)).to.include("altered");
        expect(result.provedTo?.sequence, JSON.stringify(change)).to.equal(1);
      }
    });

    it("a root that is not anchored", async () => {
      const { history, ...world } = await worldOf(twoRounds);
      const tampered = await cheated(world, history, (copy) => (copy.roots[1]!.sequence = 3));
      await finds("notAnchored", world, tampered);
    });

    it("that nothing was anchored in time", async () => {
      const world = await worldOf(deployAccessWorld);
      await world.gateway.attempt(attemptOf(world));
      await time.increase(2 * DAY);
      const { findings } = await audited(world, await historyOf(world));
      expect(findings.map(({ kind, number }) => [kind, number])).to.deep.equal([["notAnchored", 0]]);
      await run(world.gateway.anchor());
      const late = await audited(world, await historyOf(world));
      expect(kindsOf(late)).to.deep.equal(["notAnchored"]);
      expect((await audited(world, await historyOf(world), { maxDelay: 3 * DAY })).findings).to.deep.equal([]);
    });

    it("a root of another gateway", async () => {
      const world = await worldOf(deployAccessWorld);
      await world.gateway.attempt(attemptOf(world));
      const { to, data } = await world.gateway.anchor().populate();
      await world.otherGateway.sendTransaction({ to: to!, data: data! });
      const [, row] = [...world.rows].find(([key]) => key.startsWith("proof/"))!;
      const { trails, position, width, proof } = JSON.parse(row.text) as AccessHistory["roots"][number];
      const opened = Object.fromEntries(
        Object.entries(trails).map(([name, { count, blind }]) => [name, { count, blind }]),
      );
      const history = await historyOf(world);
      expect(history.roots).to.deep.equal([]);
      const tampered = await cheated(world, history, (copy) =>
        copy.roots.push({ sequence: 1, trails: opened, position, width, proof }),
      );
      await finds("foreignRoot", world, tampered);
    });

    it("wrong signatures: of a history, of its receipts, of receipts and histories that were kept", async () => {
      const { history, ...world } = await worldOf(twoRounds);
      const { receipt } = await world.gateway.attempt(attemptOf(world));
      const other = { ...receipt, signature: history.signature };
      await time.increase(DAY / 2);
      const now = await historyOf(world);

      const unsigned = { ...copyOf(now), at: now.at + 1 };
      expect(kindsOf(await audited(world, unsigned))).to.deep.equal(["wrongSignature"]);
      const swapped = await cheated(
        world,
        now,
        (copy) => (sharedOf(copy).entries[1]!.signature = sharedOf(copy).entries[0]!.signature),
        { receipts: false },
      );
      expect((await audited(world, swapped)).findings.map(({ kind, number }) => [kind, number])).to.deep.equal([
        ["wrongSignature", 1],
      ]);
      expect(kindsOf(await audited(world, now, { receipts: [other] }))).to.deep.equal(["wrongSignature"]);
      const forged = { ...copyOf(history), at: history.at + 1 };
      expect(kindsOf(await audited(world, now, { earlier: [forged] }))).to.deep.equal(["wrongSignature"]);
    });

    it("a history that ends before it was made", async () => {
      const { history, ...world } = await worldOf(twoRounds);
      const tampered = await cheated(world, history, (copy) => {
        copy.roots.pop();
        sharedOf(copy).entries.splice(2);
      });
      const { findings } = await audited(world, tampered);
      expect(findings.map(({ kind, sequence }) => [kind, sequence])).to.deep.equal([["outdated", 2]]);
    });

    it("an old history that is given for a new one", async () => {
      const { history, ...world } = await worldOf(twoRounds);
      await time.increase(2 * DAY);
      expect(kindsOf(await audited(world, history))).to.deep.equal(["outdated"]);
      expect((await audited(world, history, { maxAge: Infinity })).findings).to.deep.equal([]);
    });

    it("a patient of whom it says that it knows nothing", async () => {
      const world = await worldOf(deployAccessWorld);
      const [answer] = await logged(world, [attemptOf(world)]);
      const earlier = await historyOf(world);
      const nothing = createGateway(world.connection, { store: storeOf(new Map()) });
      await time.increase(DAY / 2);
      const error = await refusal("ACCESS_LOG_INCONSISTENT", nothing.history(world.patient, { view: "patient" }));
      expect(error.details.sequence).to.equal(1);
      const tampered = await cheated(world, await historyOf(world), (copy) =>
        Object.assign(copy, { trails: {}, roots: [] }),
      );
      expect((await audited(world, tampered)).entries).to.deep.equal([]);
      await finds("removed", world, tampered, { receipts: [answer!.receipt] });
      await finds("removed", world, tampered, { earlier: [earlier] });
    });
  });

  it("refuses what is no history of this patient, reader, chain or contract", async () => {
    const { history, ...world } = await worldOf(twoRounds);
    const changes: [string, Partial<Record<keyof AccessHistory, unknown>>][] = [
      ["$.patient", { patient: id("another") }],
      ["$.trails", { view: "representative" }],
      ["$.chainId", { chainId: 1 }],
      ["$.accessLog", { accessLog: world.deployment.mandates }],
      ["$.roots[0].trails", { trails: {} }],
      ["$.carepact", { carepact: "claim-batch" }],
    ];
    for (const [path, change] of changes) {
      const error = await refusal("ACCESS_HISTORY_MALFORMED", audited(world, { ...history, ...change }));
      expect(error.details.path).to.equal(path);
    }
    await refusal("FILE_VERSION_UNSUPPORTED", audited(world, { ...history, version: 2 }));
    await refusal("ACCESS_HISTORY_MALFORMED", audited(world, history, { view: "representative" }));
    await refusal("INPUT_INVALID", audited(world, history, { patient: "0x12" }));
    await refusal("NODE_INCONSISTENT", audited({ ...world, reader: lyingReader(world) }, history));
  });
});

/** A node that leaves out the second root. */
function lyingReader({ reader, deployment }: AccessWorld): AccessWorld["reader"] {
  const topic = ethers.zeroPadValue("0x02", 32);
  const provider = nodeWith({
    getLogs: async (filter: Parameters<typeof ethers.provider.getLogs>[0]) =>
      (await ethers.provider.getLogs(filter)).filter(({ topics }) => topics[2] !== topic),
    send: async (method: string, params: unknown[]) => {
      const answer: unknown = await ethers.provider.send(method, params);
      if (method !== "eth_getLogs") return answer;
      return (answer as { topics: string[] }[]).filter(({ topics }) => topics[2] !== topic);
    },
  } as never);
  return { ...reader, runner: provider, deployment };
}
