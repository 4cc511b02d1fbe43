import { mine, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";

import { run } from "@carepact/sdk";
import { openClaimBatchRecord, type GroupResult, type OpenedRecord } from "@carepact/sdk/claims";
import { createAttester } from "@carepact/sdk/oracles";

import { ledgerFolder, type LedgerFolder } from "../sdk/ledgers";
import { met, notMet, partlyMet } from "../support/batches";
import { GRACE } from "../support/system";

import { attestedOnce, attesting, funded, groupOf, oneFill } from "./attesterWorld";
import { attestations, byClaim, CENT, fill, fundInput, lineOf, nodeWith, refusal, type World } from "./support";

describe("SDK: an attester that forgets what was not paid", () => {
  let folder: LedgerFolder;
  before(() => {
    folder = ledgerFolder();
  });
  after(() => folder.remove());

  const settledBy = (world: World, batch: OpenedRecord, results: GroupResult[]) =>
    attestations(world, batch, results).then((signed) => run(world.payer.claims.settle(batch, signed)));
  const at = { confirmations: 0 };

  it("keeps what can still be paid", async () => {
    const { attester, first } = await attestedOnce(folder);
    const open = { released: 0, kept: [{ group: 0, line: 0, why: "open" }] };
    expect(await attester.release(first, at)).to.deep.equal(open);
    await time.increaseTo(first.terms.eventBy + GRACE + 1);
    expect(await attester.release(first, at)).to.deep.equal(open);
  });

  it("forgets what was reclaimed, once enough blocks stand on it", async () => {
    const world = await attestedOnce(folder);
    const { attester, first } = world;
    await time.increaseTo(first.terms.eventBy + GRACE + 1);
    await run(world.payer.claims.reclaim(first));
    expect((await attester.release(first)).released).to.equal(0);
    await mine(12);
    expect(await attester.release(first)).to.deep.equal({ released: 1, kept: [] });
    expect(await attester.release(first)).to.deep.equal({ released: 0, kept: [] });
    await attester.attest(await oneFill(world), [met]);
  });

  it("keeps what was paid", async () => {
    const world = await attestedOnce(folder);
    const { attester, first } = world;
    await settledBy(world, first, [met]);
    expect(await attester.release(first, at)).to.deep.equal({
      released: 0,
      kept: [{ group: 0, line: 0, why: "paid" }],
    });
  });

  it("keeps what was paid in part, and forgets what others attested as not met", async () => {
    const world = await attesting(folder);
    const { attester, pharmacy } = world;
    const batch = await funded(world, [fill(pharmacy.address, "11", "90.00"), fill(pharmacy.address, "12", "12.34")]);
    const group = groupOf(batch);
    await attester.attest(batch, [met]);
    const some = byClaim(group, { "F-11": partlyMet(CENT), "F-12": notMet });
    await settledBy(world, batch, [some]);
    const paid = lineOf(group, "F-11");
    expect(await attester.release(batch, at)).to.deep.equal({
      released: 1,
      kept: [{ group: 0, line: paid, why: "paid" }],
    });
  });

  it("forgets what the payee reversed, though a later settlement names it", async () => {
    const world = await attesting(folder);
    const { attester, pharmacy } = world;
    const batch = await funded(world, [fill(pharmacy.address, "11", "90.00"), fill(pharmacy.address, "12", "12.34")]);
    const group = groupOf(batch);
    await attester.attest(batch, [met]);
    await run(pharmacy.claims.reverse(group, [lineOf(group, "F-12")]));
    const open = { group: 0, line: lineOf(group, "F-11") };
    expect(await attester.release(batch, at)).to.deep.equal({ released: 1, kept: [{ ...open, why: "open" }] });
    await settledBy(world, batch, [met]);
    expect(await attester.release(batch, at)).to.deep.equal({ released: 0, kept: [{ ...open, why: "paid" }] });
  });

  it("forgets what was refunded in full, and keeps what was in part", async () => {
    const world = await attestedOnce(folder);
    const { attester, first, pharmacy } = world;
    await settledBy(world, first, [met]);
    await run(pharmacy.claims.refund(first, { amount: 8_999n * CENT, from: "credit" }));
    expect((await attester.release(first, at)).kept).to.deep.equal([{ group: 0, line: 0, why: "paid" }]);
    await run(pharmacy.claims.refund(first, { amount: CENT, from: "credit" }));
    expect(await attester.release(first, at)).to.deep.equal({ released: 1, kept: [] });
  });

  it("forgets a batch that was never funded, when nobody can fund it any more", async () => {
    const world = await attesting(folder);
    const { attester, pharmacy, payer } = world;
    const input = await fundInput(world, [fill(pharmacy.address, "11", "90.00")]);
    const { record } = await payer.claims.fund(input).simulate();
    const batch = openClaimBatchRecord(record);
    await attester.attest(batch, [met]);
    await time.increaseTo(batch.terms.eventBy);
    expect((await attester.release(batch, at)).kept).to.deep.equal([{ group: 0, line: 0, why: "open" }]);
    await mine(1);
    expect(await attester.release(batch, at)).to.deep.equal({ released: 1, kept: [] });
  });

  it("asks the escrow of the batch, and no other", async () => {
    const { attesters, deployment, first, ledger } = await attestedOnce(folder);
    const { runner } = attesters[0].connection;
    for (const other of [
      { ...deployment, claimEscrow: deployment.mandates },
      { ...deployment, chainId: 1 },
    ]) {
      const { details } = await refusal(
        "INPUT_INVALID",
        createAttester({ runner, deployment: other }, { ledger }).release(first, at),
      );
      expect(details["path"]).to.equal("batch");
    }
  });

  it("does not take the word of a node that has lost its old logs", async () => {
    const world = await attestedOnce(folder);
    const { attester, first, ledger } = world;
    await settledBy(world, first, [met]);
    const runner = nodeWith({
      getLogs: () => Promise.resolve([]),
      // ethers' own, by which the SDK asks where it is there.
      send: (method: string, params: unknown[]) =>
        method === "eth_getLogs" ? Promise.resolve([]) : ethers.provider.send(method, params),
    } as Parameters<typeof nodeWith>[0]);
    const forgetful = createAttester({ runner, deployment: world.deployment }, { ledger });
    await refusal("NODE_INCONSISTENT", forgetful.release(first, at));
    expect((await attester.release(first, at)).kept).to.have.length(1);
  });

  it("keeps everything on a chain that is younger than the confirmations", async () => {
    const { attester, first } = await attestedOnce(folder);
    expect(await attester.release(first, { confirmations: 1_000_000 })).to.deep.equal({
      released: 0,
      kept: [{ group: 0, line: 0, why: "open" }],
    });
  });
});
