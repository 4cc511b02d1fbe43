import { readFileSync } from "node:fs";

import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";

import type { Deployment } from "@carepact/sdk";
import { attestationDigestOf, type AttestationStatement } from "@carepact/sdk/claims";
import { encodeReport } from "@carepact/sdk/oracles";

import type { KeystoneForwarder } from "../../typechain-types";
import { deployForwarder, donOf, signReport, workflowOf } from "../support/keystone";

import { accounts, command, fill, npis, type Json } from "./support";
import { fundedUnder, peopledWorld, type Peopled, type RuledBatch } from "./world";

const { pharmacy: pharmacist, stranger } = accounts;
const DON = donOf(1, 4, 1);
const WORKFLOW = workflowOf("dispenses");

interface Reporting extends Peopled {
  forwarder: KeystoneForwarder;
  ruled: RuledBatch;
}

/** A batch that Chainlink's forwarder settles, with a workflow's report, or one attester. */
async function reportingWorld(): Promise<Reporting> {
  const [owner] = await ethers.getSigners();
  const forwarder = await deployForwarder(owner!, DON);
  const world = await peopledWorld(await forwarder.getAddress());
  const { id, owner: author } = WORKFLOW;
  const rules = {
    conditions: [{ attesters: [world.address(accounts.attesters[0])] }],
    workflow: { id, owner: author, name: "dispenses" },
  };
  const claims = [fill("11", "90.00", npis.pharmacy), fill("12", "12.34", npis.laboratory)];
  return { ...world, forwarder, ruled: await fundedUnder(world, "reported", rules, claims) };
}

const statementOf = (path: string): AttestationStatement =>
  JSON.parse(readFileSync(path, "utf8")) as AttestationStatement;

/** The nodes of the network sign what a file states, and anybody brings it to the forwarder. */
async function report({ at, forwarder, ruled }: Reporting, path: string, executionId: string): Promise<void> {
  const { chainId, claimEscrow } = JSON.parse(readFileSync(at.deployment, "utf8")) as Deployment;
  const statement = statementOf(path);
  const { batchId, observedAt } = statement;
  const digest = attestationDigestOf(statement, { chainId, escrow: claimEscrow });
  const payload = encodeReport({ rulebook: ruled.rulebook, batchId, digest, observedAt });
  const { rawReport, reportContext, signatures } = signReport(DON, {
    executionId,
    workflow: WORKFLOW,
    report: payload,
  });
  await forwarder.report(claimEscrow, rawReport, reportContext, signatures, { gasLimit: 1_000_000 });
}

describe("Tasks: what a workflow reports", () => {
  it("is shown, compared, and settles what it says, through Chainlink's forwarder", async () => {
    const world = await loadFixture(reportingWorld);
    const { at, does, fails, path, file, address, ruled } = world;
    const { batch, batchId, rulebook } = ruled;
    const [first, last] = [path("reports.first.json"), path("reports.last.json")];
    const results = file("reports.results.json", { [address(pharmacist)]: "met" });
    const said = await does("", "batch:statement", { file: batch, results, out: first });
    expect(said.says).to.have.deep.members([
      { payee: address(pharmacist), result: "met" },
      { payee: address(accounts.laboratory), result: "pending" },
    ]);
    expect(statementOf(first)).to.deep.equal(said.statement);

    expect(await does("", "batch:report", { file: batch })).to.include({ batchId, rulebook, reported: false });
    const early = await fails(1, stranger, "batch:settle", { file: batch, reported: first });
    expect(early.json.error).to.include({ code: "ATTESTATION_NOT_REPORTED" });
    await fails(4, undefined, "batch:report", { file: batch, statement: first });

    await report(world, first, "first");
    const shown = await does("", "batch:report", { file: batch, statement: first });
    expect(shown).to.include({ reported: true, sameStatement: true });
    expect(shown.observedAt).to.equal(
      new Date(statementOf(first).observedAt * 1_000).toISOString().replace(".000", ""),
    );
    const settled = await does(stranger, "batch:settle", { file: batch, reported: first });
    expect(settled).to.include({ changed: true, paid: "90.00", freed: "0.00" });
    const again = await command("batch:settle", { ...at, as: stranger, json: false, file: batch, reported: first });
    expect(again.code).to.equal(0);
    expect(again.stdout).to.include("Nothing that is still open is final by this report.");

    await time.increase(60);
    await does("", "batch:statement", { file: batch, all: "met", out: last });
    await report(world, last, "last");
    const outdated = await fails(4, undefined, "batch:report", { file: batch, statement: first });
    expect(outdated.json).to.include({ sameStatement: false });
    expect(await does(stranger, "batch:settle", { file: batch, reported: last })).to.include({ paid: "12.34" });
    expect(await does(stranger, "batch:settle", { file: batch, reported: last })).to.include({ changed: false });
    // A line that was closed before could be in dispute: for that it counts still.
    expect(await does("", "batch:report", { file: batch, statement: last })).to.include({ sameStatement: true });
  });

  it("stands beside signatures, of which the first to come settles", async () => {
    const world = await loadFixture(reportingWorld);
    const { does, path, ruled } = world;
    const { batch } = ruled;
    const [statement, attestation] = [path("both.json"), path("both.attestation.json")];
    await does("", "batch:statement", { file: batch, all: "met", out: statement });
    await does(accounts.attesters[0], "batch:attest", { file: batch, statement, out: attestation });
    await report(world, attestation, "both");
    expect(await does("", "batch:report", { file: batch, statement })).to.include({ sameStatement: true });
    expect(await does(stranger, "batch:settle", { file: batch, attestations: attestation })).to.include({
      paid: "102.34",
    });
    expect(await does(stranger, "batch:settle", { file: batch, reported: statement })).to.include({ changed: false });
  });

  it("needs one statement, and one way to settle", async () => {
    const { fails, file, ruled } = await loadFixture(reportingWorld);
    const { batch } = ruled;
    const odd = file("reports.odd.json", [{}, {}]);
    for (const [options, says] of [
      [{}, /Give --attestations or --reported/],
      [{ attestations: odd, reported: odd }, /Give --attestations or --reported/],
      [{ reported: odd }, /is no statement: one object/],
      [{ reported: file("reports.empty.json", {}) }, /is no statement/],
    ] as [Json, RegExp][]) {
      const call = { file: batch, ...options } as Record<string, string>;
      expect((await fails(2, stranger, "batch:settle", call)).stderr).to.match(says);
    }
  });
});
