import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import type { GroupResult } from "@carepact/sdk/claims";

import { byLine, met, notMet, partlyMet, pending, settle } from "../../support/batches";
import { attested, closedLinesOf, deployClaims, eventsOf, fundedBatch, moneyOf, owedBy } from "../../support/claims";

const LINES = [[10n, 20n, 30n], [40n], [50n, 60n]];

describe("ClaimEscrow: settle in several rounds", () => {
  async function given(lines = LINES) {
    const claims = await loadFixture(deployClaims);
    const batch = await fundedBatch(claims, lines);
    const round = async (results: GroupResult[], open?: number[]) =>
      settle(claims.escrow, await attested(claims, batch, results, open && { open }));
    return { claims, batch, round, money: () => moneyOf(claims, batch) };
  }

  describe("given the same attestation again", () => {
    for (const [what, results] of Object.entries({
      "by group": [met, pending, notMet],
      "by line": [byLine(met, partlyMet(5n), pending), pending, byLine(notMet, pending)],
      "for the whole batch": [met, met, met],
    }))
      it(`changes and reports nothing, ${what}`, async () => {
        const { claims, batch, money } = await given();
        const settlement = await attested(claims, batch, results);
        await settle(claims.escrow, settlement);
        const before = await money();
        expect(await eventsOf(claims, settle(claims.escrow, settlement))).to.deep.equal([]);
        expect(await money()).to.deep.equal(before);
      });

    it("returns that nothing was paid or freed", async () => {
      const { claims, batch } = await given();
      const settlement = await attested(claims, batch, [met, pending, notMet]);
      await settle(claims.escrow, settlement);
      const { paid, freed } = await claims.escrow.settle.staticCall(
        batch.terms,
        settlement.groups,
        settlement.attestation,
      );
      expect([paid, freed]).to.deep.equal([0n, 0n]);
    });

    it("does not even read an attestation once nothing is open", async () => {
      const { claims, batch, round } = await given();
      await round([met, met, met]);
      const unsigned = await attested(claims, batch, "0x", { signers: [] });
      expect(await eventsOf(claims, settle(claims.escrow, unsigned))).to.deep.equal([]);
    });
  });

  describe("given groups that settle one after the other", () => {
    it("settles what the newer attestation adds", async () => {
      const { claims, batch, round, money } = await given();
      await round([met, pending, pending]);
      expect(await money()).to.deep.equal({ open: 150n, free: 0n, credits: [60n, 0n, 0n] });
      expect(await closedLinesOf(claims, batch)).to.deep.equal([0, 1, 2]);
      await round([met, notMet, pending]);
      expect(await money()).to.deep.equal({ open: 110n, free: 40n, credits: [60n, 0n, 0n] });
      expect(await closedLinesOf(claims, batch)).to.deep.equal([0, 1, 2, 3]);
      await round([met, notMet, met]);
      expect(await money()).to.deep.equal({ open: 0n, free: 40n, credits: [60n, 0n, 110n] });
    });

    it("is not called paid in full when several rounds paid it", async () => {
      const { claims, batch, round, money } = await given();
      await round([met, pending, pending]);
      await round([met, met, met]);
      expect(await money()).to.deep.equal({ open: 0n, free: 0n, credits: [60n, 40n, 110n] });
      expect((await claims.escrow.claimBatchStatusOf(batch.id)).paidInFull).to.equal(false);
    });

    it("reports in each round only what that round settled", async () => {
      const { claims, batch, round } = await given();
      await round([met, pending, pending]);
      const settlement = await attested(claims, batch, [met, pending, notMet]);
      expect(await eventsOf(claims, settle(claims.escrow, settlement))).to.deep.equal([
        ["GroupSettled", batch.id, claims.payees[2]!.address, 0n, 110n],
        [
          "ClaimBatchSettled",
          batch.id,
          await claims.escrow.attestationDigestOf(batch.id, settlement.attestation),
          "0x21",
        ],
      ]);
    });
  });

  describe("given lines that settle one after the other", () => {
    it("settles each line once", async () => {
      const { round, money } = await given();
      await round([byLine(met, pending, pending), pending, pending]);
      await round([byLine(met, partlyMet(7n), pending), pending, byLine(pending, notMet)]);
      await round([byLine(met, partlyMet(7n), notMet), met, byLine(met, notMet)]);
      expect(await money()).to.deep.equal({ open: 0n, free: 13n + 30n + 60n, credits: [17n, 40n, 50n] });
    });

    it("skips the amounts of parts that are closed, and reads those behind them", async () => {
      const { round, money } = await given();
      await round([byLine(partlyMet(1n), pending, pending), pending, pending]);
      await round([byLine(partlyMet(1n), partlyMet(2n), partlyMet(3n)), pending, byLine(partlyMet(4n), pending)]);
      expect(await money()).to.deep.equal({ open: 40n + 60n, free: 54n + 46n, credits: [6n, 0n, 4n] });
    });
  });

  describe("given attestations that disagree", () => {
    it("lets the first to land decide, and the other do no harm", async () => {
      const { round, money } = await given();
      await round([byLine(notMet, pending, pending), met, pending]);
      await round([byLine(met, met, pending), notMet, pending]);
      expect(await money()).to.deep.equal({ open: 30n + 110n, free: 10n, credits: [20n, 40n, 0n] });
    });

    it("does not check the part of a line that is closed", async () => {
      const { round, money } = await given();
      await round([byLine(notMet, pending, pending), pending, pending]);
      await round([byLine(partlyMet(999n), met, pending), pending, pending]);
      expect(await money()).to.deep.equal({ open: 180n, free: 10n, credits: [20n, 0n, 0n] });
    });
  });

  describe("given two attestations that land in either order", () => {
    const first = [byLine(met, pending, partlyMet(3n)), pending, met];
    const second = [byLine(met, notMet, pending), met, pending];
    const landed = { open: 0n, free: 20n + 27n, credits: [13n, 40n, 110n] };

    it("gives the same money the first way", async () => {
      const { round, money } = await given();
      await round(first);
      await round(second);
      expect(await money()).to.deep.equal(landed);
    });

    it("gives the same money the other way", async () => {
      const { round, money } = await given();
      await round(second);
      await round(first);
      expect(await money()).to.deep.equal(landed);
    });
  });

  describe("given a group some of whose lines are closed", () => {
    for (const [whole, expected] of [
      [met, { open: 150n, free: 0n, credits: [60n, 0n, 0n] }],
      [notMet, { open: 150n, free: 50n, credits: [10n, 0n, 0n] }],
    ] as const) {
      it(`settles the others as ${whole.result} once its lines are opened`, async () => {
        const { round, money } = await given();
        await round([byLine(met, pending, pending), pending, pending]);
        await round([whole, pending, pending], [0]);
        expect(await money()).to.deep.equal(expected);
      });

      it(`stays open without opened lines, ${whole.result}, and nothing reverts`, async () => {
        const { claims, round, money } = await given();
        await round([byLine(met, pending, pending), pending, pending]);
        expect(await eventsOf(claims, round([whole, pending, pending], []))).to.deep.equal([]);
        expect(await money()).to.deep.equal({ open: 200n, free: 0n, credits: [10n, 0n, 0n] });
      });

      it(`stays open while the other groups settle, ${whole.result}`, async () => {
        const { round, money } = await given();
        await round([byLine(met, pending, pending), pending, byLine(notMet, pending)]);
        await round([whole, met, met], [2]);
        expect(await money()).to.deep.equal({ open: 50n, free: 50n, credits: [10n, 40n, 60n] });
      });
    }

    it("takes lines opened of a group whose lines are all closed", async () => {
      const { round, money } = await given();
      await round([byLine(met, met, met), pending, pending]);
      await round([met, met, pending], [0]);
      expect(await money()).to.deep.equal({ open: 110n, free: 0n, credits: [60n, 40n, 0n] });
    });

    it("skips a whole group that was closed line by line", async () => {
      const { round, money } = await given();
      await round([byLine(met, notMet, partlyMet(1n)), pending, pending]);
      await round([met, pending, pending], []);
      expect(await money()).to.deep.equal({ open: 150n, free: 49n, credits: [11n, 0n, 0n] });
    });

    it("skips lines of a group that was closed whole", async () => {
      const { round, money } = await given();
      await round([met, pending, pending]);
      await round([byLine(notMet, notMet, partlyMet(1n)), pending, notMet]);
      expect(await money()).to.deep.equal({ open: 40n, free: 110n, credits: [60n, 0n, 0n] });
    });
  });

  describe("given groups of one line that are closed", () => {
    it("never need opening", async () => {
      const { round, money } = await given([[1n], [2n], [4n], [8n]]);
      await round([byLine(met), pending, pending, pending]);
      await round([met, notMet, pending, pending], []);
      await round([notMet, met, byLine(met), pending], []);
      await round([byLine(notMet), byLine(met), met, byLine(partlyMet(5n))], []);
      expect(await money()).to.deep.equal({ open: 0n, free: 2n + 3n, credits: [1n, 0n, 4n, 5n] });
    });
  });

  // What a first and a second round say of the same group, each of them in both ways that there are.
  describe("given every pair of results over two rounds", () => {
    const each: GroupResult[] = [
      pending,
      met,
      notMet,
      byLine(met, pending),
      byLine(pending, notMet),
      byLine(partlyMet(4n), met),
      byLine(notMet, partlyMet(5n)),
      byLine(pending, pending),
    ];
    const paidOf = (group: GroupResult, line: number, amount: bigint): [bigint, bigint] | undefined => {
      const result = group.result === "byLine" ? group.lines[line]! : group;
      if (result.result === "pending") return undefined;
      const paid = result.result === "partlyMet" ? result.amount : result.result === "met" ? amount : 0n;
      return [paid, amount - paid];
    };

    for (const [i, first] of each.entries())
      for (const [j, second] of each.entries())
        it(`settles each line once: ${i}, then ${j}`, async () => {
          const { claims, batch, round, money } = await given([
            [10n, 20n],
            [40n, 80n],
          ]);
          await round([first, pending], [0]);
          await round([second, pending], [0]);

          const outcomes = [10n, 20n].map(
            (amount, line) => paidOf(first, line, amount) ?? paidOf(second, line, amount),
          );
          const paid = outcomes.reduce((sum, outcome) => sum + (outcome?.[0] ?? 0n), 0n);
          const freed = outcomes.reduce((sum, outcome) => sum + (outcome?.[1] ?? 0n), 0n);
          expect(await money()).to.deep.equal({ open: 150n - paid - freed, free: freed, credits: [paid, 0n] });
          expect(await closedLinesOf(claims, batch)).to.deep.equal(
            [0, 1].filter((line) => outcomes[line] !== undefined),
          );
          expect(await claims.token.balanceOf(claims.escrow)).to.equal(await owedBy(claims, [batch]));
        });
  });
});
