import { time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { byLine, met, notMet, pending } from "../../support/batches";
import { reportedBy, retainedCommitmentTo } from "../../support/books";
import { moneyOf } from "../../support/claims";
import {
  ARBITER_TIME,
  CHALLENGE,
  LOOK_BACK,
  another,
  around,
  bookedOf,
  given,
  present,
  publishTerms,
  recoup,
  refuses,
  release,
  retentionAt,
  settlePresented,
  soundAfterEach,
  type Given,
} from "../../support/disputes";
import { DAY } from "../../support/system";

describe("ClaimEscrow: retention", () => {
  soundAfterEach();

  /** 120, 50 and 40 are retained of 1,200, 500 and 400. */
  async function retained(): Promise<Given> {
    const context = await given("retaining");
    await present(context, [met, met, met]);
    return context;
  }
  const wordOf = (context: Given, group: number, amount: bigint) =>
    (BigInt(context.payees[group]!.address) << 96n) | amount;
  const afterLookBack = () => time.increase(LOOK_BACK);

  it("says what it retains, and until when", async () => {
    const context = await retained();
    const { batch, receiver } = context;
    const amounts = [wordOf(context, 0, 120n), wordOf(context, 1, 50n), wordOf(context, 2, 40n)];
    expect(await retentionAt(context)).to.deep.equal({ firstLine: 0n, amounts });
    const until = BigInt((await time.latest()) + LOOK_BACK);
    const commitment = retainedCommitmentTo({ firstLine: 0n, amounts });
    expect(await receiver.retentionOf(batch.terms, 0)).to.deep.equal([commitment, until]);
    expect(await receiver.retentionOf(batch.terms, 1)).to.deep.equal([`0x${"00".repeat(32)}`, 0n]);
    const terms = { ...batch.terms, salt: 1n };
    await refuses(context, receiver.retentionOf(terms, 0), "ClaimBatchUnknown");
  });

  it("begins when the money settles, not when it was presented", async () => {
    const context = await given("full");
    await present(context, [pending, met, pending]);
    await time.increase(CHALLENGE + 3 * DAY);
    await settlePresented(context, 2n);
    const { recoupUntil } = await context.receiver.retentionOf(context.batch.terms, 2);
    expect(recoupUntil).to.equal((await time.latest()) + LOOK_BACK);
  });

  const shares: [bps: number, amount: bigint, share: bigint][] = [
    [1, 9_999n, 0n],
    [1, 10_000n, 1n],
    [1_000, 9n, 0n],
    [1_000, 19n, 1n],
    [3_333, 100n, 33n],
    [9_999, 1n, 0n],
    [9_999, 10_001n, 9_999n],
    [10_000, 1n, 1n],
    [10_000, (1n << 86n) - 1n, (1n << 86n) - 1n],
  ];
  for (const [bps, amount, share] of shares)
    it(`retains ${share} of ${amount} at ${bps} hundredths of a percent, and pays all of it in the end`, async () => {
      const context = await given("retaining", [[1n]]);
      const terms = { arbiterDeadline: ARBITER_TIME, retentionBps: bps, lookBack: 1 };
      const rulebook = await publishTerms(context, { ...terms, arbiter: context.arbiter.address });
      const other = await another(context, [[amount]], { rulebook });
      await present(other, [met]);
      expect((await moneyOf(other, other.batch)).credits).to.deep.equal([amount - share]);
      expect((await other.escrow.claimBatchStatusOf(other.batch.id)).paidInFull).to.equal(share === 0n);
      if (share > 0n) {
        await time.increase(10);
        await release(other);
      } else expect((await bookedOf(other)).retentions.size).to.equal(0);
      expect((await moneyOf(other, other.batch)).credits).to.deep.equal([amount]);
    });

  describe("recoup", () => {
    it("returns a part to the payer, several times, of several payees, to the last unit", async () => {
      const context = await retained();
      const { batch, payees, receiver } = context;
      expect(await reportedBy(context, recoup(context, 0, 100n))).to.deep.equal([
        ["Recouped", batch.id, payees[0]!.address, 0n, 100n],
      ]);
      const { recoupUntil } = await receiver.retentionOf(batch.terms, 0);
      await time.increase(DAY);
      await recoup(context, 2, 40n);
      await recoup(context, 0, 20n);
      await refuses(context, recoup(context, 0, 1n), "RecoupTooLarge", 0n, 1n);
      expect((await receiver.retentionOf(batch.terms, 0)).recoupUntil).to.equal(recoupUntil);
      const amounts = [wordOf(context, 0, 0n), wordOf(context, 1, 50n), wordOf(context, 2, 0n)];
      expect((await retentionAt(context)).amounts).to.deep.equal(amounts);
      expect(await moneyOf(context, batch)).to.deep.equal({ open: 0n, free: 160n, credits: [1_080n, 450n, 360n] });
    });

    it("is refused beyond what is retained", async () => {
      const context = await retained();
      await refuses(context, recoup(context, 1, 51n), "RecoupTooLarge", 50n, 51n);
      const most = (1n << 256n) - 1n;
      await refuses(context, recoup(context, 1, most), "RecoupTooLarge", 50n, most);
      await refuses(context, recoup(context, 1, 1n << 96n), "RecoupTooLarge", 50n, 1n << 96n);
    });

    it("is refused for nothing, and for a payment that is not there", async () => {
      const context = await retained();
      await refuses(context, recoup(context, 1, 0n), "AmountZero");
      await expect(recoup(context, 3, 1n)).to.be.revertedWithPanic(0x32);
    });

    it("is refused to all but the rulebook's arbiter", async () => {
      const context = await retained();
      const { payer, payees, stranger, suspender, otherArbiter, arbiter } = context;
      for (const by of [payer, payees[0]!, stranger, suspender, otherArbiter])
        await refuses(context, recoup(context, 0, 1n, { by }), "NotArbiter", arbiter.address, by.address);
    });

    it("is refused with amounts that are not the retention's as it stands", async () => {
      const context = await retained();
      const before = await retentionAt(context);
      await recoup(context, 0, 1n);
      const after = await retentionAt(context);
      const forged = [
        before,
        { ...after, firstLine: 1n },
        { ...after, amounts: [] },
        { ...after, amounts: after.amounts.slice(1) },
        { ...after, amounts: [...after.amounts, wordOf(context, 0, 5n)] },
        { ...after, amounts: [...after.amounts].reverse() },
        { ...after, amounts: after.amounts.map((word) => word + 1n) },
      ];
      const { id } = context.batch;
      for (const retention of forged)
        await refuses(context, recoup(context, 0, 1n, { retention }), "RetentionMismatch", id, retention.firstLine);
      const unknown = { ...context, batch: { ...context.batch, terms: { ...context.batch.terms, salt: 1n } } };
      await refuses(context, recoup(unknown, 0, 1n, { retention: after }), "ClaimBatchUnknown");
    });

    it("can be done until the last second of the look-back, then only release", async () => {
      const context = await retained();
      const { recoupUntil } = await context.receiver.retentionOf(context.batch.terms, 0);
      await around(recoupUntil, {
        atLast: [() => refuses(context, release(context), "LookBackOpen", recoupUntil), () => recoup(context, 0, 1n)],
        after: [() => refuses(context, recoup(context, 0, 1n), "LookBackOver", recoupUntil), () => release(context)],
      });
    });
  });

  describe("release", () => {
    it("credits what is left, once, by anybody's hand", async () => {
      const context = await retained();
      const { batch, payees, receiver } = context;
      await recoup(context, 0, 20n);
      await recoup(context, 1, 50n);
      await afterLookBack();
      const held = await retentionAt(context);
      await time.increase(1);
      expect(await receiver.release.staticCall(batch.terms, held)).to.equal(140n);
      expect(await reportedBy(context, release(context))).to.deep.equal([
        ["RetentionReleased", batch.id, payees[0]!.address, 0n, 100n],
        ["RetentionReleased", batch.id, payees[2]!.address, 0n, 40n],
      ]);
      expect(await moneyOf(context, batch)).to.deep.equal({ open: 0n, free: 70n, credits: [1_180n, 450n, 400n] });
      await refuses(context, release(context, 0n, held), "RetentionMismatch", batch.id, 0n);
      await refuses(context, recoup(context, 0, 1n, { retention: held }), "RetentionMismatch", batch.id, 0n);
    });

    it("credits nobody where all was recouped, and says it is gone", async () => {
      const context = await given("retaining", [[100n]]);
      await present(context, [met]);
      await recoup(context, 0, 10n);
      await afterLookBack();
      const held = await retentionAt(context);
      expect(await reportedBy(context, release(context))).to.deep.equal([]);
      const { batch, receiver } = context;
      expect((await receiver.retentionOf(batch.terms, 0)).recoupUntil).to.equal(0n);
      await refuses(context, release(context, 0n, held), "RetentionMismatch", batch.id, 0n);
    });

    it("keeps retentions of one batch apart", async () => {
      const context = await given("retaining");
      await present(context, [met, pending, pending]);
      await time.increase(10 * DAY);
      await present(context, [met, met, byLine(met, notMet, pending)]);
      await time.increase(LOOK_BACK - 10 * DAY);
      await refuses(context, release(context, 2n), "LookBackOpen");
      await release(context, 0n);
      const swapped = { ...(await retentionAt(context, 2n)), firstLine: 0n };
      await refuses(context, release(context, 0n, swapped), "RetentionMismatch", context.batch.id, 0n);
      await recoup(context, 0, 5n, { firstLine: 2n });
      await time.increase(10 * DAY);
      await release(context, 2n);
      expect(await moneyOf(context, context.batch)).to.deep.equal({
        open: 60n,
        free: 45n,
        credits: [1_200n, 495n, 300n],
      });
    });

    it("is refused with another batch's retention, and before anything was retained", async () => {
      const context = await retained();
      const held = await retentionAt(context);
      const other = await another(context);
      await refuses(other, release(other, 0n, held), "RetentionMismatch", other.batch.id, 0n);
      await refuses(other, release(other, 0n, { firstLine: 0n, amounts: [] }), "RetentionMismatch", other.batch.id, 0n);
      const unknown = { ...context, batch: { ...context.batch, terms: { ...context.batch.terms, salt: 1n } } };
      await refuses(context, release(unknown, 0n, held), "ClaimBatchUnknown");
    });
  });
});
