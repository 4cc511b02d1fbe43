import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { met, notMet, pending, settle, type TestBatch } from "../../support/batches";
import {
  attested,
  batchOf,
  deployClaims,
  eventsOf,
  fundedBatch,
  fundedOf,
  moneyOf,
  owedBy,
} from "../../support/claims";

const LINES = [[100n, 200n], [300n], [50n, 60n, 70n]];

describe("ClaimEscrow: settle by group", () => {
  async function threeGroups() {
    const claims = await loadFixture(deployClaims);
    return { claims, batch: await fundedBatch(claims, LINES) };
  }

  describe("given three groups that are all met", () => {
    it("credits each payee its subtotal", async () => {
      const { claims, batch } = await threeGroups();
      await settle(claims.escrow, await attested(claims, batch, [met, met, met]));
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 0n, free: 0n, credits: [300n, 300n, 180n] });
    });

    it("notes that one round paid it in full", async () => {
      const { claims, batch } = await threeGroups();
      await settle(claims.escrow, await attested(claims, batch, [met, met, met]));
      const { funded, paidInFull, open } = await claims.escrow.claimBatchStatusOf(batch.id);
      expect({ funded, paidInFull, open }).to.deep.equal({ funded: true, paidInFull: true, open: 0n });
    });

    it("reports one event a payee and one for the batch", async () => {
      const { claims, batch } = await threeGroups();
      const settlement = await attested(claims, batch, [met, met, met]);
      const digest = await claims.escrow.attestationDigestOf(batch.id, settlement.attestation);
      expect(await eventsOf(claims, settle(claims.escrow, settlement))).to.deep.equal([
        ["GroupSettled", batch.id, claims.payees[0]!.address, 300n, 0n],
        ["GroupSettled", batch.id, claims.payees[1]!.address, 300n, 0n],
        ["GroupSettled", batch.id, claims.payees[2]!.address, 180n, 0n],
        ["ClaimBatchSettled", batch.id, digest, "0x15"],
      ]);
    });

    it("returns what was paid and freed", async () => {
      const { claims, batch } = await threeGroups();
      const { groups, attestation } = await attested(claims, batch, [met, notMet, met]);
      const { paid, freed } = await claims.escrow.settle.staticCall(batch.terms, groups, attestation);
      expect([paid, freed]).to.deep.equal([480n, 300n]);
    });

    it("moves no tokens", async () => {
      const { claims, batch } = await threeGroups();
      const settlement = await attested(claims, batch, [met, met, met]);
      await expect(settle(claims.escrow, settlement)).to.changeTokenBalances(
        claims.token,
        [claims.escrow, ...claims.payees.slice(0, 3)],
        [0n, 0n, 0n, 0n],
      );
    });
  });

  describe("given three groups none of which is met", () => {
    it("frees the whole batch for its payer", async () => {
      const { claims, batch } = await threeGroups();
      await settle(claims.escrow, await attested(claims, batch, [notMet, notMet, notMet]));
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 0n, free: 780n, credits: [0n, 0n, 0n] });
      expect((await claims.escrow.claimBatchStatusOf(batch.id)).paidInFull).to.equal(false);
    });

    it("reports what each payee did not get", async () => {
      const { claims, batch } = await threeGroups();
      const settlement = await attested(claims, batch, [notMet, notMet, notMet]);
      const digest = await claims.escrow.attestationDigestOf(batch.id, settlement.attestation);
      expect(await eventsOf(claims, settle(claims.escrow, settlement))).to.deep.equal([
        ["GroupSettled", batch.id, claims.payees[0]!.address, 0n, 300n],
        ["GroupSettled", batch.id, claims.payees[1]!.address, 0n, 300n],
        ["GroupSettled", batch.id, claims.payees[2]!.address, 0n, 180n],
        ["ClaimBatchSettled", batch.id, digest, "0x2a"],
      ]);
    });
  });

  describe("given nothing but pending groups", () => {
    it("changes and reports nothing", async () => {
      const { claims, batch } = await threeGroups();
      const settlement = await attested(claims, batch, [pending, pending, pending]);
      expect(await eventsOf(claims, settle(claims.escrow, settlement))).to.deep.equal([]);
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 780n, free: 0n, credits: [0n, 0n, 0n] });
    });
  });

  describe("given a group of each kind", () => {
    it("settles what is final and leaves the rest open", async () => {
      const { claims, batch } = await threeGroups();
      const settlement = await attested(claims, batch, [pending, met, notMet]);
      const digest = await claims.escrow.attestationDigestOf(batch.id, settlement.attestation);
      expect(await eventsOf(claims, settle(claims.escrow, settlement))).to.deep.equal([
        ["GroupSettled", batch.id, claims.payees[1]!.address, 300n, 0n],
        ["GroupSettled", batch.id, claims.payees[2]!.address, 0n, 180n],
        ["ClaimBatchSettled", batch.id, digest, "0x24"],
      ]);
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 300n, free: 180n, credits: [0n, 300n, 0n] });
    });

    for (const first of [pending, met, notMet])
      for (const second of [pending, met, notMet])
        for (const third of [pending, met, notMet])
          it(`adds up for ${first.result}, ${second.result}, ${third.result}`, async () => {
            const { claims, batch } = await threeGroups();
            const results = [first, second, third];
            await settle(claims.escrow, await attested(claims, batch, results));

            const subtotals = [300n, 300n, 180n];
            const sumOf = (result: string) =>
              subtotals.reduce((sum, subtotal, i) => sum + (results[i]!.result === result ? subtotal : 0n), 0n);
            expect(await moneyOf(claims, batch)).to.deep.equal({
              open: sumOf("pending"),
              free: sumOf("notMet"),
              credits: subtotals.map((subtotal, i) => (results[i] === met ? subtotal : 0n)),
            });
            expect(await claims.token.balanceOf(claims.escrow)).to.equal(await owedBy(claims, [batch]));
          });
  });

  describe("given anyone as the caller", () => {
    for (const role of ["stranger", "payer", "suspender", "admin"] as const)
      it(`settles for the ${role}`, async () => {
        const { claims, batch } = await threeGroups();
        const settlement = await attested(claims, batch, [met, met, met]);
        await settle(claims.escrow.connect(claims[role]), settlement);
        expect((await moneyOf(claims, batch)).open).to.equal(0n);
      });

    it("settles for a payee that holds nothing but its file and an attestation", async () => {
      const { claims, batch } = await threeGroups();
      const settlement = await attested(claims, batch, [met, met, met]);
      await settle(claims.escrow.connect(claims.payees[2]), settlement);
      expect((await moneyOf(claims, batch)).credits[2]).to.equal(180n);
    });

    it("settles although the payer lost its standing", async () => {
      const { claims, batch } = await threeGroups();
      await claims.registry.suspend(claims.payer);
      await settle(claims.escrow, await attested(claims, batch, [met, met, met]));
      expect((await moneyOf(claims, batch)).credits).to.deep.equal([300n, 300n, 180n]);
    });
  });

  describe("given a payee that was paid before", () => {
    it("adds to its credit", async () => {
      const { claims, batch } = await threeGroups();
      const second = await fundedBatch(claims, [[1n], [2n]]);
      await settle(claims.escrow, await attested(claims, batch, [met, met, met]));
      await settle(claims.escrow, await attested(claims, second, [met, met]));
      expect((await moneyOf(claims, batch)).credits).to.deep.equal([301n, 302n, 180n]);
    });
  });

  describe("given a payer that is a payee of its own batch", () => {
    it("keeps credit and free balance apart", async () => {
      const claims = await loadFixture(deployClaims);
      const own = { ...claims, payees: [claims.payer] };
      const batch = await fundedBatch(own, [[40n]]);
      await settle(claims.escrow, await attested(claims, batch, [met]));
      expect(await claims.escrow.balancesOf(claims.payer, claims.token)).to.deep.equal([0n, 40n]);
    });
  });

  describe("given the largest amounts there can be", () => {
    it("pays subtotals of 86 bits", async () => {
      const claims = await loadFixture(deployClaims);
      const most = (1n << 86n) - 1n;
      const batch = await fundedBatch(claims, [[most], [most - 1n, 1n]]);
      await settle(claims.escrow, await attested(claims, batch, [met, met]));
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 0n, free: 0n, credits: [most, most] });
    });
  });

  describe("given a batch that nobody funded", () => {
    let claims: Awaited<ReturnType<typeof deployClaims>>;
    let batch: TestBatch;
    beforeEach(async () => {
      claims = await loadFixture(deployClaims);
      batch = await batchOf(claims, LINES);
    });

    it("refuses to settle, with the id of what was asked for", async () => {
      const settlement = await attested(claims, batch, [met, met, met]);
      await expect(settle(claims.escrow, settlement))
        .to.be.revertedWithCustomError(claims.escrow, "ClaimBatchUnknown")
        .withArgs(batch.id);
    });

    it("settles the same attestation once it is funded", async () => {
      const settlement = await attested(claims, batch, [met, met, met]);
      await fundedOf(claims, batch);
      await settle(claims.escrow, settlement);
      expect((await moneyOf(claims, batch)).credits).to.deep.equal([300n, 300n, 180n]);
    });
  });

  describe("given terms that were changed", () => {
    const changes = {
      payer: `0x${"ab".repeat(20)}`,
      token: `0x${"cd".repeat(20)}`,
      total: 781n,
      groupsHash: `0x${"11".repeat(32)}`,
      manifestRoot: `0x${"22".repeat(32)}`,
      rulebook: `0x${"33".repeat(32)}`,
      eventBy: 2_000_000_000,
      salt: 7n,
    };
    for (const [field, value] of Object.entries(changes))
      it(`knows no batch of another ${field}`, async () => {
        const { claims, batch } = await threeGroups();
        const settlement = await attested(claims, batch, [met, met, met]);
        const changed = { ...batch.terms, [field]: value };
        await expect(claims.escrow.settle(changed, settlement.groups, settlement.attestation))
          .to.be.revertedWithCustomError(claims.escrow, "ClaimBatchUnknown")
          .withArgs(await claims.escrow.batchIdOf(changed));
      });
  });

  describe("given groups that are not those of the batch", () => {
    const changed: Record<string, (words: bigint[]) => bigint[]> = {
      "in another order": ([a, b, c]) => [b!, a!, c!],
      "without the last": ([a, b]) => [a!, b!],
      "with one more": (words) => [...words, words[2]! + (1n << 96n)],
      "with another subtotal": ([a, b, c]) => [a! + 1n, b!, c!],
      "with another line count": ([a, b, c]) => [a!, b!, c! + (1n << 86n)],
      "with another payee": ([a, b, c]) => [a!, b!, c! + (1n << 96n)],
      "none at all": () => [],
    };
    for (const [how, change] of Object.entries(changed))
      it(`refuses them ${how}`, async () => {
        const { claims, batch } = await threeGroups();
        const { attestation } = await attested(claims, batch, [met, met, met]);
        await expect(claims.escrow.settle(batch.terms, change(batch.words), attestation))
          .to.be.revertedWithCustomError(claims.escrow, "GroupsMismatch")
          .withArgs(batch.terms.groupsHash, (hash: string) => hash !== batch.terms.groupsHash);
      });
  });
});
