import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";

import type { FalseReturningToken, FeeOnTransferToken, NoReturnToken } from "../../../typechain-types";
import { met, settle, settlementOf } from "../../support/batches";
import { type Funded, DOLLAR, batchOf, creditOf, deployFunded, deployPaid, freeOf } from "../../support/funded";

type MintableToken = FeeOnTransferToken | FalseReturningToken | NoReturnToken;

/** A pool of 1,000.00 in `token`, of which 115.00 is credit of the pharmacy and 75.00 of the laboratory. */
async function fill<T extends MintableToken>(context: Funded, token: T) {
  const { escrow, payer, attesters } = context;
  await token.mint(payer, 2_000n * DOLLAR);
  await (token as FeeOnTransferToken).connect(payer).approve(escrow, 2_000n * DOLLAR);
  await escrow.connect(payer).deposit(payer, token, 1_000n * DOLLAR);
  const batch = await batchOf(context, { token: await token.getAddress() });
  await escrow.connect(payer).fund(batch.terms, batch.words);
  await settle(escrow, await settlementOf(batch, { results: [met, met], signers: attesters.slice(0, 2) }));
  return { ...context, token, batch };
}

async function deployWithFee() {
  return fill(await loadFixture(deployFunded), await ethers.deployContract("FeeOnTransferToken", [0]));
}

async function deployFalseReturning() {
  return fill(await loadFixture(deployFunded), await ethers.deployContract("FalseReturningToken"));
}

async function deployNoReturn() {
  return fill(await loadFixture(deployFunded), await ethers.deployContract("NoReturnToken"));
}

describe("ClaimEscrow: a token that takes a fee on transfer", () => {
  it("is refused at deposit", async () => {
    const { escrow, token, payer } = await loadFixture(deployWithFee);
    await token.setFeeBps(100n);
    await expect(escrow.connect(payer).deposit(payer, token, 100n * DOLLAR))
      .to.be.revertedWithCustomError(escrow, "TokenDeliveredOther")
      .withArgs(await token.getAddress(), 100n * DOLLAR, 99n * DOLLAR);
  });

  it("is refused at deposit when the escrow ends up with less than it had", async () => {
    const { escrow, token, payer } = await loadFixture(deployWithFee);
    await token.setFeeBps(20_000n);
    await expect(escrow.connect(payer).deposit(payer, token, 100n * DOLLAR))
      .to.be.revertedWithCustomError(escrow, "TokenDeliveredOther")
      .withArgs(await token.getAddress(), 100n * DOLLAR, 0n);
  });

  it("is refused at refund with tokens", async () => {
    const { escrow, token, pharmacy, batch } = await loadFixture(deployWithFee);
    await token.setFeeBps(100n);
    await token.mint(pharmacy, DOLLAR);
    await token.connect(pharmacy).approve(escrow, DOLLAR);
    await expect(escrow.connect(pharmacy).refund(batch.terms, batch.words, [], DOLLAR, false))
      .to.be.revertedWithCustomError(escrow, "TokenDeliveredOther")
      .withArgs(await token.getAddress(), DOLLAR, (DOLLAR * 99n) / 100n);
    expect(await escrow.refundedOf(batch.id, pharmacy)).to.equal(0n);
  });

  it("costs the receiver of a payout, and nobody else, when it begins to take one", async () => {
    const { escrow, token, payer, pharmacy, laboratory } = await loadFixture(deployWithFee);
    await token.setFeeBps(100n);
    await expect(escrow.payout(token, pharmacy)).to.changeTokenBalances(
      token,
      [escrow, pharmacy],
      [-115n * DOLLAR, (115n * DOLLAR * 99n) / 100n],
    );
    expect(await escrow.balancesOf(pharmacy, token)).to.deep.equal([0n, 0n]);
    const address = await token.getAddress();
    expect(await token.balanceOf(escrow)).to.equal(
      (await freeOf(escrow, payer.address, address)) + (await creditOf(escrow, laboratory.address, address)),
    );
  });
});

describe("ClaimEscrow: a token that returns false", () => {
  it("is refused at deposit when it did not move", async () => {
    const { escrow, token, payer, stranger } = await loadFixture(deployFalseReturning);
    const address = await token.getAddress();
    await expect(escrow.connect(stranger).deposit(payer, token, DOLLAR))
      .to.be.revertedWithCustomError(escrow, "SafeERC20FailedOperation")
      .withArgs(address);
    expect(await freeOf(escrow, payer.address, address)).to.equal((1_000n - 190n) * DOLLAR);
  });

  it("leaves free balance and credit as they were when it did not move", async () => {
    const { escrow, token, payer, pharmacy } = await loadFixture(deployFalseReturning);
    const address = await token.getAddress();
    await token.setHalted(true);
    for (const attempt of [
      () => escrow.connect(payer).withdraw(token, DOLLAR, payer),
      () => escrow.payout(token, pharmacy),
      () => escrow.connect(pharmacy).payoutTo(token, DOLLAR, pharmacy),
    ])
      await expect(attempt()).to.be.revertedWithCustomError(escrow, "SafeERC20FailedOperation").withArgs(address);
    expect(await freeOf(escrow, payer.address, address)).to.equal((1_000n - 190n) * DOLLAR);
    expect(await creditOf(escrow, pharmacy.address, address)).to.equal(115n * DOLLAR);

    await token.setHalted(false);
    await expect(escrow.payout(token, pharmacy)).to.changeTokenBalance(token, pharmacy, 115n * DOLLAR);
  });
});

describe("ClaimEscrow: a token that returns nothing", () => {
  it("is deposited, withdrawn and paid out like any other", async () => {
    const { escrow, token, payer, pharmacy, laboratory, stranger } = await loadFixture(deployNoReturn);
    await escrow.connect(payer).deposit(payer, token, DOLLAR);
    await escrow.connect(payer).withdraw(token, DOLLAR, stranger);
    await escrow.payout(token, pharmacy);
    await escrow.connect(laboratory).payoutTo(token, 75n * DOLLAR, stranger);
    expect(await token.balanceOf(pharmacy)).to.equal(115n * DOLLAR);
    expect(await token.balanceOf(stranger)).to.equal(76n * DOLLAR);
    expect(await token.balanceOf(escrow)).to.equal((1_000n - 190n) * DOLLAR);
    expect(await escrow.balancesOf(payer, token)).to.deep.equal([(1_000n - 190n) * DOLLAR, 0n]);
  });
});

describe("ClaimEscrow: a token whose issuer blacklists a payee", () => {
  async function deployWithBlacklisted() {
    const context = await deployPaid();
    await context.token.blacklist(context.pharmacy);
    return context;
  }

  it("keeps that payee's credit, and nobody else's", async () => {
    const { escrow, pharmacy, laboratory, ...rest } = await loadFixture(deployWithBlacklisted);
    const { token } = rest;
    await expect(escrow.payout(token, pharmacy))
      .to.be.revertedWithCustomError(token, "Blacklisted")
      .withArgs(pharmacy.address);
    expect(await creditOf(escrow, pharmacy.address, await token.getAddress())).to.equal(115n * DOLLAR);
    await expect(escrow.payout(token, laboratory)).to.changeTokenBalance(token, laboratory, 75n * DOLLAR);
  });

  it("lets that payee name another address", async () => {
    const { escrow, token, pharmacy, stranger } = await loadFixture(deployWithBlacklisted);
    await expect(escrow.connect(pharmacy).payoutTo(token, 115n * DOLLAR, stranger)).to.changeTokenBalance(
      token,
      stranger,
      115n * DOLLAR,
    );
  });

  it("does not hinder the settlement of later batches that pay it", async () => {
    const context = await loadFixture(deployWithBlacklisted);
    const { escrow, payer, pharmacy, laboratory, attesters } = context;
    const token = await context.token.getAddress();
    const batch = await batchOf(context);
    await escrow.connect(payer).fund(batch.terms, batch.words);
    await settle(escrow, await settlementOf(batch, { results: [met, met], signers: attesters.slice(1) }));
    expect(await creditOf(escrow, pharmacy.address, token)).to.equal(230n * DOLLAR);
    expect(await creditOf(escrow, laboratory.address, token)).to.equal(150n * DOLLAR);
  });
});
