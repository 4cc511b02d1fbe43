import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { byLine, met, notMet, partlyMet, pending, settle, type TestBatch } from "../../support/batches";
import { attested, batchOf, eventsOf, fundedBatch, fundedOf, moneyOf, type Claims } from "../../support/claims";
import { workflowOf } from "../../support/keystone";
import { DAY, GRACE, publish, rulebookOf } from "../../support/system";
import {
  NOTHING,
  deliver,
  deployReporting,
  executionOf,
  keptOf,
  reportOf,
  reportSettlement,
  small,
  unsigned,
  type Reporting,
} from "./fixture";

describe("WorkflowReceiver: settling what was reported", () => {
  const recorded = ({ receiver }: Reporting, { id, terms }: TestBatch) => receiver.reportOf(terms.rulebook, id);

  async function given(lines = [[100n]], rulebook?: (context: Reporting) => string) {
    const context = await loadFixture(deployReporting);
    const batch = await fundedBatch(context, lines, rulebook && { rulebook: rulebook(context) });
    return { context, batch };
  }
  const mixed = (context: Reporting) => context.mixed;
  const refused = ({ escrow }: Claims, settlement: Parameters<typeof settle>[1], batch: TestBatch) =>
    expect(settle(escrow, settlement)).to.be.revertedWithCustomError(escrow, "NotReported").withArgs(batch.id);

  it("refuses an attestation without signatures that was not reported", async () => {
    const { context, batch } = await given();
    await refused(context, await unsigned(batch, [met]), batch);
  });

  it("lets anybody settle what was reported, and clears the report with the last line", async () => {
    const { context, batch } = await given();
    const settlement = await unsigned(batch, [met]);
    await reportSettlement(context, batch, settlement);
    const digest = await context.escrow.attestationDigestOf(batch.id, settlement.attestation);
    expect(await eventsOf(context, settle(context.escrow.connect(context.stranger), settlement))).to.deep.equal([
      ["GroupSettled", batch.id, batch.groups[0]!.payee, 100n, 0n],
      ["ClaimBatchSettled", batch.id, digest, settlement.attestation.results],
    ]);
    expect(await moneyOf(context, batch)).to.deep.equal({ open: 0n, free: 0n, credits: [100n] });
    expect(await recorded(context, batch)).to.deep.equal(NOTHING);
  });

  const changes = {
    results: { results: "0x02" },
    observedAt: { observedAt: 1 },
    validUntil: { validUntil: 2 ** 40 - 1 },
    evidence: { evidence: `0x${"00".repeat(32)}` },
  };
  for (const [field, change] of Object.entries(changes))
    it(`refuses it with other ${field}`, async () => {
      const { context, batch } = await given();
      const settlement = await unsigned(batch, [met]);
      await reportSettlement(context, batch, settlement);
      await refused(context, { ...settlement, attestation: { ...settlement.attestation, ...change } }, batch);
    });

  it("takes no signatures under a rulebook that names only a workflow", async () => {
    const { context, batch } = await given();
    const signed = await attested(context, batch, [met]);
    await reportSettlement(context, batch, signed);
    for (const signatures of [signed.attestation.signatures as string, "0x00", `0x${"00".repeat(65 * 255)}`])
      await expect(settle(context.escrow, { ...signed, attestation: { ...signed.attestation, signatures } })).to.be
        .reverted;
    await settle(context.escrow, { ...signed, attestation: { ...signed.attestation, signatures: "0x" } });
    expect((await moneyOf(context, batch)).open).to.equal(0n);
  });

  it("does not take a report of one rulebook for a batch of another", async () => {
    const { context, batch } = await given([[100n]], (all) => all.foreign);
    const settlement = await unsigned(batch, [met]);
    await reportSettlement(context, batch, settlement, { rulebook: context.rulebook });
    await refused(context, settlement, batch);
  });

  it("does not take a report of one batch for another", async () => {
    const { context, batch } = await given();
    const other = await fundedBatch(context, [[100n]]);
    const settlement = await unsigned(batch, [met]);
    await reportSettlement(context, batch, settlement);
    await refused(context, { ...settlement, batch: other.terms, groups: other.words }, other);
  });

  it("lets nobody overwrite it or make up one by a rulebook and a workflow of their own", async () => {
    const { context, batch } = await given();
    const settlement = await unsigned(batch, [notMet]);
    await reportSettlement(context, batch, settlement);
    const workflow = workflowOf("attacker");
    const own = await publish(context.rulebooks, rulebookOf([], 0, { attesterGroups: [], workflow }));
    const wrong = await unsigned(batch, [met]);
    const reports = [await reportOf(context, batch, wrong, { rulebook: own })];
    await deliver(context, small, executionOf(context, "attack", reports, { workflow }));
    expect((await context.receiver.reportOf(own, batch.id)).digest).not.to.equal(NOTHING[0]);
    await refused(context, wrong, batch);
    const elsewhere = { ...wrong, batch: { ...batch.terms, rulebook: own } };
    await expect(settle(context.escrow, elsewhere)).to.be.revertedWithCustomError(context.escrow, "ClaimBatchUnknown");
    await settle(context.escrow, settlement);
    expect((await moneyOf(context, batch)).free).to.equal(100n);
  });

  it("settles by the newest report alone", async () => {
    const { context, batch } = await given();
    const older = await unsigned(batch, [notMet]);
    await reportSettlement(context, batch, older);
    const newer = await unsigned(batch, [met]);
    await reportSettlement(context, batch, newer);
    await refused(context, older, batch);
    await reportSettlement(context, batch, older);
    await refused(context, older, batch);
    await settle(context.escrow, newer);
    expect((await moneyOf(context, batch)).credits).to.deep.equal([100n]);
  });

  it("settles a batch that was funded after the report", async () => {
    const context = await loadFixture(deployReporting);
    const batch = await batchOf(context, [[100n]]);
    const settlement = await unsigned(batch, [met]);
    await reportSettlement(context, batch, settlement);
    await expect(settle(context.escrow, settlement)).to.be.revertedWithCustomError(context.escrow, "ClaimBatchUnknown");
    await fundedOf(context, batch);
    await settle(context.escrow, settlement);
    expect((await moneyOf(context, batch)).credits).to.deep.equal([100n]);
  });

  describe("given results that leave lines open", () => {
    // Of the lines that were closed before, one may be in dispute, and the report be brought for it.
    it("keeps the report, and a newer one that settles the rest", async () => {
      const { context, batch } = await given([[100n, 50n], [30n]]);
      const first = await unsigned(batch, [byLine(met, pending), pending]);
      await reportSettlement(context, batch, first);
      await settle(context.escrow, first);
      expect(await moneyOf(context, batch)).to.deep.equal({ open: 80n, free: 0n, credits: [100n, 0n] });
      expect(await recorded(context, batch)).to.deep.equal(await keptOf(context, batch, first));

      await settle(context.escrow, first);
      const second = await unsigned(batch, [byLine(notMet, partlyMet(20n)), met]);
      await refused(context, second, batch);
      await reportSettlement(context, batch, second);
      await settle(context.escrow, second);
      expect(await moneyOf(context, batch)).to.deep.equal({ open: 0n, free: 30n, credits: [120n, 30n] });
      expect(await recorded(context, batch)).to.deep.equal(await keptOf(context, batch, second));
    });

    it("keeps the report where its lines were not opened, for who opens them", async () => {
      const { context, batch } = await given([[100n, 50n]]);
      const settlement = await unsigned(batch, [byLine(met, notMet)]);
      await reportSettlement(context, batch, settlement);
      await context.escrow.settle(settlement.batch, settlement.groups, settlement.attestation);
      expect((await moneyOf(context, batch)).open).to.equal(150n);
      expect(await recorded(context, batch)).to.deep.equal(await keptOf(context, batch, settlement));
      await settle(context.escrow, settlement);
      expect(await moneyOf(context, batch)).to.deep.equal({ open: 0n, free: 50n, credits: [100n] });
      expect(await recorded(context, batch)).to.deep.equal(NOTHING);
    });
  });

  describe("given a rulebook of accounts and a workflow", () => {
    it("settles by signatures", async () => {
      const { context, batch } = await given([[100n]], mixed);
      await settle(context.escrow, await attested(context, batch, [met]));
      expect((await moneyOf(context, batch)).credits).to.deep.equal([100n]);
    });

    it("settles by the report", async () => {
      const { context, batch } = await given([[100n]], mixed);
      const settlement = await unsigned(batch, [met]);
      await reportSettlement(context, batch, settlement);
      await settle(context.escrow, settlement);
      expect((await moneyOf(context, batch)).credits).to.deep.equal([100n]);
      expect(await recorded(context, batch)).to.deep.equal(NOTHING);
    });

    it("settles part by signatures and the rest by the report", async () => {
      const { context, batch } = await given([[100n, 50n], [30n]], mixed);
      const report = await unsigned(batch, [met, met]);
      await reportSettlement(context, batch, report);
      await settle(context.escrow, await attested(context, batch, [byLine(notMet, pending), pending]));
      await settle(context.escrow, { ...report, opened: batch.open([0]) });
      expect(await moneyOf(context, batch)).to.deep.equal({ open: 0n, free: 100n, credits: [50n, 30n] });
      expect(await recorded(context, batch)).to.deep.equal(await keptOf(context, batch, report));
    });

    it("settles part by the report and the rest by signatures, and leaves a report that nobody can use", async () => {
      const { context, batch } = await given([[100n, 50n], [30n]], mixed);
      const report = await unsigned(batch, [byLine(pending, partlyMet(20n)), notMet]);
      await reportSettlement(context, batch, report);
      await settle(context.escrow, report);
      await settle(context.escrow, await attested(context, batch, [met, met], { open: [0] }));
      const money = { open: 0n, free: 60n, credits: [120n, 0n] };
      expect(await moneyOf(context, batch)).to.deep.equal(money);
      expect(await recorded(context, batch)).to.deep.equal(await keptOf(context, batch, report));
      expect(await eventsOf(context, settle(context.escrow, report))).to.deep.equal([]);
      expect(await moneyOf(context, batch)).to.deep.equal(money);
    });

    it("takes a report after the signatures settled all, which then settles nothing", async () => {
      const { context, batch } = await given([[100n]], mixed);
      await settle(context.escrow, await attested(context, batch, [met]));
      const report = await unsigned(batch, [notMet]);
      await reportSettlement(context, batch, report);
      expect(await eventsOf(context, settle(context.escrow, report))).to.deep.equal([]);
      expect(await moneyOf(context, batch)).to.deep.equal({ open: 0n, free: 0n, credits: [100n] });
    });

    it("takes signatures after the report settled all, which then settle nothing", async () => {
      const { context, batch } = await given([[100n]], mixed);
      const report = await unsigned(batch, [notMet]);
      await reportSettlement(context, batch, report);
      await settle(context.escrow, report);
      expect(await eventsOf(context, settle(context.escrow, await attested(context, batch, [met])))).to.deep.equal([]);
      expect(await moneyOf(context, batch)).to.deep.equal({ open: 0n, free: 100n, credits: [0n] });
    });
  });

  it("harms nobody by an old report that comes again after the last settlement", async () => {
    const { context, batch } = await given([[100n], [50n]]);
    const old = await unsigned(batch, [notMet, notMet]);
    await reportSettlement(context, batch, old);
    const newer = await unsigned(batch, [met, met]);
    await reportSettlement(context, batch, newer);
    await settle(context.escrow, newer);
    for (const replayed of [old, newer]) {
      await reportSettlement(context, batch, replayed);
      expect(await eventsOf(context, settle(context.escrow, replayed))).to.deep.equal([]);
      expect(await moneyOf(context, batch)).to.deep.equal({ open: 0n, free: 0n, credits: [100n, 50n] });
    }
    // Nor is the batch funded again, for which the report would stand.
    await expect(context.escrow.connect(context.payer).fund(batch.terms, batch.words)).to.be.revertedWithCustomError(
      context.escrow,
      "ClaimBatchAlreadyFunded",
    );
  });

  it("settles nothing of a batch that was reclaimed or reversed", async () => {
    const { context, batch: reversed } = await given();
    const { opened, proof } = reversed.openOne(0);
    await context.escrow.connect(context.payees[0]).reverse(reversed.terms, reversed.words, 0, [0], opened, proof);
    const reclaimed = await fundedBatch(context, [[70n]]);
    await time.increaseTo(reclaimed.terms.eventBy + GRACE + 1);
    await context.escrow.reclaim(reclaimed.terms);
    for (const batch of [reversed, reclaimed]) {
      const settlement = await unsigned(batch, [met]);
      await reportSettlement(context, batch, settlement);
      expect(await eventsOf(context, settle(context.escrow, settlement))).to.deep.equal([]);
    }
    expect((await moneyOf(context, reversed)).credits).to.deep.equal([0n]);
  });

  it("settles many at once: by signatures, by reports, and what fails is skipped", async () => {
    const { context, batch: reported } = await given([[100n]]);
    const bySigners = await fundedBatch(context, [[20n]], { rulebook: context.mixed });
    const byReport = await fundedBatch(context, [[3n, 4n]], { rulebook: context.mixed });
    const unreported = await fundedBatch(context, [[500n]]);
    const settlements = [
      await unsigned(reported, [met]),
      await attested(context, bySigners, [met]),
      await unsigned(unreported, [met]),
      await unsigned(byReport, [byLine(met, notMet)]),
    ];
    await reportSettlement(context, reported, settlements[0]!);
    await reportSettlement(context, byReport, settlements[3]!);
    const reason = context.escrow.interface.encodeErrorResult("NotReported", [unreported.id]);
    await expect(context.escrow.settleMany(settlements))
      .to.emit(context.escrow, "SettlementSkipped")
      .withArgs(2, reason);
    expect((await moneyOf(context, reported)).credits).to.deep.equal([123n]);
    for (const batch of [reported, byReport]) expect(await recorded(context, batch)).to.deep.equal(NOTHING);
    expect((await moneyOf(context, unreported)).open).to.equal(500n);
  });

  describe("in time", () => {
    async function reportedBatch() {
      const { context, batch } = await given();
      const settlement = await unsigned(batch, [met]);
      await reportSettlement(context, batch, settlement);
      return { context, batch, settlement };
    }

    it("settles in the attestation's last second", async () => {
      const { context, batch } = await given();
      const validUntil = (await time.latest()) + DAY;
      const settlement = await unsigned(batch, [met], { validUntil });
      await reportSettlement(context, batch, settlement);
      await time.setNextBlockTimestamp(validUntil);
      await settle(context.escrow, settlement);
      expect((await moneyOf(context, batch)).credits).to.deep.equal([100n]);
    });

    it("refuses an attestation that expired", async () => {
      const { context, batch } = await given();
      const validUntil = (await time.latest()) + DAY;
      const settlement = await unsigned(batch, [met], { validUntil });
      await reportSettlement(context, batch, settlement);
      await time.setNextBlockTimestamp(validUntil + 1);
      await expect(settle(context.escrow, settlement))
        .to.be.revertedWithCustomError(context.escrow, "AttestationExpired")
        .withArgs(validUntil);
    });

    it("refuses it after attestBy, when the payer gets its money back", async () => {
      const { context, batch, settlement } = await reportedBatch();
      const attestBy = batch.terms.eventBy + GRACE;
      await time.setNextBlockTimestamp(attestBy + 1);
      await expect(settle(context.escrow, settlement))
        .to.be.revertedWithCustomError(context.escrow, "AttestationTooLate")
        .withArgs(attestBy);
      await context.escrow.reclaim(batch.terms);
      expect((await moneyOf(context, batch)).free).to.equal(100n);
      expect(await eventsOf(context, settle(context.escrow, settlement))).to.deep.equal([]);
    });

    it("settles at attestBy", async () => {
      const { context, batch, settlement } = await reportedBatch();
      await time.setNextBlockTimestamp(batch.terms.eventBy + GRACE);
      await settle(context.escrow, settlement);
      expect((await moneyOf(context, batch)).credits).to.deep.equal([100n]);
    });

    it("refuses it while the escrow is paused, records meanwhile, and settles afterwards", async () => {
      const { context, batch } = await reportedBatch();
      await context.escrow.pause();
      const newer = await unsigned(batch, [notMet]);
      await reportSettlement(context, batch, newer);
      await expect(settle(context.escrow, newer)).to.be.revertedWithCustomError(context.escrow, "PausedUntil");
      await context.escrow.unpause();
      await settle(context.escrow, newer);
      expect((await moneyOf(context, batch)).free).to.equal(100n);
    });

    it("refuses it while the rulebook is suspended, records meanwhile, and settles afterwards", async () => {
      const { context, batch } = await reportedBatch();
      const { rulebooks, suspender, rulebook } = context;
      await rulebooks.connect(suspender).suspend(rulebook);
      const newer = await unsigned(batch, [notMet]);
      await reportSettlement(context, batch, newer);
      await expect(settle(context.escrow, newer))
        .to.be.revertedWithCustomError(context.escrow, "RulebookIsSuspended")
        .withArgs(rulebook);
      await rulebooks.connect(suspender).resume(rulebook);
      await settle(context.escrow, newer);
      expect((await moneyOf(context, batch)).free).to.equal(100n);
    });
  });

  it("does not take signatures that were cut off for a report", async () => {
    const { context, batch } = await given([[100n]], mixed);
    const signed = await attested(context, batch, [met]);
    await refused(context, { ...signed, attestation: { ...signed.attestation, signatures: "0x" } }, batch);
  });
});
