import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { dataSlice, id, ZeroHash } from "ethers";

import { byLine, met, notMet, partlyMet, settle, settlementOf, type TestBatch } from "../../support/batches";
import { attested, deployClaims, eventsOf, fundedBatch, fundedOf, moneyOf } from "../../support/claims";
import { accountKey } from "../../support/keys";
import { deployForwarder, donOf, encodeReportOf, signReport, workflowOf } from "../../support/keystone";
import { publish, rulebookOf } from "../../support/system";

import {
  AT,
  conditionOf,
  deployWorld,
  digestOf,
  fundedPatientBatch,
  networksSign,
  packSignatures,
  packedOf,
  patientsSign,
  pharmacySigns,
  plainBatchOf,
  signedBy,
  THOUSAND,
  withSignatures,
  type World,
} from "./fixture";
import type { PatientBatch } from "./patients";

import type { SettlementStruct } from "../../../typechain-types/contracts/claims/ClaimEscrow";

const everybody = (world: World, batch: PatientBatch, ...lines: number[]) => [
  pharmacySigns(world),
  ...networksSign(world, 0, 1),
  ...patientsSign(world, batch, ...lines),
];

/** Names the forwarder whose reports are taken, as governance does: announced, and done after the delay. */
async function setForwarder({ accessManager, admin, receiver }: World, forwarder: string): Promise<void> {
  const escrow = await receiver.getAddress();
  const data = receiver.interface.encodeFunctionData("setForwarder", [forwarder]);
  const { delay } = await accessManager.canCall(admin, escrow, dataSlice(data, 0, 4));
  await accessManager.schedule(escrow, data, 0);
  await time.increase(delay);
  await receiver.setForwarder(forwarder);
}

describe("AttesterConditions: ways to settle", () => {
  const LINES = [[THOUSAND, 10n, 20n]];
  const results = [byLine(met, notMet, partlyMet(5n))];
  const PAID = { open: 0n, free: 25n, credits: [THOUSAND + 5n] };

  it("takes packed signatures in settleByLine", async () => {
    const world = await loadFixture(deployWorld);
    const batch = await fundedPatientBatch(world, LINES);
    const { attestation, opened } = await signedBy(batch, results, everybody(world, batch, 0, 2));
    await world.escrow.settleByLine(batch.terms, batch.words, attestation, opened);
    expect(await moneyOf(world, batch)).to.deep.equal(PAID);
  });

  it("refuses in settleByLine what settle refuses", async () => {
    const world = await loadFixture(deployWorld);
    const batch = await fundedPatientBatch(world, LINES);
    const { attestation, opened } = await signedBy(batch, results, everybody(world, batch, 0));
    await expect(world.escrow.settleByLine(batch.terms, batch.words, attestation, opened))
      .to.be.revertedWithCustomError(world.conditions, "PatientSignatureMissing")
      .withArgs(2n);
    await expect(world.escrow.settle(batch.terms, batch.words, attestation))
      .to.be.revertedWithCustomError(world.conditions, "PatientSignatureMissing")
      .withArgs(2n);
  });

  it("takes all three forms of signatures in one settleMany, and skips what lacks a signature", async () => {
    const world = await loadFixture(deployWorld);
    const don = donOf(1, 4, 1);
    const forwarder = await deployForwarder(world.admin, don);
    await setForwarder(world, await forwarder.getAddress());
    const workflow = workflowOf("dispenses");
    const reported = await publish(world.rulebooks, rulebookOf([], 0, { attesterGroups: [], workflow }));

    const simple = await fundedBatch(world, [[1n]]);
    const byConditions = await fundedPatientBatch(world, LINES);
    const lacking = await fundedPatientBatch(world, LINES);
    const byWorkflow = await fundedOf(world, await plainBatchOf(world, [[2n]], reported));

    const third = await settlementOf(byWorkflow, { results: [met], signers: [] });
    const timestamp = await time.latest();
    const report = encodeReportOf({
      rulebook: reported,
      batchId: byWorkflow.id,
      digest: digestOf(byWorkflow, third),
      observedAt: Number(third.attestation.observedAt),
    });
    const signed = signReport(don, { executionId: "one", workflow, report, timestamp });
    await forwarder.report(world.escrow, signed.rawReport, signed.reportContext, signed.signatures);

    const settlements = [
      await attested(world, simple, [met]),
      await signedBy(lacking, results, everybody(world, lacking, 0)),
      await signedBy(byConditions, results, everybody(world, byConditions, 0, 2)),
      third,
    ];
    const events = await eventsOf(world, world.escrow.settleMany(settlements));
    const reason = world.conditions.interface.encodeErrorResult("PatientSignatureMissing", [2n]);
    expect(events.filter(([name]) => name === "SettlementSkipped")).to.deep.equal([["SettlementSkipped", 1n, reason]]);
    for (const [batch, open] of [
      [simple, 0n],
      [lacking, lacking.terms.total],
      [byConditions, 0n],
      [byWorkflow, 0n],
    ] as const)
      expect((await world.escrow.claimBatchStatusOf(batch.id)).open).to.equal(open);
  });
});

describe("AttesterConditions: what was signed for something else", () => {
  /** A batch above 1,000.00 and its settlement with the signatures over `digestFrom`. */
  async function offered(
    digestFrom: (world: World, batch: PatientBatch, settlement: SettlementStruct) => Promise<string>,
  ) {
    const world = await loadFixture(deployWorld);
    const batch = await fundedPatientBatch(world, [[THOUSAND + 1n]]);
    const settlement = await settlementOf(batch, { results: [met], signers: [] });
    const digest = await digestFrom(world, batch, settlement);
    const signatures = packSignatures(packedOf(digest, everybody(world, batch, 0)));
    return { world, batch, sent: settle(world.escrow, withSignatures(settlement, signatures)) };
  }
  const changed = (batch: TestBatch, settlement: SettlementStruct, changes: Partial<SettlementStruct["attestation"]>) =>
    Promise.resolve(digestOf(batch, { ...settlement, attestation: { ...settlement.attestation, ...changes } }));

  const elsewhere: Record<string, Parameters<typeof offered>[0]> = {
    "another batch": async (world, _, settlement) => digestOf(await fundedPatientBatch(world, [[1n]]), settlement),
    "another chain": (_, batch, settlement) =>
      changed({ ...batch, ref: { ...batch.ref, chainId: 1n } }, settlement, {}),
    "another escrow": (world, batch, settlement) =>
      changed({ ...batch, ref: { ...batch.ref, escrow: world.stranger.address } }, settlement, {}),
    "other results": (_, batch, settlement) => changed(batch, settlement, { results: "0x02" }),
    "results in another form that mean the same": (_, batch, settlement) =>
      changed(batch, settlement, { results: "0x0301" }),
    "other evidence": (_, batch, settlement) => changed(batch, settlement, { evidence: ZeroHash }),
    "another moment": (_, batch, settlement) =>
      changed(batch, settlement, { observedAt: Number(settlement.attestation.observedAt) - 1 }),
    "a longer time": (_, batch, settlement) =>
      changed(batch, settlement, { validUntil: Number(settlement.attestation.validUntil) + 1 }),
    "nothing at all": () => Promise.resolve(id("nothing at all")),
  };
  it("is taken for what it was signed for", async () => {
    const { world, batch, sent } = await offered((_, given, settlement) =>
      Promise.resolve(digestOf(given, settlement)),
    );
    await sent;
    expect((await moneyOf(world, batch)).credits).to.deep.equal([THOUSAND + 1n]);
  });
  for (const [what, digestFrom] of Object.entries(elsewhere))
    it(`is refused: ${what}`, async () => {
      const { world, sent } = await offered(digestFrom);
      await expect(sent).to.be.revertedWithCustomError(world.conditions, "SignatureInvalid").withArgs(0n);
    });

  // The same, if only one of them signed something else.
  for (const [index, who] of ["the pharmacy", "the first network", "the second network", "the patient"].entries())
    it(`is refused if only ${who} signed it`, async () => {
      const world = await loadFixture(deployWorld);
      const batch = await fundedPatientBatch(world, [[THOUSAND + 1n]]);
      const settlement = await settlementOf(batch, { results: [met], signers: [] });
      const signing = everybody(world, batch, 0);
      const right = packedOf(digestOf(batch, settlement), signing);
      const wrong = packedOf(await changed(batch, settlement, { results: "0x02" }), signing);
      const signatures = packSignatures(right.map((one, i) => (i === index ? wrong[i]! : one)));
      await expect(settle(world.escrow, withSignatures(settlement, signatures)))
        .to.be.revertedWithCustomError(world.conditions, "SignatureInvalid")
        .withArgs(BigInt(index));
    });

  it("is refused: the terms of a batch with another root over patients' keys, which was never funded", async () => {
    const world = await loadFixture(deployWorld);
    const batch = await fundedPatientBatch(world, [[THOUSAND + 1n]]);
    const terms = { ...batch.terms, manifestRoot: id("a root of their own") };
    const { attestation } = await signedBy(batch, [met], everybody(world, batch, 0));
    await expect(world.escrow.settle(terms, batch.words, attestation)).to.be.revertedWithCustomError(
      world.escrow,
      "ClaimBatchUnknown",
    );
  });

  it("is refused: groups with a smaller subtotal, for which the patient is not asked", async () => {
    const world = await loadFixture(deployWorld);
    const batch = await fundedPatientBatch(world, [[THOUSAND + 1n]]);
    const { attestation } = await signedBy(batch, [met], everybody(world, batch));
    await expect(
      world.escrow.settle(batch.terms, [BigInt(batch.words[0]!) - 1n], attestation),
    ).to.be.revertedWithCustomError(world.escrow, "GroupsMismatch");
  });

  it("is refused: groups of another payee, who signs for them", async () => {
    const world = await loadFixture(deployWorld);
    const batch = await fundedPatientBatch(world, [[1n]]);
    const other = await plainBatchOf(world, [[1n], [1n]]);
    const signing = [{ attester: AT.pharmacy, key: world.pharmacies[1]! }, ...networksSign(world, 0, 1)];
    const { attestation } = await signedBy(batch, [met], signing);
    await expect(world.escrow.settle(batch.terms, [other.words[1]!], attestation)).to.be.revertedWithCustomError(
      world.escrow,
      "GroupsMismatch",
    );
  });

  it("is refused: an attester of another condition", async () => {
    const claims = await loadFixture(deployClaims);
    const [one, other] = [accountKey("of the first condition"), accountKey("of the second condition")];
    const groups = [conditionOf(1, [one.signer]), conditionOf(1, [other.signer])];
    const rulebook = await publish(claims.rulebooks, rulebookOf([], 0, { attesterGroups: groups }));
    const batch = await fundedBatch(claims, [[1n]], { rulebook });
    const sign = (...keys: (typeof one)[]) =>
      signedBy(
        batch,
        [met],
        keys.map((key, attester) => ({ attester, key })),
      );
    await expect(settle(claims.escrow, await sign(other, one)))
      .to.be.revertedWithCustomError(claims.escrow, "SignatureInvalid")
      .withArgs(0n);
    await expect(settle(claims.escrow, await sign(one, one)))
      .to.be.revertedWithCustomError(claims.escrow, "SignatureInvalid")
      .withArgs(1n);
    await settle(claims.escrow, await sign(one, other));
    expect((await moneyOf(claims, batch)).credits).to.deep.equal([1n]);
  });
});
