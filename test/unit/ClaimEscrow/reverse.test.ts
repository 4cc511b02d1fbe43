import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroHash } from "ethers";

import type { GroupResult } from "@carepact/sdk/claims";

import { byLine, met, notMet, partlyMet, pending, settle, type TestBatch } from "../../support/batches";
import {
  attested,
  batchOf,
  closedLinesOf,
  deployClaims,
  eventsOf,
  fundedBatch,
  moneyOf,
  owedBy,
  type Claims,
} from "../../support/claims";
import { DAY, GRACE } from "../../support/system";

const LINES = [[10n, 20n, 30n], [40n], [50n, 60n]];
const NOTHING = { group: 0, salt: ZeroHash, amounts: "0x" };

describe("ClaimEscrow: reverse", () => {
  async function given(lines = LINES) {
    const claims = await loadFixture(deployClaims);
    const batch = await fundedBatch(claims, lines);
    return {
      claims,
      batch,
      money: () => moneyOf(claims, batch),
      round: async (results: GroupResult[], open?: number[]) =>
        settle(claims.escrow, await attested(claims, batch, results, open && { open })),
    };
  }
  /** The payee of the group gives lines of it up, its amounts opened. */
  const reverse = (claims: Claims, batch: TestBatch, group: number, lines: number[], openedGroup = group) => {
    const { opened, proof } = batch.openOne(openedGroup);
    return claims.escrow.connect(claims.payees[group]).reverse(batch.terms, batch.words, group, lines, opened, proof);
  };
  /** The payee of the group gives all lines of it up, nothing opened. */
  const reverseAll = (claims: Claims, batch: TestBatch, group: number) =>
    claims.escrow.connect(claims.payees[group]).reverse(
      batch.terms,
      batch.words,
      group,
      batch.amounts[group]!.map((_, line) => line),
      NOTHING,
      [],
    );

  describe("given some lines of a group", () => {
    it("returns their amounts to the payer and closes them", async () => {
      const { claims, batch, money } = await given();
      await reverse(claims, batch, 0, [0, 2]);
      expect(await money()).to.deep.equal({ open: 170n, free: 40n, credits: [0n, 0n, 0n] });
      expect(await closedLinesOf(claims, batch)).to.deep.equal([0, 2]);
    });

    it("reports the payee, the amount and the lines", async () => {
      const { claims, batch } = await given();
      expect(await eventsOf(claims, reverse(claims, batch, 2, [1]))).to.deep.equal([
        ["LinesReversed", batch.id, claims.payees[2]!.address, 60n, [1n]],
      ]);
    });

    it("returns the amount", async () => {
      const { claims, batch } = await given();
      const { opened, proof } = batch.openOne(0);
      const asPayee = claims.escrow.connect(claims.payees[0]);
      expect(await asPayee.reverse.staticCall(batch.terms, batch.words, 0, [1, 2], opened, proof)).to.equal(50n);
    });

    it("reverses the others later", async () => {
      const { claims, batch, money } = await given();
      await reverse(claims, batch, 0, [1]);
      await reverse(claims, batch, 0, [0, 2]);
      expect(await money()).to.deep.equal({ open: 150n, free: 60n, credits: [0n, 0n, 0n] });
    });
  });

  describe("given all lines of a group", () => {
    for (const group of [0, 1, 2])
      it(`needs nothing opened, group ${group}`, async () => {
        const { claims, batch, money } = await given();
        const subtotal = [60n, 40n, 110n][group]!;
        await reverseAll(claims, batch, group);
        expect(await money()).to.deep.equal({ open: 210n - subtotal, free: subtotal, credits: [0n, 0n, 0n] });
        expect(await closedLinesOf(claims, batch)).to.deep.equal([[0, 1, 2], [3], [4, 5]][group]);
      });

    it("frees a batch of one line altogether", async () => {
      const { claims, batch, money } = await given([[70n]]);
      await reverseAll(claims, batch, 0);
      expect(await money()).to.deep.equal({ open: 0n, free: 70n, credits: [0n] });
    });

    it("leaves nothing open once every group is reversed", async () => {
      const { claims, batch, money } = await given();
      for (const group of [2, 0, 1]) await reverseAll(claims, batch, group);
      expect(await money()).to.deep.equal({ open: 0n, free: 210n, credits: [0n, 0n, 0n] });
      expect(await claims.token.balanceOf(claims.escrow)).to.equal(await owedBy(claims, [batch]));
    });

    it("works for a group whose committed lines do not sum", async () => {
      const claims = await loadFixture(deployClaims);
      const batch = await fundedBatch(claims, [[10n, 20n]], { committed: { 0: [10n, 21n] } });
      await expect(reverse(claims, batch, 0, [0]))
        .to.be.revertedWithCustomError(claims.escrow, "LinesDoNotSum")
        .withArgs(0n, 31n, 30n);
      await reverseAll(claims, batch, 0);
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 0n, free: 30n, credits: [0n] });
    });
  });

  describe("given somebody other than the payee", () => {
    it("refuses the payer, who cannot take its promise back", async () => {
      const { claims, batch } = await given();
      const { opened, proof } = batch.openOne(0);
      await expect(claims.escrow.connect(claims.payer).reverse(batch.terms, batch.words, 0, [0], opened, proof))
        .to.be.revertedWithCustomError(claims.escrow, "NotPayee")
        .withArgs(claims.payees[0]!.address, claims.payer.address);
    });

    it("refuses another payee of the batch", async () => {
      const { claims, batch } = await given();
      const other = claims.payees[1]!;
      await expect(claims.escrow.connect(other).reverse(batch.terms, batch.words, 2, [0, 1], NOTHING, []))
        .to.be.revertedWithCustomError(claims.escrow, "NotPayee")
        .withArgs(claims.payees[2]!.address, other.address);
    });

    it("refuses a stranger that claims a group which there is not", async () => {
      const { claims, batch } = await given();
      await expect(claims.escrow.reverse(batch.terms, batch.words, 3, [0], NOTHING, [])).to.be.revertedWithPanic(0x32);
    });
  });

  describe("given lines that cannot be reversed", () => {
    for (const [what, lines, line] of [
      ["a line that there is not", [3], 3],
      ["one of which there is not", [0, 7], 7],
      ["a line twice", [1, 1], 1],
      ["lines in descending order", [2, 0], 0],
      ["as many as there are, one twice", [0, 1, 1], 1],
      ["as many as there are, in another order", [0, 2, 1], 1],
      ["as many as there are, one beyond", [0, 1, 3], 3],
      ["more than there are", [0, 1, 2, 3], 3],
    ] as const)
      it(`refuses ${what}`, async () => {
        const { claims, batch } = await given();
        await expect(reverse(claims, batch, 0, [...lines]))
          .to.be.revertedWithCustomError(claims.escrow, "LineInvalid")
          .withArgs(line);
      });

    it("refuses none at all", async () => {
      const { claims, batch } = await given();
      await expect(reverse(claims, batch, 0, [])).to.be.revertedWithCustomError(claims.escrow, "NoLines");
    });

    it("refuses a line that was reversed before", async () => {
      const { claims, batch } = await given();
      await reverse(claims, batch, 0, [1]);
      await expect(reverse(claims, batch, 0, [0, 1]))
        .to.be.revertedWithCustomError(claims.escrow, "LineNotOpen")
        .withArgs(1n);
    });

    it("refuses a whole group of which a line was reversed before", async () => {
      const { claims, batch } = await given();
      await reverse(claims, batch, 0, [2]);
      await expect(reverseAll(claims, batch, 0))
        .to.be.revertedWithCustomError(claims.escrow, "LineNotOpen")
        .withArgs(2n);
    });

    for (const [what, result] of [
      ["met", met],
      ["not met", notMet],
      ["partly met", partlyMet(1n)],
    ] as const)
      it(`refuses a line that was settled as ${what}`, async () => {
        const { claims, batch, round } = await given();
        await round([byLine(pending, result, pending), pending, pending]);
        await expect(reverse(claims, batch, 0, [1, 2]))
          .to.be.revertedWithCustomError(claims.escrow, "LineNotOpen")
          .withArgs(1n);
      });

    it("refuses lines of a group that was settled whole", async () => {
      const { claims, batch, round } = await given();
      await round([met, pending, pending]);
      await expect(reverse(claims, batch, 0, [0]))
        .to.be.revertedWithCustomError(claims.escrow, "LineNotOpen")
        .withArgs(0n);
    });

    it("refuses every line of a batch in which nothing is open", async () => {
      const { claims, batch, round } = await given();
      await round([met, met, met]);
      await expect(reverse(claims, batch, 2, [1]))
        .to.be.revertedWithCustomError(claims.escrow, "LineNotOpen")
        .withArgs(1n);
      await expect(reverseAll(claims, batch, 1))
        .to.be.revertedWithCustomError(claims.escrow, "LineNotOpen")
        .withArgs(0n);
    });

    it("refuses every line of a batch that was reclaimed", async () => {
      const { claims, batch } = await given();
      await time.increaseTo(batch.terms.eventBy + GRACE + 1);
      await claims.escrow.reclaim(batch.terms);
      await expect(reverseAll(claims, batch, 0))
        .to.be.revertedWithCustomError(claims.escrow, "LineNotOpen")
        .withArgs(0n);
    });
  });

  describe("given opened lines that are not those of the group", () => {
    const salt = `0x${"5a".repeat(32)}`;

    it("refuses another group's lines", async () => {
      const { claims, batch } = await given();
      await expect(reverse(claims, batch, 0, [0], 2))
        .to.be.revertedWithCustomError(claims.escrow, "LinesMismatch")
        .withArgs(0n);
    });

    it("refuses another group's lines under this group's index", async () => {
      const { claims, batch } = await given();
      const { opened, proof } = batch.openOne(2);
      const posed = { ...opened, group: 0 };
      const asPayee = claims.escrow.connect(claims.payees[0]);
      await expect(asPayee.reverse(batch.terms, batch.words, 0, [0], posed, proof))
        .to.be.revertedWithCustomError(claims.escrow, "LinesProofInvalid")
        .withArgs(batch.terms.manifestRoot);
    });

    for (const [what, changes] of [
      ["amounts", { amounts: "0x1e140a" }],
      ["a salt", { salt }],
    ] as const)
      it(`refuses ${what} that the payer did not commit to`, async () => {
        const { claims, batch } = await given();
        const { opened, proof } = batch.openOne(0);
        const asPayee = claims.escrow.connect(claims.payees[0]);
        await expect(asPayee.reverse(batch.terms, batch.words, 0, [0], { ...opened, ...changes }, proof))
          .to.be.revertedWithCustomError(claims.escrow, "LinesProofInvalid")
          .withArgs(batch.terms.manifestRoot);
      });

    it("refuses a proof with a hash changed, or one more", async () => {
      const { claims, batch } = await given();
      const { opened, proof } = batch.openOne(0);
      const asPayee = claims.escrow.connect(claims.payees[0]);
      for (const wrong of [[salt, ...proof.slice(1)], [...proof, salt], proof.slice(0, -1)])
        await expect(asPayee.reverse(batch.terms, batch.words, 0, [0], opened, wrong)).to.be.revertedWithCustomError(
          claims.escrow,
          "LinesProofInvalid",
        );
    });

    it("refuses to take some lines without any opened", async () => {
      const { claims, batch } = await given();
      const asPayee = claims.escrow.connect(claims.payees[0]);
      await expect(asPayee.reverse(batch.terms, batch.words, 0, [0], NOTHING, [])).to.be.revertedWithCustomError(
        claims.escrow,
        "ManifestProofMalformed",
      );
    });

    it("refuses a list of another length than the group", async () => {
      const claims = await loadFixture(deployClaims);
      const batch = await fundedBatch(claims, [[10n, 20n]], { committed: { 0: [10n, 10n, 10n] } });
      await expect(reverse(claims, batch, 0, [0]))
        .to.be.revertedWithCustomError(claims.escrow, "LinesMismatch")
        .withArgs(0n);
    });
  });

  describe("given terms or groups that are not those of a funded batch", () => {
    it("knows no batch that was never funded", async () => {
      const { claims } = await given();
      const unknown = await batchOf(claims, LINES);
      await expect(reverseAll(claims, unknown, 0))
        .to.be.revertedWithCustomError(claims.escrow, "ClaimBatchUnknown")
        .withArgs(unknown.id);
    });

    it("refuses groups in which the caller made itself the payee", async () => {
      const { claims, batch } = await given();
      const posed = [(BigInt(claims.stranger.address) << 96n) | (1n << 86n) | 210n];
      await expect(
        claims.escrow.connect(claims.stranger).reverse(batch.terms, posed, 0, [0], NOTHING, []),
      ).to.be.revertedWithCustomError(claims.escrow, "GroupsMismatch");
    });
  });

  describe("given a stop", () => {
    it("refuses while paused", async () => {
      const { claims, batch } = await given();
      await claims.escrow.pause();
      const until = (await time.latest()) + 7 * DAY;
      await expect(reverseAll(claims, batch, 0))
        .to.be.revertedWithCustomError(claims.escrow, "PausedUntil")
        .withArgs(until);
    });

    it("reverses while the rulebook is suspended, since it harms nobody but the payee", async () => {
      const { claims, batch, money } = await given();
      await claims.rulebooks.connect(claims.suspender).suspend(claims.rulebook);
      await reverseAll(claims, batch, 0);
      expect((await money()).free).to.equal(60n);
    });

    it("reverses after attestBy, so long as nobody reclaimed", async () => {
      const { claims, batch, money } = await given();
      await time.increaseTo(batch.terms.eventBy + GRACE + DAY);
      await reverseAll(claims, batch, 0);
      expect((await money()).free).to.equal(60n);
    });
  });

  describe("given a settlement before or after", () => {
    it("reverses what earlier rounds left open", async () => {
      const { claims, batch, money, round } = await given();
      await round([byLine(met, pending, partlyMet(10n)), notMet, pending]);
      await reverse(claims, batch, 0, [1]);
      expect(await money()).to.deep.equal({ open: 110n, free: 80n, credits: [20n, 0n, 0n] });
      await reverseAll(claims, batch, 2);
      expect(await money()).to.deep.equal({ open: 0n, free: 190n, credits: [20n, 0n, 0n] });
    });

    it("skips a reversed line when the rest settles by line", async () => {
      const { claims, batch, money, round } = await given();
      await reverse(claims, batch, 0, [1]);
      await round([byLine(met, met, partlyMet(1n)), met, met]);
      expect(await money()).to.deep.equal({ open: 0n, free: 49n, credits: [11n, 40n, 110n] });
    });

    it("skips a reversed line when the rest settles as all met, its lines opened", async () => {
      const { claims, batch, money, round } = await given();
      await reverse(claims, batch, 0, [1]);
      await round([met, pending, pending], []);
      expect(await money()).to.deep.equal({ open: 190n, free: 20n, credits: [0n, 0n, 0n] });
      await round([met, met, notMet], [0]);
      expect(await money()).to.deep.equal({ open: 0n, free: 130n, credits: [40n, 40n, 0n] });
    });

    it("skips a reversed group, and does not call the batch paid in full", async () => {
      const { claims, batch, money, round } = await given();
      await reverseAll(claims, batch, 1);
      await round([met, met, met]);
      expect(await money()).to.deep.equal({ open: 0n, free: 40n, credits: [60n, 0n, 110n] });
      expect((await claims.escrow.claimBatchStatusOf(batch.id)).paidInFull).to.equal(false);
    });
  });

  describe("given lines on both sides of a word of the bitmap", () => {
    it("closes exactly those", async () => {
      const claims = await loadFixture(deployClaims);
      const ones = (count: number) => Array.from({ length: count }, () => 1n);
      const batch = await fundedBatch(claims, [ones(250), ones(20), ones(230)]);
      await reverse(claims, batch, 1, [0, 5, 6, 19]);
      await reverse(claims, batch, 2, [0, 229]);
      expect(await closedLinesOf(claims, batch)).to.deep.equal([250, 255, 256, 269, 270, 499]);
      expect((await moneyOf(claims, batch)).free).to.equal(6n);
    });
  });
});
