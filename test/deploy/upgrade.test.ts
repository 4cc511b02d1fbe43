import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";
import { BrowserProvider, Contract, Interface } from "ethers";

import { checkDeployment, deployCarepact, isSound, parametersOf } from "../../deploy/deploying";
import type { Failure } from "../../deploy/failure";
import type { Site } from "../../deploy/site";
import { implementationOf, partsOf } from "../../deploy/system";
import { executeUpgrade, prepareUpgrade, scheduleUpgrade } from "../../deploy/upgrading";
import type { Deployment } from "../../sdk/src/chain/deployment";

import { DAY, embeddedSite, emptyFolder, parametersFile, pass, thrownBy } from "./support";

const WEEK = 7 * DAY;
const proxy = "Mandates";
const contract = "MandatesV2";
const wanted = { proxy, contract };

describe("An upgrade on Hardhat's own chain", () => {
  let site: Site;
  let deployment: Deployment;
  let first: string;

  const blocks = (): Promise<number> => deployed.provider.getBlockNumber();
  const inUse = (): Promise<string> => implementationOf(deployed.provider, deployment.mandates);
  const registryOf = (): Promise<string> => site.provider.getStorage(deployment.mandates, 0);

  let deployed: Site;
  let snapshot: unknown;

  before(async () => {
    deployed = await embeddedSite();
    const parameters = parametersFile({ governance: deployed.accounts[9], upgrader: deployed.accounts[0] });
    deployed = { ...deployed, options: { ...deployed.options, parameters } };
    ({ deployment } = await deployCarepact(deployed));
    first = await inUse();
  });
  /** Each begins with the chain and the journal as they were after the deployment. */
  beforeEach(async () => {
    snapshot = await deployed.node.request({ method: "evm_snapshot" });
    site = { ...deployed, journal: join(emptyFolder(), "journal") };
    cpSync(deployed.journal!, site.journal!, { recursive: true });
  });
  afterEach(() => deployed.node.request({ method: "evm_revert", params: [snapshot] }));

  it("says that a step was sent when the node is lost before it is mined, and does it once", async () => {
    await prepareUpgrade(site, wanted);
    const lostAt = (method: string): BrowserProvider =>
      new BrowserProvider({
        request: (call) =>
          call.method === method ? Promise.reject(new Error("HH108: Cannot connect")) : site.node.request(call),
      });
    for (const method of ["eth_sendTransaction", "eth_getTransactionReceipt"]) {
      const lost = await thrownBy<Failure>(scheduleUpgrade({ ...site, provider: lostAt(method) }, wanted));
      expect(lost.kind, lost.message).to.equal("unknown");
      expect(lost.message).to.include("Run this again");
    }
    expect(await scheduleUpgrade(site, wanted)).to.include({ stage: "scheduled", sent: 0 });
  });

  it("waits 14 days and is done then, each step once however often it is asked for", async () => {
    const prepared = await prepareUpgrade(site, wanted);
    expect(prepared).to.include({ stage: "prepared", current: first, sent: 1 });
    expect(await prepareUpgrade(site, wanted)).to.deep.equal({ ...prepared, sent: 0 });

    const notScheduled = await thrownBy(executeUpgrade(site, wanted));
    expect(notScheduled.message).to.include("is not scheduled.");

    const scheduled = await scheduleUpgrade(site, wanted);
    const { timestamp } = (await site.provider.getBlock("latest"))!;
    expect(scheduled).to.include({ stage: "scheduled", sent: 1, ready: timestamp + 14 * DAY });
    await pass(site.node, DAY);
    expect(await scheduleUpgrade(site, wanted)).to.deep.equal({ ...scheduled, sent: 0 });

    const block = await blocks();
    const early = await thrownBy<Failure>(executeUpgrade(site, wanted));
    expect(early.kind).to.equal("early");
    expect(early.details).to.include({ ready: scheduled.ready });
    expect(early.message)
      .to.include(new Date(scheduled.ready! * 1_000).toISOString())
      .and.to.include("in 13 days");
    expect([await blocks(), await inUse()]).to.deep.equal([block, first]);

    const state = await registryOf();
    await pass(site.node, 13 * DAY);
    const done = await executeUpgrade(site, wanted);
    expect(done).to.include({ stage: "done", current: prepared.next, sent: 1 });
    expect(await inUse()).to.equal(prepared.next);
    expect(await registryOf()).to.equal(state);
    for (const step of [prepareUpgrade, scheduleUpgrade, executeUpgrade])
      expect(await step(site, wanted)).to.include({ stage: "done", current: prepared.next, sent: 0 });
  });

  it("calls its reinitializer in the same transaction", async () => {
    const reader = new Interface(["function setEdition(uint256)", "function edition() view returns (uint256)"]);
    const withCall = { ...wanted, data: reader.encodeFunctionData("setEdition", [2n]) };
    await scheduleUpgrade(site, withCall);
    await pass(site.node, 14 * DAY);
    expect((await thrownBy(executeUpgrade(site, wanted))).message).to.include("is not scheduled");
    await executeUpgrade(site, withCall);
    const mandates = new Contract(deployment.mandates, reader, site.provider);
    expect(await mandates.getFunction("edition")()).to.equal(2n);
  });

  const refused: [string, { proxy: string; contract: string }, string][] = [
    ["would misread what is stored", { proxy, contract: "MandatesReordered" }, "Deleted `registry`"],
    [
      "lacks a namespace of what is deployed",
      { proxy: "Rulebooks", contract: "MandatesV2" },
      "carepact.storage.Rulebooks",
    ],
    ["could not be upgraded again", { proxy, contract: "FallbackToken" }, "not safe behind a proxy"],
    ["is of no proxy", { proxy: "Treasury", contract: "MandatesV2" }, "is no proxy"],
  ];
  it("is refused, before anything is sent, where it would do harm", async () => {
    const block = await blocks();
    for (const [what, harmful, message] of refused)
      for (const step of [prepareUpgrade, scheduleUpgrade])
        expect((await thrownBy(step(site, harmful))).message, what).to.include(message);
    expect(await blocks()).to.equal(block);
  });

  it("is refused where nobody wrote down what the implementation in use has stored", async () => {
    const empty = await embeddedSite({}, 31337, site.node);
    const elsewhere = { ...site, journal: empty.journal };
    expect((await thrownBy(prepareUpgrade(elsewhere, wanted))).message).to.include("was not written down");
  });

  describe("of the escrow", () => {
    const escrow = { proxy: "ClaimEscrow" };

    it("deploys the extension anew that it is made with, and is sound when it is done", async () => {
      const prepared = await prepareUpgrade(site, escrow);
      expect(prepared).to.include({ stage: "prepared", sent: 2 });
      const partsBefore = await partsOf(site.provider, "ClaimEscrow", prepared.current);
      const partsAfter = await partsOf(site.provider, "ClaimEscrow", prepared.next!);
      for (const [i, { name, address }] of partsAfter.entries()) {
        expect(name).to.equal(partsBefore[i]!.name);
        expect(address).not.to.equal(partsBefore[i]!.address);
      }
      expect(await scheduleUpgrade(site, escrow)).to.include({ stage: "scheduled", sent: 1 });
      await pass(site.node, 14 * DAY);
      expect(await executeUpgrade(site, escrow)).to.include({ stage: "done", current: prepared.next });
      expect(isSound(await checkDeployment(site, deployment, await parametersOf(site)))).to.equal(true);
    });

    it("is refused where its extension would misread what is stored", async () => {
      const layouts = join(site.journal!, "layouts");
      const file = join(layouts, `${await implementationOf(site.provider, deployment.claimEscrow)}.json`);
      const held = "erc7201:carepact.storage.HeldLines";
      const recorded = JSON.parse(readFileSync(file, "utf8")) as { layout: { namespaces: Record<string, object[]> } };
      recorded.layout.namespaces[held]!.unshift({ ...recorded.layout.namespaces[held]![0]!, label: "frozen" });
      writeFileSync(file, JSON.stringify(recorded));
      const refused = await thrownBy<Failure>(prepareUpgrade(site, escrow));
      expect(refused.kind).to.equal("refused");
      expect(refused.message).to.include("frozen");
    });
  });

  it("has to be scheduled anew when it was not carried out within a week", async () => {
    await scheduleUpgrade(site, wanted);
    await pass(site.node, 14 * DAY + WEEK);
    const { message } = await thrownBy(executeUpgrade(site, wanted));
    expect(message).to.include("is not scheduled any more");
    expect(await scheduleUpgrade(site, wanted)).to.include({ stage: "scheduled", sent: 1 });
  });

  it("is held against what is in use when it is carried out, not when it was scheduled", async () => {
    await scheduleUpgrade(site, { proxy, contract: "Mandates" });
    const other = await scheduleUpgrade(site, wanted);
    await pass(site.node, 14 * DAY);
    await executeUpgrade(site, wanted);
    // Back to the first code: the state that the second one added would be lost.
    expect(await thrownBy(executeUpgrade(site, { proxy, contract: "Mandates" }))).to.have.property("kind", "refused");
    expect(await inUse()).to.equal(other.next);
  });

  it("is left to the upgrader where the command does not hold its key", async () => {
    const { next } = await prepareUpgrade(site, wanted);
    const [upgrader, ...others] = site.accounts;
    const without = { ...site, accounts: others };
    const { transaction, stage, sent } = await scheduleUpgrade(without, wanted);
    expect({ stage, sent }).to.deep.equal({ stage: "prepared", sent: 0 });
    expect(transaction).to.include({ from: upgrader, to: deployment.accessManager });
    const signer = await site.provider.getSigner(upgrader);
    await (await signer.sendTransaction(transaction!)).wait();

    expect(await scheduleUpgrade(without, wanted)).to.include({ stage: "scheduled", sent: 0 });
    await pass(site.node, 14 * DAY);
    const last = await executeUpgrade(without, wanted);
    expect(await inUse()).to.equal(first);
    await (await signer.sendTransaction(last.transaction!)).wait();
    expect(await inUse()).to.equal(next);
    expect(await executeUpgrade(without, wanted)).to.include({ stage: "done", sent: 0 });
  });

  it("is only looked at on a public chain, unless --send is said", async () => {
    const block = await blocks();
    expect(await scheduleUpgrade({ ...site, mayUse: "look" }, wanted)).to.include({ stage: "valid", sent: 0 });
    expect(await blocks()).to.equal(block);
  });
});
