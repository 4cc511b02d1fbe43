import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroHash, concat, dataSlice, hexlify, id, randomBytes, toBeHex } from "ethers";

import { met, notMet, type TestBatch } from "../../support/batches";
import { batchOf, fundedBatch, moneyOf } from "../../support/claims";
import { encodeReportOf, workflowOf, type WorkflowName } from "../../support/keystone";
import { publish, rulebookOf } from "../../support/system";
import {
  KEPT_BYTES,
  NOTHING,
  asForwarder,
  deliver,
  deployReporting,
  executionOf,
  keptOf,
  metadataOf,
  report,
  reportOf,
  reportSettlement,
  small,
  transmission,
  transmissionOf,
  unsigned,
  type Reporting,
} from "./fixture";

describe("WorkflowReceiver: onReport", () => {
  async function given() {
    const context = await loadFixture(deployReporting);
    const batch = await fundedBatch(context, [[100n]]);
    const settlement = await unsigned(batch, [met]);
    return { context, batch, settlement, encoded: await reportOf(context, batch, settlement) };
  }
  const recorded = ({ receiver }: Reporting, { id: batchId, terms }: TestBatch) =>
    receiver.reportOf(terms.rulebook, batchId);

  describe("given another caller than the forwarder", () => {
    it("refuses anybody, whatever the report", async () => {
      const { context, batch, encoded } = await given();
      const { receiver, admin, governance, payer, stranger, suspender, workflow } = context;
      for (const caller of [admin, governance, payer, stranger, suspender])
        for (const body of [encoded, "0x"])
          await expect(receiver.connect(caller).onReport(metadataOf(workflow), body))
            .to.be.revertedWithCustomError(receiver, "NotForwarder")
            .withArgs(caller.address);
      expect(await recorded(context, batch)).to.deep.equal(NOTHING);
    });
  });

  describe("given another workflow", () => {
    const others: Record<string, (workflow: WorkflowName) => WorkflowName> = {
      "another workflow": () => workflowOf("laboratory"),
      "another workflow of the same owner": ({ owner }) => ({ ...workflowOf("laboratory"), owner }),
      "another workflow of the same name": ({ name }) => ({ ...workflowOf("laboratory"), name }),
      "another workflow of the same id": ({ id: same }) => ({ ...workflowOf("laboratory"), id: same }),
      "one of another id only": (workflow) => ({ ...workflow, id: id("another") }),
      "one of another owner only": (workflow) => ({ ...workflow, owner: workflowOf("laboratory").owner }),
      "one of another name only": (workflow) => ({ ...workflow, name: workflowOf("laboratory").name }),
    };
    for (const [what, otherOf] of Object.entries(others))
      it(`refuses ${what}`, async () => {
        const { context, batch, encoded } = await given();
        const workflow = otherOf(context.workflow);
        await expect(context.receiver.connect(await asForwarder(context)).onReport(metadataOf(workflow), encoded))
          .to.be.revertedWithCustomError(context.receiver, "WorkflowForeign")
          .withArgs(context.rulebook);
        await deliver(context, small, executionOf(context, what, [encoded], { workflow }));
        expect(await transmissionOf(context, what)).to.equal(transmission.failed);
        expect(await recorded(context, batch)).to.deep.equal(NOTHING);
      });

    it("refuses any for a rulebook that names none", async () => {
      const { context, batch, settlement } = await given();
      const addresses = context.attesters.map(({ address }) => address);
      const rulebook = await publish(context.rulebooks, rulebookOf(addresses, 1));
      const encoded = await reportOf(context, batch, settlement, { rulebook });
      const nobody = { id: ZeroHash, owner: `0x${"00".repeat(20)}`, name: `0x${"00".repeat(10)}` };
      for (const workflow of [context.workflow, nobody])
        await expect(context.receiver.connect(await asForwarder(context)).onReport(metadataOf(workflow), encoded))
          .to.be.revertedWithCustomError(context.receiver, "WorkflowForeign")
          .withArgs(rulebook);
    });

    it("does not read what stands behind the workflow", async () => {
      const { context, batch, settlement, encoded } = await given();
      const metadata = metadataOf(context.workflow);
      await context.receiver
        .connect(await asForwarder(context))
        .onReport(concat([dataSlice(metadata, 0, 62), hexlify(randomBytes(40))]), encoded);
      expect(await recorded(context, batch)).to.deep.equal(await keptOf(context, batch, settlement));
    });
  });

  describe("given a malformed report", () => {
    for (const length of [0, 1, 32, 61])
      it(`refuses metadata of ${length} bytes`, async () => {
        const { context, encoded } = await given();
        const metadata = dataSlice(metadataOf(context.workflow), 0, length);
        await expect(
          context.receiver.connect(await asForwarder(context)).onReport(metadata, encoded),
        ).to.be.revertedWithCustomError(context.receiver, "ReportMalformed");
      });

    it("takes metadata of 62 bytes", async () => {
      const { context, batch, settlement, encoded } = await given();
      const metadata = dataSlice(metadataOf(context.workflow), 0, 62);
      await context.receiver.connect(await asForwarder(context)).onReport(metadata, encoded);
      expect(await recorded(context, batch)).to.deep.equal(await keptOf(context, batch, settlement));
    });

    const bodies: Record<string, (encoded: string) => string> = {
      "nothing at all": () => "0x",
      "one byte": () => "0x01",
      "a byte too few": (encoded) => dataSlice(encoded, 0, 127),
      "a byte too many": (encoded) => concat([encoded, "0x00"]),
      "a word too few": (encoded) => dataSlice(encoded, 0, 96),
      "a word too many": (encoded) => concat([encoded, ZeroHash]),
      "one and a half": (encoded) => concat([encoded, dataSlice(encoded, 0, 64)]),
      "one as bytes": (encoded) => concat([toBeHex(32, 32), toBeHex(128, 32), encoded]),
    };
    for (const [what, bodyOf] of Object.entries(bodies))
      it(`refuses ${what}`, async () => {
        const { context, batch, encoded } = await given();
        await expect(
          context.receiver.connect(await asForwarder(context)).onReport(metadataOf(context.workflow), bodyOf(encoded)),
        ).to.be.revertedWithCustomError(context.receiver, "ReportMalformed");
        await deliver(context, small, executionOf(context, what, [bodyOf(encoded)]));
        expect(await transmissionOf(context, what)).to.equal(transmission.failed);
        expect(await recorded(context, batch)).to.deep.equal(NOTHING);
      });

    it("refuses a time that is none", async () => {
      const { context, encoded } = await given();
      for (const observedAt of [1n << 40n, (1n << 255n) | 1n])
        await expect(
          context.receiver
            .connect(await asForwarder(context))
            .onReport(metadataOf(context.workflow), concat([dataSlice(encoded, 0, 96), toBeHex(observedAt, 32)])),
        ).to.be.revertedWithoutReason();
    });

    it("refuses one from the future, and one of a rulebook that is unknown", async () => {
      const { context, batch, settlement } = await given();
      const forwarder = await asForwarder(context);
      const sent = async (changes: { observedAt?: number; rulebook?: string }) =>
        context.receiver
          .connect(forwarder)
          .onReport(metadataOf(context.workflow), await reportOf(context, batch, settlement, changes));
      const observedAt = (await time.latest()) + 100;
      await expect(sent({ observedAt }))
        .to.be.revertedWithCustomError(context.receiver, "ReportFromFuture")
        .withArgs(observedAt);
      await expect(sent({ rulebook: id("unknown") }))
        .to.be.revertedWithCustomError(context.escrow, "RulebookUnknown")
        .withArgs(id("unknown"));
    });
  });

  describe("given reports of several attestations", () => {
    async function givenBatches(count: number) {
      const context = await loadFixture(deployReporting);
      const batches: TestBatch[] = [];
      const encoded: string[] = [];
      for (let i = 0; i < count; i++) {
        const batch = await fundedBatch(context, [[100n + BigInt(i)]]);
        batches.push(batch);
        encoded.push(await reportOf(context, batch, await unsigned(batch, [i % 2 === 0 ? met : notMet])));
      }
      return { context, batches, encoded };
    }

    for (const count of [2, 10])
      it(`records all ${count} of them, each of its own batch`, async () => {
        const { context, batches, encoded } = await givenBatches(count);
        const sent = await report(context, ...encoded);
        const escrow = await context.escrow.getAddress();
        const events = (await sent.wait())!.logs
          .filter(({ address }) => address === escrow)
          .map((log) => context.receiver.interface.parseLog(log)!);
        expect(events.map(({ name, args }) => [name, args.batchId as string])).to.deep.equal(
          batches.map((batch) => ["AttestationReported", batch.id]),
        );
        for (const [i, batch] of batches.entries())
          expect((await recorded(context, batch)).digest).to.equal(dataSlice(encoded[i]!, 64, 64 + KEPT_BYTES));
      });

    it("skips one that is outdated, says so, and records the others", async () => {
      const { context, batches, encoded } = await givenBatches(3);
      const middle = batches[1]!;
      const newer = await unsigned(middle, [met], { observedAt: await time.latest() });
      await reportSettlement(context, middle, newer);
      const { observedAt } = await recorded(context, middle);
      const sent = report(context, ...encoded);
      await expect(sent)
        .to.emit(context.receiver, "ReportOutdated")
        .withArgs(middle.id, context.rulebook, BigInt(dataSlice(encoded[1]!, 96)), observedAt);
      expect((await recorded(context, batches[0]!)).digest).to.equal(dataSlice(encoded[0]!, 64, 64 + KEPT_BYTES));
      expect(await recorded(context, middle)).to.deep.equal(await keptOf(context, middle, newer));
      expect((await recorded(context, batches[2]!)).digest).to.equal(dataSlice(encoded[2]!, 64, 64 + KEPT_BYTES));
    });

    for (const place of [0, 1, 2])
      it(`refuses all where number ${place} is of a rulebook with another workflow, and records none`, async () => {
        const { context, batches, encoded } = await givenBatches(3);
        const own = batches[place]!;
        const digest = dataSlice(encoded[place]!, 64, 96);
        encoded[place] = encodeReportOf({ rulebook: context.foreign, batchId: own.id, digest, observedAt: 1 });
        await expect(
          context.receiver.connect(await asForwarder(context)).onReport(metadataOf(context.workflow), concat(encoded)),
        )
          .to.be.revertedWithCustomError(context.receiver, "WorkflowForeign")
          .withArgs(context.foreign);
        await deliver(context, small, executionOf(context, "mixed", encoded));
        expect(await transmissionOf(context, "mixed")).to.equal(transmission.failed);
        for (const batch of batches) expect(await recorded(context, batch)).to.deep.equal(NOTHING);
      });

    for (const [order, times, kept] of [
      ["the newer last", [5, 6], 1],
      ["the newer first", [6, 5], 0],
      ["both of one time", [5, 5], 0],
    ] as const)
      it(`records one of two of the same batch: ${order}`, async () => {
        const { context, batch } = await given();
        const digests = [id("first"), id("second")];
        const encoded = digests.map((digest, i) =>
          encodeReportOf({ rulebook: context.rulebook, batchId: batch.id, digest, observedAt: times[i]! }),
        );
        await report(context, ...encoded);
        expect(await recorded(context, batch)).to.deep.equal([
          dataSlice(digests[kept]!, 0, KEPT_BYTES),
          BigInt(times[kept]),
        ]);
      });
  });

  describe("given a report that was recorded", () => {
    const later: Record<string, [shift: number, other: boolean]> = {
      "the same again, in another execution": [0, false],
      "another attestation of the same time": [0, true],
      "an older one": [-1, true],
      "one of the beginning of time": [-Infinity, true],
    };
    for (const [what, [shift, other]] of Object.entries(later))
      it(`does not record ${what}, and says so`, async () => {
        const { context, batch, settlement } = await given();
        await reportSettlement(context, batch, settlement);
        const recordedAt = Number(settlement.attestation.observedAt);
        const observedAt = Math.max(recordedAt + shift, 0);
        const next = other ? await unsigned(batch, [notMet], { observedAt }) : settlement;
        await expect(reportSettlement(context, batch, next, { observedAt }))
          .to.emit(context.receiver, "ReportOutdated")
          .withArgs(batch.id, context.rulebook, observedAt, recordedAt)
          .and.not.to.emit(context.receiver, "AttestationReported");
        expect(await recorded(context, batch)).to.deep.equal(await keptOf(context, batch, settlement));
      });

    it("records a newer one in its place", async () => {
      const { context, batch, settlement } = await given();
      await reportSettlement(context, batch, settlement);
      const newer = await unsigned(batch, [notMet]);
      await expect(reportSettlement(context, batch, newer))
        .to.emit(context.receiver, "AttestationReported")
        .and.not.to.emit(context.receiver, "ReportOutdated");
      expect(await recorded(context, batch)).to.deep.equal(await keptOf(context, batch, newer));
    });

    it("keeps those of other batches and of other rulebooks apart", async () => {
      const { context, batch, settlement } = await given();
      const other = await fundedBatch(context, [[100n]]);
      await reportSettlement(context, batch, settlement);
      await reportSettlement(context, batch, await unsigned(batch, [notMet]), { rulebook: context.mixed });
      await reportSettlement(context, other, await unsigned(other, [notMet]));
      expect(await recorded(context, batch)).to.deep.equal(await keptOf(context, batch, settlement));
      expect(await context.receiver.reportOf(context.foreign, batch.id)).to.deep.equal(NOTHING);
      expect((await context.receiver.reportOf(context.mixed, batch.id)).digest).not.to.equal(NOTHING[0]);
    });
  });

  it("records a report of a batch that is not funded yet, and moves no money for it", async () => {
    const context = await loadFixture(deployReporting);
    const batch = await batchOf(context, [[100n]]);
    const settlement = await unsigned(batch, [met]);
    await reportSettlement(context, batch, settlement);
    expect(await recorded(context, batch)).to.deep.equal(await keptOf(context, batch, settlement));
    expect(await moneyOf(context, batch)).to.deep.equal({ open: 0n, free: 0n, credits: [0n] });
  });

  it("never settles: of the escrow's events there is none but its own", async () => {
    const { context, batch, settlement } = await given();
    const sent = await reportSettlement(context, batch, settlement);
    const escrow = await context.escrow.getAddress();
    const own = (await sent.wait())!.logs.filter(({ address }) => address === escrow);
    expect(own.map((log) => context.receiver.interface.parseLog(log)?.name)).to.deep.equal(["AttestationReported"]);
    expect((await moneyOf(context, batch)).open).to.equal(100n);
  });
});
