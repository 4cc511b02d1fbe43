import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroHash, id } from "ethers";
import { ethers, upgrades } from "hardhat";

import { type Consents, deployConsents } from "../../support/consents";
import { DAY, kinds } from "../../support/system";

import { NOTHING, headOf, logOf, setKinds } from "./fixture";

/**
 * MedRec kept who has access to what in a contract between a patient and a provider (SmartContracts/contracts/Relationship.sol),
 * which either of them could destroy, and of which anybody could change who the provider is. What worked there is tried here by
 * a gateway: one in good standing, one that is suspended, one that is none any more.
 */
async function deployWithLog() {
  const context = await deployConsents();
  await context.accessLog.append(1, id("day 1"));
  await time.increase(DAY);
  await context.accessLog.append(2, id("day 2"));
  return { ...context, before: await logOf(context.accessLog, context.gateway.address) };
}

const standings: [string, (context: Consents) => Promise<unknown>][] = [
  ["a gateway in good standing", () => Promise.resolve()],
  ["a gateway that is suspended", ({ organizations, gateway }) => organizations.suspend(gateway)],
  [
    "an account that is no gateway any more",
    ({ organizations, gateway }) => setKinds(organizations, gateway.address, kinds.clinic),
  ],
];

describe("Attacks that work on MedRec: the record of access", () => {
  for (const [who, become] of standings) {
    it(`is destroyed by the provider (Relationship.terminate): not here by ${who}`, async () => {
      const context = await loadFixture(deployWithLog);
      const { accessLog, gateway, before } = context;
      await become(context);
      for (const attempt of attemptsOf(context, gateway)) await expect(attempt()).to.be.reverted;
      expect(await logOf(accessLog, gateway.address)).to.deep.equal(before);
      expect(await accessLog.queryFilter(accessLog.filters.AccessRootAnchored(gateway.address))).to.have.length(2);
    });

    it(`is written anew, which destroying it led to: not here by ${who}`, async () => {
      const context = await loadFixture(deployWithLog);
      const { accessLog, gateway, before } = context;
      await become(context);
      for (const sequence of [0n, 1n, 2n])
        await expect(accessLog.append(sequence, id("what did not happen")))
          .to.be.revertedWithCustomError(accessLog, "SequenceNotNext")
          .withArgs(gateway.address, 3n);
      // It can say more, and what it says follows from what it said.
      const sent = accessLog.append(3, id("what did not happen"));
      await sent;
      const at = BigInt(await time.latest());
      const head = headOf(before.head, 3n, id("what did not happen"), at);
      await expect(sent)
        .to.emit(accessLog, "AccessRootAnchored")
        .withArgs(gateway.address, 3n, id("what did not happen"), head, at);
    });
  }

  it("says two things at once: of two roots with one number, the second is refused", async () => {
    const { accessLog, gateway } = await loadFixture(deployWithLog);
    await ethers.provider.send("evm_setAutomine", [false]);
    const gasLimit = 200_000;
    const [one, other] = [
      await accessLog.append(3, id("to the patient"), { gasLimit }),
      await accessLog.append(3, id("to the auditor"), { gasLimit }),
    ];
    await ethers.provider.send("evm_mine", []);
    await ethers.provider.send("evm_setAutomine", [true]);
    const receipts = await Promise.all([one, other].map(({ hash }) => ethers.provider.getTransactionReceipt(hash)));
    expect(receipts.map((receipt) => receipt?.status)).to.deep.equal([1, 0]);
    const told = await accessLog.queryFilter(accessLog.filters.AccessRootAnchored(gateway.address, 3));
    expect(told.map(({ args }) => args.root)).to.deep.equal([id("to the patient")]);
  });

  it("is changed by anybody in the provider's name (Relationship.setProviderAddress): not here, whoever calls", async () => {
    const context = await loadFixture(deployWithLog);
    const { accessLog, gateway, before, admin, relayer, stranger, clinic } = context;
    for (const caller of [admin, relayer, stranger, clinic]) {
      await expect(accessLog.connect(caller).append(3, id("in the gateway's name")))
        .to.be.revertedWithCustomError(accessLog, "SequenceNotNext")
        .withArgs(caller.address, 1n);
      await expect(accessLog.connect(caller).append(1, id("in its own name")))
        .to.be.revertedWithCustomError(accessLog, "NotGateway")
        .withArgs(caller.address);
      expect(await logOf(accessLog, caller.address)).to.deep.equal(NOTHING);
    }
    expect(await logOf(accessLog, gateway.address)).to.deep.equal(before);
  });

  it("is stopped by who vets organizations: it can take the standing, and not the record", async () => {
    const context = await loadFixture(deployWithLog);
    const { accessLog, organizations, gateway, before } = context;
    await organizations.suspend(gateway);
    await setKinds(organizations, gateway.address, kinds.payer);
    expect(await logOf(accessLog, gateway.address)).to.deep.equal(before);
    await expect(accessLog.append(3, id("what it did until then"))).to.emit(accessLog, "AccessRootAnchored");
  });

  it("has a function that removes, replaces or toggles: there is none", async () => {
    const { accessLog } = await loadFixture(deployWithLog);
    const writes: string[] = [];
    accessLog.interface.forEachFunction((fragment) => {
      if (!fragment.constant) writes.push(fragment.name);
    });
    expect(writes).to.have.members(["append", "initialize", "setAuthority", "upgradeToAndCall"]);
    // Refuses SELFDESTRUCT, and DELEGATECALL beyond the upgrade that the access manager guards.
    await upgrades.validateImplementation(await ethers.getContractFactory("AccessLog"), { kind: "uups" });
  });
});

/** All that can be called, by the provider, in the provider's interest. */
function attemptsOf({ accessLog: log }: Consents, provider: HardhatEthersSigner): (() => Promise<unknown>)[] {
  const accessLog = log.connect(provider);
  const call = (signature: string): (() => Promise<unknown>) => {
    return () => provider.sendTransaction({ to: log, data: id(signature).slice(0, 10) });
  };
  return [
    call("terminate()"),
    call("setProviderAddress(string)"),
    call("removeViewerGroup(uint256)"),
    () => accessLog.append(0, ZeroHash),
    () => accessLog.append(3, ZeroHash),
    () => accessLog.append(1, id("day 1")),
    () => accessLog.upgradeToAndCall(provider, "0x"),
    () => accessLog.initialize(provider, provider),
    () => accessLog.setAuthority(provider),
  ];
}
