import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";

import { packGroup, type BuiltClaimBatch } from "../../sdk/src/claims";
import { rulebookIdOf } from "../../sdk/src/rulebooks";
import { readSettings, type Conclusion } from "../../workflows/claim-events/core";
import { runClaimEvents } from "../../workflows/claim-events/node";
import { pharmacy } from "../sdk/claimBatchFixture";
import { deployForwarder, donOf, signReport } from "../support/keystone";
import { deploySystem, deployToken, kinds, register } from "../support/system";

import { FhirServer } from "./fhirServer";
import { batchOf, dispenseOf, fillOf, requestOf, settingsOf, workflowRulebook } from "./world";

const DOLLAR = 1_000_000n;
const don = donOf(7, 4, 1);

/** A system that takes Chainlink's forwarder's word, and a payer with a pool. */
async function deployWorld() {
  const [admin, , payer, stranger] = await ethers.getSigners();
  if (!admin || !payer || !stranger) throw new Error("four signers are needed");
  const forwarder = await deployForwarder(admin, don);
  const system = await deploySystem(await forwarder.getAddress());
  const token = await deployToken();
  await register(system.registry, payer.address, kinds.payer);
  await register(system.registry, pharmacy, kinds.pharmacy);
  await token.mint(payer, 1000n * DOLLAR);
  await token.connect(payer).approve(system.escrow, 1000n * DOLLAR);
  await system.escrow.connect(payer).deposit(payer, token, 1000n * DOLLAR);
  const rulebook = { ...workflowRulebook, attesterGroups: [] };
  await system.rulebooks.publish(rulebook);
  return { ...system, forwarder, token, payer, stranger, rulebook };
}

describe("claim events workflow, on a chain", () => {
  const server = new FhirServer();
  before(() => server.start());
  after(() => server.stop());

  /** A funded batch of HL7's dispense, and what the workflow says of it. */
  async function prepare(): Promise<
    Awaited<ReturnType<typeof deployWorld>> & {
      built: BuiltClaimBatch;
      conclusion: Extract<Conclusion, { outcome: "report" }>;
    }
  > {
    const world = await loadFixture(deployWorld);
    const { escrow, token, payer, rulebook } = world;
    const dispense = dispenseOf("meddisp0307");
    server.serve(dispense);
    const built = await batchOf([fillOf(dispense)], {
      escrow: await escrow.getAddress(),
      payer: payer.address,
      token: { address: await token.getAddress(), symbol: "TUSD", decimals: 6 },
      rulebook,
      eventBy: new Date(((await time.latest()) + 30 * 24 * 3600) * 1000),
    });
    await escrow.connect(payer).fund(built.terms, built.groups.map(packGroup));
    const line = { resource: "MedicationDispense/meddisp0307", subject: "Patient/pat1" };
    const request = requestOf(built, pharmacy, { "A-meddisp0307": line });
    const settings = readSettings(settingsOf(server.base, { escrow: await escrow.getAddress() }));
    const conclusion = await runClaimEvents(request, settings, { now: await time.latest() });
    if (conclusion.outcome !== "report") throw new Error(JSON.stringify(conclusion));
    return { ...world, built, conclusion };
  }

  it("settles what HL7's dispense says, with the nodes' signatures and nobody else's", async () => {
    const { escrow, receiver, forwarder, stranger, token, built, conclusion, rulebook } = await prepare();
    const { workflow } = rulebook;
    const signed = signReport(don, { executionId: "first", workflow, report: conclusion.payload });
    await forwarder
      .connect(stranger)
      .report(await escrow.getAddress(), signed.rawReport, signed.reportContext, signed.signatures);
    const [digest, observedAt] = await receiver.reportOf(rulebookIdOf(rulebook), built.batchId);
    // The escrow keeps the digest's first bytes.
    expect(conclusion.digest.slice(0, digest.length)).to.equal(digest);
    expect(observedAt).to.equal(conclusion.statement.observedAt);

    const words = built.groups.map(packGroup);
    await escrow.connect(stranger).settle(built.terms, words, { ...conclusion.statement, signatures: "0x" });
    const [, credit] = await escrow.balancesOf(pharmacy, token);
    expect(credit).to.equal(90n * DOLLAR);
  });

  it("settles nothing without the report, or with a statement that says something else", async () => {
    const { escrow, forwarder, stranger, built, conclusion, rulebook } = await prepare();
    const words = built.groups.map(packGroup);
    const settle = (statement: object): Promise<unknown> =>
      escrow.connect(stranger).settle(built.terms, words, { ...conclusion.statement, ...statement, signatures: "0x" });
    await expect(settle({})).to.be.reverted;

    const { workflow } = rulebook;
    const signed = signReport(don, { executionId: "second", workflow, report: conclusion.payload });
    await forwarder.report(await escrow.getAddress(), signed.rawReport, signed.reportContext, signed.signatures);
    await expect(settle({ results: "0x02" })).to.be.reverted;
    await expect(settle({ evidence: `0x${"00".repeat(32)}` })).to.be.reverted;
    await settle({});
  });
});
