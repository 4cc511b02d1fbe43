import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import type { LineResult } from "@carepact/sdk/claims";

import { byLine, met, notMet, partlyMet, pending, settle } from "../../support/batches";
import { attested, closedLinesOf, deployClaims, eventsOf, fundedBatch, moneyOf, owedBy } from "../../support/claims";

describe("ClaimEscrow: settle by line", () => {
  async function given(lines: bigint[][], changes: Parameters<typeof fundedBatch>[2] = {}) {
    const claims = await loadFixture(deployClaims);
    return { claims, batch: await fundedBatch(claims, lines, changes) };
  }

  describe("given a group with a line of each result", () => {
    const results = [byLine(met, notMet, partlyMet(21n), pending)];

    it("pays met lines in full, partly met ones their part, and frees the rest", async () => {
      const { claims, batch } = await given([[10n, 20n, 30n, 40n]]);
      await settle(claims.escrow, await attested(claims, batch, results));
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 40n, free: 29n, credits: [31n] });
    });

    it("closes exactly the lines that are final", async () => {
      const { claims, batch } = await given([[10n, 20n, 30n, 40n]]);
      await settle(claims.escrow, await attested(claims, batch, results));
      expect(await closedLinesOf(claims, batch)).to.deep.equal([0, 1, 2]);
    });

    it("reports one event for the payee and none a line", async () => {
      const { claims, batch } = await given([[10n, 20n, 30n, 40n]]);
      const settlement = await attested(claims, batch, results);
      const digest = await claims.escrow.attestationDigestOf(batch.id, settlement.attestation);
      expect(await eventsOf(claims, settle(claims.escrow, settlement))).to.deep.equal([
        ["GroupSettled", batch.id, claims.payees[0]!.address, 31n, 29n],
        ["ClaimBatchSettled", batch.id, digest, settlement.attestation.results],
      ]);
    });

    it("returns what was paid and freed", async () => {
      const { claims, batch } = await given([[10n, 20n, 30n, 40n]]);
      const { groups, attestation, opened } = await attested(claims, batch, results);
      const { paid, freed } = await claims.escrow.settleByLine.staticCall(batch.terms, groups, attestation, opened);
      expect([paid, freed]).to.deep.equal([31n, 29n]);
    });
  });

  describe("given two lines and every pair of results", () => {
    const each: LineResult[] = [pending, met, notMet, partlyMet(7n)];
    const paidOf = (result: LineResult, amount: bigint) =>
      ({ pending: 0n, met: amount, notMet: 0n, partlyMet: 7n })[result.result];
    const freedOf = (result: LineResult, amount: bigint) =>
      ({ pending: 0n, met: 0n, notMet: amount, partlyMet: amount - 7n })[result.result];

    for (const first of each)
      for (const second of each)
        it(`adds up for ${first.result}, ${second.result}`, async () => {
          const { claims, batch } = await given([[100n, 8n], [1_000n]]);
          await settle(claims.escrow, await attested(claims, batch, [byLine(first, second), pending]));
          const paid = paidOf(first, 100n) + paidOf(second, 8n);
          const freed = freedOf(first, 100n) + freedOf(second, 8n);
          expect(await moneyOf(claims, batch)).to.deep.equal({
            open: 1_108n - paid - freed,
            free: freed,
            credits: [paid, 0n],
          });
          expect(await claims.token.balanceOf(claims.escrow)).to.equal(await owedBy(claims, [batch]));
        });
  });

  describe("given a group of one line", () => {
    for (const [result, credit] of [
      [met, 50n],
      [notMet, 0n],
      [partlyMet(49n), 49n],
      [partlyMet(1n), 1n],
    ] as const)
      it(`needs no opened lines to be ${result.result}, ${credit}`, async () => {
        const { claims, batch } = await given([[50n]]);
        const settlement = await attested(claims, batch, [byLine(result)]);
        await claims.escrow.settle(batch.terms, settlement.groups, settlement.attestation);
        expect(await moneyOf(claims, batch)).to.deep.equal({ open: 0n, free: 50n - credit, credits: [credit] });
      });

    it("settles as well when it is opened all the same", async () => {
      const { claims, batch } = await given([[50n], [60n, 70n]]);
      const settlement = await attested(claims, batch, [byLine(partlyMet(20n)), byLine(met, notMet)], {
        open: [0, 1],
      });
      await settle(claims.escrow, settlement);
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 0n, free: 100n, credits: [20n, 60n] });
    });

    it("stays open while its line is pending", async () => {
      const { claims, batch } = await given([[50n]]);
      expect(await eventsOf(claims, settle(claims.escrow, await attested(claims, batch, [byLine(pending)])))).to.be
        .empty;
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 50n, free: 0n, credits: [0n] });
    });
  });

  describe("given a partly met line", () => {
    const asked = async (amounts: bigint[], results: LineResult[], open: number[] = [1]) => {
      const { claims, batch } = await given([[5n], amounts]);
      return { claims, batch, settlement: await attested(claims, batch, [met, byLine(...results)], { open }) };
    };

    for (const [what, amount] of [
      ["zero", 0n],
      ["the line's own amount", 30n],
      ["more than the line's own amount", 31n],
      ["the largest that 11 bytes hold", (1n << 88n) - 1n],
    ] as const)
      it(`refuses ${what}`, async () => {
        const { claims, batch } = await given([[5n], [20n, 30n]]);
        const part = amount.toString(16).padStart(22, "0");
        const settlement = await attested(claims, batch, `0x0d0d${part}`, { open: [1] });
        await expect(settle(claims.escrow, settlement))
          .to.be.revertedWithCustomError(claims.escrow, "PartialAmountInvalid")
          .withArgs(1n, 1n);
      });

    it("refuses the own amount of a single line as well", async () => {
      const { claims, batch } = await given([[5n], [30n]]);
      const settlement = await attested(claims, batch, [met, byLine(partlyMet(30n))]);
      await expect(settle(claims.escrow, settlement))
        .to.be.revertedWithCustomError(claims.escrow, "PartialAmountInvalid")
        .withArgs(1n, 0n);
    });

    it("takes anything between", async () => {
      const { claims, batch, settlement } = await asked([20n, 30n], [partlyMet(1n), partlyMet(29n)]);
      await settle(claims.escrow, settlement);
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 0n, free: 20n, credits: [5n, 30n] });
    });

    it("reads each part for its own line, whatever lies between", async () => {
      const { claims, batch, settlement } = await asked(
        [10n, 20n, 30n, 40n, 50n],
        [partlyMet(9n), met, partlyMet(1n), pending, partlyMet(2n)],
      );
      await settle(claims.escrow, settlement);
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 40n, free: 78n, credits: [5n, 32n] });
    });

    it("is final: what is left was freed, and no later attestation pays it", async () => {
      const { claims, batch, settlement } = await asked([20n, 30n], [partlyMet(15n), pending]);
      await settle(claims.escrow, settlement);
      await settle(claims.escrow, await attested(claims, batch, [met, byLine(met, met)]));
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 0n, free: 5n, credits: [5n, 45n] });
    });
  });

  describe("given several groups", () => {
    const LINES = [[10n, 20n], [30n], [40n, 50n, 60n], [70n, 80n]];
    const results = [
      byLine(met, notMet),
      met,
      byLine(partlyMet(1n), partlyMet(2n), partlyMet(3n)),
      byLine(met, pending),
    ];

    it("settles each by its own results", async () => {
      const { claims, batch } = await given(LINES);
      await settle(claims.escrow, await attested(claims, batch, results));
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 80n, free: 164n, credits: [10n, 30n, 6n, 70n] });
      expect(await closedLinesOf(claims, batch)).to.deep.equal([0, 1, 2, 3, 4, 5, 6]);
    });

    it("leaves groups open that are not opened, and settles the others", async () => {
      const { claims, batch } = await given(LINES);
      await settle(claims.escrow, await attested(claims, batch, results, { open: [2] }));
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 180n, free: 144n, credits: [0n, 30n, 6n, 0n] });
      expect(await closedLinesOf(claims, batch)).to.deep.equal([2, 3, 4, 5]);
    });

    it("settles only whole groups and single lines when nothing is opened", async () => {
      const { claims, batch } = await given(LINES);
      const settlement = await attested(claims, batch, results, { open: [] });
      expect(await eventsOf(claims, settle(claims.escrow, settlement))).to.deep.equal([
        ["GroupSettled", batch.id, claims.payees[1]!.address, 30n, 0n],
        [
          "ClaimBatchSettled",
          batch.id,
          await claims.escrow.attestationDigestOf(batch.id, settlement.attestation),
          settlement.attestation.results,
        ],
      ]);
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 330n, free: 0n, credits: [0n, 30n, 0n, 0n] });
    });

    for (const group of [0, 2, 3])
      it(`lets payee ${group} settle alone with nothing but its own group opened`, async () => {
        const { claims, batch } = await given(LINES);
        const settlement = await attested(claims, batch, [results[0]!, pending, results[2]!, results[3]!], {
          open: [group],
        });
        await settle(claims.escrow.connect(claims.payees[group]), settlement);
        const credits = [0n, 0n, 0n, 0n];
        credits[group] = [10n, 0n, 6n, 70n][group]!;
        expect((await moneyOf(claims, batch)).credits).to.deep.equal(credits);
      });

    it("takes groups opened without need", async () => {
      const { claims, batch } = await given(LINES);
      await settle(
        claims.escrow,
        await attested(claims, batch, [met, pending, byLine(met, met, met), notMet], { open: [0, 1, 2, 3] }),
      );
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 30n, free: 150n, credits: [30n, 0n, 150n, 0n] });
    });

    it("neither credits nor reports a payee whose lines all stay pending", async () => {
      const { claims, batch } = await given(LINES);
      const settlement = await attested(claims, batch, [
        byLine(pending, pending),
        pending,
        pending,
        byLine(notMet, pending),
      ]);
      const events = await eventsOf(claims, settle(claims.escrow, settlement));
      expect(events.slice(0, -1)).to.deep.equal([["GroupSettled", batch.id, claims.payees[3]!.address, 0n, 70n]]);
    });

    it("notes payment in full when every line of every group was met by line", async () => {
      const { claims, batch } = await given(LINES);
      const all = LINES.map((lines) => byLine(...lines.map(() => met)));
      await settle(claims.escrow, await attested(claims, batch, all));
      expect((await claims.escrow.claimBatchStatusOf(batch.id)).paidInFull).to.equal(true);
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 0n, free: 0n, credits: [30n, 30n, 150n, 150n] });
    });
  });

  describe("given amounts of every width", () => {
    for (let width = 1; width <= 11; width++)
      it(`reads ${width} byte(s) a line`, async () => {
        const most = width === 11 ? (1n << 84n) - 1n : (1n << BigInt(8 * width)) - 1n;
        const amounts = [most, 1n, most - 1n, 2n, most / 2n + 1n];
        const { claims, batch } = await given([amounts, [3n, most]], { width });
        const results = [byLine(met, notMet, partlyMet(most - 2n), met, pending), byLine(notMet, met)];
        await settle(claims.escrow, await attested(claims, batch, results));
        expect(await moneyOf(claims, batch)).to.deep.equal({
          open: most / 2n + 1n,
          free: 1n + 1n + 3n,
          credits: [most + (most - 2n) + 2n, most],
        });
      });

    it("reads small amounts in more bytes than they need", async () => {
      const { claims, batch } = await given([[1n, 2n, 3n]], { width: 11 });
      await settle(claims.escrow, await attested(claims, batch, [byLine(met, notMet, partlyMet(1n))]));
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 0n, free: 4n, credits: [2n] });
    });

    it("reads another width in each group", async () => {
      const wide = 1n << 80n;
      const { claims, batch } = await given([
        [1n, 2n],
        [wide, 5n],
        [70_000n, 9n],
      ]);
      await settle(
        claims.escrow,
        await attested(claims, batch, [byLine(met, notMet), byLine(notMet, met), byLine(met, met)]),
      );
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 0n, free: 2n + wide, credits: [1n, 5n, 70_009n] });
    });
  });

  describe("given a payer that committed to a line of nothing", () => {
    it("pays the lines that there are", async () => {
      const { claims, batch } = await given([[1n, 300n]], { width: 2, committed: { 0: [0n, 301n] } });
      await settle(claims.escrow, await attested(claims, batch, [byLine(met, met)]));
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 0n, free: 0n, credits: [301n] });
    });
  });
});
