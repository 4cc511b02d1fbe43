import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";

import type { GroupResult } from "@carepact/sdk/claims";

import { byLine, met, notMet, partlyMet, pending, settle, type TestBatch } from "../../support/batches";
import {
  attested,
  batchOf,
  deployClaims,
  eventsOf,
  fundedBatch,
  moneyOf,
  owedBy,
  paymentsOf,
  type Claims,
} from "../../support/claims";

const LINES = [[10n, 20n, 30n], [40n], [50n, 60n]];

describe("ClaimEscrow: refund", () => {
  async function given() {
    const claims = await loadFixture(deployClaims);
    const batch = await fundedBatch(claims, LINES);
    return {
      claims,
      batch,
      money: () => moneyOf(claims, batch),
      round: async (results: GroupResult[], open?: number[]) =>
        settle(claims.escrow, await attested(claims, batch, results, open && { open })),
    };
  }
  /** A batch that one round paid in full. */
  async function paidInFull() {
    const context = await given();
    await context.round([met, met, met]);
    return context;
  }
  /** A batch that two rounds paid in part. */
  async function paidInParts() {
    const context = await given();
    await context.round([byLine(met, pending, partlyMet(5n)), pending, met]);
    await context.round([byLine(met, met, pending), met, pending]);
    return { ...context, payments: await paymentsOf(context.claims, context.batch) };
  }
  const wordOf = (payee: HardhatEthersSigner, amount: bigint) => (BigInt(payee.address) << 96n) | amount;
  const refund = (
    claims: Claims,
    batch: TestBatch,
    payee: HardhatEthersSigner,
    payments: bigint[],
    amount: bigint,
    fromCredit = true,
  ) => claims.escrow.connect(payee).refund(batch.terms, batch.words, payments, amount, fromCredit);

  describe("given a batch that one round paid in full", () => {
    it("moves credit to the payer's free balance, without any payments handed in", async () => {
      const { claims, batch, money } = await paidInFull();
      await refund(claims, batch, claims.payees[0]!, [], 25n);
      expect(await money()).to.deep.equal({ open: 0n, free: 25n, credits: [35n, 40n, 110n] });
    });

    it("reports it", async () => {
      const { claims, batch } = await paidInFull();
      const [payee] = claims.payees;
      expect(await eventsOf(claims, refund(claims, batch, payee!, [], 25n))).to.deep.equal([
        ["Refunded", batch.id, payee!.address, 25n, true],
      ]);
    });

    it("does not read payments that are handed in", async () => {
      const { claims, batch, money } = await paidInFull();
      await refund(claims, batch, claims.payees[0]!, [wordOf(claims.payees[0]!, 1_000n)], 60n);
      await expect(refund(claims, batch, claims.payees[0]!, [wordOf(claims.payees[0]!, 1_000n)], 1n))
        .to.be.revertedWithCustomError(claims.escrow, "RefundTooLarge")
        .withArgs(60n, 60n, 1n);
      expect(await money()).to.deep.equal({ open: 0n, free: 60n, credits: [0n, 40n, 110n] });
    });

    it("takes all that was received, exactly, in several refunds", async () => {
      const { claims, batch, money } = await paidInFull();
      const payee = claims.payees[2]!;
      await refund(claims, batch, payee, [], 100n);
      await refund(claims, batch, payee, [], 9n);
      await expect(refund(claims, batch, payee, [], 2n))
        .to.be.revertedWithCustomError(claims.escrow, "RefundTooLarge")
        .withArgs(110n, 109n, 2n);
      await refund(claims, batch, payee, [], 1n);
      await expect(refund(claims, batch, payee, [], 1n))
        .to.be.revertedWithCustomError(claims.escrow, "RefundTooLarge")
        .withArgs(110n, 110n, 1n);
      expect(await claims.escrow.refundedOf(batch.id, payee)).to.equal(110n);
      expect(await money()).to.deep.equal({ open: 0n, free: 110n, credits: [60n, 40n, 0n] });
    });

    it("counts each payee by itself", async () => {
      const { claims, batch } = await paidInFull();
      await refund(claims, batch, claims.payees[0]!, [], 60n);
      await refund(claims, batch, claims.payees[1]!, [], 40n);
      expect(await claims.escrow.refundedOf(batch.id, claims.payees[0]!)).to.equal(60n);
      expect(await claims.escrow.refundedOf(batch.id, claims.payees[1]!)).to.equal(40n);
      expect(await claims.escrow.refundedOf(batch.id, claims.payees[2]!)).to.equal(0n);
    });

    it("refuses an account that was paid nothing", async () => {
      const { claims, batch } = await paidInFull();
      for (const account of [claims.stranger, claims.payer, claims.payees[3]!])
        await expect(refund(claims, batch, account, [], 1n))
          .to.be.revertedWithCustomError(claims.escrow, "RefundTooLarge")
          .withArgs(0n, 0n, 1n);
    });

    it("refuses zero", async () => {
      const { claims, batch } = await paidInFull();
      await expect(refund(claims, batch, claims.payees[0]!, [], 0n)).to.be.revertedWithCustomError(
        claims.escrow,
        "AmountZero",
      );
    });

    it("refuses an amount that no balance could hold", async () => {
      const { claims, batch } = await paidInFull();
      const most = (1n << 256n) - 1n;
      await expect(refund(claims, batch, claims.payees[0]!, [], most))
        .to.be.revertedWithCustomError(claims.escrow, "RefundTooLarge")
        .withArgs(60n, 0n, most);
    });

    it("reopens nothing: what was paid cannot be settled, reversed or reclaimed", async () => {
      const { claims, batch, money, round } = await paidInFull();
      await refund(claims, batch, claims.payees[1]!, [], 40n);
      await round([met, met, met]);
      await claims.escrow.reclaim(batch.terms);
      expect(await money()).to.deep.equal({ open: 0n, free: 40n, credits: [60n, 0n, 110n] });
      expect((await claims.escrow.claimBatchStatusOf(batch.id)).paidInFull).to.equal(true);
    });

    it("lets the payer fund another batch with what came back", async () => {
      const { claims, batch } = await paidInFull();
      await refund(claims, batch, claims.payees[1]!, [], 40n);
      const next = await batchOf(claims, [[40n]]);
      await claims.escrow.connect(claims.payer).fund(next.terms, next.words);
      expect((await claims.escrow.claimBatchStatusOf(next.id)).open).to.equal(40n);
    });
  });

  describe("given credit that does not cover the refund", () => {
    it("refuses it, with what there is", async () => {
      const { claims, batch } = await paidInFull();
      const [payee] = claims.payees;
      await claims.escrow.connect(payee).payoutTo(claims.token, 50n, payee!);
      await expect(refund(claims, batch, payee!, [], 11n))
        .to.be.revertedWithCustomError(claims.escrow, "CreditTooSmall")
        .withArgs(payee!.address, await claims.token.getAddress(), 10n, 11n);
      expect(await claims.escrow.refundedOf(batch.id, payee!)).to.equal(0n);
    });

    it("takes credit that another batch earned", async () => {
      const { claims, batch, money } = await paidInFull();
      const [payee] = claims.payees;
      await claims.escrow.payout(claims.token, payee!);
      const other = await fundedBatch(claims, [[500n]]);
      await settle(claims.escrow, await attested(claims, other, [met]));
      await refund(claims, batch, payee!, [], 60n);
      expect(await money()).to.deep.equal({ open: 0n, free: 60n, credits: [440n, 40n, 110n] });
    });
  });

  describe("given tokens in place of credit", () => {
    async function paidOut() {
      const context = await paidInFull();
      const payee = context.claims.payees[0]!;
      await context.claims.escrow.payout(context.claims.token, payee);
      return { ...context, payee };
    }

    it("moves approved tokens to the payer's free balance", async () => {
      const { claims, batch, money, payee } = await paidOut();
      await claims.token.connect(payee).approve(claims.escrow, 45n);
      await expect(refund(claims, batch, payee, [], 45n, false)).to.changeTokenBalances(
        claims.token,
        [payee, claims.escrow, claims.payer],
        [-45n, 45n, 0n],
      );
      expect(await money()).to.deep.equal({ open: 0n, free: 45n, credits: [0n, 40n, 110n] });
      expect(await claims.token.balanceOf(claims.escrow)).to.equal(await owedBy(claims, [batch]));
    });

    it("reports where it came from", async () => {
      const { claims, batch, payee } = await paidOut();
      await claims.token.connect(payee).approve(claims.escrow, 45n);
      expect(await eventsOf(claims, refund(claims, batch, payee, [], 45n, false))).to.deep.equal([
        ["Refunded", batch.id, payee.address, 45n, false],
      ]);
    });

    it("counts together with what came from credit", async () => {
      const { claims, batch } = await paidInFull();
      const [payee] = claims.payees;
      await claims.escrow.connect(payee).payoutTo(claims.token, 30n, payee!);
      await claims.token.connect(payee).approve(claims.escrow, 30n);
      await refund(claims, batch, payee!, [], 30n, true);
      await refund(claims, batch, payee!, [], 29n, false);
      await expect(refund(claims, batch, payee!, [], 2n, false))
        .to.be.revertedWithCustomError(claims.escrow, "RefundTooLarge")
        .withArgs(60n, 59n, 2n);
    });

    it("refuses tokens that were not approved", async () => {
      const { claims, batch, payee } = await paidOut();
      await expect(refund(claims, batch, payee, [], 45n, false))
        .to.be.revertedWithCustomError(claims.token, "ERC20InsufficientAllowance")
        .withArgs(await claims.escrow.getAddress(), 0n, 45n);
      expect(await claims.escrow.refundedOf(batch.id, payee)).to.equal(0n);
    });

    it("refuses tokens that the payee does not have", async () => {
      const { claims, batch, payee } = await paidOut();
      await claims.token.connect(payee).transfer(claims.stranger, 60n);
      await claims.token.connect(payee).approve(claims.escrow, 60n);
      await expect(refund(claims, batch, payee, [], 60n, false)).to.be.revertedWithCustomError(
        claims.token,
        "ERC20InsufficientBalance",
      );
    });

    it("cannot bring tokens while the issuer blacklists the payee, but credit", async () => {
      const { claims, batch, money } = await paidInFull();
      const [payee] = claims.payees;
      await claims.token.connect(payee).approve(claims.escrow, 60n);
      await claims.token.blacklist(payee!);
      await expect(refund(claims, batch, payee!, [], 60n, false))
        .to.be.revertedWithCustomError(claims.token, "Blacklisted")
        .withArgs(payee!.address);
      await refund(claims, batch, payee!, [], 60n, true);
      expect((await money()).free).to.equal(60n);
    });
  });

  describe("given a token that begins to take a fee", () => {
    it("refuses what arrives short, and still takes credit", async () => {
      const claims = await loadFixture(deployClaims);
      const token = await ethers.deployContract("FeeOnTransferToken", [0]);
      const batch = await batchOf(claims, [[1_000n], [500n]], { token: await token.getAddress() });
      await token.mint(claims.payer, 1_500n);
      await token.connect(claims.payer).approve(claims.escrow, 1_500n);
      await claims.escrow.connect(claims.payer).deposit(claims.payer, token, 1_500n);
      await claims.escrow.connect(claims.payer).fund(batch.terms, batch.words);
      await settle(claims.escrow, await attested(claims, batch, [met, met]));
      const [payee, other] = claims.payees;
      await claims.escrow.payout(token, payee!);

      await token.setFeeBps(100);
      await token.connect(payee).approve(claims.escrow, 1_000n);
      await expect(refund(claims, batch, payee!, [], 1_000n, false))
        .to.be.revertedWithCustomError(claims.escrow, "TokenDeliveredOther")
        .withArgs(await token.getAddress(), 1_000n, 990n);
      expect(await claims.escrow.refundedOf(batch.id, payee!)).to.equal(0n);
      await refund(claims, batch, other!, [], 500n, true);
      expect(await claims.escrow.balancesOf(claims.payer, token)).to.deep.equal([500n, 0n]);
    });
  });

  describe("given a token that calls back during the refund", () => {
    it("counts the refund before, and lets nothing in between", async () => {
      const claims = await loadFixture(deployClaims);
      const token = await ethers.deployContract("ReentrantToken");
      const batch = await batchOf(claims, [[1_000n]], { token: await token.getAddress() });
      await token.mint(claims.payer, 1_000n);
      await token.connect(claims.payer).approve(claims.escrow, 1_000n);
      await claims.escrow.connect(claims.payer).deposit(claims.payer, token, 1_000n);
      await claims.escrow.connect(claims.payer).fund(batch.terms, batch.words);
      await settle(claims.escrow, await attested(claims, batch, [met]));
      const [payee] = claims.payees;
      await claims.escrow.payout(token, payee!);
      await token.connect(payee).approve(claims.escrow, 1_000n);

      const again = claims.escrow.interface.encodeFunctionData("refund", [batch.terms, batch.words, [], 1n, true]);
      await token.setCallback(2, claims.escrow, again);
      await refund(claims, batch, payee!, [], 600n, false);
      expect(await token.callbacks()).to.equal(1n);
      expect(await token.lastSucceeded()).to.equal(false);
      expect(await token.lastReturned()).to.equal(
        claims.escrow.interface.encodeErrorResult("ReentrancyGuardReentrantCall"),
      );
      expect(await claims.escrow.refundedOf(batch.id, payee!)).to.equal(600n);
      expect(await claims.escrow.balancesOf(claims.payer, token)).to.deep.equal([600n, 0n]);
    });
  });

  describe("given a batch that was paid in several rounds", () => {
    it("lists what the events say", async () => {
      const { claims, payments } = await paidInParts();
      const [a, b, c] = claims.payees;
      expect(payments).to.deep.equal([wordOf(a!, 15n), wordOf(c!, 110n), wordOf(a!, 20n), wordOf(b!, 40n)]);
    });

    it("takes what all rounds paid together, exactly", async () => {
      const { claims, batch, money, payments } = await paidInParts();
      const [payee] = claims.payees;
      await refund(claims, batch, payee!, payments, 34n);
      await expect(refund(claims, batch, payee!, payments, 2n))
        .to.be.revertedWithCustomError(claims.escrow, "RefundTooLarge")
        .withArgs(35n, 34n, 2n);
      await refund(claims, batch, payee!, payments, 1n);
      expect(await money()).to.deep.equal({ open: 0n, free: 60n, credits: [0n, 40n, 110n] });
    });

    for (const [what, change] of Object.entries<(payments: bigint[]) => bigint[]>({
      "an amount too high": ([a, ...rest]) => [a! + 1n, ...rest],
      "another payee": ([a, b, ...rest]) => [a!, b! + (1n << 96n), ...rest],
      "another order": ([a, b, ...rest]) => [b!, a!, ...rest],
      "the last left out": (payments) => payments.slice(0, -1),
      "the first left out": (payments) => payments.slice(1),
      "one twice": (payments) => [...payments, payments[3]!],
      "a payment of nothing": (payments) => [...payments, 0n],
      "two of one payee as their sum": ([a, b, c, d]) => [a! + (c! & ((1n << 96n) - 1n)), b!, d!],
      "nothing at all": () => [],
    }))
      it(`refuses ${what}`, async () => {
        const { claims, batch, payments } = await paidInParts();
        await expect(refund(claims, batch, claims.payees[0]!, change(payments), 1n))
          .to.be.revertedWithCustomError(claims.escrow, "PaymentsMismatch")
          .withArgs(batch.id);
      });

    it("refuses the payments of an earlier round once there is another", async () => {
      const { claims, batch, round } = await given();
      await round([met, pending, pending]);
      const payments = await paymentsOf(claims, batch);
      await refund(claims, batch, claims.payees[0]!, payments, 1n);
      await round([met, met, pending]);
      await expect(refund(claims, batch, claims.payees[0]!, payments, 1n))
        .to.be.revertedWithCustomError(claims.escrow, "PaymentsMismatch")
        .withArgs(batch.id);
      await refund(claims, batch, claims.payees[0]!, await paymentsOf(claims, batch), 59n);
    });

    it("does not count a round that only freed", async () => {
      const { claims, batch, round } = await given();
      await round([met, pending, pending]);
      const payments = await paymentsOf(claims, batch);
      await round([met, notMet, notMet]);
      expect(await paymentsOf(claims, batch)).to.deep.equal(payments);
      await refund(claims, batch, claims.payees[0]!, payments, 60n);
    });

    it("refunds while other lines are still open", async () => {
      const { claims, batch, money, round } = await given();
      await round([pending, met, pending]);
      await refund(claims, batch, claims.payees[1]!, await paymentsOf(claims, batch), 40n);
      expect(await money()).to.deep.equal({ open: 170n, free: 40n, credits: [0n, 0n, 0n] });
      await round([met, met, met]);
      expect(await money()).to.deep.equal({ open: 0n, free: 40n, credits: [60n, 0n, 110n] });
    });
  });

  describe("given a batch that one round paid in part", () => {
    it("takes the part of a line that was partly met", async () => {
      const claims = await loadFixture(deployClaims);
      const batch = await fundedBatch(claims, [[100n]]);
      await settle(claims.escrow, await attested(claims, batch, [byLine(partlyMet(60n))]));
      const [payee] = claims.payees;
      const payments = await paymentsOf(claims, batch);
      await expect(refund(claims, batch, payee!, payments, 61n))
        .to.be.revertedWithCustomError(claims.escrow, "RefundTooLarge")
        .withArgs(60n, 0n, 61n);
      await refund(claims, batch, payee!, payments, 60n);
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 0n, free: 100n, credits: [0n] });
    });

    it("takes what one group got where another got nothing", async () => {
      const { claims, batch, round, money } = await given();
      await round([met, notMet, notMet]);
      await refund(claims, batch, claims.payees[0]!, [wordOf(claims.payees[0]!, 60n)], 60n);
      expect(await money()).to.deep.equal({ open: 0n, free: 210n, credits: [0n, 0n, 0n] });
    });

    it("refuses a payee that got nothing", async () => {
      const { claims, batch, round } = await given();
      await round([met, notMet, notMet]);
      await expect(refund(claims, batch, claims.payees[1]!, [wordOf(claims.payees[0]!, 60n)], 1n))
        .to.be.revertedWithCustomError(claims.escrow, "RefundTooLarge")
        .withArgs(0n, 0n, 1n);
    });
  });

  describe("given a batch that was paid nothing", () => {
    it("refuses, since nothing was received", async () => {
      const { claims, batch } = await given();
      await expect(refund(claims, batch, claims.payees[0]!, [], 1n))
        .to.be.revertedWithCustomError(claims.escrow, "RefundTooLarge")
        .withArgs(0n, 0n, 1n);
    });

    it("refuses payments that were invented", async () => {
      const { claims, batch } = await given();
      await expect(refund(claims, batch, claims.payees[0]!, [wordOf(claims.payees[0]!, 60n)], 60n))
        .to.be.revertedWithCustomError(claims.escrow, "PaymentsMismatch")
        .withArgs(batch.id);
    });

    it("knows no batch that nobody funded", async () => {
      const { claims } = await given();
      const unknown = await batchOf(claims, LINES);
      await expect(refund(claims, unknown, claims.payees[0]!, [], 1n))
        .to.be.revertedWithCustomError(claims.escrow, "ClaimBatchUnknown")
        .withArgs(unknown.id);
    });
  });

  describe("given groups that are not those of the batch", () => {
    it("refuses a payee that made its own group larger", async () => {
      const { claims, batch } = await paidInFull();
      const [a, b, c] = batch.words;
      const posed = [a! + 1_000n, b!, c!];
      await expect(
        claims.escrow.connect(claims.payees[0]).refund(batch.terms, posed, [], 61n, true),
      ).to.be.revertedWithCustomError(claims.escrow, "GroupsMismatch");
    });
  });

  describe("given a stop", () => {
    it("refuses while paused", async () => {
      const { claims, batch } = await paidInFull();
      await claims.escrow.pause();
      await expect(refund(claims, batch, claims.payees[0]!, [], 1n)).to.be.revertedWithCustomError(
        claims.escrow,
        "PausedUntil",
      );
    });

    it("refunds while the rulebook is suspended", async () => {
      const { claims, batch, money } = await paidInFull();
      await claims.rulebooks.connect(claims.suspender).suspend(claims.rulebook);
      await refund(claims, batch, claims.payees[0]!, [], 60n);
      expect((await money()).free).to.equal(60n);
    });
  });
});
