import { loadFixture, takeSnapshot, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { met, settle, settlementOf, type TestBatch } from "../../support/batches";
import { type Funded, batchOf, deployFunded, fundedBatchOf } from "../../support/funded";
import { DAY, GRACE, publish, rulebookOf } from "../../support/system";

const HOUR = 60 * 60;
const MINUTE = 60;
const MAX_STOPPED = 60 * DAY;

type Action = "pause" | "unpause" | "suspend" | "resume";
/** When, in seconds since the batch was funded, and what. */
type Step = [number, Action];

/** A funded batch, when it was funded, and an attestation of it that is good for two years. */
interface Clocked extends Funded {
  batch: TestBatch;
  start: number;
  settlement: Awaited<ReturnType<typeof settlementOf>>;
}

async function clocked(context: Funded, batch: TestBatch): Promise<Clocked> {
  const start = await time.latest();
  const settlement = await settlementOf(batch, {
    results: [met, met],
    signers: context.attesters.slice(0, 2),
    validUntil: start + 800 * DAY,
  });
  return { ...context, batch, start, settlement };
}

/** The care of the batch may happen within 30 days. */
async function deployWithBatch(): Promise<Clocked> {
  const context = await loadFixture(deployFunded);
  return clocked(context, await fundedBatchOf(context));
}

async function act({ escrow, rulebooks, rulebook, suspender }: Funded, action: Action): Promise<unknown> {
  if (action === "pause") return escrow.pause();
  if (action === "unpause") return escrow.unpause();
  if (action === "suspend") return rulebooks.connect(suspender).suspend(rulebook);
  return rulebooks.connect(suspender).resume(rulebook);
}

async function follow(context: Clocked, steps: Step[]): Promise<void> {
  for (const [second, action] of steps) {
    await time.setNextBlockTimestamp(context.start + second);
    await act(context, action);
  }
}

/** Holds the deadline of the batch against every rule about it, to the second. */
async function expectDeadline(context: Clocked, attestBy: number): Promise<void> {
  const { escrow, batch, settlement } = context;
  expect(await escrow.attestByOf(batch.terms)).to.equal(attestBy);
  const before = await takeSnapshot();

  await time.setNextBlockTimestamp(attestBy);
  await expect(settle(escrow, settlement)).to.emit(escrow, "ClaimBatchSettled");
  await before.restore();

  await time.setNextBlockTimestamp(attestBy + 1);
  await expect(settle(escrow, settlement))
    .to.be.revertedWithCustomError(escrow, "AttestationTooLate")
    .withArgs(attestBy);
  await before.restore();

  await time.setNextBlockTimestamp(attestBy);
  await expect(escrow.reclaim(batch.terms)).to.be.revertedWithCustomError(escrow, "ReclaimTooEarly").withArgs(attestBy);
  await time.setNextBlockTimestamp(attestBy + 1);
  await expect(escrow.reclaim(batch.terms)).to.emit(escrow, "ClaimBatchReclaimed");
}

describe("ClaimEscrow: the deadline of a batch", () => {
  describe("moves by the seconds for which settlement was stopped since funding", () => {
    const cases: [string, Step[], number][] = [
      ["none, when nothing was stopped", [], 0],
      [
        "a pause that was ended",
        [
          [HOUR, "pause"],
          [2 * HOUR, "unpause"],
        ],
        HOUR,
      ],
      [
        "a pause of one second",
        [
          [HOUR, "pause"],
          [HOUR + 1, "unpause"],
        ],
        1,
      ],
      ["a pause that lapsed", [[HOUR, "pause"]], 7 * DAY],
      [
        "a suspension",
        [
          [HOUR, "suspend"],
          [5 * DAY, "resume"],
        ],
        5 * DAY - HOUR,
      ],
      [
        "a suspension of one second",
        [
          [HOUR, "suspend"],
          [HOUR + 1, "resume"],
        ],
        1,
      ],
      [
        "several pauses and suspensions",
        [
          [HOUR, "pause"],
          [3 * HOUR, "unpause"],
          [4 * HOUR, "suspend"],
          [7 * HOUR, "resume"],
          [8 * DAY, "pause"],
          [8 * DAY + MINUTE, "unpause"],
          [9 * DAY, "suspend"],
          [9 * DAY + 1, "resume"],
        ],
        5 * HOUR + MINUTE + 1,
      ],
      [
        "two pauses, the first of which lapsed",
        [
          [HOUR, "pause"],
          [HOUR + 14 * DAY, "pause"],
          [HOUR + 15 * DAY, "unpause"],
        ],
        8 * DAY,
      ],
      [
        "a pause within a suspension, once",
        [
          [HOUR, "suspend"],
          [3 * HOUR, "pause"],
          [6 * HOUR, "unpause"],
          [11 * HOUR, "resume"],
        ],
        10 * HOUR,
      ],
      [
        "a suspension within a pause, once",
        [
          [HOUR, "pause"],
          [3 * HOUR, "suspend"],
          [6 * HOUR, "resume"],
          [9 * HOUR, "unpause"],
        ],
        8 * HOUR,
      ],
      [
        "a suspension that begins in a pause and outlasts it, once",
        [
          [HOUR, "pause"],
          [3 * HOUR, "suspend"],
          [5 * HOUR, "unpause"],
          [10 * HOUR, "resume"],
        ],
        9 * HOUR,
      ],
      [
        "a suspension that ends in a pause that began later, once",
        [
          [HOUR, "suspend"],
          [3 * HOUR, "pause"],
          [6 * HOUR, "resume"],
          [8 * HOUR, "unpause"],
        ],
        7 * HOUR,
      ],
      [
        "a suspension in which a pause lapses, once",
        [
          [HOUR, "suspend"],
          [DAY, "pause"],
          [10 * DAY, "resume"],
        ],
        10 * DAY - HOUR,
      ],
      [
        "a pause that lapses after a suspension within it, once",
        [
          [HOUR, "pause"],
          [DAY, "suspend"],
          [2 * DAY, "resume"],
        ],
        7 * DAY,
      ],
      [
        "two suspensions in one pause, once",
        [
          [HOUR, "pause"],
          [2 * HOUR, "suspend"],
          [3 * HOUR, "resume"],
          [4 * HOUR, "suspend"],
          [5 * HOUR, "resume"],
          [6 * HOUR, "unpause"],
        ],
        5 * HOUR,
      ],
    ];
    for (const [what, steps, stopped] of cases)
      it(what, async () => {
        const context = await loadFixture(deployWithBatch);
        await follow(context, steps);
        await time.increaseTo(context.start + 31 * DAY);
        await expectDeadline(context, context.batch.terms.eventBy + GRACE + stopped);
      });

    it("and goes on moving while it is stopped", async () => {
      const context = await loadFixture(deployWithBatch);
      const { escrow, batch, start } = context;
      const due = batch.terms.eventBy + GRACE;
      await follow(context, [[HOUR, "suspend"]]);
      await time.increaseTo(start + 3 * HOUR);
      expect(await escrow.attestByOf(batch.terms)).to.equal(due + 2 * HOUR);
      await follow(context, [[4 * HOUR, "pause"]]);
      await time.increaseTo(start + 6 * HOUR);
      expect(await escrow.attestByOf(batch.terms)).to.equal(due + 5 * HOUR);
    });
  });

  describe("does not move", () => {
    it("by stops before the batch was funded", async () => {
      const empty = await loadFixture(deployFunded);
      const start = await time.latest();
      const steps: Step[] = [
        [HOUR, "pause"],
        [DAY, "suspend"],
        [9 * DAY, "resume"],
      ];
      for (const [second, action] of steps) {
        await time.setNextBlockTimestamp(start + second);
        await act(empty, action);
      }
      const context = await clocked(empty, await fundedBatchOf(empty));
      const { stoppedAtFunding } = await context.escrow.claimBatchStatusOf(context.batch.id);
      expect(stoppedAtFunding).to.equal(9 * DAY - HOUR);
      await expectDeadline(context, context.batch.terms.eventBy + GRACE);
    });

    it("by the part of a lapsed pause that other batches count", async () => {
      const empty = await loadFixture(deployWithBatch);
      await follow(empty, [[HOUR, "pause"]]);
      await time.increaseTo(empty.start + 8 * DAY);
      const later = await clocked(empty, await fundedBatchOf(empty));
      expect((await later.escrow.claimBatchStatusOf(later.batch.id)).stoppedAtFunding).to.equal(7 * DAY);
      expect(await empty.escrow.attestByOf(empty.batch.terms)).to.equal(empty.batch.terms.eventBy + GRACE + 7 * DAY);
      await expectDeadline(later, later.batch.terms.eventBy + GRACE);
    });

    it("by the suspension of another rulebook", async () => {
      const context = await loadFixture(deployWithBatch);
      const { rulebooks, attesters, suspender } = context;
      const other = await publish(rulebooks, rulebookOf([attesters[0]!.address], 1, { suspender: suspender.address }));
      await rulebooks.connect(suspender).suspend(other);
      await time.increase(DAY);
      await rulebooks.connect(suspender).resume(other);
      await expectDeadline(context, context.batch.terms.eventBy + GRACE);
    });

    it("back across now by a stop that began after it", async () => {
      const context = await loadFixture(deployWithBatch);
      const { escrow, batch, start, settlement } = context;
      const due = batch.terms.eventBy + GRACE;
      await follow(context, [
        [due + 10 - start, "suspend"],
        [due + DAY - start, "resume"],
      ]);
      await expect(settle(escrow, settlement))
        .to.be.revertedWithCustomError(escrow, "AttestationTooLate")
        .withArgs(due + DAY - 10);
      await expect(escrow.reclaim(batch.terms)).to.emit(escrow, "ClaimBatchReclaimed");
    });
  });

  describe("while the rulebook is suspended", () => {
    it("neither settles nor is reclaimed", async () => {
      const context = await loadFixture(deployWithBatch);
      const { escrow, rulebooks, rulebook, batch, settlement, start } = context;
      await follow(context, [[HOUR, "suspend"]]);
      await time.increaseTo(start + 40 * DAY);
      await expect(settle(escrow, settlement))
        .to.be.revertedWithCustomError(rulebooks, "RulebookIsSuspended")
        .withArgs(rulebook);
      await expect(escrow.reclaim(batch.terms)).to.be.revertedWithCustomError(escrow, "ReclaimWhileStopped");
    });

    it("does not stop batches of other rulebooks", async () => {
      const funded = await loadFixture(deployFunded);
      const { escrow, rulebooks, attesters } = funded;
      const addresses = attesters.map(({ address }) => address);
      const other = await publish(rulebooks, rulebookOf(addresses, 2));
      const context = await clocked(funded, await fundedBatchOf(funded, { rulebook: other }));
      await follow(context, [[HOUR, "suspend"]]);
      await expect(settle(escrow, context.settlement)).to.emit(escrow, "ClaimBatchSettled");
    });
  });
});

describe("ClaimEscrow: once a batch was stopped for 60 days of its life", () => {
  it("its deadline moves no further", async () => {
    const context = await loadFixture(deployWithBatch);
    expect(await context.escrow.MAX_STOPPED()).to.equal(MAX_STOPPED);
    await follow(context, [
      [HOUR, "suspend"],
      [80 * DAY, "resume"],
      [80 * DAY + HOUR, "pause"],
      [81 * DAY, "unpause"],
    ]);
    await expectDeadline(context, context.batch.terms.eventBy + GRACE + MAX_STOPPED);
  });

  it("a suspension no longer keeps it from settling, from that very second on", async () => {
    const context = await loadFixture(deployWithBatch);
    const { escrow, rulebooks, rulebook, start, settlement } = context;
    await follow(context, [[HOUR, "suspend"]]);
    await time.setNextBlockTimestamp(start + HOUR + MAX_STOPPED - 1);
    await expect(settle(escrow, settlement))
      .to.be.revertedWithCustomError(rulebooks, "RulebookIsSuspended")
      .withArgs(rulebook);
    await time.setNextBlockTimestamp(start + HOUR + MAX_STOPPED);
    await expect(settle(escrow, settlement)).to.emit(escrow, "ClaimBatchSettled");
    expect(await rulebooks.rulebookStatusOf(rulebook)).to.deep.equal([true, true]);
  });

  it("its deadline holds to the second although the rulebook stays suspended", async () => {
    const context = await loadFixture(deployWithBatch);
    const { escrow, batch, start } = context;
    await follow(context, [[HOUR, "suspend"]]);
    await time.setNextBlockTimestamp(start + HOUR + MAX_STOPPED - 1);
    await expect(escrow.reclaim(batch.terms)).to.be.revertedWithCustomError(escrow, "ReclaimWhileStopped");
    await time.increaseTo(start + HOUR + MAX_STOPPED);
    await expectDeadline(context, batch.terms.eventBy + GRACE + MAX_STOPPED);
  });

  it("a pause no longer keeps it from settling, from that very second on", async () => {
    const context = await loadFixture(deployWithBatch);
    const { escrow, start, settlement } = context;
    const paused = 70 * DAY;
    await follow(context, [
      [HOUR, "suspend"],
      [HOUR + MAX_STOPPED - 10, "resume"],
      [paused, "pause"],
    ]);
    await time.setNextBlockTimestamp(start + paused + 9);
    await expect(settle(escrow, settlement))
      .to.be.revertedWithCustomError(escrow, "PausedUntil")
      .withArgs(start + paused + 7 * DAY);
    await time.setNextBlockTimestamp(start + paused + 10);
    await expect(settle(escrow, settlement)).to.emit(escrow, "ClaimBatchSettled");
    expect(await escrow.paused()).to.equal(true);
  });

  it("a pause no longer keeps it from being reclaimed, from that very second on", async () => {
    const funded = await loadFixture(deployFunded);
    const batch = await batchOf(funded, { eventBy: (await time.latest()) + DAY });
    await funded.escrow.connect(funded.payer).fund(batch.terms, batch.words);
    const context = await clocked(funded, batch);
    const { escrow, start } = context;
    // Of which 60 days and 1 hour end before the deadline that they move, and the pause after it.
    const attestBy = batch.terms.eventBy + GRACE + MAX_STOPPED;
    const paused = attestBy - 5 - start;
    await follow(context, [
      [HOUR, "suspend"],
      [HOUR + MAX_STOPPED - 10, "resume"],
      [paused, "pause"],
    ]);
    await time.setNextBlockTimestamp(start + paused + 9);
    await expect(escrow.reclaim(batch.terms)).to.be.revertedWithCustomError(escrow, "ReclaimWhileStopped");
    await time.setNextBlockTimestamp(start + paused + 10);
    await expect(escrow.reclaim(batch.terms)).to.emit(escrow, "ClaimBatchReclaimed");
    expect(await escrow.paused()).to.equal(true);
  });

  it("a pause still stops everything else, and younger batches", async () => {
    const context = await loadFixture(deployWithBatch);
    const { escrow, token, payer, attesters, settlement } = context;
    await follow(context, [
      [HOUR, "suspend"],
      [HOUR + MAX_STOPPED, "resume"],
    ]);
    const younger = await fundedBatchOf(context);
    await escrow.pause();
    const signed = await settlementOf(younger, { results: [met, met], signers: attesters.slice(0, 2) });
    await expect(settle(escrow, signed)).to.be.revertedWithCustomError(escrow, "PausedUntil");
    await expect(escrow.connect(payer).deposit(payer, token, 1n)).to.be.revertedWithCustomError(escrow, "PausedUntil");
    await expect(settle(escrow, settlement)).to.emit(escrow, "ClaimBatchSettled");
  });

  it("nine pauses in a row have stopped it, in the fifth day of the ninth", async () => {
    const funded = await loadFixture(deployFunded);
    const batch = await batchOf(funded, { eventBy: (await time.latest()) + 300 * DAY });
    await funded.escrow.connect(funded.payer).fund(batch.terms, batch.words);
    const context = await clocked(funded, batch);
    const { escrow, start, settlement } = context;
    await follow(
      context,
      Array.from({ length: 9 }, (_, i): Step => [HOUR + i * 14 * DAY, "pause"]),
    );
    const ninth = start + HOUR + 8 * 14 * DAY;
    await time.setNextBlockTimestamp(ninth + 4 * DAY - 1);
    await expect(settle(escrow, settlement))
      .to.be.revertedWithCustomError(escrow, "PausedUntil")
      .withArgs(ninth + 7 * DAY);
    await time.setNextBlockTimestamp(ninth + 4 * DAY);
    await expect(settle(escrow, settlement)).to.emit(escrow, "ClaimBatchSettled");
  });
});
