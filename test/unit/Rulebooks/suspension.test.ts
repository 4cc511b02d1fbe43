import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { id, toBeHex } from "ethers";
import { ethers } from "hardhat";

import { deployImplementation } from "../../support/consents";
import { deployFunded } from "../../support/funded";
import { publish, rulebookOf } from "../../support/system";

describe("Rulebooks: suspend", () => {
  it("stops the rulebook", async () => {
    const { rulebooks, rulebook, suspender } = await loadFixture(deployFunded);
    await expect(rulebooks.connect(suspender).suspend(rulebook))
      .to.emit(rulebooks, "RulebookSuspended")
      .withArgs(rulebook);
    expect(await rulebooks.rulebookStatusOf(rulebook)).to.deep.equal([true, true]);
  });

  it("stops no other rulebook of the same suspender", async () => {
    const { rulebooks, rulebook, suspender, stranger } = await loadFixture(deployFunded);
    const other = await publish(rulebooks, rulebookOf([stranger.address], 1, { suspender: suspender.address }));
    await rulebooks.connect(suspender).suspend(rulebook);
    expect(await rulebooks.rulebookStatusOf(other)).to.deep.equal([true, false]);
  });

  for (const count of [1, 6, 7, 8, 32])
    it(`stops and resumes a rulebook of ${count} attesters`, async () => {
      const { rulebooks, suspender } = await loadFixture(deployFunded);
      const attesters = Array.from({ length: count }, (_, i) => toBeHex(i + 1, 20));
      const rulebook = await publish(rulebooks, rulebookOf(attesters, 1, { suspender: suspender.address }));
      await rulebooks.connect(suspender).suspend(rulebook);
      expect(await rulebooks.rulebookStatusOf(rulebook)).to.deep.equal([true, true]);
      await rulebooks.connect(suspender).resume(rulebook);
      expect(await rulebooks.rulebookStatusOf(rulebook)).to.deep.equal([true, false]);
    });

  it("is for the suspender only", async () => {
    const { rulebooks, rulebook, admin, attesters, payer } = await loadFixture(deployFunded);
    for (const caller of [admin, attesters[0]!, payer])
      await expect(rulebooks.connect(caller).suspend(rulebook))
        .to.be.revertedWithCustomError(rulebooks, "NotSuspender")
        .withArgs(rulebook, caller.address);
  });

  it("is for nobody where the rulebook names no suspender", async () => {
    const { rulebooks, admin, stranger } = await loadFixture(deployFunded);
    const rulebook = await publish(rulebooks, rulebookOf([stranger.address], 1));
    for (const caller of [admin, stranger])
      await expect(rulebooks.connect(caller).suspend(rulebook))
        .to.be.revertedWithCustomError(rulebooks, "NotSuspender")
        .withArgs(rulebook, caller.address);
  });

  it("refuses one that is suspended", async () => {
    const { rulebooks, rulebook, suspender } = await loadFixture(deployFunded);
    await rulebooks.connect(suspender).suspend(rulebook);
    await expect(rulebooks.connect(suspender).suspend(rulebook))
      .to.be.revertedWithCustomError(rulebooks, "RulebookIsSuspended")
      .withArgs(rulebook);
  });

  it("refuses one that was never published", async () => {
    const { rulebooks, suspender } = await loadFixture(deployFunded);
    await expect(rulebooks.connect(suspender).suspend(id("nobody's")))
      .to.be.revertedWithCustomError(rulebooks, "RulebookUnknown")
      .withArgs(id("nobody's"));
  });
});

describe("Rulebooks: resume", () => {
  async function deploySuspended() {
    const context = await loadFixture(deployFunded);
    await context.rulebooks.connect(context.suspender).suspend(context.rulebook);
    return context;
  }

  it("lets the rulebook go on, and be suspended anew", async () => {
    const { rulebooks, rulebook, suspender } = await loadFixture(deploySuspended);
    await expect(rulebooks.connect(suspender).resume(rulebook))
      .to.emit(rulebooks, "RulebookResumed")
      .withArgs(rulebook);
    expect(await rulebooks.rulebookStatusOf(rulebook)).to.deep.equal([true, false]);
    await rulebooks.connect(suspender).suspend(rulebook);
    expect(await rulebooks.rulebookStatusOf(rulebook)).to.deep.equal([true, true]);
  });

  it("is for the suspender only", async () => {
    const { rulebooks, rulebook, admin, payer } = await loadFixture(deploySuspended);
    for (const caller of [admin, payer])
      await expect(rulebooks.connect(caller).resume(rulebook))
        .to.be.revertedWithCustomError(rulebooks, "NotSuspender")
        .withArgs(rulebook, caller.address);
  });

  it("refuses one that is not suspended", async () => {
    const { rulebooks, rulebook, suspender } = await loadFixture(deployFunded);
    await expect(rulebooks.connect(suspender).resume(rulebook))
      .to.be.revertedWithCustomError(rulebooks, "RulebookNotSuspended")
      .withArgs(rulebook);
  });

  it("refuses one that was never published", async () => {
    const { rulebooks, suspender } = await loadFixture(deployFunded);
    await expect(rulebooks.connect(suspender).resume(id("nobody's")))
      .to.be.revertedWithCustomError(rulebooks, "RulebookUnknown")
      .withArgs(id("nobody's"));
  });
});

describe("Rulebooks: setRulebookListener", () => {
  /** A contract that knows no listener yet, under an access manager whose admin need not wait. */
  async function deployUnset() {
    const context = await loadFixture(deployFunded);
    const manager = await ethers.deployContract("AccessManager", [context.admin]);
    const implementation = await deployImplementation("Rulebooks");
    const initializer = implementation.interface.encodeFunctionData("initialize", [await manager.getAddress()]);
    const proxy = await ethers.deployContract("ERC1967Proxy", [implementation, initializer]);
    return { ...context, unset: await ethers.getContractAt("Rulebooks", await proxy.getAddress()) };
  }

  it("names the listener", async () => {
    const { admin, escrow, unset } = await loadFixture(deployUnset);
    await expect(unset.connect(admin).setRulebookListener(escrow))
      .to.emit(unset, "RulebookListenerSet")
      .withArgs(await escrow.getAddress());
  });

  it("is refused a second time", async () => {
    const { admin, escrow, unset, stranger } = await loadFixture(deployUnset);
    await unset.connect(admin).setRulebookListener(escrow);
    for (const other of [stranger.address, await escrow.getAddress()])
      await expect(unset.connect(admin).setRulebookListener(other))
        .to.be.revertedWithCustomError(unset, "RulebookListenerAlreadySet")
        .withArgs(await escrow.getAddress());
  });

  it("is for the admin only", async () => {
    const { escrow, payer, stranger, unset } = await loadFixture(deployUnset);
    for (const caller of [payer, stranger])
      await expect(unset.connect(caller).setRulebookListener(escrow))
        .to.be.revertedWithCustomError(unset, "AccessManagedUnauthorized")
        .withArgs(caller.address);
  });

  it("has to come before anything is published", async () => {
    const { stranger, unset } = await loadFixture(deployUnset);
    await expect(unset.publish(rulebookOf([stranger.address], 1))).to.be.revertedWithCustomError(
      unset,
      "RulebookListenerMissing",
    );
  });

  it("that refuses leaves nothing published", async () => {
    const { admin, escrow, receiver, stranger, unset } = await loadFixture(deployUnset);
    // The escrow listens to another rulebooks contract.
    await unset.connect(admin).setRulebookListener(escrow);
    const rulebook = rulebookOf([stranger.address], 1);
    await expect(unset.publish(rulebook))
      .to.be.revertedWithCustomError(receiver, "NotRulebooks")
      .withArgs(await unset.getAddress());
    expect(await unset.queryFilter(unset.filters.RulebookPublished())).to.deep.equal([]);
  });
});
