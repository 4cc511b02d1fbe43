import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import type { GroupResult } from "@carepact/sdk/claims";

import { byLine, met, notMet, partlyMet, pending } from "../../support/batches";
import { fundedBatch } from "../../support/claims";
import { GRACE } from "../../support/system";
import {
  deploySuspensions,
  disown,
  kindsOfKey,
  prove,
  settleListed,
  statementOf,
  strike,
  type Place,
  type Suspensions,
} from "./fixture";

describe("AttesterSuspensions: what proves that an attester equivocated", () => {
  for (const kind of kindsOfKey)
    it(`takes the signatures of a key of kind ${kind}, from anyone, and says so`, async () => {
      const context = await loadFixture(deploySuspensions);
      const { rulebooks, receiver, anyOfAll } = context;
      const key = context.keys[kind];
      expect(await rulebooks.hasEquivocated(key.signer)).to.equal(false);
      const { batch, sent } = await strike(context, key, anyOfAll);
      const logs = (await sent.wait())!.logs;
      expect(logs).to.have.length(2);
      const [equivocated, suspended] = logs.map((log) => rulebooks.interface.parseLog(log)!);
      expect([equivocated!.name, ...equivocated!.args]).to.deep.equal([
        "AttesterEquivocated",
        key.hash,
        key.signer,
        batch.id,
        0n,
        0n,
      ]);
      expect([suspended!.name, suspended!.args.rulebook, suspended!.args.attester]).to.deep.equal([
        "AttesterSuspended",
        anyOfAll,
        key.signer,
      ]);
      expect(await rulebooks.hasEquivocated(key.signer)).to.equal(true);
      for (const other of kindsOfKey.filter((one) => one !== kind))
        expect(await rulebooks.hasEquivocated(context.keys[other].signer)).to.equal(false);
      expect(await rulebooks.rulebookStatusOf(anyOfAll)).to.deep.equal([true, false]);
      expect(await receiver.supportsInterface("0x01ffc9a7")).to.equal(true);
    });

  /** Groups of the batch: of three lines, of one, of five. */
  const lines = [[100n, 200n, 300n], [400n], [10n, 20n, 30n, 40n, 50n]];
  const rest = byLine(partlyMet(1n), notMet, partlyMet(2n), pending, met);
  const contradictions: Record<string, [at: Place, first: GroupResult[], second: GroupResult[]]> = {
    "met and not met": [
      [1, 0],
      [pending, met, pending],
      [pending, notMet, pending],
    ],
    "met, by line, and not met": [
      [0, 1],
      [byLine(pending, met, pending), pending, pending],
      [notMet, pending, pending],
    ],
    "met and partly met": [
      [0, 2],
      [met, pending, pending],
      [byLine(pending, pending, partlyMet(1n)), pending, pending],
    ],
    "not met and partly met": [
      [0, 0],
      [notMet, met, met],
      [byLine(partlyMet(99n), met, met), met, met],
    ],
    "partly met with other amounts": [
      [0, 1],
      [byLine(partlyMet(5n), partlyMet(6n), met), pending, pending],
      [byLine(partlyMet(5n), partlyMet(7n), met), pending, pending],
    ],
    "partly met with amounts that differ in their highest byte alone": [
      [0, 1],
      [byLine(met, partlyMet(6n), met), pending, pending],
      [byLine(met, partlyMet(6n + 256n), met), pending, pending],
    ],
    "a whole group and one of its lines": [
      [2, 4],
      [met, met, met],
      [met, met, byLine(met, met, met, met, notMet)],
    ],
    "a line behind several groups by line": [
      [2, 3],
      [byLine(partlyMet(1n), met, partlyMet(3n)), byLine(partlyMet(4n)), byLine(partlyMet(1n), met, met, notMet, met)],
      [byLine(met, partlyMet(2n), pending), notMet, byLine(met, met, met, partlyMet(8n), partlyMet(9n))],
    ],
    "the last amount of many": [
      [2, 2],
      [byLine(partlyMet(1n), partlyMet(2n), partlyMet(3n)), byLine(partlyMet(9n)), rest],
      [pending, pending, byLine(partlyMet(3n), partlyMet(2n), partlyMet(1n), partlyMet(4n), partlyMet(5n))],
    ],
    "the one line of a group": [
      [1, 0],
      [pending, byLine(partlyMet(399n)), pending],
      [pending, byLine(partlyMet(398n)), pending],
    ],
  };
  for (const [what, [at, first, second]] of Object.entries(contradictions))
    for (const swapped of [false, true])
      it(`finds ${what}${swapped ? ", the other way round" : ""}`, async () => {
        const context = await loadFixture(deploySuspensions);
        const { rulebooks, keys, anyOfAll } = context;
        const batch = await fundedBatch(context, lines, { rulebook: anyOfAll });
        const pair = [first, second].map((results) => statementOf(keys.account, batch, results));
        const [one, other] = swapped ? [pair[1]!, pair[0]!] : [pair[0]!, pair[1]!];
        await expect(prove(context, keys.account, batch, at, one, other))
          .to.emit(rulebooks, "AttesterEquivocated")
          .withArgs(keys.account.hash, keys.account.signer, batch.id, ...at);
      });

  const fates = {
    "that was settled by one of the two": async (context: Suspensions) => {
      const batch = await fundedBatch(context, [[100n]], { rulebook: context.listed });
      await settleListed(context, batch, [met], context.accounts.slice(0, 2));
      return batch;
    },
    "that was reclaimed": async (context: Suspensions) => {
      const batch = await fundedBatch(context, [[100n]], { rulebook: context.listed });
      await time.increaseTo(batch.terms.eventBy + GRACE + 1);
      await context.escrow.reclaim(batch.terms);
      return batch;
    },
    "that was reversed": async (context: Suspensions) => {
      const batch = await fundedBatch(context, [[100n]], { rulebook: context.listed });
      const { opened, proof } = batch.openOne(0);
      await context.escrow.connect(context.payees[0]).reverse(batch.terms, batch.words, 0, [0], opened, proof);
      return batch;
    },
    "while the escrow is paused": async (context: Suspensions) => {
      const batch = await fundedBatch(context, [[100n]], { rulebook: context.listed });
      await context.escrow.pause();
      return batch;
    },
    "of a rulebook that is suspended": async (context: Suspensions) => {
      const batch = await fundedBatch(context, [[100n]], { rulebook: context.listed });
      await context.rulebooks.connect(context.suspender).suspend(context.listed);
      return batch;
    },
  };
  for (const [what, batchOf] of Object.entries(fates))
    it(`finds it in a batch ${what}`, async () => {
      const context = await loadFixture(deploySuspensions);
      const [key] = context.accounts;
      const batch = await batchOf(context);
      await prove(context, key, batch, [0, 0], statementOf(key, batch, [met]), statementOf(key, batch, [notMet]));
      expect(await context.rulebooks.hasEquivocated(key.signer)).to.equal(true);
    });

  it("finds it in statements that expired, and in those of a time to come", async () => {
    const context = await loadFixture(deploySuspensions);
    const [first, second] = context.accounts;
    const batch = await fundedBatch(context, [[100n]], { rulebook: context.listed });
    for (const [key, observedAt] of [
      [first, 1],
      [second, 2 ** 40 - 1],
    ] as const) {
      const [yes, no] = [met, notMet].map((result) => statementOf(key, batch, [result], { observedAt }));
      await prove(context, key, batch, [0, 0], yes!, no!);
      expect(await context.rulebooks.hasEquivocated(key.signer)).to.equal(true);
    }
  });

  it("can be proved twice, which changes nothing more", async () => {
    const context = await loadFixture(deploySuspensions);
    const { rulebooks, accounts, listed } = context;
    const { batch } = await strike(context, accounts[0], listed);
    const before = await rulebooks.rulebookOf(listed);
    const [yes, no] = [met, notMet].map((result) => statementOf(accounts[0], batch, [result]));
    await expect(prove(context, accounts[0], batch, [0, 0], yes!, no!)).to.emit(rulebooks, "AttesterSuspended");
    expect(await rulebooks.rulebookOf(listed)).to.deep.equal(before);
    await settleListed(context, batch, [met], accounts.slice(1));
    expect((await context.escrow.claimBatchStatusOf(batch.id)).open).to.equal(0n);
  });

  it("takes an account's signature though the account has code by now that disowns it (EIP-7702)", async () => {
    const context = await loadFixture(deploySuspensions);
    const { accounts, listed } = context;
    const batch = await fundedBatch(context, [[100n]], { rulebook: listed });
    const [yes, no] = [met, notMet].map((result) => statementOf(accounts[0], batch, [result]));
    await disown(accounts[0].signer);
    // The list of accounts is settled by ECDSA alone, code or not: so the lie pays.
    await settleListed(context, batch, [met], accounts.slice(0, 2));
    await prove(context, accounts[0], batch, [0, 0], yes!, no!);
    expect(await context.rulebooks.hasEquivocated(accounts[0].signer)).to.equal(true);
  });
});
