import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroAddress } from "ethers";

import { DOLLAR, POOL, creditOf, deployFunded, deployPaid, freeOf } from "../../support/funded";
import { deployToken } from "../../support/system";

const EARNED = 115n * DOLLAR;

describe("ClaimEscrow: withdraw", () => {
  it("sends free balance of the caller wherever it says", async () => {
    const { escrow, token, payer, stranger } = await loadFixture(deployFunded);
    const withdrawal = escrow.connect(payer).withdraw(token, 100n * DOLLAR, stranger);
    await expect(withdrawal).to.changeTokenBalances(
      token,
      [escrow, payer, stranger],
      [-100n * DOLLAR, 0n, 100n * DOLLAR],
    );
    await expect(withdrawal)
      .to.emit(escrow, "Withdrawn")
      .withArgs(await token.getAddress(), payer.address, stranger.address, 100n * DOLLAR);
    expect(await escrow.balancesOf(payer, token)).to.deep.equal([POOL - 100n * DOLLAR, 0n]);
  });

  it("sends all of it, and not a base unit more", async () => {
    const { escrow, payer, ...rest } = await loadFixture(deployFunded);
    const token = await rest.token.getAddress();
    await expect(escrow.connect(payer).withdraw(token, POOL + 1n, payer))
      .to.be.revertedWithCustomError(escrow, "FreeBalanceTooSmall")
      .withArgs(payer.address, token, POOL, POOL + 1n);
    await escrow.connect(payer).withdraw(token, POOL, payer);
    expect(await freeOf(escrow, payer.address, token)).to.equal(0n);
    await expect(escrow.connect(payer).withdraw(token, 1n, payer))
      .to.be.revertedWithCustomError(escrow, "FreeBalanceTooSmall")
      .withArgs(payer.address, token, 0n, 1n);
  });

  it("works for a payer that lost its good standing", async () => {
    const { escrow, registry, token, payer } = await loadFixture(deployFunded);
    await registry.suspend(payer);
    await expect(escrow.connect(payer).withdraw(token, POOL, payer)).to.changeTokenBalance(token, payer, POOL);
  });

  it("touches neither the credit of the caller nor money in batches", async () => {
    const { escrow, pharmacy, ...rest } = await loadFixture(deployPaid);
    const token = await rest.token.getAddress();
    await expect(escrow.connect(pharmacy).withdraw(token, 1n, pharmacy))
      .to.be.revertedWithCustomError(escrow, "FreeBalanceTooSmall")
      .withArgs(pharmacy.address, token, 0n, 1n);
  });

  it("touches no other token", async () => {
    const { escrow, payer } = await loadFixture(deployFunded);
    const other = await deployToken();
    await expect(escrow.connect(payer).withdraw(other, 1n, payer))
      .to.be.revertedWithCustomError(escrow, "FreeBalanceTooSmall")
      .withArgs(payer.address, await other.getAddress(), 0n, 1n);
  });

  it("refuses an amount of zero", async () => {
    const { escrow, token, payer } = await loadFixture(deployFunded);
    await expect(escrow.connect(payer).withdraw(token, 0n, payer)).to.be.revertedWithCustomError(escrow, "AmountZero");
  });

  it("refuses the zero address, and the escrow itself, which would book nothing", async () => {
    const { escrow, token, payer } = await loadFixture(deployFunded);
    for (const account of [ZeroAddress, await escrow.getAddress()])
      await expect(escrow.connect(payer).withdraw(token, DOLLAR, account))
        .to.be.revertedWithCustomError(escrow, "AccountInvalid")
        .withArgs(account);
  });
});

describe("ClaimEscrow: payout", () => {
  it("sends the whole credit to the payee, whoever calls", async () => {
    const { escrow, token, pharmacy, stranger } = await loadFixture(deployPaid);
    expect(await escrow.connect(stranger).payout.staticCall(token, pharmacy)).to.equal(EARNED);
    const payout = escrow.connect(stranger).payout(token, pharmacy);
    await expect(payout).to.changeTokenBalances(token, [escrow, pharmacy, stranger], [-EARNED, EARNED, 0n]);
    await expect(payout)
      .to.emit(escrow, "PaidOut")
      .withArgs(await token.getAddress(), pharmacy.address, pharmacy.address, EARNED);
    expect(await escrow.balancesOf(pharmacy, token)).to.deep.equal([0n, 0n]);
  });

  it("leaves others' credit and the payee's free balance", async () => {
    const { escrow, token, payer, pharmacy, laboratory } = await loadFixture(deployPaid);
    await escrow.connect(payer).deposit(pharmacy, token, DOLLAR);
    await escrow.payout(token, pharmacy);
    expect(await escrow.balancesOf(pharmacy, token)).to.deep.equal([DOLLAR, 0n]);
    expect(await escrow.balancesOf(laboratory, token)).to.deep.equal([0n, 75n * DOLLAR]);
  });

  it("works for a payee that lost its good standing", async () => {
    const { escrow, registry, token, pharmacy } = await loadFixture(deployPaid);
    await registry.suspend(pharmacy);
    await expect(escrow.payout(token, pharmacy)).to.changeTokenBalance(token, pharmacy, EARNED);
  });

  it("refuses a payee without credit, and a second time", async () => {
    const { escrow, token, payer, pharmacy } = await loadFixture(deployPaid);
    await expect(escrow.payout(token, payer)).to.be.revertedWithCustomError(escrow, "AmountZero");
    await expect(escrow.payout(token, ZeroAddress)).to.be.revertedWithCustomError(escrow, "AmountZero");
    await escrow.payout(token, pharmacy);
    await expect(escrow.payout(token, pharmacy)).to.be.revertedWithCustomError(escrow, "AmountZero");
  });
});

describe("ClaimEscrow: payoutTo", () => {
  it("sends part of the caller's credit wherever it says", async () => {
    const { escrow, token, pharmacy, stranger } = await loadFixture(deployPaid);
    const payout = escrow.connect(pharmacy).payoutTo(token, 15n * DOLLAR, stranger);
    await expect(payout).to.changeTokenBalances(token, [escrow, pharmacy, stranger], [-15n * DOLLAR, 0n, 15n * DOLLAR]);
    await expect(payout)
      .to.emit(escrow, "PaidOut")
      .withArgs(await token.getAddress(), pharmacy.address, stranger.address, 15n * DOLLAR);
    expect(await escrow.balancesOf(pharmacy, token)).to.deep.equal([0n, EARNED - 15n * DOLLAR]);
  });

  it("sends all of it, and not a base unit more", async () => {
    const { escrow, pharmacy, ...rest } = await loadFixture(deployPaid);
    const token = await rest.token.getAddress();
    await expect(escrow.connect(pharmacy).payoutTo(token, EARNED + 1n, pharmacy))
      .to.be.revertedWithCustomError(escrow, "CreditTooSmall")
      .withArgs(pharmacy.address, token, EARNED, EARNED + 1n);
    await escrow.connect(pharmacy).payoutTo(token, EARNED, pharmacy);
    expect(await creditOf(escrow, pharmacy.address, token)).to.equal(0n);
  });

  it("does not touch the caller's free balance", async () => {
    const { escrow, payer, ...rest } = await loadFixture(deployPaid);
    const token = await rest.token.getAddress();
    await expect(escrow.connect(payer).payoutTo(token, 1n, payer))
      .to.be.revertedWithCustomError(escrow, "CreditTooSmall")
      .withArgs(payer.address, token, 0n, 1n);
  });

  it("refuses an amount of zero", async () => {
    const { escrow, token, pharmacy } = await loadFixture(deployPaid);
    await expect(escrow.connect(pharmacy).payoutTo(token, 0n, pharmacy)).to.be.revertedWithCustomError(
      escrow,
      "AmountZero",
    );
  });

  it("refuses the zero address, and the escrow itself, which would book nothing", async () => {
    const { escrow, token, pharmacy } = await loadFixture(deployPaid);
    for (const account of [ZeroAddress, await escrow.getAddress()])
      await expect(escrow.connect(pharmacy).payoutTo(token, DOLLAR, account))
        .to.be.revertedWithCustomError(escrow, "AccountInvalid")
        .withArgs(account);
  });
});
