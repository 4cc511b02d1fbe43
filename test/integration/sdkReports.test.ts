import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { dataSlice, ZeroHash } from "ethers";
import { ethers } from "hardhat";

import { run } from "@carepact/sdk";
import {
  attestationDigestOf,
  statementOf,
  type AttestationStatement,
  type BatchSource,
  type ClaimBatchFile,
  type GroupResult,
} from "@carepact/sdk/claims";
import { createEvents } from "@carepact/sdk/events";
import { encodeReport } from "@carepact/sdk/oracles";

import type { KeystoneForwarder } from "../../typechain-types";
import { met, notMet, pending } from "../support/batches";
import { deployForwarder, donOf, signReport, workflowOf } from "../support/keystone";

import { fundedUnder, type Conditioned } from "./conditionsWorld";
import { CENT, deployWorld, fill, refusal, tests, type World } from "./support";

const DON = donOf(1, 4, 1);
const WORKFLOW = workflowOf("dispenses");

interface Reporting extends World {
  forwarder: KeystoneForwarder;
  batch: Conditioned;
  reports: number;
}

/** The workflow, or two attesters, settle a batch of two payees. */
async function deployReporting(): Promise<Reporting> {
  const [owner] = await ethers.getSigners();
  const forwarder = await deployForwarder(owner!, DON);
  const world = await deployWorld(await forwarder.getAddress());
  const attesters = world.attesters.map(({ address }) => address);
  const batch = await fundedUnder(world, { conditions: [{ threshold: 2, attesters }], workflow: WORKFLOW }, [
    fill(world.pharmacy.address, "11", "90.00"),
    tests(world.laboratory.address, "21", 60),
  ]);
  return { ...world, forwarder, batch, reports: 0 };
}

const statementNow = async (source: BatchSource, results: GroupResult[]): Promise<AttestationStatement> =>
  statementOf(source, results, { observedAt: await time.latest() });

/** The nodes report a statement, and the forwarder brings it. */
async function report(world: Reporting, statement: AttestationStatement): Promise<void> {
  const { batch, forwarder, deployment, stranger } = world;
  const digest = attestationDigestOf(statement, batch.own);
  const { batchId, observedAt } = statement;
  const payload = encodeReport({ rulebook: batch.own.terms.rulebook, batchId, digest, observedAt });
  const execution = { executionId: `execution ${(world.reports += 1)}`, workflow: WORKFLOW, report: payload };
  const { rawReport, reportContext, signatures } = signReport(DON, execution);
  await forwarder
    .connect(stranger.signer)
    .report(deployment.claimEscrow, rawReport, reportContext, signatures, { gasLimit: 1_000_000 });
}

describe("SDK: reports of workflows", () => {
  it("settles by what the workflow reported, which anybody may bring", async () => {
    const world = await loadFixture(deployReporting);
    const { batch, stranger } = world;
    expect(await stranger.claims.reportOf(batch.file)).to.equal(undefined);
    const reported = await statementNow(batch.file, [met, pending]);
    await report(world, reported);
    const digest = dataSlice(attestationDigestOf(reported, batch.own), 0, 25);
    expect(await stranger.claims.reportOf(batch.file)).to.deep.equal({ digest, observedAt: reported.observedAt });
    const settling = stranger.claims.settle(batch.file, { reported });
    const [first] = batch.own.groups;
    expect(await settling.simulate()).to.deep.equal({ paid: first!.subtotal, freed: 0n });
    expect((await run(settling)).groups.map(({ payee }) => payee)).to.deep.equal([first!.payee]);
    // Half of the batch is open: the report stays.
    expect(await stranger.claims.reportOf(batch.file)).not.to.equal(undefined);

    const last = { ...reported, results: statementOf(batch.file, [met, met]).results, observedAt: await time.latest() };
    await report(world, last);
    await run(stranger.claims.settle(batch.file, { reported: last }));
    // Lines that were closed before could be in dispute, for which it may be brought still.
    expect(await stranger.claims.reportOf(batch.file)).not.to.equal(undefined);
    expect((await stranger.claims.status(batch.file)).open).to.equal(0n);
  });

  it("forgets a report that settled the whole batch at once", async () => {
    const world = await loadFixture(deployReporting);
    const { batch, stranger } = world;
    const reported = await statementNow(batch.file, [met, met]);
    await report(world, reported);
    await run(stranger.claims.settle(batch.file, { reported }));
    expect(await stranger.claims.reportOf(batch.file)).to.equal(undefined);
  });

  it("settles many by a mix of reports and attesters", async () => {
    const world = await loadFixture(deployReporting);
    const { batch, attesters, stranger, pharmacy } = world;
    const accounts = { conditions: [{ threshold: 1, attesters: [attesters[0].address] }] };
    const other = await fundedUnder(world, accounts, [fill(pharmacy.address, "12", "10.00")]);
    const reported = await statementNow(batch.file, [met, met]);
    await report(world, reported);
    const attestation = await attesters[0].claims.attest(other.file, [met]);
    const { settlements } = await run(
      stranger.claims.settleMany([
        { batch: batch.file, reported },
        { batch: other.file, attestations: [attestation] },
      ]),
    );
    expect(settlements.map((one) => "paid" in one && one.paid)).to.deep.equal([15_000n * CENT, 1_000n * CENT]);
  });

  describe("given what cannot settle, says so before anything is sent", () => {
    const settling = ({ stranger }: World, file: ClaimBatchFile, reported: AttestationStatement): Promise<unknown> =>
      stranger.claims.settle(file, { reported }).simulate();

    it("nothing was reported, or something else last: ATTESTATION_NOT_REPORTED", async () => {
      const world = await loadFixture(deployReporting);
      const { batch } = world;
      const first = await statementNow(batch.file, [met, met]);
      const none = await refusal("ATTESTATION_NOT_REPORTED", settling(world, batch.file, first));
      expect(none.details["recorded"]).to.equal(null);
      await report(world, first);
      const second = await statementNow(batch.file, [notMet, met]);
      await report(world, second);
      const outdated = await refusal("ATTESTATION_NOT_REPORTED", settling(world, batch.file, first));
      expect(outdated.details["recorded"]).to.include({ observedAt: second.observedAt });
      await settling(world, batch.file, second);
    });

    it("it has expired: ATTESTATION_EXPIRED", async () => {
      const world = await loadFixture(deployReporting);
      const { batch } = world;
      const statement = await statementNow(batch.file, [met, met]);
      const brief = { ...statement, validUntil: statement.observedAt + 60 };
      await report(world, brief);
      await time.increase(100);
      await refusal("ATTESTATION_EXPIRED", settling(world, batch.file, brief));
    });

    it("it is another batch's, or no statement: ATTESTATION_WRONG_BATCH", async () => {
      const world = await loadFixture(deployReporting);
      const { batch } = world;
      const statement = await statementNow(batch.file, [met, met]);
      await refusal("ATTESTATION_WRONG_BATCH", settling(world, batch.file, { ...statement, batchId: ZeroHash }));
      await refusal("ATTESTATION_WRONG_BATCH", settling(world, batch.file, { ...statement, results: "met" }));
    });

    it("the rulebook names only a workflow, and attesters signed: ATTESTATION_TOO_FEW", async () => {
      const world = await loadFixture(deployReporting);
      const { pharmacy, attesters, stranger } = world;
      const only = await fundedUnder(world, { conditions: [], workflow: WORKFLOW }, [
        fill(pharmacy.address, "13", "10.00"),
      ]);
      const signed = [await attesters[0].claims.attest(only.file, [met])];
      await refusal("ATTESTATION_TOO_FEW", stranger.claims.settle(only.file, signed).simulate());
      const { payee, privateKey } = { payee: pharmacy.address, privateKey: pharmacy.keys.privateKey };
      const accepted = { acceptedRulebooks: "any", acceptedTokens: "any" } as const;
      const checked = await pharmacy.claims.check(only.file, { payee, privateKey, ...accepted });
      expect(checked).to.deep.include({ needs: { payee: false, patientLines: [], workflow: "alone" } });
    });
  });

  it("tells of reports in the events of the escrow", async () => {
    const world = await loadFixture(deployReporting);
    const { batch, deployment, stranger, forwarder } = world;
    const first = await statementNow(batch.file, [met, met]);
    await report(world, first);
    await report(world, { ...first, results: statementOf(batch.file, [notMet, met]).results });
    const events = createEvents({ runner: stranger.signer, deployment });
    const told: [string, unknown][] = [];
    for await (const { name, args } of events.read({
      contracts: ["ClaimEscrow"],
      names: ["AttestationReported", "ReportOutdated", "ForwarderSet"],
    }))
      told.push([name, args]);
    const { batchId, terms } = batch.own;
    const at = BigInt(first.observedAt);
    const digest = attestationDigestOf(first, batch.own);
    expect(told.slice(-3)).to.deep.equal([
      ["ForwarderSet", { forwarder: await forwarder.getAddress() }],
      ["AttestationReported", { batchId, rulebook: terms.rulebook, digest, observedAt: at }],
      ["ReportOutdated", { batchId, rulebook: terms.rulebook, observedAt: at, recordedAt: at }],
    ]);
    const own = events.read({ names: ["AttestationReported"], args: { batchId } });
    expect((await own.next()).value).to.have.nested.property("args.observedAt", at);
  });
});
