import { time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { byLine, met, notMet, partlyMet, pending } from "../../support/batches";
import { attested, moneyOf } from "../../support/claims";
import {
  ARBITER_TIME,
  BOND,
  CHALLENGE,
  LOOK_BACK,
  around,
  at,
  attestByOf,
  bring,
  deposit,
  dispute,
  disputeMissing,
  given,
  present,
  presentDisputed,
  recoup,
  refuses,
  release,
  resolve,
  resolveByDefault,
  settlePresented,
  soundAfterEach,
  type Given,
  type RulebookName,
} from "../../support/disputes";
import { DAY } from "../../support/system";

const HOUR = 60 * 60;
const MAX_STOPPED = 60 * DAY;

const suspend = ({ rulebooks, suspender, batch }: Given) => rulebooks.connect(suspender).suspend(batch.terms.rulebook);
const resume = ({ rulebooks, suspender, batch }: Given) => rulebooks.connect(suspender).resume(batch.terms.rulebook);
const pause = ({ escrow }: Given) => escrow.pause();
const unpause = ({ escrow }: Given) => escrow.unpause();

/** Stops for a number of seconds, to the second. */
async function stopFor(context: Given, way: "pause" | "suspension", seconds: number): Promise<void> {
  await (way === "pause" ? pause(context) : suspend(context));
  await at((await time.latest()) + seconds);
  await (way === "pause" ? unpause(context) : resume(context));
}

describe("ClaimEscrow: stops and the periods of presentations, disputes and retentions", () => {
  soundAfterEach();

  for (const way of ["pause", "suspension"] as const)
    describe(`a ${way} moves by its seconds, if it comes within it,`, () => {
      it("the challenge period", async () => {
        const context = await given("bondless");
        await present(context, [met, met, met]);
        const until = (await time.latest()) + CHALLENGE + HOUR;
        await time.increase(DAY);
        await stopFor(context, way, HOUR);
        expect((await context.receiver.presentationOf(context.batch.terms, 0)).challengeUntil).to.equal(until);
        await around(until, {
          atLast: [
            () => dispute(context, context.payer, 0, 0),
            () => refuses(context, settlePresented(context), "ChallengePeriodOpen", until),
          ],
          after: [
            () => refuses(context, dispute(context, context.payer, 0, 0), "ChallengePeriodOver", until),
            () => settlePresented(context),
          ],
        });
      });

      it("the arbiter's time", async () => {
        const context = await given("bondless");
        await present(context, [met, met, met]);
        await dispute(context, context.payer, 0, 0);
        const until = (await time.latest()) + ARBITER_TIME + HOUR;
        await time.increase(DAY);
        await stopFor(context, way, HOUR);
        expect((await context.receiver.disputeOf(context.batch.terms, 0)).resolveBy).to.equal(until);
        await around(until, {
          atLast: [
            () => resolve(context, 0, 0, 5n),
            () => refuses(context, resolveByDefault(context, 0, 0), "ArbiterHasTime", until),
          ],
          after: [
            () => refuses(context, resolve(context, 0, 0, 5n), "ArbiterTooLate", until),
            () => resolveByDefault(context, 0, 0),
          ],
        });
      });

      it("the look-back", async () => {
        const context = await given("retaining");
        await present(context, [met, met, met]);
        const until = (await time.latest()) + LOOK_BACK + HOUR;
        await time.increase(DAY);
        await stopFor(context, way, HOUR);
        expect((await context.receiver.retentionOf(context.batch.terms, 0)).recoupUntil).to.equal(until);
        await around(until, {
          atLast: [() => recoup(context, 0, 1n), () => refuses(context, release(context), "LookBackOpen", until)],
          after: [() => refuses(context, recoup(context, 0, 1n), "LookBackOver", until), () => release(context)],
        });
      });

      it("the time to dispute what is missing, and to attest it still, as it does attestBy", async () => {
        const context = await given("payeeDefault");
        const { batch, payees } = context;
        await stopFor(context, way, HOUR);
        const until = attestByOf(batch) + HOUR;
        const { eventBy } = batch.terms;
        await around(until, {
          atLast: [() => disputeMissing(context, payees[0]!, 0, 0)],
          after: [
            () =>
              refuses(context, disputeMissing(context, payees[0]!, 0, 0), "DisputeOutsideTime", eventBy, BigInt(until)),
          ],
        });
        await at(until - 1);
        await disputeMissing(context, payees[0]!, 0, 0);
        await presentDisputed(context, [met, pending, pending], 0, 0);
      });

      it("nothing that begins after it", async () => {
        const context = await given("bondless");
        await stopFor(context, way, HOUR);
        await present(context, [met, met, met]);
        const presented = await time.latest();
        const { challengeUntil } = await context.receiver.presentationOf(context.batch.terms, 0);
        expect(challengeUntil).to.equal(presented + CHALLENGE);
        await time.increase(HOUR);
        await dispute(context, context.payer, 0, 0);
        const { resolveBy } = await context.receiver.disputeOf(context.batch.terms, 0);
        expect(resolveBy).to.equal((await time.latest()) + ARBITER_TIME);
      });

      it("all of one batch, each in its own time, and none of a period that is over", async () => {
        const context = await given("full");
        await deposit(context, context.payer, BOND);
        await present(context, [byLine(met, pending), pending, pending]);
        await time.increase(CHALLENGE);
        await settlePresented(context);
        const retained = await time.latest();
        await present(context, [met, met, met], { open: [0] });
        const presented = await time.latest();
        await stopFor(context, way, HOUR);
        await dispute(context, context.payer, 0, 1);
        const disputed = await time.latest();
        const { batch, receiver } = context;
        const ends = async () => [
          (await receiver.retentionOf(batch.terms, 0)).recoupUntil,
          (await receiver.presentationOf(batch.terms, 2)).challengeUntil,
          (await receiver.disputeOf(batch.terms, 1)).resolveBy,
        ];
        const [lookBack, challenge, ruling] = [
          retained + LOOK_BACK + HOUR,
          presented + CHALLENGE + HOUR,
          disputed + ARBITER_TIME,
        ];
        expect(await ends()).to.deep.equal([lookBack, challenge, ruling].map(BigInt));
        await time.increase(8 * DAY);
        await stopFor(context, way, 2 * HOUR);
        expect(await ends()).to.deep.equal([lookBack, challenge, ruling].map((end) => BigInt(end + 2 * HOUR)));
      });
    });

  describe("while a rulebook is suspended", () => {
    /** Something presented, disputed and retained, of one batch. */
    async function inAllStates(rulebook: RulebookName = "full"): Promise<Given> {
      const context = await given(rulebook);
      await deposit(context, context.payer, 2n * BOND);
      await present(context, [byLine(met, pending), pending, pending]);
      await time.increase(CHALLENGE);
      await settlePresented(context);
      await present(context, [met, met, pending], { open: [0] });
      await dispute(context, context.payer, 0, 1);
      return context;
    }

    it("nothing is presented, settled, or ended by default", async () => {
      const context = await inAllStates();
      const { rulebook } = context.batch.terms;
      await suspend(context);
      await time.increase(30 * DAY);
      await refuses(context, present(context, [met, met, met]), "RulebookIsSuspended", rulebook);
      await refuses(context, settlePresented(context, 2n), "RulebookIsSuspended", rulebook);
      await refuses(context, resolveByDefault(context, 0, 1), "RulebookIsSuspended", rulebook);
      await refuses(context, presentDisputed(context, [met, met, met], 0, 1), "RulebookIsSuspended", rulebook);
    });

    it("parties still dispute, and the arbiter still rules and recoups", async () => {
      const context = await inAllStates();
      await suspend(context);
      await time.increase(30 * DAY);
      await dispute(context, context.payer, 1, 0);
      await resolve(context, 0, 1, 17n);
      await resolve(context, 1, 0, 0n);
      await recoup(context, 0, 5n);
      expect((await moneyOf(context, context.batch)).open).to.equal(400n);
    });
  });

  describe("while the escrow is paused", () => {
    it("nothing moves, of a batch that the pause counts for", async () => {
      const context = await given("full");
      const { batch, payees } = context;
      for (const account of [context.payer, payees[2]!]) await deposit(context, account, 2n * BOND);
      await present(context, [byLine(met, pending), pending, pending]);
      await time.increase(CHALLENGE);
      await settlePresented(context);
      await at(Number(batch.terms.eventBy) - HOUR);
      await present(context, [met, met, pending], { open: [0] });
      await dispute(context, context.payer, 0, 1);
      await at(Number(batch.terms.eventBy) + 1);
      await pause(context);
      const tries = [
        () => present(context, [met, met, met]),
        () => settlePresented(context, 2n),
        () => dispute(context, context.payer, 1, 0),
        () => disputeMissing(context, payees[2]!, 2, 0),
        () => presentDisputed(context, [met, met, met], 0, 1),
        () => resolve(context, 0, 1, 0n),
        () => resolveByDefault(context, 0, 1),
        () => recoup(context, 0, 1n),
        () => release(context),
      ];
      for (const send of tries) await refuses(context, send(), "PausedUntil");
      await unpause(context);
      await disputeMissing(context, payees[2]!, 2, 0);
      await resolve(context, 0, 1, 0n);
      await recoup(context, 0, 1n);
    });
  });

  describe("once a batch was stopped for as long as stops count in its life", () => {
    /** The suspension goes on; so many seconds before the cap is reached results were presented, and a line disputed. */
    async function capped(seconds: number): Promise<Given & { presented: number; reached: number }> {
      const context = await given("bondless");
      const funded = await time.latest();
      await stopFor(context, "suspension", MAX_STOPPED - seconds);
      await present(context, [met, met, pending]);
      const presented = await time.latest();
      await dispute(context, context.payer, 0, 0);
      await suspend(context);
      const reached = (await time.latest()) + seconds;
      expect(reached).to.be.greaterThan(funded);
      return { ...context, presented, reached };
    }

    it("the periods move no further, and end under a suspension that does not", async () => {
      const context = await capped(DAY);
      const { batch, receiver } = context;
      await at(context.reached - 5);
      await refuses(context, settlePresented(context, 1n), "RulebookIsSuspended");
      await time.increaseTo(context.reached + 30 * DAY);
      const { challengeUntil } = await receiver.presentationOf(batch.terms, 1);
      expect(challengeUntil).to.equal(context.presented + CHALLENGE + DAY);
      await settlePresented(context, 1n);
      await resolveByDefault(context, 0, 0);
      expect(await moneyOf(context, batch)).to.deep.equal({ open: 400n, free: 0n, credits: [1_200n, 500n, 0n] });
    });

    it("results can be presented, though the rulebook is suspended or the escrow paused", async () => {
      const context = await capped(HOUR);
      await at(context.reached);
      await present(context, [met, met, byLine(met, pending, pending)], { open: [0, 2] });
      await pause(context);
      await present(context, [met, met, byLine(met, partlyMet(5n), notMet)], { open: [0, 2] });
      expect((await moneyOf(context, context.batch)).open).to.equal(0n);
    });

    it("a pause keeps nobody from disputing and ruling, since it moves no period", async () => {
      const context = await capped(HOUR);
      await at(context.reached);
      await pause(context);
      await dispute(context, context.payer, 1, 0);
      await resolve(context, 0, 0, 0n);
      await resolve(context, 1, 0, 250n);
      await time.increase(CHALLENGE + 2 * DAY);
      await settlePresented(context, 1n);
      expect((await moneyOf(context, context.batch)).free).to.equal(1_250n);
    });

    it("a pause keeps nobody from recouping and releasing", async () => {
      const context = await given("retaining");
      await present(context, [met, met, met]);
      await suspend(context);
      await time.increase(MAX_STOPPED);
      await pause(context);
      await recoup(context, 0, 1n);
      await time.increase(LOOK_BACK - 3 * DAY);
      const until = (await context.receiver.retentionOf(context.batch.terms, 0)).recoupUntil;
      await at(Number(until) - DAY);
      await pause(context);
      await around(until, { atLast: [() => recoup(context, 0, 1n)], after: [() => release(context)] });
    });

    it("attestBy, too, moves no further", async () => {
      const context = await given("bondless");
      const { batch } = context;
      await suspend(context);
      const last = attestByOf(batch) + MAX_STOPPED;
      const settlement = await attested(context, batch, [met, pending, pending], { validUntil: last + DAY });
      await around(last, {
        atLast: [() => bring(context, settlement)],
        after: [() => refuses(context, bring(context, settlement), "AttestationTooLate", last)],
      });
    });
  });
});
