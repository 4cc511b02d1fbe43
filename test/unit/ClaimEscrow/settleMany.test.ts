import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { byLine, met, notMet, partlyMet, pending } from "../../support/batches";
import { attested, batchOf, deployClaims, eventsOf, fundedBatch, owedBy, type Claims } from "../../support/claims";

import type { SettlementStruct } from "../../../typechain-types/contracts/claims/ClaimEscrow";

describe("ClaimEscrow: settleMany", () => {
  async function threeBatches() {
    const claims = await loadFixture(deployClaims);
    const batches = [
      await fundedBatch(claims, [[100n], [200n]]),
      await fundedBatch(claims, [[10n, 20n]]),
      await fundedBatch(claims, [[1n], [2n], [4n]]),
    ] as const;
    return { claims, batches };
  }
  const creditsOf = (claims: Claims) =>
    Promise.all(
      claims.payees.slice(0, 3).map(async (payee) => (await claims.escrow.balancesOf(payee, claims.token)).credit),
    );

  it("does nothing for an empty list", async () => {
    const claims = await loadFixture(deployClaims);
    expect(await claims.escrow.settleMany.staticCall([])).to.deep.equal([]);
    expect(await eventsOf(claims, claims.escrow.settleMany([]))).to.deep.equal([]);
  });

  it("settles each batch by its own attestation, by group or by line", async () => {
    const { claims, batches } = await threeBatches();
    const settlements = [
      await attested(claims, batches[0], [met, notMet]),
      await attested(claims, batches[1], [byLine(partlyMet(3n), met)]),
      await attested(claims, batches[2], [pending, met, pending]),
    ];
    expect(await claims.escrow.settleMany.staticCall(settlements)).to.deep.equal([true, true, true]);

    const digests = await Promise.all(
      settlements.map(({ attestation }, i) => claims.escrow.attestationDigestOf(batches[i]!.id, attestation)),
    );
    const [first, second] = claims.payees;
    expect(await eventsOf(claims, claims.escrow.settleMany(settlements))).to.deep.equal([
      ["GroupSettled", batches[0].id, first!.address, 100n, 0n],
      ["GroupSettled", batches[0].id, second!.address, 0n, 200n],
      ["ClaimBatchSettled", batches[0].id, digests[0], "0x09"],
      ["GroupSettled", batches[1].id, first!.address, 23n, 7n],
      ["ClaimBatchSettled", batches[1].id, digests[1], settlements[1]!.attestation.results],
      ["GroupSettled", batches[2].id, second!.address, 2n, 0n],
      ["ClaimBatchSettled", batches[2].id, digests[2], "0x04"],
    ]);
    expect(await creditsOf(claims)).to.deep.equal([123n, 2n, 0n]);
    expect(await claims.escrow.balancesOf(claims.payer, claims.token)).to.deep.equal([207n, 0n]);
    expect(await claims.token.balanceOf(claims.escrow)).to.equal(await owedBy(claims, [...batches]));
  });

  it("settles for anyone", async () => {
    const { claims, batches } = await threeBatches();
    await claims.escrow.connect(claims.stranger).settleMany([await attested(claims, batches[0], [met, met])]);
    expect(await creditsOf(claims)).to.deep.equal([100n, 200n, 0n]);
  });

  it("settles several attestations of one batch", async () => {
    const { claims, batches } = await threeBatches();
    const rounds = [
      await attested(claims, batches[2], [met, pending, pending]),
      await attested(claims, batches[2], [met, notMet, pending]),
      await attested(claims, batches[2], [met, notMet, met]),
    ];
    await claims.escrow.settleMany(rounds);
    expect(await creditsOf(claims)).to.deep.equal([1n, 0n, 4n]);
    expect((await claims.escrow.claimBatchStatusOf(batches[2].id)).open).to.equal(0n);
  });

  it("calls settled what somebody else settled before, and pays it once", async () => {
    const { claims, batches } = await threeBatches();
    const settlement = await attested(claims, batches[0], [met, met]);
    expect(await claims.escrow.settleMany.staticCall([settlement, settlement])).to.deep.equal([true, true]);
    await claims.escrow.settleMany([settlement, settlement]);
    expect(await creditsOf(claims)).to.deep.equal([100n, 200n, 0n]);
  });

  describe("given one that fails", () => {
    const failures: Record<string, (claims: Claims) => Promise<{ failing: SettlementStruct; reason: string }>> = {
      "for want of signatures": async (claims) => {
        const batch = await fundedBatch(claims, [[8n]]);
        return {
          failing: await attested(claims, batch, [met], { signers: [] }),
          reason: claims.escrow.interface.encodeErrorResult("NotReported", [batch.id]),
        };
      },
      "because it was never funded": async (claims) => {
        const unknown = await batchOf(claims, [[8n]]);
        return {
          failing: await attested(claims, unknown, [met]),
          reason: claims.escrow.interface.encodeErrorResult("ClaimBatchUnknown", [unknown.id]),
        };
      },
      "because its attestation expired": async (claims) => {
        const validUntil = await time.latest();
        const late = await attested(claims, await fundedBatch(claims, [[8n]]), [met], { observedAt: 1, validUntil });
        return {
          failing: late,
          reason: claims.escrow.interface.encodeErrorResult("AttestationExpired", [validUntil]),
        };
      },
      "because a part is too large": async (claims) => ({
        failing: await attested(claims, await fundedBatch(claims, [[8n]]), [byLine(partlyMet(8n))]),
        reason: claims.escrow.interface.encodeErrorResult("PartialAmountInvalid", [0, 0]),
      }),
    };
    for (const [why, failingOf] of Object.entries(failures))
      for (const position of [0, 1, 2])
        it(`skips and reports it at index ${position}, ${why}, and settles the others`, async () => {
          const { claims, batches } = await threeBatches();
          const { failing, reason } = await failingOf(claims);
          const settlements = [
            await attested(claims, batches[0], [met, met]),
            await attested(claims, batches[1], [met]),
          ];
          settlements.splice(position, 0, failing);

          const settled = [true, true, true];
          settled[position] = false;
          expect(await claims.escrow.settleMany.staticCall(settlements)).to.deep.equal(settled);
          await expect(claims.escrow.settleMany(settlements))
            .to.emit(claims.escrow, "SettlementSkipped")
            .withArgs(position, reason);
          expect(await creditsOf(claims)).to.deep.equal([130n, 200n, 0n]);
        });

    it("does not settle half of it", async () => {
      const { claims, batches } = await threeBatches();
      const failing = await attested(claims, batches[2], [met, met, byLine(partlyMet(4n))]);
      await claims.escrow.settleMany([failing, await attested(claims, batches[1], [met])]);
      expect(await creditsOf(claims)).to.deep.equal([30n, 0n, 0n]);
      expect((await claims.escrow.claimBatchStatusOf(batches[2].id)).open).to.equal(7n);
    });
  });

  describe("given that all of them fail", () => {
    it("reports each and does not revert", async () => {
      const { claims, batches } = await threeBatches();
      const settlements = await Promise.all(batches.map((batch) => attested(claims, batch, "0x", { signers: [] })));
      const reasons = batches.map(({ id }) => claims.escrow.interface.encodeErrorResult("NotReported", [id]));
      expect(await eventsOf(claims, claims.escrow.settleMany(settlements))).to.deep.equal([
        ["SettlementSkipped", 0n, reasons[0]],
        ["SettlementSkipped", 1n, reasons[1]],
        ["SettlementSkipped", 2n, reasons[2]],
      ]);
    });

    it("skips each while paused", async () => {
      const { claims, batches } = await threeBatches();
      const settlement = await attested(claims, batches[0], [met, met]);
      await claims.escrow.pause();
      const reason = claims.escrow.interface.encodeErrorResult("PausedUntil", [(await time.latest()) + 7 * 86_400]);
      expect(await eventsOf(claims, claims.escrow.settleMany([settlement]))).to.deep.equal([
        ["SettlementSkipped", 0n, reason],
      ]);
    });
  });
});
