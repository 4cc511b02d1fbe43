import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { byLine, met, notMet, partlyMet, pending, settle } from "../../support/batches";
import { attested, batchOf, deployClaims, eventsOf, fundedBatch, moneyOf, owedBy } from "../../support/claims";
import { DAY, GRACE, publish, rulebookOf } from "../../support/system";

const LINES = [[10n, 20n, 30n], [40n], [50n, 60n]];

describe("ClaimEscrow: reclaim", () => {
  async function given() {
    const claims = await loadFixture(deployClaims);
    const batch = await fundedBatch(claims, LINES);
    return {
      claims,
      batch,
      attestBy: batch.terms.eventBy + GRACE,
      money: () => moneyOf(claims, batch),
      reclaim: () => claims.escrow.reclaim(batch.terms),
    };
  }

  describe("given the deadline", () => {
    it("refuses at attestBy, the last second of an attestation", async () => {
      const { claims, attestBy, reclaim } = await given();
      await time.setNextBlockTimestamp(attestBy);
      await expect(reclaim()).to.be.revertedWithCustomError(claims.escrow, "ReclaimTooEarly").withArgs(attestBy);
    });

    it("returns everything to the payer a second later", async () => {
      const { attestBy, money, reclaim } = await given();
      await time.setNextBlockTimestamp(attestBy + 1);
      await reclaim();
      expect(await money()).to.deep.equal({ open: 0n, free: 210n, credits: [0n, 0n, 0n] });
    });

    it("refuses right after funding", async () => {
      const { claims, attestBy, reclaim } = await given();
      await expect(reclaim()).to.be.revertedWithCustomError(claims.escrow, "ReclaimTooEarly").withArgs(attestBy);
    });

    it("counts the grace of the batch's own rulebook", async () => {
      const { claims } = await given();
      const addresses = claims.attesters.map(({ address }) => address);
      const rulebook = await publish(claims.rulebooks, rulebookOf(addresses, 2, { grace: 10 * DAY }));
      const batch = await fundedBatch(claims, LINES, { rulebook });
      const attestBy = batch.terms.eventBy + 10 * DAY;
      await time.setNextBlockTimestamp(attestBy);
      await expect(claims.escrow.reclaim(batch.terms))
        .to.be.revertedWithCustomError(claims.escrow, "ReclaimTooEarly")
        .withArgs(attestBy);
      await claims.escrow.reclaim(batch.terms);
      expect((await moneyOf(claims, batch)).open).to.equal(0n);
    });
  });

  describe("given that it is due", () => {
    async function due() {
      const context = await given();
      await time.increaseTo(context.attestBy + 1);
      return context;
    }

    it("reports and returns the amount", async () => {
      const { claims, batch, reclaim } = await due();
      expect(await claims.escrow.reclaim.staticCall(batch.terms)).to.equal(210n);
      expect(await eventsOf(claims, reclaim())).to.deep.equal([["ClaimBatchReclaimed", batch.id, 210n]]);
    });

    it("works for anyone, and always pays the payer", async () => {
      const { claims, batch, money } = await due();
      await claims.escrow.connect(claims.stranger).reclaim(batch.terms);
      expect((await money()).free).to.equal(210n);
      expect(await claims.escrow.balancesOf(claims.stranger, claims.token)).to.deep.equal([0n, 0n]);
    });

    it("does nothing the second time", async () => {
      const { claims, batch, money, reclaim } = await due();
      await reclaim();
      expect(await claims.escrow.reclaim.staticCall(batch.terms)).to.equal(0n);
      expect(await eventsOf(claims, reclaim())).to.deep.equal([]);
      expect((await money()).free).to.equal(210n);
    });

    it("lets the payer withdraw what came back", async () => {
      const { claims, reclaim } = await due();
      await reclaim();
      await claims.escrow.connect(claims.payer).withdraw(claims.token, 210n, claims.payer);
      expect(await claims.token.balanceOf(claims.payer)).to.equal(210n);
      expect(await claims.token.balanceOf(claims.escrow)).to.equal(0n);
    });

    it("works although the payer lost its standing", async () => {
      const { claims, money, reclaim } = await due();
      await claims.registry.suspend(claims.payer);
      await reclaim();
      expect((await money()).free).to.equal(210n);
    });

    it("leaves nothing that an attestation could settle", async () => {
      const { claims, batch, money, reclaim } = await due();
      const settlement = await attested(claims, batch, [met, met, met]);
      await reclaim();
      expect(await eventsOf(claims, settle(claims.escrow, settlement))).to.deep.equal([]);
      expect(await money()).to.deep.equal({ open: 0n, free: 210n, credits: [0n, 0n, 0n] });
    });

    it("does not let the batch be funded again", async () => {
      const { claims, batch, reclaim } = await due();
      await reclaim();
      await expect(claims.escrow.connect(claims.payer).fund(batch.terms, batch.words))
        .to.be.revertedWithCustomError(claims.escrow, "ClaimBatchAlreadyFunded")
        .withArgs(batch.id);
    });
  });

  describe("given a batch that was settled in part", () => {
    it("returns what is still open", async () => {
      const { claims, batch, attestBy, money, reclaim } = await given();
      const results = [byLine(met, pending, partlyMet(5n)), notMet, pending];
      await settle(claims.escrow, await attested(claims, batch, results));
      expect(await money()).to.deep.equal({ open: 130n, free: 65n, credits: [15n, 0n, 0n] });
      await time.increaseTo(attestBy);
      expect(await eventsOf(claims, reclaim())).to.deep.equal([["ClaimBatchReclaimed", batch.id, 130n]]);
      expect(await money()).to.deep.equal({ open: 0n, free: 195n, credits: [15n, 0n, 0n] });
      expect(await claims.token.balanceOf(claims.escrow)).to.equal(await owedBy(claims, [batch]));
    });

    it("returns what reversals left open", async () => {
      const { claims, batch, attestBy, money, reclaim } = await given();
      const { opened, proof } = batch.openOne(2);
      await claims.escrow.connect(claims.payees[2]).reverse(batch.terms, batch.words, 2, [0], opened, proof);
      await time.increaseTo(attestBy);
      await reclaim();
      expect(await money()).to.deep.equal({ open: 0n, free: 210n, credits: [0n, 0n, 0n] });
    });

    it("has nothing to return, early or late, once everything was settled", async () => {
      const { claims, batch, attestBy, money, reclaim } = await given();
      await settle(claims.escrow, await attested(claims, batch, [met, notMet, met]));
      expect(await eventsOf(claims, reclaim())).to.deep.equal([]);
      await time.increaseTo(attestBy);
      expect(await eventsOf(claims, reclaim())).to.deep.equal([]);
      expect(await money()).to.deep.equal({ open: 0n, free: 40n, credits: [60n, 0n, 110n] });
    });
  });

  describe("given terms of a batch that nobody funded", () => {
    it("knows none", async () => {
      const { claims, batch } = await given();
      const unknown = await batchOf(claims, LINES);
      for (const terms of [unknown.terms, { ...batch.terms, payer: claims.stranger.address }])
        await expect(claims.escrow.reclaim(terms))
          .to.be.revertedWithCustomError(claims.escrow, "ClaimBatchUnknown")
          .withArgs(await claims.escrow.batchIdOf(terms));
    });
  });

  describe("given a stop", () => {
    it("refuses while paused, and counts the pause", async () => {
      const { claims, attestBy, money, reclaim } = await given();
      await time.increaseTo(attestBy - DAY);
      await claims.escrow.pause();
      const pausedAt = await time.latest();
      await time.increaseTo(attestBy + 1);
      await expect(reclaim()).to.be.revertedWithCustomError(claims.escrow, "ReclaimWhileStopped");

      await time.setNextBlockTimestamp(pausedAt + 4 * DAY);
      await claims.escrow.unpause();
      await time.setNextBlockTimestamp(attestBy + 4 * DAY);
      await expect(reclaim())
        .to.be.revertedWithCustomError(claims.escrow, "ReclaimTooEarly")
        .withArgs(attestBy + 4 * DAY);
      await reclaim();
      expect((await money()).free).to.equal(210n);
    });

    it("refuses while the rulebook is suspended, and counts the suspension", async () => {
      const { claims, attestBy, money, reclaim } = await given();
      const asSuspender = claims.rulebooks.connect(claims.suspender);
      await asSuspender.suspend(claims.rulebook);
      const suspendedAt = await time.latest();
      await time.increaseTo(attestBy + 1);
      await expect(reclaim()).to.be.revertedWithCustomError(claims.escrow, "ReclaimWhileStopped");

      const stopped = attestBy + DAY - suspendedAt;
      await time.setNextBlockTimestamp(attestBy + DAY);
      await asSuspender.resume(claims.rulebook);
      await time.setNextBlockTimestamp(attestBy + stopped);
      await expect(reclaim())
        .to.be.revertedWithCustomError(claims.escrow, "ReclaimTooEarly")
        .withArgs(attestBy + stopped);
      await reclaim();
      expect((await money()).free).to.equal(210n);
    });

    it("does not wait beyond the cap on stops, so that no suspender locks money for ever", async () => {
      const { claims, attestBy, money, reclaim } = await given();
      await claims.rulebooks.connect(claims.suspender).suspend(claims.rulebook);
      const cap = Number(await claims.escrow.MAX_STOPPED());
      await time.setNextBlockTimestamp(attestBy + cap);
      await expect(reclaim())
        .to.be.revertedWithCustomError(claims.escrow, "ReclaimTooEarly")
        .withArgs(attestBy + cap);
      await reclaim();
      expect((await money()).free).to.equal(210n);
    });
  });
});
