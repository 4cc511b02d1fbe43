import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { byLine, met, notMet, pending, settle } from "../../support/batches";
import { reportedBy } from "../../support/books";
import { attested, fundedBatch, moneyOf } from "../../support/claims";
import {
  ARBITER_TIME,
  BPS,
  CHALLENGE,
  LOOK_BACK,
  at,
  bring,
  disputeMissing,
  dispute,
  refuses,
  settlePresented,
  soundAfterEach,
  watch,
  type Disputing,
  type Given,
} from "../../support/disputes";
import { workflowOf } from "../../support/keystone";
import { publish, rulebookOf } from "../../support/system";
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
} from "../WorkflowReceiver/fixture";

interface ReportingGiven extends Given, Omit<Reporting, keyof Disputing> {}

const LINES = [[100n, 20n], [50n]];

describe("ClaimEscrow: reports of workflows under rulebooks that present", () => {
  soundAfterEach();

  async function deploy() {
    const reporting = await deployReporting();
    const { rulebooks, workflow, stranger, payer, attesters } = reporting;
    const arbiter = stranger.address;
    const challenge = { arbiter, arbiterDeadline: ARBITER_TIME, challengePeriod: CHALLENGE };
    const retention = { arbiter, arbiterDeadline: ARBITER_TIME, retentionBps: BPS, lookBack: LOOK_BACK };
    const addresses = attesters.map(({ address }) => address);
    const alone = (terms: object) => publish(rulebooks, rulebookOf([], 0, { attesterGroups: [], workflow, ...terms }));
    const ids = {
      challenged: await alone(challenge),
      retaining: await alone(retention),
      mixed: await publish(rulebooks, rulebookOf(addresses, 2, { workflow, ...challenge })),
      arbitrated: await alone({ arbiter, arbiterDeadline: ARBITER_TIME }),
      foreign: await publish(
        rulebooks,
        rulebookOf([], 0, { attesterGroups: [], workflow: workflowOf("other"), ...challenge }),
      ),
    };
    return { ...reporting, presented: ids, arbiter: stranger, otherArbiter: payer };
  }

  type Name = keyof Awaited<ReturnType<typeof deploy>>["presented"];

  async function given(name: Name = "challenged"): Promise<ReportingGiven & { presented: Record<Name, string> }> {
    const context = await loadFixture(deploy);
    const batch = await fundedBatch(context, LINES, { rulebook: context.presented[name] });
    const disputing = { ...context, ids: {} as Disputing["ids"] };
    return { ...context, ...watch(disputing, batch) };
  }
  const recorded = ({ receiver, batch }: Given) => receiver.reportOf(batch.terms.rulebook, batch.id);

  for (const name of ["challenged", "mixed"] as const)
    it(`presents what was reported, once it was reported (${name})`, async () => {
      const context = await given(name);
      const { batch } = context;
      const settlement = await unsigned(batch, [met, notMet]);
      await refuses(context, bring(context, settlement), "NotReported", batch.id);
      await reportSettlement(context, batch, settlement);
      expect(await recorded(context)).to.deep.equal(await keptOf(context, batch, settlement));
      await bring(context, settlement);
      expect((await moneyOf(context, batch)).open).to.equal(0n);
      await time.increase(CHALLENGE);
      await settlePresented(context);
      expect(await moneyOf(context, batch)).to.deep.equal({ open: 0n, free: 50n, credits: [120n, 0n] });
    });

  it("settles what was reported at once where the rulebook only retains", async () => {
    const context = await given("retaining");
    const settlement = await unsigned(context.batch, [met, pending]);
    await reportSettlement(context, context.batch, settlement);
    await bring(context, settlement);
    await bring(context, settlement);
    expect(await moneyOf(context, context.batch)).to.deep.equal({ open: 50n, free: 0n, credits: [108n, 0n] });
    expect(await recorded(context)).to.deep.equal(await keptOf(context, context.batch, settlement));
  });

  it("forgets a report that presented the whole batch at once", async () => {
    const context = await given();
    const { batch } = context;
    const settlement = await unsigned(batch, [met, notMet]);
    await reportSettlement(context, batch, settlement);
    await bring(context, settlement);
    expect(await recorded(context)).to.deep.equal(NOTHING);
  });

  it("keeps a report that presented only lines, until a newer one takes its place", async () => {
    const context = await given();
    const { batch } = context;
    const first = await unsigned(batch, [byLine(met, pending), pending]);
    await reportSettlement(context, batch, first);
    await bring(context, first);
    expect(await recorded(context)).to.deep.equal(await keptOf(context, batch, first));
    const second = await unsigned(batch, [met, met], { open: [0] });
    await reportSettlement(context, batch, second);
    await refuses(context, bring(context, first), "NotReported", batch.id);
    await bring(context, second);
    expect((await moneyOf(context, batch)).open).to.equal(0n);
  });

  for (const name of ["challenged", "arbitrated"] as const)
    it(`keeps for a line in dispute the report that closes the last open ones (${name})`, async () => {
      const context = await given(name);
      const { batch, escrow, receiver, payees } = context;
      await at(Number(batch.terms.eventBy) + 1);
      await disputeMissing(context, payees[0]!, 0, 1);
      const settlement = await unsigned(batch, [met, met], { open: [0] });
      await reportSettlement(context, batch, settlement);
      await (name === "challenged" ? bring(context, settlement) : settle(escrow, settlement));
      expect((await moneyOf(context, batch)).open).to.equal(0n);
      await receiver.presentDisputed(batch.terms, batch.words, settlement.attestation, 0, 1);
      expect((await receiver.disputeOf(batch.terms, 1)).attestedAmount).to.equal(20n);
    });

  for (const name of ["challenged", "retaining", "mixed"] as const)
    it(`does not settle directly what was reported (${name})`, async () => {
      const context = await given(name);
      const { batch, escrow } = context;
      const settlement = await unsigned(batch, [met, met]);
      await reportSettlement(context, batch, settlement);
      await refuses(context, settle(escrow, settlement), "NotReported", batch.id);
      await refuses(context, settle(escrow, { ...settlement, opened: batch.open([0]) }), "NotReported", batch.id);
      await expect(escrow.settleMany([settlement])).to.emit(escrow, "SettlementSkipped");
      for (const signatures of ["0x00", `0x${"00".repeat(65 * 255)}`]) {
        const signed = { ...settlement, attestation: { ...settlement.attestation, signatures } };
        await expect(settle(escrow, signed)).to.be.reverted;
        await expect(bring(context, signed)).to.be.reverted;
      }
      expect((await moneyOf(context, batch)).open).to.equal(170n);
    });

  it("does not take what another workflow reported, or what was reported under another rulebook", async () => {
    const context = await given();
    const { batch, presented } = context;
    const settlement = await unsigned(batch, [met, met]);
    const elsewhere = await reportOf(context, batch, settlement, { rulebook: presented.retaining });
    await deliver(context, small, executionOf(context, "elsewhere", [elsewhere]));
    await refuses(context, bring(context, settlement), "NotReported", batch.id);
    const own = [await reportOf(context, batch, settlement)];
    await deliver(context, small, executionOf(context, "foreign", own, { workflow: workflowOf("other") }));
    const plain = [await reportOf(context, batch, settlement, { rulebook: presented.arbitrated })];
    await deliver(context, small, executionOf(context, "foreign to another", plain, { workflow: workflowOf("other") }));
    expect((await context.receiver.reportOf(presented.arbitrated, batch.id)).digest).to.equal(NOTHING[0]);
    expect(await recorded(context)).to.deep.equal(NOTHING);
    await refuses(context, bring(context, settlement), "NotReported", batch.id);
  });

  it("lets nobody write where settling at once looks, with rulebook and batch exchanged", async () => {
    const context = await given("arbitrated");
    const { batch, escrow, receiver, presented } = context;
    const settlement = await unsigned(batch, [met, met]);
    // The report of a presented rulebook about a batch that has the id of another rulebook.
    const digest = await escrow.attestationDigestOf(batch.id, settlement.attestation);
    const swapped = { ...batch, id: batch.terms.rulebook, terms: { ...batch.terms, rulebook: presented.challenged } };
    await reportSettlement(context, swapped, settlement);
    expect((await receiver.reportOf(presented.challenged, batch.terms.rulebook)).digest).not.to.equal(NOTHING[0]);
    expect(digest).not.to.equal(NOTHING[0]);
    await refuses(context, settle(escrow, settlement), "NotReported", batch.id);
    await reportSettlement(context, batch, settlement);
    await settle(escrow, settlement);
    expect((await moneyOf(context, batch)).credits).to.deep.equal([120n, 50n]);
  });

  for (const name of ["challenged", "arbitrated"] as const)
    it(`notes what was reported of a line in dispute (${name})`, async () => {
      const context = await given(name);
      const { batch, receiver, payees } = context;
      await at(Number(batch.terms.eventBy) + 1);
      await disputeMissing(context, payees[0]!, 0, 1);
      const settlement = await unsigned(batch, [byLine(pending, met), pending]);
      const notReported = receiver.presentDisputed(batch.terms, batch.words, settlement.attestation, 0, 1);
      await refuses(context, notReported, "NotReported", batch.id);
      await reportSettlement(context, batch, settlement);
      const digest = await context.escrow.attestationDigestOf(batch.id, settlement.attestation);
      const sent = receiver.presentDisputed(batch.terms, batch.words, settlement.attestation, 0, 1);
      expect(await reportedBy(context, sent)).to.deep.equal([["DisputeAttested", batch.id, 1n, digest, 20n]]);
    });

  it("lets a reported result be disputed like one that was signed", async () => {
    const context = await given();
    const { batch, receiver, payer } = context;
    const settlement = await unsigned(batch, [met, met]);
    await reportSettlement(context, batch, settlement);
    await bring(context, settlement);
    await dispute(context, payer, 0, 1);
    expect((await receiver.disputeOf(batch.terms, 1)).attestedAmount).to.equal(20n);
  });

  it("takes signatures or a report, whichever comes, under a rulebook that names both", async () => {
    const context = await given("mixed");
    const signed = await attested(context, context.batch, [met, pending]);
    await bring(context, signed);
    const reported = await unsigned(context.batch, [met, met]);
    await reportSettlement(context, context.batch, reported);
    await bring(context, reported);
    expect((await moneyOf(context, context.batch)).open).to.equal(0n);
  });
});
