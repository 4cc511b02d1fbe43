import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroHash, id } from "ethers";
import { ethers, upgrades } from "hardhat";

import { roles } from "../../deploy/roles";
import { byLine, met, pending, settle, settlementOf } from "../support/batches";
import { DIRECT } from "../support/consents";
import { DOLLAR, POOL, type Funded, batchOf, creditOf, deployFunded, freeOf, fundedBatchOf } from "../support/funded";
import { deployImplementation } from "../support/implementations";
import { DAY, kinds, register } from "../support/system";
import { fundUnder, given } from "../unit/Mandates/fixture";

import { implementations, type Implementation } from "./layouts";

const DELAY = 14 * DAY;
const ADMIN_ROLE = 0n;
/** Any word. */
const WORD = id("a word");

const proxyOf = (system: Funded, name: Implementation) =>
  ({
    OrganizationRegistry: system.registry,
    Rulebooks: system.rulebooks,
    Mandates: system.mandates,
    ClaimEscrow: system.escrow,
    ConsentRegistry: system.consentRegistry,
    PatientRecovery: system.patientRecovery,
    AccessLog: system.accessLog,
  })[name];

/** Call that replaces an implementation. */
const upgradeTo = (context: Funded, implementation: string, data = "0x"): string =>
  context.escrow.interface.encodeFunctionData("upgradeToAndCall", [implementation, data]);

/** The system, and a new implementation of `name` whose upgrade the upgrader has scheduled. */
async function schedule(context: Funded, name: Implementation) {
  const { accessManager } = context;
  const proxy = proxyOf(context, name);
  const next = await deployImplementation(name);
  const call = upgradeTo(context, next);
  await accessManager.schedule(proxy, call, 0);
  const operation = await accessManager.hashOperation(context.admin, proxy, call);
  return { proxy, next, call, operation, ready: (await time.latest()) + DELAY };
}

describe("Upgrades", () => {
  for (const name of implementations) {
    describe(`of ${name}`, () => {
      it("are for the upgrader only", async () => {
        const context = await loadFixture(deployFunded);
        const proxy = proxyOf(context, name);
        const next = await deployImplementation(name);
        for (const caller of [context.stranger, context.payer])
          await expect(proxy.connect(caller).upgradeToAndCall(next, "0x"))
            .to.be.revertedWithCustomError(proxy, "AccessManagedUnauthorized")
            .withArgs(caller.address);
        const selector = proxy.interface.getFunction("upgradeToAndCall").selector;
        expect(await context.accessManager.getTargetFunctionRole(proxy, selector)).to.equal(roles.upgrader.id);
      });

      it("are not for an upgrader that scheduled none", async () => {
        const context = await loadFixture(deployFunded);
        const { accessManager, admin } = context;
        const proxy = proxyOf(context, name);
        const next = await deployImplementation(name);
        await expect(proxy.connect(admin).upgradeToAndCall(next, "0x"))
          .to.be.revertedWithCustomError(accessManager, "AccessManagerNotScheduled")
          .withArgs(await accessManager.hashOperation(admin, proxy, upgradeTo(context, next)));
      });

      it("wait 14 days, to the second", async () => {
        const context = await loadFixture(deployFunded);
        const { accessManager, admin } = context;
        const { proxy, next, operation, ready } = await schedule(context, name);
        await time.setNextBlockTimestamp(ready - 1);
        await expect(proxy.connect(admin).upgradeToAndCall(next, "0x"))
          .to.be.revertedWithCustomError(accessManager, "AccessManagerNotReady")
          .withArgs(operation);
        await time.setNextBlockTimestamp(ready);
        await expect(proxy.connect(admin).upgradeToAndCall(next, "0x")).to.emit(proxy, "Upgraded").withArgs(next);
        expect(await upgrades.erc1967.getImplementationAddress(await proxy.getAddress())).to.equal(next);
      });

      it("go to the implementation that was scheduled, and no other", async () => {
        const context = await loadFixture(deployFunded);
        const { accessManager, admin } = context;
        const { proxy, ready } = await schedule(context, name);
        const other = await deployImplementation(name);
        await time.setNextBlockTimestamp(ready);
        await expect(proxy.connect(admin).upgradeToAndCall(other, "0x")).to.be.revertedWithCustomError(
          accessManager,
          "AccessManagerNotScheduled",
        );
      });

      it("do not initialise anything again", async () => {
        const context = await loadFixture(deployFunded);
        const { accessManager, stranger } = context;
        const proxy = proxyOf(context, name);
        const count = proxy.interface.getFunction("initialize").inputs.length;
        const initialize = proxy.interface.encodeFunctionData(
          "initialize" as never,
          Array<string>(count).fill(stranger.address) as never,
        );
        const next = await deployImplementation(name);
        const call = upgradeTo(context, next, initialize);
        await accessManager.schedule(proxy, call, 0);
        await time.increase(DELAY);
        await expect(accessManager.execute(proxy, call)).to.be.revertedWithCustomError(proxy, "InvalidInitialization");
      });

      it("are refused for what could not be upgraded again", async () => {
        const context = await loadFixture(deployFunded);
        const { accessManager, token } = context;
        const proxy = proxyOf(context, name);
        const call = upgradeTo(context, await token.getAddress());
        const proxyFactory = await ethers.getContractFactory("ERC1967Proxy");
        await accessManager.schedule(proxy, call, 0);
        await time.increase(DELAY);
        await expect(accessManager.execute(proxy, call))
          .to.be.revertedWithCustomError(proxyFactory, "ERC1967InvalidImplementation")
          .withArgs(await token.getAddress());
      });
    });

    describe(`The implementation of ${name}`, () => {
      it("cannot be initialised, nor can its proxy once more", async () => {
        const context = await loadFixture(deployFunded);
        const proxy = proxyOf(context, name);
        const bare = await upgrades.erc1967.getImplementationAddress(await proxy.getAddress());
        const fresh = await deployImplementation(name);
        const count = proxy.interface.getFunction("initialize").inputs.length;
        const data = proxy.interface.encodeFunctionData(
          "initialize" as never,
          Array<string>(count).fill(context.stranger.address) as never,
        );
        for (const to of [bare, fresh, await proxy.getAddress()])
          await expect(context.stranger.sendTransaction({ to, data })).to.be.revertedWithCustomError(
            proxy,
            "InvalidInitialization",
          );
      });

      it("cannot be upgraded itself", async () => {
        const context = await loadFixture(deployFunded);
        const bare = await deployImplementation(name);
        const call = upgradeTo(context, bare);
        await expect(context.admin.sendTransaction({ to: bare, data: call })).to.be.revertedWithCustomError(
          context.escrow,
          "UUPSUnauthorizedCallContext",
        );
      });
    });
  }

  it("keep every balance, batch, rulebook, standing, mandate, stopped second, patient, revocation, contact and root", async () => {
    const context = await loadFixture(deployFunded);
    const { admin, escrow, registry, rulebooks, mandates, payer, pharmacy, suspender, rulebook, attesters } = context;
    const { consentRegistry, patientRecovery, accessLog } = context;
    const token = await context.token.getAddress();
    const signers = attesters.slice(0, 2);
    const batch = await fundedBatchOf(context);
    const results = batch.groups.map(({ payee }) => (payee === pharmacy.address ? byLine(met, pending) : met));
    await settle(escrow, await settlementOf(batch, { results, signers }));
    await escrow.pause();
    await time.increase(DAY);
    await escrow.unpause();
    await rulebooks.connect(suspender).suspend(rulebook);
    await time.increase(DAY);
    await rulebooks.connect(suspender).resume(rulebook);
    await registry.suspend(context.laboratory);
    const { id: mandateId, mandate } = await given(context);
    await register(registry, context.operator.address, kinds.gateway);
    await accessLog.connect(context.operator).append(1, WORD);
    const own = consentRegistry.connect(context.stranger);
    const patient = await own.register.staticCall(WORD, WORD, DIRECT);
    await own.register(WORD, WORD, DIRECT);
    await own.revokeGrant(patient, 7, DIRECT);
    await own.revokeDocument(patient, WORD, DIRECT);
    await own.setRestrictions(patient, WORD, DIRECT);
    await own.anchor(WORD);
    await patientRecovery.connect(context.stranger).changeContacts(patient, ZeroHash, WORD, DIRECT);
    const rest = await settlementOf(batch, {
      results: [met, met],
      signers,
      open: [batch.groups.findIndex(({ payee }) => payee === pharmacy.address)],
    });

    const stateOf = async () => [
      await escrow.claimBatchStatusOf(batch.id),
      await escrow.closedLinesOf(batch.id, 0n),
      await escrow.attestByOf(batch.terms),
      await escrow.balancesOf(payer, token),
      await escrow.balancesOf(pharmacy, token),
      await escrow.standingOf(context.laboratory),
      await rulebooks.rulebookOf(rulebook),
      await rulebooks.rulebookStatusOf(rulebook),
      await mandates.mandateStatusOf(mandateId),
      await registry.standingOf(payer),
      await registry.standingListener(),
      await consentRegistry.patientOf(patient),
      await consentRegistry.controllerOf(patient),
      await consentRegistry.isGrantRevoked(patient, 7),
      await consentRegistry.isDocumentRevoked(patient, WORD),
      await consentRegistry.restrictionsOf(patient),
      await consentRegistry.anchoredAt(WORD),
      await consentRegistry.recovery(),
      await patientRecovery.contactsOf(patient),
      await accessLog.logOf(context.operator),
    ];
    // The change of contacts takes place in the meantime, by itself.
    await time.increase(DELAY);
    const before = await stateOf();
    const scheduled = [];
    for (const name of implementations) scheduled.push(await schedule(context, name));
    await time.increase(DELAY);
    for (const { proxy, next } of scheduled) await proxy.connect(admin).upgradeToAndCall(next, "0x");
    expect(await stateOf()).to.deep.equal(before);
    await own.revokeGrant(patient, 8, DIRECT);
    await accessLog.connect(context.operator).append(2, WORD);

    // What was signed for the escrow before still settles in it, and the mandate is still good.
    await settle(escrow, rest);
    expect(await creditOf(escrow, pharmacy.address, token)).to.equal(115n * DOLLAR);
    await fundUnder(context, mandate, await batchOf(context, { lines: { [pharmacy.address]: [DOLLAR] } }));
    expect(await freeOf(escrow, payer.address, token)).to.equal(POOL - 191n * DOLLAR);
  });
});

describe("Governance", () => {
  it("waits 14 days as well, so that nobody becomes upgrader sooner", async () => {
    const { accessManager, governance, escrow, stranger } = await loadFixture(deployFunded);
    expect(await accessManager.hasRole(ADMIN_ROLE, governance)).to.deep.equal([true, BigInt(DELAY)]);
    const calls = [
      accessManager.interface.encodeFunctionData("grantRole", [roles.upgrader.id, stranger.address, 0]),
      accessManager.interface.encodeFunctionData("grantRole", [ADMIN_ROLE, stranger.address, 0]),
      accessManager.interface.encodeFunctionData("setTargetFunctionRole", [
        await escrow.getAddress(),
        [escrow.interface.getFunction("upgradeToAndCall").selector],
        roles.pauser.id,
      ]),
      accessManager.interface.encodeFunctionData("updateAuthority", [await escrow.getAddress(), stranger.address]),
    ];
    const to = await accessManager.getAddress();
    for (const data of calls) {
      const operation = await accessManager.hashOperation(governance, to, data);
      await expect(governance.sendTransaction({ to, data }))
        .to.be.revertedWithCustomError(accessManager, "AccessManagerNotScheduled")
        .withArgs(operation);
      await accessManager.connect(governance).schedule(to, data, 0);
      const ready = (await time.latest()) + DELAY;
      await time.setNextBlockTimestamp(ready - 1);
      await expect(governance.sendTransaction({ to, data }))
        .to.be.revertedWithCustomError(accessManager, "AccessManagerNotReady")
        .withArgs(operation);
    }
  });

  it("is not the deployer, who is left without power over roles and upgrades", async () => {
    const { accessManager, admin, escrow, stranger } = await loadFixture(deployFunded);
    expect(await accessManager.hasRole(ADMIN_ROLE, admin)).to.deep.equal([false, 0n]);
    expect(await accessManager.hasRole(roles.upgrader.id, admin)).to.deep.equal([true, BigInt(DELAY)]);
    await expect(accessManager.connect(admin).grantRole(roles.upgrader.id, stranger, 0))
      .to.be.revertedWithCustomError(accessManager, "AccessManagerUnauthorizedAccount")
      .withArgs(admin.address, ADMIN_ROLE);
    await expect(accessManager.connect(admin).updateAuthority(escrow, stranger)).to.be.revertedWithCustomError(
      accessManager,
      "AccessManagerUnauthorizedAccount",
    );
  });
});
