import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroAddress, dataSlice, id } from "ethers";
import { ethers } from "hardhat";

import { met, notMet } from "../../support/batches";
import { deployClaims, fundedBatch } from "../../support/claims";
import { extensionOf } from "../../support/implementations";
import { deployForwarder, signReport } from "../../support/keystone";
import { DAY, deploySystem } from "../../support/system";
import {
  NOTHING,
  asForwarder,
  changeForwarder,
  deployReporting,
  executionOf,
  keptOf,
  large,
  metadataOf,
  reportOf,
  reportSettlement,
  small,
  unsigned,
} from "./fixture";

const IRECEIVER = dataSlice(id("onReport(bytes,bytes)"), 0, 4);

describe("WorkflowReceiver: the forwarder", () => {
  it("is nobody unless the deployment names one, and then this one", async () => {
    expect(await (await loadFixture(deployClaims)).receiver.forwarder()).to.equal(ZeroAddress);
    const forwarder = await deployForwarder((await ethers.getSigners())[0]!, small);
    const { receiver } = await deploySystem(await forwarder.getAddress());
    expect(await receiver.forwarder()).to.equal(await forwarder.getAddress());
  });

  it("is named by the upgrader after its delay, and not before", async () => {
    const { accessManager, escrow, receiver, admin, stranger } = await loadFixture(deployClaims);
    await expect(receiver.setForwarder(stranger))
      .to.be.revertedWithCustomError(accessManager, "AccessManagerNotScheduled")
      .withArgs(
        await accessManager.hashOperation(
          admin,
          escrow,
          receiver.interface.encodeFunctionData("setForwarder", [stranger.address]),
        ),
      );
    const call = receiver.interface.encodeFunctionData("setForwarder", [stranger.address]);
    await accessManager.schedule(escrow, call, 0);
    const scheduled = await time.latest();
    await time.setNextBlockTimestamp(scheduled + 14 * DAY - 1);
    await expect(accessManager.execute(escrow, call)).to.be.revertedWithCustomError(
      accessManager,
      "AccessManagerNotReady",
    );
    await time.setNextBlockTimestamp(scheduled + 14 * DAY);
    await expect(receiver.setForwarder(stranger)).to.emit(receiver, "ForwarderSet").withArgs(stranger.address);
    expect(await receiver.forwarder()).to.equal(stranger.address);
  });

  it("is named by nobody else", async () => {
    const { accessManager, escrow, receiver, governance, payer, stranger, suspender } =
      await loadFixture(deployReporting);
    for (const caller of [governance, payer, stranger, suspender]) {
      await expect(receiver.connect(caller).setForwarder(caller))
        .to.be.revertedWithCustomError(receiver, "AccessManagedUnauthorized")
        .withArgs(caller.address);
      const call = receiver.interface.encodeFunctionData("setForwarder", [caller.address]);
      await expect(accessManager.connect(caller).schedule(escrow, call, 0)).to.be.revertedWithCustomError(
        accessManager,
        "AccessManagerUnauthorizedCall",
      );
    }
  });

  async function withReport() {
    const context = await loadFixture(deployReporting);
    const batch = await fundedBatch(context, [[100n]]);
    const settlement = await unsigned(batch, [met]);
    await reportSettlement(context, batch, settlement);
    const recorded = () => context.receiver.reportOf(context.rulebook, batch.id);
    return { context, batch, settlement, recorded };
  }

  it("is refused once there is another, and what it reported stays", async () => {
    const { context, batch, settlement, recorded } = await withReport();
    const old = await asForwarder(context);
    const next = await deployForwarder(context.admin, large);
    await changeForwarder(context, await next.getAddress());
    const newer = await unsigned(batch, [notMet]);
    const encoded = await reportOf(context, batch, newer);
    await expect(context.receiver.connect(old).onReport(metadataOf(context.workflow), encoded))
      .to.be.revertedWithCustomError(context.receiver, "NotForwarder")
      .withArgs(old.address);
    expect(await recorded()).to.deep.equal(await keptOf(context, batch, settlement));

    const { rawReport, reportContext, signatures } = signReport(large, executionOf(context, "next", [encoded]));
    await next.report(context.escrow, rawReport, reportContext, signatures);
    expect(await recorded()).to.deep.equal(await keptOf(context, batch, newer));
  });

  it("brings no old report back by another forwarder, which has delivered nothing yet", async () => {
    const { context, batch, settlement, recorded } = await withReport();
    const newer = await unsigned(batch, [notMet]);
    await reportSettlement(context, batch, newer);
    const next = await deployForwarder(context.admin, small);
    await changeForwarder(context, await next.getAddress());
    const encoded = await reportOf(context, batch, settlement);
    const { rawReport, reportContext, signatures } = signReport(small, executionOf(context, "old", [encoded]));
    await expect(next.report(context.escrow, rawReport, reportContext, signatures)).to.emit(
      context.receiver,
      "ReportOutdated",
    );
    expect(await recorded()).to.deep.equal(await keptOf(context, batch, newer));
  });

  it("can be nobody again", async () => {
    const { context, batch, settlement, recorded } = await withReport();
    const old = await asForwarder(context);
    await changeForwarder(context, ZeroAddress);
    await expect(
      context.receiver
        .connect(old)
        .onReport(metadataOf(context.workflow), await reportOf(context, batch, await unsigned(batch, [notMet]))),
    ).to.be.revertedWithCustomError(context.receiver, "NotForwarder");
    expect(await recorded()).to.deep.equal(await keptOf(context, batch, settlement));
  });
});

describe("WorkflowReceiver: at the escrow's address", () => {
  it("answers for IReceiver and ERC-165, and for nothing else", async () => {
    const { escrow, receiver } = await loadFixture(deployClaims);
    for (const contract of [escrow, receiver])
      for (const [interfaceId, answer] of [
        [IRECEIVER, true],
        ["0x01ffc9a7", true],
        ["0xffffffff", false],
        ["0x00000000", false],
        ["0x12345678", false],
      ] as const)
        expect(await contract.supportsInterface(interfaceId), interfaceId).to.equal(answer);
  });

  it("answers the same from the extension itself", async () => {
    const { escrow } = await loadFixture(deployReporting);
    const extension = await extensionOf(escrow);
    expect(await extension.supportsInterface(IRECEIVER)).to.equal(true);
    expect(await extension.supportsInterface("0x01ffc9a7")).to.equal(true);
    expect(await extension.supportsInterface("0xffffffff")).to.equal(false);
  });

  it("takes no ether, with or without a call that it knows", async () => {
    const { escrow, receiver, stranger } = await loadFixture(deployReporting);
    for (const data of [
      "0x",
      "0x12345678",
      receiver.interface.encodeFunctionData("forwarder"),
      receiver.interface.encodeFunctionData("onReport", ["0x", "0x"]),
      receiver.interface.encodeFunctionData("setForwarder", [stranger.address]),
    ])
      await expect(stranger.sendTransaction({ to: escrow, data, value: 1n })).to.be.reverted;
    expect(await ethers.provider.getBalance(escrow)).to.equal(0n);
  });

  it("reverts without a reason what neither the escrow nor its extension knows", async () => {
    const { escrow, stranger } = await loadFixture(deployReporting);
    for (const data of ["0x", "0x00", "0x1234", "0x12345678", `0x12345678${"00".repeat(100)}`])
      await expect(stranger.sendTransaction({ to: escrow, data })).to.be.revertedWithoutReason();
  });

  it("passes on what the extension returns and how it fails", async () => {
    const { escrow, receiver, forwarder, stranger } = await loadFixture(deployReporting);
    const call = (data: string) => stranger.call({ to: escrow, data });
    const returned = await call(receiver.interface.encodeFunctionData("forwarder"));
    expect(receiver.interface.decodeFunctionResult("forwarder", returned)[0]).to.equal(await forwarder.getAddress());
    await expect(receiver.connect(stranger).onReport("0x", "0x"))
      .to.be.revertedWithCustomError(receiver, "NotForwarder")
      .withArgs(stranger.address);
  });

  it("tells it of rulebooks only if the rulebooks contract does", async () => {
    const { receiver, admin, governance, stranger, suspender, rulebook } = await loadFixture(deployReporting);
    for (const caller of [admin, governance, stranger, suspender]) {
      const as = receiver.connect(caller);
      for (const told of [
        () => as.onRulebookPublished(id("another"), stranger),
        () => as.onRulebookSuspended(rulebook),
        () => as.onRulebookResumed(rulebook),
        () => as.onAttesterSuspended(rulebook, stranger),
      ])
        await expect(told()).to.be.revertedWithCustomError(receiver, "NotRulebooks").withArgs(caller.address);
    }
  });
});

describe("WorkflowReceiver: the extension, called where it lies", () => {
  it("does nothing, for anybody", async () => {
    const context = await loadFixture(deployReporting);
    const extension = await extensionOf(context.escrow);
    const { admin, governance, stranger, rulebook, workflow } = context;
    expect(await extension.getAddress()).not.to.equal(await context.escrow.getAddress());
    expect(await extension.forwarder()).to.equal(ZeroAddress);
    expect(await extension.reportOf(rulebook, id("batch"))).to.deep.equal(NOTHING);
    for (const caller of [admin, governance, stranger, await asForwarder(context)]) {
      const as = extension.connect(caller);
      await expect(as.onReport(metadataOf(workflow), "0x")).to.be.revertedWithCustomError(extension, "NotForwarder");
      await expect(as.setForwarder(caller)).to.be.revertedWithCustomError(extension, "AccessManagedUnauthorized");
      for (const told of [
        () => as.onRulebookPublished(rulebook, caller),
        () => as.onRulebookSuspended(rulebook),
        () => as.onRulebookResumed(rulebook),
        () => as.onAttesterSuspended(rulebook, caller),
      ])
        await expect(told()).to.be.revertedWithCustomError(extension, "NotRulebooks");
    }
  });
});
