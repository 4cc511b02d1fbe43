import { impersonateAccount, loadFixture, setBalance, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { type FunctionFragment, ZeroAddress, ZeroHash, concat } from "ethers";
import { artifacts, ethers, upgrades } from "hardhat";

import { met, settle, settlementOf, type TestBatch } from "../support/batches";
import { type Funded, batchOf, deployFunded, fundedBatchOf } from "../support/funded";
import { encodeReportOf, workflowOf } from "../support/keystone";
import { deployImplementation, extensionOf } from "../support/implementations";
import { DAY, publish, rulebookOf } from "../support/system";

import { questionsOf, settingsOf, unknownAt, verbsOf } from "./bareExtension";
import { upgraderCalls } from "./calls";

const workflow = workflowOf("claim events");
const metadata = concat([workflow.id, workflow.name, workflow.owner, "0x0001"]);

/** Functions of a contract by selector. */
async function functionsOf(name: string): Promise<Map<string, string>> {
  const functions: FunctionFragment[] = [];
  (await ethers.getContractFactory(name)).interface.forEachFunction((one) => functions.push(one));
  return new Map(functions.map((one) => [one.selector, one.format()]));
}

/** Functions of the stop clock, which tells both for how long rulebooks were stopped. */
const stopClock = async (): Promise<string[]> => {
  const functions: string[] = [];
  (await ethers.getContractAt("IStopClock", ZeroAddress)).interface.forEachFunction((one) =>
    functions.push(one.format()),
  );
  return functions;
};

/** The system, whose escrow takes reports from its stranger, and a batch under a rulebook that names a workflow. */
async function deployReporting() {
  const context = await deployFunded();
  const { accessManager, escrow, receiver, rulebooks, attesters, stranger } = context;
  const call = receiver.interface.encodeFunctionData("setForwarder", [stranger.address]);
  await upgraderCalls(accessManager, escrow, call);
  const accounts = attesters.map(({ address }) => address);
  const rulebook = await publish(rulebooks, rulebookOf(accounts, 2, { workflow }));
  const batch = await fundedBatchOf(context, { rulebook });
  return { ...context, rulebook, batch, forwarder: stranger };
}

/** An attestation without signatures, and its report. */
async function reportOn({ escrow }: Funded, batch: TestBatch, rulebook: string) {
  const settlement = await settlementOf(batch, { results: [met, met], signers: [] });
  const { attestation } = settlement;
  const digest = await escrow.attestationDigestOf(batch.id, attestation);
  const observedAt = Number(attestation.observedAt);
  const report = encodeReportOf({ rulebook, batchId: batch.id, digest, observedAt });
  return { settlement, observedAt, report };
}

describe("The escrow's extension", () => {
  it("has no function of a selector that the escrow has, but for what both inherit", async () => {
    const [escrow, extension] = [await functionsOf("ClaimEscrow"), await functionsOf("ClaimEscrowExtension")];
    const inBoth = [...extension].filter(([selector]) => escrow.has(selector));
    // A call of one of these never reaches the extension.
    const inherited = [
      "authority()",
      "eip712Domain()",
      "isConsumingScheduledOp()",
      "setAuthority(address)",
      ...(await stopClock()),
    ];
    expect(inBoth.map(([, signature]) => signature)).to.have.members([...inherited, "supportsInterface(bytes4)"]);
    for (const [selector, signature] of inBoth) expect(escrow.get(selector)).to.equal(signature);
  });

  it("lies where the escrow says, and both ask the conditions that were created with it", async () => {
    const { escrow, receiver } = await loadFixture(deployFunded);
    const extension = await extensionOf(escrow);
    expect(await extension.getAddress()).not.to.equal(await escrow.getAddress());
    expect(await receiver.extension()).to.equal(await extension.getAddress());
    const conditions = await receiver.attesterConditions();
    expect(await extension.attesterConditions()).to.equal(conditions);
    const implementation = await upgrades.erc1967.getImplementationAddress(await escrow.getAddress());
    for (const at of [implementation, await extension.getAddress()]) {
      const code = await ethers.provider.getCode(at);
      expect(code).to.include(conditions.slice(2).toLowerCase());
    }
    const { deployedBytecode } = await artifacts.readArtifact("AttesterConditions");
    const own = conditions.slice(2).toLowerCase();
    const code = (await ethers.provider.getCode(conditions)).replaceAll(own, "0".repeat(40));
    expect(code).to.equal(deployedBytecode);
  });

  it("does nothing for anybody at its own address, nor behind the bare implementation", async () => {
    const context = await loadFixture(deployFunded);
    const { escrow, rulebooks, registry, admin, governance, stranger } = context;
    const implementation = await upgrades.erc1967.getImplementationAddress(await escrow.getAddress());
    const extension = await (await extensionOf(escrow)).getAddress();
    const callers = [admin, governance, stranger, context.payer, context.pharmacy];
    for (const contract of [rulebooks, registry, escrow]) {
      await impersonateAccount(await contract.getAddress());
      await setBalance(await contract.getAddress(), 10n ** 18n);
      callers.push(await ethers.getSigner(await contract.getAddress()));
    }
    for (const at of [extension, implementation]) {
      const bare = await ethers.getContractAt("ClaimEscrowExtension", at);
      const verbs = await verbsOf(context, await unknownAt(context, bare));
      for (const caller of callers)
        for (const write of [...settingsOf(rulebooks, stranger, metadata), ...verbs])
          await expect(write(bare.connect(caller))).to.be.reverted;
      expect(await bare.forwarder()).to.equal(ZeroAddress);
      expect(await bare.paused()).to.equal(false);
    }
  });

  it("knows no claim batch at its own address, nor behind the bare implementation", async () => {
    const context = await loadFixture(deployFunded);
    const implementation = await upgrades.erc1967.getImplementationAddress(await context.escrow.getAddress());
    for (const at of [await (await extensionOf(context.escrow)).getAddress(), implementation]) {
      const bare = await ethers.getContractAt("ClaimEscrowExtension", at);
      const unknown = await unknownAt(context, bare);
      const asked = [...(await verbsOf(context, unknown)), ...questionsOf(unknown)];
      for (const ask of asked)
        await expect(ask(bare)).to.be.revertedWithCustomError(bare, "ClaimBatchUnknown").withArgs(unknown.id);
    }
  });

  it("takes no ether for the escrow, and answers nothing to what nobody knows", async () => {
    const { escrow, stranger } = await loadFixture(deployFunded);
    const to = await escrow.getAddress();
    await expect(stranger.sendTransaction({ to, value: 1n })).to.be.reverted;
    await expect(stranger.sendTransaction({ to, value: 1n, data: "0x12345678" })).to.be.reverted;
    await expect(stranger.sendTransaction({ to, data: "0x12345678" })).to.be.reverted;
    await expect(stranger.sendTransaction({ to })).to.be.reverted;
  });

  it("keeps forwarder and reports through an upgrade, and they settle after it", async () => {
    const context = await loadFixture(deployReporting);
    const { accessManager, admin, escrow, receiver, forwarder, batch, rulebook } = context;
    // It was observed when the upgrade is done.
    const next = await deployImplementation("ClaimEscrow");
    const call = escrow.interface.encodeFunctionData("upgradeToAndCall", [next, "0x"]);
    await accessManager.schedule(escrow, call, 0);
    await time.increase(14 * DAY);
    const { settlement, observedAt, report } = await reportOn(context, batch, rulebook);
    await receiver.connect(forwarder).onReport(metadata, report);
    const before = await receiver.reportOf(rulebook, batch.id);
    expect(before.observedAt).to.equal(observedAt);

    await escrow.connect(admin).upgradeToAndCall(next, "0x");
    expect(await upgrades.erc1967.getImplementationAddress(await escrow.getAddress())).to.equal(next);
    expect(await receiver.forwarder()).to.equal(forwarder.address);
    expect(await receiver.reportOf(rulebook, batch.id)).to.deep.equal(before);
    await settle(escrow, settlement);
    expect((await escrow.claimBatchStatusOf(batch.id)).open).to.equal(0n);
    expect((await receiver.reportOf(rulebook, batch.id)).digest).to.equal(ethers.dataSlice(ZeroHash, 0, 25));
  });

  it("hands on errors of its own as they are", async () => {
    const context = await loadFixture(deployReporting);
    const { receiver, forwarder, payer, rulebook } = context;
    const { report } = await reportOn(context, await batchOf(context), rulebook);
    await expect(receiver.connect(payer).onReport(metadata, report))
      .to.be.revertedWithCustomError(receiver, "NotForwarder")
      .withArgs(payer.address);
    await expect(receiver.connect(forwarder).onReport(metadata, "0x")).to.be.revertedWithCustomError(
      receiver,
      "ReportMalformed",
    );
    await expect(receiver.connect(payer).setForwarder(payer))
      .to.be.revertedWithCustomError(receiver, "AccessManagedUnauthorized")
      .withArgs(payer.address);
  });
});
