import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import type { GroupResult, LineResult } from "@carepact/sdk/claims";

import { byLine, met, notMet, partlyMet, pending, settle } from "../../support/batches";
import { attested, closedLinesOf, deployClaims, fundedBatch, moneyOf } from "../../support/claims";

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

// Closed lines are kept 256 to a word.
describe("ClaimEscrow: lines across the words of the bitmap", () => {
  /** Groups of so many lines; line i of the batch is worth i + 1. */
  async function given(...counts: number[]) {
    const claims = await loadFixture(deployClaims);
    let line = 0;
    const batch = await fundedBatch(
      claims,
      counts.map((count) => Array.from({ length: count }, () => BigInt(++line))),
    );
    const firstOf = (group: number) => counts.slice(0, group).reduce((sum, count) => sum + count, 0);
    return {
      claims,
      batch,
      /** Line results of a group, met at these lines of the batch and else pending. */
      lines: (group: number, ...closed: number[]) =>
        byLine(
          ...range(firstOf(group), firstOf(group) + counts[group]!).map((i): LineResult =>
            closed.includes(i) ? met : pending,
          ),
        ),
      round: async (results: GroupResult[], open?: number[]) =>
        settle(claims.escrow, await attested(claims, batch, results, open && { open })),
      closed: () => closedLinesOf(claims, batch),
    };
  }
  /** What lines from..to-1 are worth. */
  const worth = (from: number, to: number) => range(from, to).reduce((sum, i) => sum + BigInt(i + 1), 0n);

  describe("given groups that lie across the border of a word", () => {
    for (const [what, counts] of Object.entries({
      "straddling the border": [200, 100, 200],
      "ending at the border": [256, 244],
      "ending a line before": [255, 245],
      "ending a line after": [257, 243],
      "one line on each side": [255, 1, 1, 243],
      "nearly all in one group": [1, 498, 1],
    }))
      for (const group of counts.keys())
        it(`closes whole group ${group} and nothing else, ${what}`, async () => {
          const { claims, batch, round, closed } = await given(...counts);
          const from = counts.slice(0, group).reduce((sum, count) => sum + count, 0);
          const to = from + counts[group]!;
          const whole = counts.map((_, i) => (i === group ? met : pending));

          await round(whole);
          expect(await closed()).to.deep.equal(range(from, to));
          expect((await moneyOf(claims, batch)).credits[group]).to.equal(worth(from, to));

          // The other groups are told apart from it, and settle.
          await round(counts.map((_, i) => (i === group ? notMet : met)));
          const { open, free } = await moneyOf(claims, batch);
          expect([open, free]).to.deep.equal([0n, 0n]);
        });
  });

  describe("given single lines at the borders of words", () => {
    const BORDERS = [0, 254, 255, 256, 257, 499];
    const paid = BORDERS.reduce((sum, i) => sum + BigInt(i + 1), 0n);

    it("closes exactly these lines of one group", async () => {
      const { claims, batch, lines, round, closed } = await given(500);
      await round([lines(0, ...BORDERS)]);
      expect(await closed()).to.deep.equal(BORDERS);
      expect((await moneyOf(claims, batch)).credits).to.deep.equal([paid]);
    });

    it("then settles all the others as a whole, each once", async () => {
      const { claims, batch, lines, round } = await given(500);
      await round([lines(0, ...BORDERS)]);
      await round([notMet], [0]);
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 0n, free: 125_250n - paid, credits: [paid] });
    });

    it("keeps words apart over many rounds", async () => {
      const { lines, round, closed } = await given(150, 200, 150);
      await round([pending, lines(1, 256), pending]);
      await round([pending, pending, lines(2, 499)]);
      await round([lines(0, 0), lines(1, 255, 256), pending]);
      expect(await closed()).to.deep.equal([0, 255, 256, 499]);
      await round([pending, notMet, pending], [1]);
      expect(await closed()).to.deep.equal([0, ...range(150, 350), 499]);
    });

    it("adds whole groups of a first round to lines of the same round", async () => {
      const { lines, round, closed } = await given(250, 20, 100, 130);
      await round([lines(0, 3), met, lines(2, 300, 369), notMet]);
      expect(await closed()).to.deep.equal([3, ...range(250, 270), 300, 369, ...range(370, 500)]);
    });
  });

  describe("given as many lines as there can be", () => {
    it("settles them all by line in one round", async () => {
      const { claims, batch, round } = await given(500);
      const results = range(0, 500).map((i): LineResult => [met, notMet, partlyMet(2n), met][i % 4]!);
      await round([byLine(...results)]);
      const paid = range(0, 500).reduce((sum, i) => sum + [BigInt(i + 1), 0n, 2n, BigInt(i + 1)][i % 4]!, 0n);
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 0n, free: 125_250n - paid, credits: [paid] });
    });

    it("settles them in ten rounds, each line once only", async () => {
      const { claims, batch, lines, round, closed } = await given(166, 168, 166);
      for (let step = 1; step <= 9; step++) {
        const upTo = range(0, step * 50 + 7);
        await round([lines(0, ...upTo), lines(1, ...upTo), lines(2, ...upTo)]);
        expect(await closed()).to.deep.equal(upTo);
        expect((await moneyOf(claims, batch)).open).to.equal(125_250n - worth(0, step * 50 + 7));
      }
      await round([met, met, met], [2]);
      const credits = [worth(0, 166), worth(166, 334), worth(334, 500)];
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 0n, free: 0n, credits });
    });
  });

  describe("given a batch in which nothing is open any more", () => {
    it("has kept no bitmap if one round closed it", async () => {
      const { round, closed } = await given(300);
      await round([met]);
      expect(await closed()).to.deep.equal([]);
    });
  });
});
