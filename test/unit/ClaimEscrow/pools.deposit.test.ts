import { loadFixture, setStorageAt } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { AbiCoder, ZeroAddress, id, keccak256, toBeHex } from "ethers";
import { ethers } from "hardhat";

import type { ClaimEscrow } from "../../../typechain-types";
import { met, settle, settlementOf } from "../../support/batches";
import { DOLLAR, POOL, creditOf, deployFunded, freeOf, fundedBatchOf } from "../../support/funded";
import { deployToken } from "../../support/system";

const MOST = 2n ** 96n - 1n;

/** Slot of an account's balances, see `Balances` and ERC-7201. */
function slotOf(account: string, token: string): string {
  const abi = AbiCoder.defaultAbiCoder();
  const base = keccak256(abi.encode(["uint256"], [BigInt(id("carepact.storage.Pools")) - 1n]));
  const pools = toBeHex(BigInt(base) & ~0xffn, 32);
  const ofToken = keccak256(abi.encode(["address", "bytes32"], [token, pools]));
  return keccak256(abi.encode(["address", "bytes32"], [account, ofToken]));
}

const wordOf = async (escrow: ClaimEscrow, account: string, token: string): Promise<bigint> =>
  BigInt(await ethers.provider.getStorage(await escrow.getAddress(), slotOf(account, token)));

describe("ClaimEscrow: deposit", () => {
  describe("given an allowance", () => {
    it("moves the tokens and adds them to the payer's free balance", async () => {
      const { escrow, token, payer } = await loadFixture(deployFunded);
      const deposit = escrow.connect(payer).deposit(payer, token, 100n * DOLLAR);
      await expect(deposit).to.changeTokenBalances(token, [payer, escrow], [-100n * DOLLAR, 100n * DOLLAR]);
      await expect(deposit)
        .to.emit(escrow, "Deposited")
        .withArgs(await token.getAddress(), payer.address, payer.address, 100n * DOLLAR);
      expect(await escrow.balancesOf(payer, token)).to.deep.equal([POOL + 100n * DOLLAR, 0n]);
    });

    it("lets anyone fill the pool of anyone, registered or not", async () => {
      const { escrow, token, payer, stranger } = await loadFixture(deployFunded);
      await expect(escrow.connect(payer).deposit(stranger, token, DOLLAR))
        .to.emit(escrow, "Deposited")
        .withArgs(await token.getAddress(), stranger.address, payer.address, DOLLAR);
      expect(await freeOf(escrow, stranger.address, await token.getAddress())).to.equal(DOLLAR);
      expect(await freeOf(escrow, payer.address, await token.getAddress())).to.equal(POOL);
    });

    for (const decimals of [0, 6, 18])
      it(`books base units of a token of ${decimals} decimals as they come`, async () => {
        const { escrow, payer } = await loadFixture(deployFunded);
        const token = await deployToken(decimals);
        const amount = 7n * 10n ** BigInt(decimals);
        await token.mint(payer, amount);
        await token.connect(payer).approve(escrow, amount);
        await escrow.connect(payer).deposit(payer, token, amount);
        expect(await escrow.balancesOf(payer, token)).to.deep.equal([amount, 0n]);

        await escrow.connect(payer).withdraw(token, 1n, payer);
        expect(await escrow.balancesOf(payer, token)).to.deep.equal([amount - 1n, 0n]);
      });

    it("keeps the tokens apart", async () => {
      const { escrow, token, payer } = await loadFixture(deployFunded);
      const other = await deployToken();
      expect(await escrow.balancesOf(payer, other)).to.deep.equal([0n, 0n]);
      await other.mint(payer, DOLLAR);
      await other.connect(payer).approve(escrow, DOLLAR);
      await escrow.connect(payer).deposit(payer, other, DOLLAR);
      expect(await escrow.balancesOf(payer, token)).to.deep.equal([POOL, 0n]);
      expect(await escrow.balancesOf(payer, other)).to.deep.equal([DOLLAR, 0n]);
    });

    it("takes as much at once as a claim batch can hold, and no more", async () => {
      const { escrow, payer } = await loadFixture(deployFunded);
      const token = await deployToken(18);
      await token.mint(payer, 2n * MOST);
      await token.connect(payer).approve(escrow, 2n * MOST);
      await escrow.connect(payer).deposit(payer, token, MOST);
      expect(await freeOf(escrow, payer.address, await token.getAddress())).to.equal(MOST);
      await expect(escrow.connect(payer).deposit(payer, token, MOST + 1n))
        .to.be.revertedWithCustomError(escrow, "AmountTooLarge")
        .withArgs(MOST + 1n);
    });

    it("refuses to let a free balance run over", async () => {
      const { escrow, payer, ...rest } = await loadFixture(deployFunded);
      const token = await rest.token.getAddress();
      const full = 2n ** 112n - 1n;
      await setStorageAt(await escrow.getAddress(), slotOf(payer.address, token), full - DOLLAR + 1n);
      await expect(escrow.connect(payer).deposit(payer, token, DOLLAR))
        .to.be.revertedWithCustomError(escrow, "BalanceOverflow")
        .withArgs(full - DOLLAR + 1n, DOLLAR);
      await escrow.connect(payer).deposit(payer, token, DOLLAR - 1n);
      expect(await escrow.balancesOf(payer, token)).to.deep.equal([full, 0n]);
    });
  });

  it("refuses an amount of zero", async () => {
    const { escrow, token, payer } = await loadFixture(deployFunded);
    await expect(escrow.connect(payer).deposit(payer, token, 0n)).to.be.revertedWithCustomError(escrow, "AmountZero");
  });

  it("refuses to credit the zero address, and the escrow itself", async () => {
    const { escrow, token, payer } = await loadFixture(deployFunded);
    for (const account of [ZeroAddress, await escrow.getAddress()])
      await expect(escrow.connect(payer).deposit(account, token, DOLLAR))
        .to.be.revertedWithCustomError(escrow, "AccountInvalid")
        .withArgs(account);
  });

  it("fails as the token does without an allowance", async () => {
    const { escrow, token, payer, stranger } = await loadFixture(deployFunded);
    await token.mint(stranger, DOLLAR);
    await expect(escrow.connect(stranger).deposit(payer, token, DOLLAR))
      .to.be.revertedWithCustomError(token, "ERC20InsufficientAllowance")
      .withArgs(await escrow.getAddress(), 0n, DOLLAR);
  });

  it("fails for a token that is no contract", async () => {
    const { escrow, payer, stranger } = await loadFixture(deployFunded);
    await expect(escrow.connect(payer).deposit(payer, stranger, DOLLAR)).to.be.revertedWithoutReason();
  });

  it("books nothing for tokens that were sent by hand", async () => {
    const { escrow, token, payer } = await loadFixture(deployFunded);
    await token.connect(payer).transfer(escrow, DOLLAR);
    expect(await escrow.balancesOf(payer, token)).to.deep.equal([POOL, 0n]);
    await escrow.connect(payer).deposit(payer, token, 2n * DOLLAR);
    expect(await escrow.balancesOf(payer, token)).to.deep.equal([POOL + 2n * DOLLAR, 0n]);
  });
});

describe("ClaimEscrow: an account's slot of balances", () => {
  const FREE = 2n ** 112n - 1n;

  it("lies at the ERC-7201 slot of its name, free balance lowest, credit above it", async () => {
    const { escrow, payer, ...rest } = await loadFixture(deployFunded);
    const token = await rest.token.getAddress();
    expect(await wordOf(escrow, payer.address, token)).to.equal(POOL);
    await setStorageAt(await escrow.getAddress(), slotOf(payer.address, token), (9n << 112n) | 8n);
    expect(await escrow.balancesOf(payer, token)).to.deep.equal([8n, 9n]);
  });

  it("never returns to zero, so that the next deposit finds it in use", async () => {
    const { escrow, payer, ...rest } = await loadFixture(deployFunded);
    const token = await rest.token.getAddress();
    await escrow.connect(payer).withdraw(token, POOL, payer);
    expect(await escrow.balancesOf(payer, token)).to.deep.equal([0n, 0n]);
    expect(await wordOf(escrow, payer.address, token)).to.equal(1n << 255n);

    await escrow.connect(payer).deposit(payer, token, DOLLAR);
    expect((await wordOf(escrow, payer.address, token)) & FREE).to.equal(DOLLAR);
    expect(await escrow.balancesOf(payer, token)).to.deep.equal([DOLLAR, 0n]);
  });

  it("never returns to zero after a payout either", async () => {
    const { escrow, pharmacy, ...rest } = await loadFixture(deployFunded);
    const token = await rest.token.getAddress();
    await setStorageAt(await escrow.getAddress(), slotOf(pharmacy.address, token), DOLLAR << 112n);
    await escrow.payout(token, pharmacy);
    expect(await creditOf(escrow, pharmacy.address, token)).to.equal(0n);
    expect(await wordOf(escrow, pharmacy.address, token)).to.equal(1n << 255n);
  });

  it("never lets a credit run over into what lies above it", async () => {
    const context = await loadFixture(deployFunded);
    const { escrow, pharmacy, attesters } = context;
    const token = await context.token.getAddress();
    const slot = slotOf(pharmacy.address, token);
    const batch = await fundedBatchOf(context);
    const settlement = await settlementOf(batch, { results: [met, met], signers: attesters.slice(0, 2) });
    const full = 2n ** 112n - 1n;
    await setStorageAt(await escrow.getAddress(), slot, (full - 115n * DOLLAR + 1n) << 112n);
    await expect(settle(escrow, settlement))
      .to.be.revertedWithCustomError(escrow, "BalanceOverflow")
      .withArgs(full - 115n * DOLLAR + 1n, 115n * DOLLAR);
    await setStorageAt(await escrow.getAddress(), slot, (full - 115n * DOLLAR) << 112n);
    await settle(escrow, settlement);
    expect(await escrow.balancesOf(pharmacy, token)).to.deep.equal([0n, full]);
  });
});
