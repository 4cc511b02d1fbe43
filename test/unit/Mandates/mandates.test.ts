import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroHash, id as idOf } from "ethers";
import { ethers } from "hardhat";

import type { MandateStruct } from "../../../typechain-types/contracts/claims/Mandates";
import { deployFunded } from "../../support/funded";

import { deployWithMandate, given, mandateIdOf, mandateOf } from "./fixture";

const LOW = "0x0000000000000000000000000000000000000001";
const HIGH = "0x0000000000000000000000000000000000000002";

describe("Mandates: giveMandate", () => {
  it("puts the mandate in force under the hash of its terms", async () => {
    const context = await loadFixture(deployFunded);
    const { mandates, payer, operator } = context;
    const mandate = await mandateOf(context, { payees: [LOW, HIGH] });
    const id = mandateIdOf(mandates, mandate);
    expect(await mandates.mandateStatusOf(id)).to.deep.equal([false, 0n, 0n]);
    expect(await mandates.connect(payer).giveMandate.staticCall(mandate)).to.equal(id);

    const terms = [
      mandate.payer,
      mandate.operator,
      mandate.token,
      mandate.cap,
      mandate.period,
      mandate.start,
      mandate.end,
      mandate.payeeKinds,
      mandate.rulebooks,
      mandate.payees,
      mandate.salt,
    ];
    await expect(mandates.connect(payer).giveMandate(mandate))
      .to.emit(mandates, "MandateGiven")
      .withArgs(id, payer.address, operator.address, terms);
    expect(await mandates.mandateStatusOf(id)).to.deep.equal([true, 0n, 0n]);
  });

  it("is for the payer itself", async () => {
    const context = await loadFixture(deployFunded);
    const { mandates, payer, operator } = context;
    await expect(mandates.connect(operator).giveMandate(await mandateOf(context)))
      .to.be.revertedWithCustomError(mandates, "NotMandatesPayer")
      .withArgs(payer.address, operator.address);
  });

  const invalid: [string, (mandate: MandateStruct) => Partial<MandateStruct>][] = [
    ["that ends as it starts", ({ start }) => ({ end: start })],
    ["that ends before it starts", ({ start }) => ({ end: Number(start) - 1 })],
    ["with a period of zero", () => ({ period: 0 })],
    ["with a cap of zero", () => ({ cap: 0 })],
    ["without a rulebook", () => ({ rulebooks: [] })],
    ["with neither payees nor kinds", () => ({ payeeKinds: 0 })],
    ["with payees that descend", () => ({ payees: [HIGH, LOW] })],
    ["with a payee named twice", () => ({ payees: [LOW, LOW] })],
  ];
  for (const [what, changes] of invalid)
    it(`refuses one ${what}`, async () => {
      const context = await loadFixture(deployFunded);
      const { mandates, payer } = context;
      const mandate = await mandateOf(context);
      await expect(
        mandates.connect(payer).giveMandate({ ...mandate, ...changes(mandate) }),
      ).to.be.revertedWithCustomError(mandates, "MandateInvalid");
    });

  it("takes one that names payees and no kinds", async () => {
    const context = await loadFixture(deployFunded);
    const { id } = await given(context, { payeeKinds: 0, payees: [LOW, HIGH] });
    expect((await context.mandates.mandateStatusOf(id)).inForce).to.equal(true);
  });

  it("refuses the same a second time, also after it was ended", async () => {
    const { mandates, payer, mandate, id } = await loadFixture(deployWithMandate);
    const again = () => mandates.connect(payer).giveMandate(mandate);
    await expect(again()).to.be.revertedWithCustomError(mandates, "MandateAlreadyGiven").withArgs(id);
    await mandates.connect(payer).endMandate(mandate);
    await expect(again()).to.be.revertedWithCustomError(mandates, "MandateAlreadyGiven").withArgs(id);
  });

  it("takes equal terms with another salt", async () => {
    const { mandates, payer, mandate, id } = await loadFixture(deployWithMandate);
    const other = { ...mandate, salt: ZeroHash };
    await mandates.connect(payer).giveMandate(other);
    expect(mandateIdOf(mandates, other)).not.to.equal(id);
    expect((await mandates.mandateStatusOf(mandateIdOf(mandates, other))).inForce).to.equal(true);
  });
});

describe("Mandates: endMandate", () => {
  it("takes the mandate out of force", async () => {
    const { mandates, payer, mandate, id } = await loadFixture(deployWithMandate);
    await expect(mandates.connect(payer).endMandate(mandate))
      .to.emit(mandates, "MandateEnded")
      .withArgs(id, payer.address);
    expect(await mandates.mandateStatusOf(id)).to.deep.equal([false, 0n, 0n]);
  });

  it("leaves the payer's other mandates in force", async () => {
    const context = await loadFixture(deployWithMandate);
    const other = await given(context);
    await context.mandates.connect(context.payer).endMandate(context.mandate);
    expect((await context.mandates.mandateStatusOf(other.id)).inForce).to.equal(true);
  });

  it("is for the payer itself", async () => {
    const { mandates, payer, operator, mandate } = await loadFixture(deployWithMandate);
    await expect(mandates.connect(operator).endMandate(mandate))
      .to.be.revertedWithCustomError(mandates, "NotMandatesPayer")
      .withArgs(payer.address, operator.address);
  });

  it("refuses one that was never given, and one that was ended", async () => {
    const { mandates, payer, mandate, id } = await loadFixture(deployWithMandate);
    const unknown = { ...mandate, salt: ZeroHash };
    await expect(mandates.connect(payer).endMandate(unknown))
      .to.be.revertedWithCustomError(mandates, "MandateNotInForce")
      .withArgs(mandateIdOf(mandates, unknown));
    await mandates.connect(payer).endMandate(mandate);
    await expect(mandates.connect(payer).endMandate(mandate))
      .to.be.revertedWithCustomError(mandates, "MandateNotInForce")
      .withArgs(id);
  });
});

describe("Mandates: setEscrow", () => {
  /** A contract that knows no escrow yet, under an access manager whose admin need not wait. */
  async function deployUnset() {
    const context = await loadFixture(deployFunded);
    const manager = await ethers.deployContract("AccessManager", [context.admin]);
    const implementation = await ethers.deployContract("Mandates");
    const initializer = implementation.interface.encodeFunctionData("initialize", [
      await manager.getAddress(),
      await context.registry.getAddress(),
    ]);
    const proxy = await ethers.deployContract("ERC1967Proxy", [implementation, initializer]);
    return { ...context, unset: await ethers.getContractAt("Mandates", await proxy.getAddress()) };
  }

  it("names the escrow", async () => {
    const { admin, escrow, unset } = await loadFixture(deployUnset);
    await expect(unset.connect(admin).setEscrow(escrow))
      .to.emit(unset, "EscrowSet")
      .withArgs(await escrow.getAddress());
  });

  it("is refused a second time", async () => {
    const { admin, escrow, unset, stranger } = await loadFixture(deployUnset);
    await unset.connect(admin).setEscrow(escrow);
    for (const other of [stranger.address, await escrow.getAddress()])
      await expect(unset.connect(admin).setEscrow(other))
        .to.be.revertedWithCustomError(unset, "EscrowAlreadySet")
        .withArgs(await escrow.getAddress());
  });

  it("is for the admin only", async () => {
    const { escrow, payer, stranger, unset } = await loadFixture(deployUnset);
    for (const caller of [payer, stranger])
      await expect(unset.connect(caller).setEscrow(escrow))
        .to.be.revertedWithCustomError(unset, "AccessManagedUnauthorized")
        .withArgs(caller.address);
  });
});

describe("Mandates: mandateStatusOf", () => {
  it("knows nothing of a mandate that was never given", async () => {
    const { mandates } = await loadFixture(deployFunded);
    expect(await mandates.mandateStatusOf(idOf("nobody's"))).to.deep.equal([false, 0n, 0n]);
  });
});
