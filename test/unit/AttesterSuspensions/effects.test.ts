import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { type Contract, dataLength, id, keccak256 } from "ethers";
import { ethers } from "hardhat";

import type { RulebookStruct } from "../../../typechain-types/contracts/rulebooks/Rulebooks";
import { met, notMet } from "../../support/batches";
import { fundedBatch, moneyOf } from "../../support/claims";
import { accountKey, p256Key, type Key } from "../../support/keys";
import { workflowOf } from "../../support/keystone";
import { DAY, GRACE, publish, rulebookOf } from "../../support/system";
import { itUninstrumented } from "../../support/instrumented";
import {
  bySigner,
  deploySuspensions,
  kindsOfKey,
  prove,
  rulebookFor,
  settleListed,
  settlePacked,
  statementOf,
  strike,
  type Packed,
  type Suspensions,
} from "./fixture";

describe("AttesterSuspensions: what a proof does", () => {
  const given = () => loadFixture(deploySuspensions);
  const batchUnder = (context: Suspensions, rulebook: string) => fundedBatch(context, [[100n]], { rulebook });
  const openOf = async (context: Suspensions, batchId: string) =>
    (await context.escrow.claimBatchStatusOf(batchId)).open;

  describe("given a list of accounts, 2 of 3", () => {
    for (const struck of [0, 1, 2])
      it(`counts the signatures of account ${struck} no longer, and those of the others still`, async () => {
        const context = await given();
        const { accounts, listed, escrow } = context;
        const before = await batchUnder(context, listed);
        await strike(context, accounts[struck]!, listed);
        const others = accounts.filter((_, i) => i !== struck);
        for (const batch of [before, await batchUnder(context, listed)]) {
          for (const other of others)
            await expect(settleListed(context, batch, [met], [accounts[struck]!, other])).to.be.revertedWithCustomError(
              escrow,
              "NotAttester",
            );
          await settleListed(context, batch, [met], others);
          expect(await openOf(context, batch.id)).to.equal(0n);
        }
      });

    for (const struck of [0, 1, 2])
      it(`does the same for packed signatures, in which account ${struck} keeps its place`, async () => {
        const context = await given();
        const { accounts, listed, escrow } = context;
        await strike(context, accounts[struck]!, listed);
        const batch = await batchUnder(context, listed);
        const packed = accounts.map((key, attester): Packed => ({ key, attester }));
        const others = packed.filter(({ attester }) => attester !== struck);
        for (const [place, signed] of [
          [struck === 0 ? 0 : 1, [packed[struck]!, others[0]!]],
          [struck === 2 ? 1 : 0, [packed[struck]!, others[1]!]],
        ] as const) {
          const ascending = [...signed].sort((a, b) => a.attester - b.attester);
          await expect(settlePacked(context, batch, [met], ascending))
            .to.be.revertedWithCustomError(escrow, "SignatureInvalid")
            .withArgs(place);
        }
        await settlePacked(context, batch, [met], others);
        expect(await openOf(context, batch.id)).to.equal(0n);
      });

    it("leaves a threshold that nobody can reach, until the payer gets its money back", async () => {
      const context = await given();
      const { accounts, listed, escrow } = context;
      const batch = await batchUnder(context, listed);
      await strike(context, accounts[0], listed);
      await strike(context, accounts[2], listed);
      await expect(settleListed(context, batch, [met], accounts.slice(0, 2))).to.be.revertedWithCustomError(
        escrow,
        "NotAttester",
      );
      await expect(settleListed(context, batch, [met], [accounts[1]])).to.be.reverted;
      await expect(settleListed(context, batch, [met], [accounts[1], accounts[1]])).to.be.revertedWithCustomError(
        escrow,
        "SignersNotAscending",
      );
      await expect(settlePacked(context, batch, [met], [{ attester: 1, key: accounts[1] }])).to.be.reverted;
      const attestBy = batch.terms.eventBy + GRACE;
      expect(await escrow.attestByOf(batch.terms)).to.equal(attestBy);
      await time.setNextBlockTimestamp(attestBy);
      await expect(escrow.reclaim(batch.terms)).to.be.revertedWithCustomError(escrow, "ReclaimTooEarly");
      const { free } = await moneyOf(context, batch);
      await time.setNextBlockTimestamp(attestBy + 1);
      await escrow.reclaim(batch.terms);
      expect((await moneyOf(context, batch)).free).to.equal(free + 100n);
    });

    it("takes no signatures where all are struck, not even none", async () => {
      const context = await given();
      const { accounts, listed } = context;
      const batch = await batchUnder(context, listed);
      for (const key of accounts) await strike(context, key, listed);
      for (const signed of [[], accounts.slice(0, 1), accounts.slice(0, 2), accounts])
        await expect(settleListed(context, batch, [met], signed)).to.be.reverted;
      const conditions = await ethers.getContractAt("AttesterConditions", ethers.ZeroAddress);
      await expect(settlePacked(context, batch, [met], [])).to.be.revertedWithCustomError(
        conditions,
        "ConditionNotMet",
      );
      await expect(
        settlePacked(
          context,
          batch,
          [met],
          accounts.map((key, attester) => ({ key, attester })),
        ),
      ).to.be.reverted;
      expect(await openOf(context, batch.id)).to.equal(100n);
    });
  });

  describe("given keys of every kind", () => {
    for (const kind of kindsOfKey)
      it(`counts the signature of a key of kind ${kind} no longer, and those of the others still`, async () => {
        const context = await given();
        const { keys, anyOfAll, escrow } = context;
        const sorted = Object.values(keys).sort(bySigner);
        await strike(context, keys[kind], anyOfAll);
        for (const [attester, key] of sorted.entries()) {
          const batch = await batchUnder(context, anyOfAll);
          const sent = settlePacked(context, batch, [met], [{ attester, key }]);
          if (key === keys[kind])
            await expect(sent).to.be.revertedWithCustomError(escrow, "SignatureInvalid").withArgs(0n);
          else await sent;
          expect(await openOf(context, batch.id)).to.equal(key === keys[kind] ? 100n : 0n);
        }
      });
  });

  describe("given several groups of attesters", () => {
    /** The same P-256 key in two groups, beside accounts. */
    async function givenGroups() {
      const context = await given();
      const key = context.keys.p256;
      const [first, second] = context.accounts;
      const groupOf = (keys: Key[], threshold: number, above = 0) => ({
        threshold,
        above,
        attesters: keys.sort(bySigner).map(({ signer }) => signer),
      });
      const groups = [groupOf([first, key], 1), groupOf([second, key], 1), groupOf([key], 1, 1_000)];
      const rulebook = await publish(context.rulebooks, rulebookOf([], 0, { attesterGroups: groups }));
      const indexOf = (group: number, { signer }: Key): number =>
        groups.slice(0, group).reduce((sum, { attesters }) => sum + attesters.length, 0) +
        groups[group]!.attesters.indexOf(signer);
      const signed = (...of: [group: number, key: Key][]): Packed[] =>
        of.map(([group, one]) => ({ attester: indexOf(group, one), key: one }));
      return { context, rulebook, key, first, second, signed };
    }

    it("strikes the attester from all of them", async () => {
      const { context, rulebook, key, first, second, signed } = await givenGroups();
      const both = signed([0, key], [1, key]);
      const before = await batchUnder(context, rulebook);
      await settlePacked(context, before, [met], both);
      expect(await openOf(context, before.id)).to.equal(0n);

      await strike(context, key, rulebook);
      const batch = await batchUnder(context, rulebook);
      for (const [list, index] of [
        [both, 0],
        [signed([0, first], [1, key]), 1],
        [signed([0, key], [1, second]), 0],
      ] as const)
        await expect(settlePacked(context, batch, [met], list))
          .to.be.revertedWithCustomError(context.escrow, "SignatureInvalid")
          .withArgs(index);
      await settlePacked(context, batch, [met], signed([0, first], [1, second]));
      expect(await openOf(context, batch.id)).to.equal(0n);
    });

    it("leaves a condition for large amounts that nobody can meet, and small amounts alone", async () => {
      const { context, rulebook, key, first, second, signed } = await givenGroups();
      await strike(context, key, rulebook);
      const large = await fundedBatch(context, [[1_001n]], { rulebook });
      const list = signed([0, first], [1, second]);
      await expect(settlePacked(context, large, [met], list)).to.be.reverted;
      await settlePacked(context, await fundedBatch(context, [[1_000n]], { rulebook }), [met], list);
      expect(await openOf(context, large.id)).to.equal(1_001n);
    });
  });

  describe("given other rulebooks that name the attester", () => {
    it("strikes it there, too, once anybody asks, and in no other", async () => {
      const context = await given();
      const { rulebooks, accounts, listed, stranger, escrow } = context;
      const elsewhere = await publish(rulebooks, rulebookFor(accounts, 1));
      const batch = await batchUnder(context, elsewhere);
      const untouched = await batchUnder(context, elsewhere);
      await strike(context, accounts[0], listed);
      await settleListed(context, untouched, [met], [accounts[0]]);

      const sent = rulebooks.connect(stranger).suspendAttester(elsewhere, accounts[0].signer);
      await expect(sent).to.emit(rulebooks, "AttesterSuspended");
      const logs = (await (await sent).wait())!.logs;
      expect(logs).to.have.length(1);
      const { args } = rulebooks.interface.parseLog(logs[0]!)!;
      expect([args.rulebook, args.attester]).to.deep.equal([elsewhere, accounts[0].signer]);
      expect(dataLength(await ethers.provider.getCode(args.blob as string))).to.be.greaterThan(0);
      await expect(settleListed(context, batch, [met], [accounts[0]])).to.be.revertedWithCustomError(
        escrow,
        "NotAttester",
      );
      await settleListed(context, batch, [met], [accounts[1]]);
      await rulebooks.suspendAttester(elsewhere, accounts[0].signer);
    });

    it("has it struck at once in those that are published later", async () => {
      const context = await given();
      const { rulebooks, accounts, listed, escrow } = context;
      await strike(context, accounts[1], listed);
      const terms = rulebookFor(accounts, 2, { documentHash: id("later") });
      const later = await publish(rulebooks, terms);
      const batch = await batchUnder(context, later);
      await expect(settleListed(context, batch, [met], accounts.slice(0, 2))).to.be.revertedWithCustomError(
        escrow,
        "NotAttester",
      );
      await settleListed(context, batch, [met], [accounts[0], accounts[2]]);
      expect((await rulebooks.rulebookOf(later)).attesterGroups[0]!.attesters).to.deep.equal(
        terms.attesterGroups[0]!.attesters,
      );
    });

    it("has a key struck at once in groups that are published later", async () => {
      const context = await given();
      const { rulebooks, keys, anyOfAll, escrow } = context;
      await strike(context, keys.passkey, anyOfAll);
      const pair = [keys.passkey, keys.p256].sort(bySigner);
      const later = await publish(rulebooks, rulebookFor(pair, 1, { documentHash: id("later") }));
      const batch = await batchUnder(context, later);
      const [struck, honest] = [keys.passkey, keys.p256].map((key) => ({ key, attester: pair.indexOf(key) }));
      await expect(settlePacked(context, batch, [met], [struck!])).to.be.revertedWithCustomError(
        escrow,
        "SignatureInvalid",
      );
      await settlePacked(context, batch, [met], [honest!]);
    });
  });

  it("changes neither the rulebook, nor its id, nor its place among rulebooks", async () => {
    const context = await given();
    const { rulebooks, accounts, listed } = context;
    const before = await rulebooks.rulebookOf(listed);
    const blobs = new Set<string>();
    for (const key of accounts) {
      const { sent } = await strike(context, key, listed);
      const parsed = (await sent.wait())!.logs.map((log) => rulebooks.interface.parseLog(log)!);
      blobs.add(parsed[1]!.args.blob as string);
      const now = await rulebooks.rulebookOf(listed);
      expect(now).to.deep.equal(before);
      expect(keccak256(encode(rulebooks, now))).to.equal(listed);
    }
    expect(blobs.size).to.equal(3);
    // Who publishes it anew gets the one that there is.
    const terms = rulebookFor(accounts, 2, { suspender: context.suspender.address });
    expect(await publish(rulebooks, terms)).to.equal(listed);
    await expect(settleListed(context, await batchUnder(context, listed), [met], accounts.slice(0, 2))).to.be.reverted;
  });

  it("strikes two attesters one after the other, and leaves the third", async () => {
    const context = await given();
    const { rulebooks, accounts } = context;
    const rulebook = await publish(rulebooks, rulebookFor(accounts, 1));
    await strike(context, accounts[2], rulebook);
    await strike(context, accounts[0], rulebook);
    const batch = await batchUnder(context, rulebook);
    for (const key of [accounts[0], accounts[2]])
      await expect(settleListed(context, batch, [met], [key])).to.be.revertedWithCustomError(
        context.escrow,
        "NotAttester",
      );
    await settleListed(context, batch, [met], [accounts[1]]);
  });

  it("leaves the workflow of the rulebook in its place", async () => {
    const context = await given();
    const workflow = workflowOf("dispenses");
    const rulebook = await publish(context.rulebooks, rulebookFor(context.accounts, 1, { workflow }));
    await strike(context, context.accounts[0], rulebook);
    const stored = (await context.rulebooks.rulebookOf(rulebook)).workflow;
    expect([stored.id, stored.owner.toLowerCase(), stored.name]).to.deep.equal([
      workflow.id,
      workflow.owner,
      workflow.name,
    ]);
  });

  describe("given a rulebook that its suspender suspended", () => {
    it("leaves it suspended, with its clock right", async () => {
      const context = await given();
      const { rulebooks, accounts, listed, suspender, escrow } = context;
      const batch = await batchUnder(context, listed);
      const yes = statementOf(accounts[0], batch, [met]);
      const no = statementOf(accounts[0], batch, [notMet]);
      await rulebooks.connect(suspender).suspend(listed);
      const suspendedAt = await time.latest();
      await time.increase(DAY);
      await prove(context, accounts[0], batch, [0, 0], yes, no);
      expect(await rulebooks.rulebookStatusOf(listed)).to.deep.equal([true, true]);
      await expect(settleListed(context, batch, [met], accounts.slice(1)))
        .to.be.revertedWithCustomError(escrow, "RulebookIsSuspended")
        .withArgs(listed);
      await time.increase(DAY);
      await rulebooks.connect(suspender).resume(listed);
      const stopped = (await time.latest()) - suspendedAt;
      expect(await escrow.attestByOf(batch.terms)).to.equal(batch.terms.eventBy + GRACE + stopped);

      // An earlier suspension stays counted, too.
      await strike(context, accounts[1], listed);
      expect(await rulebooks.rulebookStatusOf(listed)).to.deep.equal([true, false]);
      expect(await escrow.attestByOf(batch.terms)).to.equal(batch.terms.eventBy + GRACE + stopped);
      await rulebooks.connect(suspender).suspend(listed);
      await rulebooks.suspendAttester(listed, accounts[0].signer);
      expect(await rulebooks.rulebookStatusOf(listed)).to.deep.equal([true, true]);
    });

    it("does not let the proof of an attester end or begin it", async () => {
      const context = await given();
      const { rulebooks, accounts, listed, suspender } = context;
      await strike(context, accounts[0], listed);
      await expect(rulebooks.connect(suspender).resume(listed)).to.be.revertedWithCustomError(
        rulebooks,
        "RulebookNotSuspended",
      );
      await rulebooks.connect(suspender).suspend(listed);
      await expect(rulebooks.connect(context.stranger).resume(listed)).to.be.revertedWithCustomError(
        rulebooks,
        "NotSuspender",
      );
    });
  });

  itUninstrumented("strikes an attester from the largest rulebook within one transaction", async () => {
    const context = await given();
    const { rulebooks, p256Verifier } = context;
    const keys = Array.from({ length: 31 }, (_, i) => p256Key(`key ${i}`, p256Verifier));
    const struck = accountKey("one of many");
    const groups = [...keys, struck].map(({ signer }) => ({ threshold: 1, above: 0, attesters: [signer] }));
    const rulebook = await publish(rulebooks, rulebookOf([], 0, { attesterGroups: groups }));
    const { sent } = await strike(context, struck, rulebook);
    const { gasUsed } = (await sent.wait())!;
    expect(gasUsed).to.be.lessThan(16_777_216n);
  });

  it("settles what was attested of a batch of which the lie is known, by the honest", async () => {
    const context = await given();
    const { batch } = await strike(context, context.accounts[0], context.listed);
    await settleListed(context, batch, [notMet], context.accounts.slice(1));
    expect(await openOf(context, batch.id)).to.equal(0n);
  });
});

/** abi.encode(rulebook), of which the id is the hash. */
const encode = (rulebooks: Suspensions["rulebooks"], rulebook: RulebookStruct): string =>
  `0x${(rulebooks as unknown as Contract).interface.encodeFunctionData("publish", [rulebook]).slice(10)}`;
