import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { id as idOf } from "ethers";

import { DOLLAR, POOL, batchOf, changeKinds, deployFunded, freeOf } from "../../support/funded";
import { DAY, deployToken, kinds, publish, register, rulebookOf } from "../../support/system";

import { CAP, PERIOD, deployWithMandate, fundUnder, given, mandateIdOf, mandateOf } from "./fixture";

const TOTAL = 190n * DOLLAR;

describe("Mandates: fund", () => {
  describe("given a mandate that covers the batch", () => {
    it("moves the total from the payer's free balance into the batch", async () => {
      const context = await loadFixture(deployWithMandate);
      const { escrow, mandates, token, payer, operator, rulebook, mandate } = context;
      const batch = await batchOf(context);
      expect(await mandates.connect(operator).fund.staticCall(batch.terms, batch.words, mandate)).to.equal(batch.id);
      await expect(fundUnder(context, mandate, batch))
        .to.emit(escrow, "ClaimBatchFunded")
        .withArgs(batch.id, payer.address, rulebook, await token.getAddress(), TOTAL);
      expect(await escrow.balancesOf(payer, token)).to.deep.equal([POOL - TOTAL, 0n]);
      const { funded, open } = await escrow.claimBatchStatusOf(batch.id);
      expect([funded, open]).to.deep.equal([true, TOTAL]);
    });

    it("books the total against the cap of the period", async () => {
      const context = await loadFixture(deployWithMandate);
      const { mandates, mandate, id } = context;
      await fundUnder(context, mandate, await batchOf(context));
      expect(await mandates.mandateStatusOf(id)).to.deep.equal([true, 0n, TOTAL]);
      await fundUnder(context, mandate, await batchOf(context));
      expect(await mandates.mandateStatusOf(id)).to.deep.equal([true, 0n, 2n * TOTAL]);
    });
  });

  describe("refuses", () => {
    it("a caller that is not the operator, the payer and another operator too", async () => {
      const context = await loadFixture(deployWithMandate);
      const { mandates, payer, operator, stranger, mandate } = context;
      await given(context, { operator: stranger.address });
      const batch = await batchOf(context);
      for (const caller of [payer, stranger])
        await expect(fundUnder(context, mandate, batch, caller))
          .to.be.revertedWithCustomError(mandates, "NotMandatesOperator")
          .withArgs(operator.address, caller.address);
    });

    it("a mandate that was never given", async () => {
      const context = await loadFixture(deployFunded);
      const mandate = await mandateOf(context);
      await expect(fundUnder(context, mandate, await batchOf(context)))
        .to.be.revertedWithCustomError(context.mandates, "MandateNotInForce")
        .withArgs(mandateIdOf(context.mandates, mandate));
    });

    it("a mandate whose terms were changed", async () => {
      const context = await loadFixture(deployWithMandate);
      const changed = { ...context.mandate, cap: CAP + 1n };
      await expect(fundUnder(context, changed, await batchOf(context)))
        .to.be.revertedWithCustomError(context.mandates, "MandateNotInForce")
        .withArgs(mandateIdOf(context.mandates, changed));
    });

    it("a mandate that was ended", async () => {
      const context = await loadFixture(deployWithMandate);
      const { mandates, payer, mandate, id } = context;
      await fundUnder(context, mandate, await batchOf(context));
      await mandates.connect(payer).endMandate(mandate);
      await expect(fundUnder(context, mandate, await batchOf(context)))
        .to.be.revertedWithCustomError(mandates, "MandateNotInForce")
        .withArgs(id);
    });

    it("a batch of another payer", async () => {
      const context = await loadFixture(deployWithMandate);
      const { mandates, otherPayer, mandate, id } = context;
      await expect(fundUnder(context, mandate, await batchOf(context, { payer: otherPayer.address })))
        .to.be.revertedWithCustomError(mandates, "MandateMismatch")
        .withArgs(id);
    });

    it("a batch in another token", async () => {
      const context = await loadFixture(deployWithMandate);
      const other = await deployToken();
      await expect(fundUnder(context, context.mandate, await batchOf(context, { token: await other.getAddress() })))
        .to.be.revertedWithCustomError(context.mandates, "MandateMismatch")
        .withArgs(context.id);
    });

    it("what the escrow refuses, and books nothing then", async () => {
      const context = await loadFixture(deployWithMandate);
      const { escrow, registry, mandates, payer, token, mandate, id } = context;
      const batch = await batchOf(context);
      await escrow.connect(payer).withdraw(token, POOL - TOTAL + 1n, payer);
      await expect(fundUnder(context, mandate, batch))
        .to.be.revertedWithCustomError(escrow, "FreeBalanceTooSmall")
        .withArgs(payer.address, await token.getAddress(), TOTAL - 1n, TOTAL);
      await registry.suspend(payer);
      await escrow.connect(payer).deposit(payer, token, 1n);
      await expect(fundUnder(context, mandate, batch)).to.be.revertedWithCustomError(escrow, "PayerNotInStanding");
      expect(await mandates.mandateStatusOf(id)).to.deep.equal([true, 0n, 0n]);

      await registry.reinstate(payer);
      await fundUnder(context, mandate, batch);
      expect(await mandates.mandateStatusOf(id)).to.deep.equal([true, 0n, TOTAL]);
      await escrow.connect(payer).deposit(payer, token, TOTAL);
      await expect(fundUnder(context, mandate, batch)).to.be.revertedWithCustomError(escrow, "ClaimBatchAlreadyFunded");
      expect(await mandates.mandateStatusOf(id)).to.deep.equal([true, 0n, TOTAL]);
    });

    it("groups that are not those of the batch, although the mandate names their payees", async () => {
      const context = await loadFixture(deployWithMandate);
      const { escrow, mandates, operator, mandate } = context;
      const batch = await batchOf(context);
      const other = await batchOf(context, { lines: { [context.pharmacy.address]: [TOTAL] } });
      await expect(mandates.connect(operator).fund(batch.terms, other.words, mandate)).to.be.revertedWithCustomError(
        escrow,
        "GroupsMismatch",
      );
    });
  });

  describe("in time", () => {
    it("works from the start on, and not one second earlier", async () => {
      const context = await loadFixture(deployFunded);
      const { mandates } = context;
      const start = (await time.latest()) + DAY;
      const { mandate, id } = await given(context, { start, end: start + DAY });
      const batch = await batchOf(context);
      await time.setNextBlockTimestamp(start - 1);
      await expect(fundUnder(context, mandate, batch))
        .to.be.revertedWithCustomError(mandates, "MandateOutsideTime")
        .withArgs(id, start, start + DAY);
      await time.setNextBlockTimestamp(start);
      await fundUnder(context, mandate, batch);
    });

    it("works until the second before the end", async () => {
      const context = await loadFixture(deployFunded);
      const { mandates } = context;
      const start = await time.latest();
      const { mandate, id } = await given(context, { start, end: start + DAY });
      await time.setNextBlockTimestamp(start + DAY - 1);
      await fundUnder(context, mandate, await batchOf(context));
      const batch = await batchOf(context);
      await time.setNextBlockTimestamp(start + DAY);
      await expect(fundUnder(context, mandate, batch))
        .to.be.revertedWithCustomError(mandates, "MandateOutsideTime")
        .withArgs(id, start, start + DAY);
    });
  });

  describe("the cap", () => {
    /** A batch of the payer with one line of `amount`. */
    const oneLine = (context: Awaited<ReturnType<typeof deployWithMandate>>, amount: bigint) =>
      batchOf(context, { lines: { [context.pharmacy.address]: [amount] } });

    it("can be used to the last base unit in one batch, and no further", async () => {
      const context = await loadFixture(deployWithMandate);
      const { mandates, mandate, id } = context;
      await expect(fundUnder(context, mandate, await oneLine(context, CAP + 1n)))
        .to.be.revertedWithCustomError(mandates, "MandateCapExceeded")
        .withArgs(id, CAP, CAP + 1n);
      await fundUnder(context, mandate, await oneLine(context, CAP));
      await expect(fundUnder(context, mandate, await oneLine(context, 1n)))
        .to.be.revertedWithCustomError(mandates, "MandateCapExceeded")
        .withArgs(id, 0n, 1n);
    });

    it("is used up by several batches together", async () => {
      const context = await loadFixture(deployWithMandate);
      const { mandates, mandate, id } = context;
      await fundUnder(context, mandate, await oneLine(context, CAP - 10n));
      await fundUnder(context, mandate, await oneLine(context, 4n));
      await expect(fundUnder(context, mandate, await oneLine(context, 7n)))
        .to.be.revertedWithCustomError(mandates, "MandateCapExceeded")
        .withArgs(id, 6n, 7n);
      await fundUnder(context, mandate, await oneLine(context, 6n));
    });

    it("is there anew from the first second of the next period, and not one second earlier", async () => {
      const context = await loadFixture(deployWithMandate);
      const { mandates, mandate, id } = context;
      const next = Number(mandate.start) + PERIOD;
      await fundUnder(context, mandate, await oneLine(context, CAP));
      const batch = await oneLine(context, CAP);
      await time.setNextBlockTimestamp(next - 1);
      await expect(fundUnder(context, mandate, batch))
        .to.be.revertedWithCustomError(mandates, "MandateCapExceeded")
        .withArgs(id, 0n, CAP);
      await time.setNextBlockTimestamp(next);
      await fundUnder(context, mandate, batch);
      expect(await mandates.mandateStatusOf(id)).to.deep.equal([true, 1n, CAP]);
    });

    it("does not add up over periods in which it was not used", async () => {
      const context = await loadFixture(deployWithMandate);
      const { mandates, mandate, id } = context;
      await time.increaseTo(Number(mandate.start) + 3 * PERIOD);
      await expect(fundUnder(context, mandate, await oneLine(context, CAP + 1n)))
        .to.be.revertedWithCustomError(mandates, "MandateCapExceeded")
        .withArgs(id, CAP, CAP + 1n);
      await fundUnder(context, mandate, await oneLine(context, 1n));
      expect(await mandates.mandateStatusOf(id)).to.deep.equal([true, 3n, 1n]);
    });

    it("is not given back by what returns to the pool", async () => {
      const context = await loadFixture(deployWithMandate);
      const { escrow, mandates, payer, pharmacy, token, mandate, id } = context;
      const batch = await oneLine(context, CAP);
      await fundUnder(context, mandate, batch);
      const { opened, proof } = batch.openOne(0);
      await escrow.connect(pharmacy).reverse(batch.terms, batch.words, 0, [0], opened, proof);
      expect(await freeOf(escrow, payer.address, await token.getAddress())).to.equal(POOL);
      await expect(fundUnder(context, mandate, await oneLine(context, 1n)))
        .to.be.revertedWithCustomError(mandates, "MandateCapExceeded")
        .withArgs(id, 0n, 1n);
    });

    it("of one mandate is not that of another", async () => {
      const context = await loadFixture(deployWithMandate);
      const { mandates, mandate } = context;
      const other = await given(context);
      await fundUnder(context, mandate, await oneLine(context, CAP));
      await fundUnder(context, other.mandate, await oneLine(context, 3n));
      expect(await mandates.mandateStatusOf(other.id)).to.deep.equal([true, 0n, 3n]);
    });
  });

  describe("rulebooks", () => {
    it("that the mandate names may govern, any of several", async () => {
      const context = await loadFixture(deployFunded);
      const { rulebooks, attesters, rulebook } = context;
      const other = await publish(rulebooks, rulebookOf([attesters[0]!.address], 1));
      const { mandate } = await given(context, { rulebooks: [rulebook, other] });
      await fundUnder(context, mandate, await batchOf(context));
      await fundUnder(context, mandate, await batchOf(context, { rulebook: other }));
    });

    it("that it does not name may not", async () => {
      const context = await loadFixture(deployFunded);
      const { mandates, rulebooks, attesters, rulebook } = context;
      const other = await publish(rulebooks, rulebookOf([attesters[0]!.address], 1));
      const { mandate, id } = await given(context, { rulebooks: [idOf("another"), other] });
      await expect(fundUnder(context, mandate, await batchOf(context)))
        .to.be.revertedWithCustomError(mandates, "MandateRulebookNotNamed")
        .withArgs(id, rulebook);
    });
  });

  describe("payees", () => {
    it("may be paid by their kind, and by one of several kinds", async () => {
      const context = await loadFixture(deployFunded);
      const { registry, pharmacy } = context;
      await changeKinds(registry, pharmacy.address, kinds.pharmacy | kinds.clinic);
      const { mandate } = await given(context, { payeeKinds: kinds.clinic | kinds.laboratory });
      await fundUnder(context, mandate, await batchOf(context));
    });

    it("of another kind may not", async () => {
      const context = await loadFixture(deployFunded);
      const { mandates, laboratory } = context;
      const { mandate, id } = await given(context, { payeeKinds: kinds.pharmacy });
      await expect(fundUnder(context, mandate, await batchOf(context)))
        .to.be.revertedWithCustomError(mandates, "MandatePayeeNotNamed")
        .withArgs(id, laboratory.address);
    });

    it("that are not registered may not", async () => {
      const context = await loadFixture(deployWithMandate);
      const { mandates, stranger, mandate, id } = context;
      await expect(fundUnder(context, mandate, await batchOf(context, { lines: { [stranger.address]: [1n] } })))
        .to.be.revertedWithCustomError(mandates, "MandatePayeeNotNamed")
        .withArgs(id, stranger.address);
    });

    it("that are suspended may not be paid by their kind", async () => {
      const context = await loadFixture(deployWithMandate);
      const { mandates, registry, laboratory, mandate, id } = context;
      const batch = await batchOf(context);
      await registry.suspend(laboratory);
      await expect(fundUnder(context, mandate, batch))
        .to.be.revertedWithCustomError(mandates, "MandatePayeeNotNamed")
        .withArgs(id, laboratory.address);
      await registry.reinstate(laboratory);
      await fundUnder(context, mandate, batch);
    });

    it("that are named may be paid whatever their kind, registered or not", async () => {
      const context = await loadFixture(deployFunded);
      const { pharmacy, laboratory, stranger } = context;
      const payees = [pharmacy, laboratory, stranger]
        .map(({ address }) => address)
        .sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
      const { mandate } = await given(context, { payeeKinds: 0, payees });
      for (const named of [payees, payees.slice(0, 1), payees.slice(1), [payees[0]!, payees[2]!]]) {
        const lines = Object.fromEntries(named.map((payee) => [payee, [DOLLAR]]));
        await fundUnder(context, mandate, await batchOf(context, { lines }));
      }
    });

    it("that are neither named nor of a kind may not, wherever they stand in the order", async () => {
      const context = await loadFixture(deployFunded);
      const { mandates, pharmacy, laboratory, stranger } = context;
      const all = [pharmacy, laboratory, stranger]
        .map(({ address }) => address)
        .sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
      for (const missing of all) {
        const payees = all.filter((payee) => payee !== missing);
        const { mandate, id } = await given(context, { payeeKinds: 0, payees });
        const lines = Object.fromEntries(all.map((payee) => [payee, [DOLLAR]]));
        await expect(fundUnder(context, mandate, await batchOf(context, { lines })))
          .to.be.revertedWithCustomError(mandates, "MandatePayeeNotNamed")
          .withArgs(id, missing);
      }
    });

    it("may be some by name and others by kind", async () => {
      const context = await loadFixture(deployFunded);
      const { registry, pharmacy, laboratory, stranger, otherPayer } = context;
      await register(registry, stranger.address, kinds.clinic);
      const payees = [laboratory.address, stranger.address].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));
      const { mandate } = await given(context, { payeeKinds: kinds.pharmacy | kinds.payer, payees });
      const paid = [pharmacy, laboratory, stranger, otherPayer];
      const lines = Object.fromEntries(paid.map(({ address }) => [address, [DOLLAR]]));
      await fundUnder(context, mandate, await batchOf(context, { lines }));
    });
  });
});
