import { anyValue } from "@nomicfoundation/hardhat-chai-matchers/withArgs";
import { loadFixture, takeSnapshot, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { SigningKey, computeAddress, dataSlice, id } from "ethers";

import { met, notMet, settle, type TestBatch } from "../../support/batches";
import { fundedBatch, moneyOf } from "../../support/claims";
import { donOf, encodeReportOf, signReport, type Don, type Execution } from "../../support/keystone";
import { publish, rulebookOf } from "../../support/system";
import { itUninstrumented } from "../../support/instrumented";
import {
  NOTHING,
  deliver,
  deployReporting,
  executionOf,
  keptOf,
  large,
  metadataOf,
  reportOf,
  small,
  transmission,
  transmissionOf,
  unsigned,
  type Reporting,
} from "./fixture";

describe("WorkflowReceiver: reports through Chainlink's forwarder", () => {
  async function given() {
    const context = await loadFixture(deployReporting);
    const batch = await fundedBatch(context, [[100n]]);
    const settlement = await unsigned(batch, [met]);
    const execution = executionOf(context, "dispense", [await reportOf(context, batch, settlement)]);
    return { context, batch, settlement, execution };
  }
  const recorded = ({ receiver }: Reporting, batch: TestBatch) => receiver.reportOf(batch.terms.rulebook, batch.id);

  for (const [size, don] of [
    ["4 nodes, of which one may be faulty", small],
    ["10 nodes, of which 3 may be faulty", large],
  ] as const) {
    const strangers = new SigningKey(id("node of no network"));

    describe(`given a network of ${size}`, () => {
      for (const first of [0, don.keys.length - don.f - 1])
        it(`records what nodes ${first} to ${first + don.f} signed, and settles nothing`, async () => {
          const { context, batch, settlement, execution } = await given();
          const signers = don.keys.slice(first, first + don.f + 1);
          await expect(deliver(context, don, { ...execution, signers }))
            .to.emit(context.forwarder, "ReportProcessed")
            .withArgs(context.escrow, id("dispense"), "0x0001", true)
            .and.to.emit(context.receiver, "AttestationReported")
            .withArgs(
              batch.id,
              context.rulebook,
              await context.escrow.attestationDigestOf(batch.id, settlement.attestation),
              settlement.attestation.observedAt,
            );
          expect(await recorded(context, batch)).to.deep.equal(await keptOf(context, batch, settlement));
          expect(await moneyOf(context, batch)).to.deep.equal({ open: 100n, free: 0n, credits: [0n] });
          await settle(context.escrow, settlement);
          expect(await moneyOf(context, batch)).to.deep.equal({ open: 0n, free: 0n, credits: [100n] });
        });

      for (const count of new Set([0, 1, don.f, don.f + 2, don.keys.length]))
        it(`refuses ${count} signature(s)`, async () => {
          const { context, batch, execution } = await given();
          await expect(deliver(context, don, { ...execution, signers: don.keys.slice(0, count) }))
            .to.be.revertedWithCustomError(context.forwarder, "InvalidSignatureCount")
            .withArgs(don.f + 1, count);
          expect(await recorded(context, batch)).to.deep.equal(NOTHING);
        });

      const wrong: Record<string, [signers: SigningKey[], error: string, who: SigningKey]> = {
        "a stranger's signature": [[...don.keys.slice(0, don.f), strangers], "InvalidSigner", strangers],
        "one node's signature twice": [[...don.keys.slice(0, don.f), don.keys[0]!], "DuplicateSigner", don.keys[0]!],
      };
      for (const [what, [signers, error, who]] of Object.entries(wrong))
        it(`refuses ${what}`, async () => {
          const { context, batch, execution } = await given();
          await expect(deliver(context, don, { ...execution, signers }))
            .to.be.revertedWithCustomError(context.forwarder, error)
            .withArgs(computeAddress(who));
          expect(await recorded(context, batch)).to.deep.equal(NOTHING);
        });

      it("refuses it after its configuration was cleared", async () => {
        const { context, batch, execution } = await given();
        await context.forwarder.clearConfig(don.id, don.configVersion);
        await expect(deliver(context, don, execution))
          .to.be.revertedWithCustomError(context.forwarder, "InvalidConfig")
          .withArgs((BigInt(don.id) << 32n) | BigInt(don.configVersion));
        expect(await recorded(context, batch)).to.deep.equal(NOTHING);
      });

      it("refuses a node that a new configuration left out", async () => {
        const { context, batch, execution } = await given();
        const others = donOf(9, don.keys.length, don.f).keys;
        await context.forwarder.setConfig(don.id, don.configVersion, don.f, others.map(computeAddress));
        await expect(deliver(context, don, execution))
          .to.be.revertedWithCustomError(context.forwarder, "InvalidSigner")
          .withArgs(computeAddress(don.keys[0]!));
        expect(await recorded(context, batch)).to.deep.equal(NOTHING);
        await deliver(context, { ...don, keys: others }, execution);
        expect(await recorded(context, batch)).not.to.deep.equal(NOTHING);
      });
    });
  }

  const elsewhere: Record<string, [don: Don, error: string]> = {
    "the nodes of another network": [{ ...large, keys: small.keys }, "InvalidSigner"],
    "a network that the forwarder does not know": [donOf(3, 4, 1), "InvalidConfig"],
    "another version of the network's configuration": [{ ...small, configVersion: 2 }, "InvalidConfig"],
  };
  for (const [who, [don, error]] of Object.entries(elsewhere))
    it(`refuses signatures of ${who}`, async () => {
      const { context, batch, execution } = await given();
      await expect(deliver(context, don, execution)).to.be.revertedWithCustomError(context.forwarder, error);
      expect(await recorded(context, batch)).to.deep.equal(NOTHING);
    });

  it("refuses a report, a workflow, an execution or a context that was changed after signing", async () => {
    const { context, batch, settlement, execution } = await given();
    const { escrow, forwarder } = context;
    const signed = signReport(small, execution);
    const other = await unsigned(batch, [notMet]);
    const changed: [rawReport: string, reportContext: string][] = [
      [
        signReport(small, { ...execution, report: await reportOf(context, batch, other) }).rawReport,
        signed.reportContext,
      ],
      [
        signReport(small, { ...execution, workflow: { ...execution.workflow, id: id("another") } }).rawReport,
        signed.reportContext,
      ],
      [signReport(small, { ...execution, executionId: "another" }).rawReport, signed.reportContext],
      [signed.rawReport, `0x01${signed.reportContext.slice(4)}`],
    ];
    for (const [rawReport, reportContext] of changed)
      await expect(forwarder.report(escrow, rawReport, reportContext, signed.signatures))
        .to.be.revertedWithCustomError(forwarder, "InvalidSigner")
        .withArgs(anyValue);
    await expect(
      forwarder.report(
        escrow,
        signed.rawReport,
        signed.reportContext,
        signed.signatures.map((one) => dataSlice(one, 0, 64)),
      ),
    ).to.be.revertedWithCustomError(forwarder, "InvalidSignature");
    expect(await recorded(context, batch)).to.deep.equal(NOTHING);
    await deliver(context, small, execution);
    expect(await recorded(context, batch)).to.deep.equal(await keptOf(context, batch, settlement));
  });

  it("delivers an execution once", async () => {
    const { context, batch, settlement, execution } = await given();
    await deliver(context, small, execution);
    for (const don of [small, large])
      await expect(deliver(context, don, execution)).to.be.revertedWithCustomError(
        context.forwarder,
        "AlreadyAttempted",
      );
    expect(await recorded(context, batch)).to.deep.equal(await keptOf(context, batch, settlement));
  });

  it("delivers nothing that nobody signed, whoever asks it to", async () => {
    const { context, batch, execution } = await given();
    const { escrow, forwarder } = context;
    for (const caller of [context.stranger, context.payer, context.governance])
      await expect(
        forwarder
          .connect(caller)
          .route(id("execution"), caller, escrow, metadataOf(context.workflow), execution.report),
      ).to.be.revertedWithCustomError(forwarder, "UnauthorizedForwarder");
    expect(await recorded(context, batch)).to.deep.equal(NOTHING);
  });

  describe("given too little gas", () => {
    /** Ten attestations of ten batches, one execution. */
    async function givenTen() {
      const context = await loadFixture(deployReporting);
      const observedAt = await time.latest();
      const batchIds = Array.from({ length: 10 }, (_, i) => id(`batch ${i}`));
      const reports = batchIds.map((batchId) =>
        encodeReportOf({ rulebook: context.rulebook, batchId, digest: id(`digest of ${batchId}`), observedAt }),
      );
      return { context, batchIds, execution: executionOf(context, "ten", reports) };
    }

    itUninstrumented("fails, and takes the same execution with more, all of it", async () => {
      const { context, batchIds, execution } = await givenTen();
      await expect(deliver(context, small, execution, { gasLimit: 300_000 }))
        .to.emit(context.forwarder, "ReportProcessed")
        .withArgs(context.escrow, id("ten"), "0x0001", false);
      expect(await transmissionOf(context, "ten")).to.equal(transmission.failed);
      for (const batchId of batchIds)
        expect(await context.receiver.reportOf(context.rulebook, batchId)).to.deep.equal(NOTHING);

      await deliver(context, small, execution, { gasLimit: 1_000_000 });
      expect(await transmissionOf(context, "ten")).to.equal(transmission.succeeded);
      for (const batchId of batchIds)
        expect(await context.receiver.reportOf(context.rulebook, batchId)).not.to.deep.equal(NOTHING);
    });

    itUninstrumented(
      "never makes the forwarder take the escrow for somebody who takes no reports, which would be for good",
      async () => {
        const { context, execution } = await givenTen();
        const states = new Set<bigint>();
        for (let gasLimit = 100_000; gasLimit <= 700_000; gasLimit += 12_500) {
          const snapshot = await takeSnapshot();
          await deliver(context, small, execution, { gasLimit }).catch(() => undefined);
          states.add(await transmissionOf(context, "ten"));
          await snapshot.restore();
        }
        expect([...states].sort()).to.deep.equal([
          transmission.notAttempted,
          transmission.succeeded,
          transmission.failed,
        ]);
      },
    );
  });

  describe("given a report that the escrow refuses", () => {
    async function retry(context: Reporting, execution: Execution, meanwhile: () => Promise<unknown>): Promise<void> {
      await deliver(context, small, execution);
      expect(await transmissionOf(context, execution.executionId)).to.equal(transmission.failed);
      await deliver(context, small, execution);
      expect(await transmissionOf(context, execution.executionId)).to.equal(transmission.failed);
      await meanwhile();
      await deliver(context, small, execution);
      expect(await transmissionOf(context, execution.executionId)).to.equal(transmission.succeeded);
    }

    it("takes it again once its time has come", async () => {
      const { context, batch, settlement } = await given();
      const observedAt = (await time.latest()) + 1_000;
      const report = await reportOf(context, batch, settlement, { observedAt });
      await retry(context, executionOf(context, "early", [report]), () => time.increaseTo(observedAt));
      expect((await recorded(context, batch)).observedAt).to.equal(observedAt);
    });

    it("takes it to the second", async () => {
      const { context, batch, settlement } = await given();
      const observedAt = (await time.latest()) + 1_000;
      const execution = executionOf(context, "early", [await reportOf(context, batch, settlement, { observedAt })]);
      await time.setNextBlockTimestamp(observedAt - 1);
      await deliver(context, small, execution);
      expect(await transmissionOf(context, "early")).to.equal(transmission.failed);
      await time.setNextBlockTimestamp(observedAt);
      await deliver(context, small, execution);
      expect(await transmissionOf(context, "early")).to.equal(transmission.succeeded);
    });

    it("takes it again once the rulebook is published", async () => {
      const { context, batch, settlement } = await given();
      const later = rulebookOf([], 0, { attesterGroups: [], workflow: context.workflow, documentHash: id("later") });
      const rulebook = await context.rulebooks.publish.staticCall(later);
      const report = await reportOf(context, batch, settlement, { rulebook });
      await retry(context, executionOf(context, "unknown", [report]), () => publish(context.rulebooks, later));
      expect((await context.receiver.reportOf(rulebook, batch.id)).observedAt).to.equal(
        settlement.attestation.observedAt,
      );
    });
  });
});
