import { loadFixture, setBalance, impersonateAccount, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroAddress, concat, id, keccak256, toBeHex, zeroPadValue } from "ethers";
import { ethers } from "hardhat";

import { batchLimits, type ClaimBatchTerms } from "@carepact/sdk/claims";

import { met, settle, settlementOf, type TestBatch } from "../../support/batches";
import { DOLLAR, POOL, batchOf, changeKinds, deployFunded, freeOf, fundedBatchOf } from "../../support/funded";
import { DAY, kinds, publish, rulebookOf } from "../../support/system";

const TOTAL = 190n * DOLLAR;
const HORIZON = 366 * DAY;

/** A group's word as the escrow takes it, also one that the SDK would refuse to make. */
const wordOf = (payee: string, lineCount: number, subtotal: bigint): bigint =>
  (BigInt(payee) << 96n) | (BigInt(lineCount) << 86n) | subtotal;

/** The terms of `batch` with other groups. */
const termsWith = (batch: TestBatch, words: bigint[], total: bigint): ClaimBatchTerms => ({
  ...batch.terms,
  total,
  groupsHash: keccak256(concat(words.map((word) => toBeHex(word, 32)))),
});

/** Address number `n`, counted from 1. */
const payeeOf = (n: number): string => zeroPadValue(toBeHex(n), 20);

describe("ClaimEscrow: fund", () => {
  describe("given a pool that covers the batch", () => {
    it("moves the total from the payer's free balance into the batch, and no tokens", async () => {
      const context = await loadFixture(deployFunded);
      const { escrow, token, payer, pharmacy } = context;
      const batch = await batchOf(context);
      const funding = escrow.connect(payer).fund(batch.terms, batch.words);
      await expect(funding).to.changeTokenBalances(token, [escrow, payer], [0n, 0n]);
      expect(await escrow.balancesOf(payer, token)).to.deep.equal([POOL - TOTAL, 0n]);
      expect(await escrow.balancesOf(pharmacy, token)).to.deep.equal([0n, 0n]);
      const { funded, paidInFull, open, stoppedAtFunding } = await escrow.claimBatchStatusOf(batch.id);
      expect([funded, paidInFull, open, stoppedAtFunding]).to.deep.equal([true, false, TOTAL, 0n]);
      expect(await escrow.closedLinesOf(batch.id, 0n)).to.equal(0n);
    });

    it("tells of the batch and returns its id, the EIP-712 digest of its terms", async () => {
      const context = await loadFixture(deployFunded);
      const { escrow, token, payer, rulebook } = context;
      const batch = await batchOf(context);
      expect(await escrow.connect(payer).fund.staticCall(batch.terms, batch.words)).to.equal(batch.id);
      expect(await escrow.batchIdOf(batch.terms)).to.equal(batch.id);
      await expect(escrow.connect(payer).fund(batch.terms, batch.words))
        .to.emit(escrow, "ClaimBatchFunded")
        .withArgs(batch.id, payer.address, rulebook, await token.getAddress(), TOTAL);
    });

    it("spends the pool to its last base unit", async () => {
      const context = await loadFixture(deployFunded);
      const { escrow, payer, pharmacy } = context;
      const token = await context.token.getAddress();
      const batch = await batchOf(context, { lines: { [pharmacy.address]: [POOL] } });
      await escrow.connect(payer).fund(batch.terms, batch.words);
      expect(await freeOf(escrow, payer.address, token)).to.equal(0n);
    });

    it("funds batches of equal terms that differ in salt", async () => {
      const context = await loadFixture(deployFunded);
      const { escrow, payer } = context;
      const batch = await fundedBatchOf(context);
      const again = { ...batch.terms, salt: batch.terms.salt ^ 1n };
      await escrow.connect(payer).fund(again, batch.words);
      expect((await escrow.claimBatchStatusOf(await escrow.batchIdOf(again))).open).to.equal(TOTAL);
    });

    it("takes 500 lines of one payee", async () => {
      const context = await loadFixture(deployFunded);
      const { escrow, payer } = context;
      expect([await escrow.MAX_GROUPS(), await escrow.MAX_LINES()]).to.deep.equal([500n, 500n]);
      const words = [wordOf(payeeOf(1), 500, 500n)];
      const terms = termsWith(await batchOf(context), words, 500n);
      await escrow.connect(payer).fund(terms, words);
      expect((await escrow.claimBatchStatusOf(await escrow.batchIdOf(terms))).open).to.equal(500n);
    });

    it("takes 500 groups", async () => {
      const context = await loadFixture(deployFunded);
      const { escrow, payer } = context;
      const words = Array.from({ length: batchLimits.groups }, (_, i) => wordOf(payeeOf(i + 1), 1, 2n));
      const terms = termsWith(await batchOf(context), words, 1_000n);
      await escrow.connect(payer).fund(terms, words);
      expect((await escrow.claimBatchStatusOf(await escrow.batchIdOf(terms))).open).to.equal(1_000n);
    });
  });

  it("knows nothing of a batch that was not funded", async () => {
    const context = await loadFixture(deployFunded);
    const batch = await batchOf(context);
    const { funded, paidInFull, open } = await context.escrow.claimBatchStatusOf(batch.id);
    expect([funded, paidInFull, open]).to.deep.equal([false, false, 0n]);
    await expect(context.escrow.attestByOf(batch.terms))
      .to.be.revertedWithCustomError(context.escrow, "ClaimBatchUnknown")
      .withArgs(batch.id);
  });

  it("is for the payer itself", async () => {
    const context = await loadFixture(deployFunded);
    const { escrow, payer, otherPayer } = context;
    const batch = await batchOf(context);
    await expect(escrow.connect(otherPayer).fund(batch.terms, batch.words))
      .to.be.revertedWithCustomError(escrow, "NotPayer")
      .withArgs(payer.address, otherPayer.address);
  });

  describe("twice", () => {
    it("is refused while the batch is open", async () => {
      const context = await loadFixture(deployFunded);
      const { escrow, payer } = context;
      const batch = await fundedBatchOf(context);
      await expect(escrow.connect(payer).fund(batch.terms, batch.words))
        .to.be.revertedWithCustomError(escrow, "ClaimBatchAlreadyFunded")
        .withArgs(batch.id);
      expect(await freeOf(escrow, payer.address, await context.token.getAddress())).to.equal(POOL - TOTAL);
    });

    it("is refused after all of it was paid", async () => {
      const context = await loadFixture(deployFunded);
      const { escrow, payer, attesters } = context;
      const batch = await fundedBatchOf(context);
      await settle(escrow, await settlementOf(batch, { results: [met, met], signers: attesters.slice(0, 2) }));
      await expect(escrow.connect(payer).fund(batch.terms, batch.words)).to.be.revertedWithCustomError(
        escrow,
        "ClaimBatchAlreadyFunded",
      );
    });

    it("is refused after all of it was reclaimed", async () => {
      const context = await loadFixture(deployFunded);
      const { escrow, payer } = context;
      const batch = await fundedBatchOf(context);
      await time.increaseTo((await escrow.attestByOf(batch.terms)) + 1n);
      await escrow.reclaim(batch.terms);
      await expect(escrow.connect(payer).fund(batch.terms, batch.words)).to.be.revertedWithCustomError(
        escrow,
        "ClaimBatchAlreadyFunded",
      );
    });
  });

  describe("refuses groups", () => {
    const [first, second] = [payeeOf(1), payeeOf(2)];
    const refused: [string, bigint[], bigint, string, unknown[]][] = [
      ["of which there are none", [], 0n, "GroupCountOutOfRange", [0n]],
      [
        "of which there are 501",
        Array.from({ length: 501 }, (_, i) => wordOf(payeeOf(i + 1), 1, 1n)),
        501n,
        "GroupCountOutOfRange",
        [501n],
      ],
      ["without a payee", [wordOf(ZeroAddress, 1, 5n)], 5n, "GroupInvalid", [0n]],
      ["without a line", [wordOf(first, 1, 5n), wordOf(second, 0, 5n)], 10n, "GroupInvalid", [1n]],
      ["of nothing", [wordOf(first, 1, 0n)], 0n, "GroupInvalid", [0n]],
      ["below one base unit a line", [wordOf(first, 3, 2n)], 2n, "GroupInvalid", [0n]],
      ["that descend", [wordOf(second, 1, 5n), wordOf(first, 1, 5n)], 10n, "GroupsNotAscending", [1n]],
      ["two of which are one payee's", [wordOf(first, 1, 5n), wordOf(first, 1, 6n)], 11n, "GroupsNotAscending", [1n]],
      ["of 501 lines", [wordOf(first, 251, 251n), wordOf(second, 250, 250n)], 501n, "TooManyLines", [501n]],
      ["of 1,023 lines of one payee", [wordOf(first, 1_023, 1_023n)], 1_023n, "TooManyLines", [1_023n]],
      ["that sum to less than the total", [wordOf(first, 1, 5n)], 6n, "GroupsDoNotSum", [5n, 6n]],
      [
        "that sum to more than the total",
        [wordOf(first, 1, 5n), wordOf(second, 1, 2n)],
        6n,
        "GroupsDoNotSum",
        [7n, 6n],
      ],
      [
        "as large as they can be, for a small total",
        [wordOf(first, 1, 2n ** 86n - 1n), wordOf(second, 1, 2n ** 86n - 1n)],
        5n,
        "GroupsDoNotSum",
        [2n * (2n ** 86n - 1n), 5n],
      ],
    ];
    for (const [what, words, total, error, args] of refused)
      it(what, async () => {
        const context = await loadFixture(deployFunded);
        const { escrow, payer } = context;
        const terms = termsWith(await batchOf(context), words, total);
        await expect(escrow.connect(payer).fund(terms, words))
          .to.be.revertedWithCustomError(escrow, error)
          .withArgs(...args);
      });

    it("that are not those of the terms", async () => {
      const context = await loadFixture(deployFunded);
      const { escrow, payer } = context;
      const batch = await batchOf(context);
      const others = [batch.words[0]! + 1n, batch.words[1]! - 1n];
      for (const words of [others, batch.words.slice(0, 1), [...batch.words].reverse(), []])
        await expect(escrow.connect(payer).fund(batch.terms, words))
          .to.be.revertedWithCustomError(escrow, "GroupsMismatch")
          .withArgs(batch.terms.groupsHash, termsWith(batch, words, 0n).groupsHash);
    });
  });

  describe("eventBy", () => {
    it("may be the very second of funding, and not one earlier", async () => {
      const context = await loadFixture(deployFunded);
      const { escrow, payer } = context;
      const eventBy = (await time.latest()) + 100;
      const batch = await batchOf(context, { eventBy });
      await time.setNextBlockTimestamp(eventBy + 1);
      await expect(escrow.connect(payer).fund(batch.terms, batch.words))
        .to.be.revertedWithCustomError(escrow, "EventByOutOfRange")
        .withArgs(eventBy);

      const next = await batchOf(context, { eventBy: eventBy + 10 });
      await time.setNextBlockTimestamp(eventBy + 10);
      await escrow.connect(payer).fund(next.terms, next.words);
    });

    it("may lie 366 days ahead, and not one second further", async () => {
      const context = await loadFixture(deployFunded);
      const { escrow, payer } = context;
      expect(await escrow.MAX_HORIZON()).to.equal(HORIZON);
      const now = (await time.latest()) + 100;
      const batch = await batchOf(context, { eventBy: now + HORIZON });
      await time.setNextBlockTimestamp(now - 1);
      await expect(escrow.connect(payer).fund(batch.terms, batch.words))
        .to.be.revertedWithCustomError(escrow, "EventByOutOfRange")
        .withArgs(now + HORIZON);
      await time.setNextBlockTimestamp(now);
      await escrow.connect(payer).fund(batch.terms, batch.words);
    });
  });

  describe("a rulebook", () => {
    it("has to be published", async () => {
      const context = await loadFixture(deployFunded);
      const { escrow, payer } = context;
      const batch = await batchOf(context, { rulebook: id("nobody's") });
      await expect(escrow.connect(payer).fund(batch.terms, batch.words))
        .to.be.revertedWithCustomError(context.rulebooks, "RulebookUnknown")
        .withArgs(id("nobody's"));
    });

    it("may not be suspended", async () => {
      const context = await loadFixture(deployFunded);
      const { escrow, rulebooks, rulebook, payer, suspender } = context;
      const batch = await batchOf(context);
      await rulebooks.connect(suspender).suspend(rulebook);
      await expect(escrow.connect(payer).fund(batch.terms, batch.words))
        .to.be.revertedWithCustomError(rulebooks, "RulebookIsSuspended")
        .withArgs(rulebook);
      await rulebooks.connect(suspender).resume(rulebook);
      await escrow.connect(payer).fund(batch.terms, batch.words);
    });

    it("may be any published one while another is suspended", async () => {
      const context = await loadFixture(deployFunded);
      const { escrow, rulebooks, rulebook, payer, attesters, suspender } = context;
      const other = await publish(rulebooks, rulebookOf([attesters[0]!.address], 1));
      await rulebooks.connect(suspender).suspend(rulebook);
      const batch = await batchOf(context, { rulebook: other });
      await escrow.connect(payer).fund(batch.terms, batch.words);
    });
  });

  describe("a pool", () => {
    it("that lacks one base unit is too small", async () => {
      const context = await loadFixture(deployFunded);
      const { escrow, payer, pharmacy } = context;
      const batch = await batchOf(context, { lines: { [pharmacy.address]: [POOL + 1n] } });
      await expect(escrow.connect(payer).fund(batch.terms, batch.words))
        .to.be.revertedWithCustomError(escrow, "FreeBalanceTooSmall")
        .withArgs(payer.address, await context.token.getAddress(), POOL, POOL + 1n);
    });

    it("of another token does not help", async () => {
      const context = await loadFixture(deployFunded);
      const { escrow, payer, stranger } = context;
      const batch = await batchOf(context, { token: stranger.address });
      await expect(escrow.connect(payer).fund(batch.terms, batch.words))
        .to.be.revertedWithCustomError(escrow, "FreeBalanceTooSmall")
        .withArgs(payer.address, stranger.address, 0n, TOTAL);
    });

    it("does not count the payer's credit", async () => {
      const context = await loadFixture(deployFunded);
      const { escrow, registry, payer, pharmacy, attesters } = context;
      const batch = await fundedBatchOf(context);
      await settle(escrow, await settlementOf(batch, { results: [met, met], signers: attesters.slice(0, 2) }));
      await changeKinds(registry, pharmacy.address, kinds.pharmacy | kinds.payer);
      const own = await batchOf(context, { payer: pharmacy.address, lines: { [payer.address]: [DOLLAR] } });
      await expect(escrow.connect(pharmacy).fund(own.terms, own.words))
        .to.be.revertedWithCustomError(escrow, "FreeBalanceTooSmall")
        .withArgs(pharmacy.address, await context.token.getAddress(), 0n, DOLLAR);
    });
  });

  describe("while the escrow is paused", () => {
    it("is refused in every way", async () => {
      const context = await loadFixture(deployFunded);
      const { escrow, mandates, payer } = context;
      const batch = await batchOf(context);
      await escrow.pause();
      const until = (await time.latest()) + 7 * DAY;
      await expect(escrow.connect(payer).fund(batch.terms, batch.words))
        .to.be.revertedWithCustomError(escrow, "PausedUntil")
        .withArgs(until);

      const account = await mandates.getAddress();
      await impersonateAccount(account);
      await setBalance(account, 10n ** 18n);
      await expect(
        escrow.connect(await ethers.getSigner(account)).fundUnderMandate(batch.terms, batch.words),
      ).to.be.revertedWithCustomError(escrow, "PausedUntil");
    });
  });
});

describe("ClaimEscrow: fundUnderMandate", () => {
  it("is for the mandates contract only", async () => {
    const context = await loadFixture(deployFunded);
    const { escrow, admin, payer, operator } = context;
    const batch = await batchOf(context);
    for (const caller of [admin, payer, operator])
      await expect(escrow.connect(caller).fundUnderMandate(batch.terms, batch.words))
        .to.be.revertedWithCustomError(escrow, "NotMandates")
        .withArgs(caller.address);
  });

  it("funds from the payer's pool when the mandates contract says so", async () => {
    const context = await loadFixture(deployFunded);
    const { escrow, mandates, token, payer } = context;
    const batch = await batchOf(context);
    const account = await mandates.getAddress();
    await impersonateAccount(account);
    await setBalance(account, 10n ** 18n);
    await escrow.connect(await ethers.getSigner(account)).fundUnderMandate(batch.terms, batch.words);
    expect(await escrow.balancesOf(payer, token)).to.deep.equal([POOL - TOTAL, 0n]);
  });
});
