import { loadFixture, takeSnapshot, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { met, notMet, pending, settle } from "../../support/batches";
import { attested, deployClaims, fundedBatch, moneyOf } from "../../support/claims";
import { DAY, GRACE } from "../../support/system";

describe("ClaimEscrow: when an attestation can settle", () => {
  async function given() {
    const claims = await loadFixture(deployClaims);
    const batch = await fundedBatch(claims, [[100n], [200n]]);
    return { claims, batch, attestBy: batch.terms.eventBy + GRACE };
  }

  it("is until eventBy plus the rulebook's grace", async () => {
    const { claims, batch, attestBy } = await given();
    expect(await claims.escrow.attestByOf(batch.terms)).to.equal(attestBy);
  });

  describe("given attestBy", () => {
    it("settles at that second", async () => {
      const { claims, batch, attestBy } = await given();
      const settlement = await attested(claims, batch, [met, met]);
      await time.setNextBlockTimestamp(attestBy);
      await settle(claims.escrow, settlement);
      expect((await moneyOf(claims, batch)).credits).to.deep.equal([100n, 200n]);
    });

    it("is too late a second after", async () => {
      const { claims, batch, attestBy } = await given();
      const settlement = await attested(claims, batch, [met, met]);
      await time.setNextBlockTimestamp(attestBy + 1);
      await expect(settle(claims.escrow, settlement))
        .to.be.revertedWithCustomError(claims.escrow, "AttestationTooLate")
        .withArgs(attestBy);
    });

    it("is too late for the rest of a batch that was settled in part", async () => {
      const { claims, batch, attestBy } = await given();
      await settle(claims.escrow, await attested(claims, batch, [met, pending]));
      const settlement = await attested(claims, batch, [met, met]);
      await time.increaseTo(attestBy);
      await expect(settle(claims.escrow, settlement)).to.be.revertedWithCustomError(
        claims.escrow,
        "AttestationTooLate",
      );
      expect((await moneyOf(claims, batch)).open).to.equal(200n);
    });

    it("says nothing of a batch in which nothing is open", async () => {
      const { claims, batch, attestBy } = await given();
      const settlement = await attested(claims, batch, [met, notMet]);
      await settle(claims.escrow, settlement);
      await time.increaseTo(attestBy + 1);
      await expect(settle(claims.escrow, settlement)).not.to.be.reverted;
    });
  });

  describe("given an attestation with an end", () => {
    it("settles in its last second", async () => {
      const { claims, batch } = await given();
      const validUntil = (await time.latest()) + DAY;
      const settlement = await attested(claims, batch, [met, met], { validUntil });
      await time.setNextBlockTimestamp(validUntil);
      await settle(claims.escrow, settlement);
      expect((await moneyOf(claims, batch)).open).to.equal(0n);
    });

    it("does not settle a second after", async () => {
      const { claims, batch } = await given();
      const validUntil = (await time.latest()) + DAY;
      const settlement = await attested(claims, batch, [met, met], { validUntil });
      await time.setNextBlockTimestamp(validUntil + 1);
      await expect(settle(claims.escrow, settlement))
        .to.be.revertedWithCustomError(claims.escrow, "AttestationExpired")
        .withArgs(validUntil);
    });

    it("does not lengthen the batch by a later end", async () => {
      const { claims, batch, attestBy } = await given();
      const settlement = await attested(claims, batch, [met, met], { validUntil: attestBy + 365 * DAY });
      await time.setNextBlockTimestamp(attestBy + 1);
      await expect(settle(claims.escrow, settlement)).to.be.revertedWithCustomError(
        claims.escrow,
        "AttestationTooLate",
      );
    });
  });

  describe("given an attestation observed at some time", () => {
    it("settles in the second it was observed", async () => {
      const { claims, batch } = await given();
      const observedAt = (await time.latest()) + 60;
      const settlement = await attested(claims, batch, [met, met], { observedAt });
      await time.setNextBlockTimestamp(observedAt);
      await settle(claims.escrow, settlement);
      expect((await moneyOf(claims, batch)).open).to.equal(0n);
    });

    it("does not settle a second before", async () => {
      const { claims, batch } = await given();
      const observedAt = (await time.latest()) + 60;
      const settlement = await attested(claims, batch, [met, met], { observedAt });
      await time.setNextBlockTimestamp(observedAt - 1);
      await expect(settle(claims.escrow, settlement))
        .to.be.revertedWithCustomError(claims.escrow, "AttestationFromFuture")
        .withArgs(observedAt);
    });

    it("settles what was observed before the batch was funded", async () => {
      const { claims, batch } = await given();
      const settlement = await attested(claims, batch, [met, met], {
        observedAt: (await time.latest()) - 10 * DAY,
        validUntil: (await time.latest()) + DAY,
      });
      await settle(claims.escrow, settlement);
      expect((await moneyOf(claims, batch)).open).to.equal(0n);
    });
  });

  describe("given a pause", () => {
    it("refuses to settle until it lapses, and says when", async () => {
      const { claims, batch } = await given();
      const settlement = await attested(claims, batch, [met, met]);
      await claims.escrow.pause();
      const until = (await time.latest()) + 7 * DAY;
      await time.setNextBlockTimestamp(until - 1);
      await expect(settle(claims.escrow, settlement))
        .to.be.revertedWithCustomError(claims.escrow, "PausedUntil")
        .withArgs(until);
      await settle(claims.escrow, settlement);
      expect((await moneyOf(claims, batch)).open).to.equal(0n);
    });

    it("settles as soon as it is ended", async () => {
      const { claims, batch } = await given();
      const settlement = await attested(claims, batch, [met, met]);
      await claims.escrow.pause();
      await claims.escrow.unpause();
      await settle(claims.escrow, settlement);
      expect((await moneyOf(claims, batch)).open).to.equal(0n);
    });

    it("moves attestBy by its seconds, to the second", async () => {
      const { claims, batch, attestBy } = await given();
      await claims.escrow.pause();
      const pausedAt = await time.latest();
      await time.setNextBlockTimestamp(pausedAt + 5 * DAY);
      await claims.escrow.unpause();
      const settlement = await attested(claims, batch, [met, met]);
      await time.setNextBlockTimestamp(attestBy + 5 * DAY);
      await settle(claims.escrow, settlement);
      expect((await moneyOf(claims, batch)).open).to.equal(0n);
    });
  });

  describe("given a suspended rulebook", () => {
    it("refuses to settle until it is resumed", async () => {
      const { claims, batch } = await given();
      const settlement = await attested(claims, batch, [met, met]);
      await claims.rulebooks.connect(claims.suspender).suspend(claims.rulebook);
      await expect(settle(claims.escrow, settlement))
        .to.be.revertedWithCustomError(claims.escrow, "RulebookIsSuspended")
        .withArgs(claims.rulebook);
      await claims.rulebooks.connect(claims.suspender).resume(claims.rulebook);
      await settle(claims.escrow, settlement);
      expect((await moneyOf(claims, batch)).open).to.equal(0n);
    });

    it("settles in spite of it once the stops of the batch reach their cap", async () => {
      const { claims, batch, attestBy } = await given();
      const settlement = await attested(claims, batch, [met, met]);
      await claims.rulebooks.connect(claims.suspender).suspend(claims.rulebook);
      const suspendedAt = await time.latest();
      const cap = Number(await claims.escrow.MAX_STOPPED());
      await time.setNextBlockTimestamp(suspendedAt + cap - 1);
      await expect(settle(claims.escrow, settlement)).to.be.revertedWithCustomError(
        claims.escrow,
        "RulebookIsSuspended",
      );
      const reached = await takeSnapshot();
      await settle(claims.escrow, settlement);
      expect((await moneyOf(claims, batch)).open).to.equal(0n);

      await reached.restore();
      await time.setNextBlockTimestamp(attestBy + cap);
      await settle(claims.escrow, await attested(claims, batch, [met, notMet]));
      expect((await moneyOf(claims, batch)).open).to.equal(0n);

      await reached.restore();
      await time.setNextBlockTimestamp(attestBy + cap + 1);
      await expect(settle(claims.escrow, await attested(claims, batch, [met, notMet])))
        .to.be.revertedWithCustomError(claims.escrow, "AttestationTooLate")
        .withArgs(attestBy + cap);
    });
  });
});
