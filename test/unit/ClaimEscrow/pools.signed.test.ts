import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { AbiCoder, Signature, ZeroAddress, hexlify, id, keccak256, randomBytes } from "ethers";
import { ethers } from "hardhat";

import type { ClaimEscrow } from "../../../typechain-types";
import { DOLLAR, POOL, deployFunded, freeOf } from "../../support/funded";
import { DAY } from "../../support/system";
import { signPermit, signReceiveAuthorization, signTransferAuthorization } from "../../support/tokens";

const noSignature = Signature.from({ r: id("r"), s: `0x${"00".repeat(31)}01`, v: 27 });

/** What {@link deployFunded} gives, and a patient's sponsor who holds tokens and approved none. */
async function deployWithHolder() {
  const context = await loadFixture(deployFunded);
  const holder = context.stranger;
  await context.token.mint(holder, 100n * DOLLAR);
  return { ...context, holder, deadline: BigInt(await time.latest()) + BigInt(DAY) };
}

describe("ClaimEscrow: depositWithPermit", () => {
  const depositWithPermit = (
    escrow: ClaimEscrow,
    { payer, token, amount, deadline }: { payer: string; token: string; amount: bigint; deadline: bigint },
    { v, r, s }: Signature,
  ) => escrow.depositWithPermit(payer, token, amount, deadline, v, r, s);

  it("deposits under a permit of the caller", async () => {
    const { escrow, token, payer, holder, deadline } = await loadFixture(deployWithHolder);
    const amount = 60n * DOLLAR;
    const permit = await signPermit(token, holder, { spender: await escrow.getAddress(), value: amount, deadline });
    const terms = { payer: payer.address, token: await token.getAddress(), amount, deadline };
    const deposit = depositWithPermit(escrow.connect(holder), terms, permit);
    await expect(deposit).to.changeTokenBalances(token, [holder, escrow], [-amount, amount]);
    await expect(deposit).to.emit(escrow, "Deposited").withArgs(terms.token, payer.address, holder.address, amount);
    expect(await freeOf(escrow, payer.address, terms.token)).to.equal(POOL + amount);
    expect(await token.allowance(holder, escrow)).to.equal(0n);
  });

  it("works as well when somebody else used the permit first", async () => {
    const { escrow, token, payer, otherPayer, holder, deadline } = await loadFixture(deployWithHolder);
    const [amount, spender] = [60n * DOLLAR, await escrow.getAddress()];
    const permit = await signPermit(token, holder, { spender, value: amount, deadline });
    await token.connect(otherPayer).permit(holder, spender, amount, deadline, permit.v, permit.r, permit.s);
    const terms = { payer: payer.address, token: await token.getAddress(), amount, deadline };
    await depositWithPermit(escrow.connect(holder), terms, permit);
    expect(await freeOf(escrow, payer.address, terms.token)).to.equal(POOL + amount);
  });

  it("takes an allowance for a token that knows no permits", async () => {
    const { escrow, payer, holder, deadline } = await loadFixture(deployWithHolder);
    const token = await ethers.deployContract("NoReturnToken");
    await token.mint(holder, DOLLAR);
    await token.connect(holder).approve(escrow, DOLLAR);
    const terms = { payer: payer.address, token: await token.getAddress(), amount: DOLLAR, deadline };
    await depositWithPermit(escrow.connect(holder), terms, noSignature);
    expect(await freeOf(escrow, payer.address, terms.token)).to.equal(DOLLAR);
  });

  describe("without an allowance", () => {
    it("fails for a token that knows no permits", async () => {
      const { escrow, payer, holder, deadline } = await loadFixture(deployWithHolder);
      const token = await ethers.deployContract("FalseReturningToken");
      await token.mint(holder, DOLLAR);
      const terms = { payer: payer.address, token: await token.getAddress(), amount: DOLLAR, deadline };
      await expect(depositWithPermit(escrow.connect(holder), terms, noSignature))
        .to.be.revertedWithCustomError(escrow, "SafeERC20FailedOperation")
        .withArgs(terms.token);
    });

    it("fails for a token that only seems to take the permit", async () => {
      const { escrow, payer, holder, deadline } = await loadFixture(deployWithHolder);
      const token = await ethers.deployContract("FallbackToken");
      await token.mint(holder, DOLLAR);
      const terms = { payer: payer.address, token: await token.getAddress(), amount: DOLLAR, deadline };
      await expect(depositWithPermit(escrow.connect(holder), terms, noSignature)).to.be.revertedWithCustomError(
        token,
        "ERC20InsufficientAllowance",
      );
    });

    const refused: [string, { value?: bigint; deadline?: bigint; spender?: string }][] = [
      ["for a smaller amount", { value: DOLLAR - 1n }],
      ["for a larger amount", { value: DOLLAR + 1n }],
      ["for another spender", { spender: "0x00000000000000000000000000000000000000aa" }],
      ["that has expired", { deadline: 1n }],
    ];
    for (const [what, changes] of refused)
      it(`fails with a permit ${what}`, async () => {
        const { escrow, token, payer, holder, deadline } = await loadFixture(deployWithHolder);
        const signed = { spender: await escrow.getAddress(), value: DOLLAR, deadline, ...changes };
        const permit = await signPermit(token, holder, signed);
        const terms = {
          payer: payer.address,
          token: await token.getAddress(),
          amount: DOLLAR,
          deadline: signed.deadline,
        };
        await expect(depositWithPermit(escrow.connect(holder), terms, permit))
          .to.be.revertedWithCustomError(token, "ERC20InsufficientAllowance")
          .withArgs(await escrow.getAddress(), 0n, DOLLAR);
      });
  });

  it("never spends another's permit or allowance, whoever brings it", async () => {
    const { escrow, token, payer, otherPayer, holder, deadline } = await loadFixture(deployWithHolder);
    const spender = await escrow.getAddress();
    const permit = await signPermit(token, holder, { spender, value: DOLLAR, deadline });
    await token.connect(otherPayer).approve(escrow, 0n);
    const terms = { payer: otherPayer.address, token: await token.getAddress(), amount: DOLLAR, deadline };
    const thief = escrow.connect(otherPayer);
    await expect(depositWithPermit(thief, terms, permit)).to.be.revertedWithCustomError(
      token,
      "ERC20InsufficientAllowance",
    );
    // Also after the permit became an allowance.
    await token.permit(holder, spender, DOLLAR, deadline, permit.v, permit.r, permit.s);
    await expect(depositWithPermit(thief, terms, permit)).to.be.revertedWithCustomError(
      token,
      "ERC20InsufficientAllowance",
    );
    expect(await token.balanceOf(holder)).to.equal(100n * DOLLAR);
    expect(await freeOf(escrow, payer.address, terms.token)).to.equal(POOL);
  });

  const amounts: [string, bigint, string][] = [
    ["an amount of zero", 0n, "AmountZero"],
    ["an amount above 96 bits", 2n ** 96n, "AmountTooLarge"],
  ];
  for (const [what, amount, error] of amounts)
    it(`refuses ${what}`, async () => {
      const { escrow, token, payer, holder, deadline } = await loadFixture(deployWithHolder);
      const spender = await escrow.getAddress();
      const permit = await signPermit(token, holder, { spender, value: amount, deadline });
      const terms = { payer: payer.address, token: await token.getAddress(), amount, deadline };
      await expect(depositWithPermit(escrow.connect(holder), terms, permit)).to.be.revertedWithCustomError(
        escrow,
        error,
      );
    });

  it("refuses to credit the zero address, and the escrow itself", async () => {
    const { escrow, token, holder, deadline } = await loadFixture(deployWithHolder);
    const spender = await escrow.getAddress();
    for (const payer of [ZeroAddress, spender]) {
      const permit = await signPermit(token, holder, { spender, value: DOLLAR, deadline });
      const terms = { payer, token: await token.getAddress(), amount: DOLLAR, deadline };
      await expect(depositWithPermit(escrow.connect(holder), terms, permit))
        .to.be.revertedWithCustomError(escrow, "AccountInvalid")
        .withArgs(payer);
    }
  });
});

describe("ClaimEscrow: depositWithAuthorization", () => {
  /** What the holder signs: the nonce follows from whom it wants to credit. */
  async function authorize(
    { escrow, token, holder, deadline }: Awaited<ReturnType<typeof deployWithHolder>>,
    changes: Partial<Authorized> = {},
    sign = signReceiveAuthorization,
  ): Promise<Authorized> {
    const terms = {
      payer: holder.address,
      from: holder,
      amount: 60n * DOLLAR,
      validAfter: 0n,
      validBefore: deadline,
      salt: hexlify(randomBytes(32)),
      ...changes,
    };
    const signature = await sign(token, terms.from, {
      to: await escrow.getAddress(),
      value: terms.amount,
      validAfter: terms.validAfter,
      validBefore: terms.validBefore,
      nonce: keccak256(AbiCoder.defaultAbiCoder().encode(["address", "bytes32"], [terms.payer, terms.salt])),
    });
    return { ...terms, token: await token.getAddress(), signature };
  }

  interface Authorized {
    payer: string;
    token: string;
    from: HardhatEthersSigner;
    amount: bigint;
    validAfter: bigint;
    validBefore: bigint;
    salt: string;
    signature: Signature;
  }

  const bring = (escrow: ClaimEscrow, given: Authorized) =>
    escrow.depositWithAuthorization(
      given.payer,
      given.token,
      given.from,
      given.amount,
      given.validAfter,
      given.validBefore,
      given.salt,
      given.signature.v,
      given.signature.r,
      given.signature.s,
    );

  it("deposits tokens of its signer, whoever brings it", async () => {
    const context = await loadFixture(deployWithHolder);
    const { escrow, token, payer, pharmacy, holder } = context;
    const authorized = await authorize(context, { payer: payer.address });
    const deposit = bring(escrow.connect(pharmacy), authorized);
    await expect(deposit).to.changeTokenBalances(
      token,
      [holder, escrow, pharmacy],
      [-authorized.amount, authorized.amount, 0n],
    );
    await expect(deposit)
      .to.emit(escrow, "Deposited")
      .withArgs(authorized.token, payer.address, holder.address, authorized.amount);
    expect(await freeOf(escrow, payer.address, authorized.token)).to.equal(POOL + authorized.amount);
  });

  it("lets who brings it choose neither whom to credit nor the salt", async () => {
    const context = await loadFixture(deployWithHolder);
    const { escrow, token, otherPayer } = context;
    const authorized = await authorize(context);
    for (const change of [{ payer: otherPayer.address }, { salt: id("another salt") }])
      await expect(bring(escrow.connect(otherPayer), { ...authorized, ...change })).to.be.revertedWithCustomError(
        token,
        "ERC3009InvalidSignature",
      );
  });

  it("refuses another amount, payer of the tokens, or time than was signed", async () => {
    const context = await loadFixture(deployWithHolder);
    const { escrow, token, payer } = context;
    const authorized = await authorize(context);
    const changes = [
      { amount: authorized.amount - 1n },
      { from: payer },
      { validAfter: 1n },
      { validBefore: authorized.validBefore + 1n },
    ];
    for (const change of changes)
      await expect(bring(escrow, { ...authorized, ...change })).to.be.revertedWithCustomError(
        token,
        "ERC3009InvalidSignature",
      );
  });

  it("refuses an authorization that anyone could spend elsewhere", async () => {
    const context = await loadFixture(deployWithHolder);
    const authorized = await authorize(context, {}, signTransferAuthorization);
    await expect(bring(context.escrow, authorized)).to.be.revertedWithCustomError(
      context.token,
      "ERC3009InvalidSignature",
    );
  });

  it("works once", async () => {
    const context = await loadFixture(deployWithHolder);
    const { escrow, token, holder } = context;
    const authorized = await authorize(context, { amount: DOLLAR });
    await bring(escrow, authorized);
    await expect(bring(escrow, authorized))
      .to.be.revertedWithCustomError(token, "ERC3009UsedAuthorization")
      .withArgs(
        holder.address,
        keccak256(AbiCoder.defaultAbiCoder().encode(["address", "bytes32"], [authorized.payer, authorized.salt])),
      );
    expect(await freeOf(escrow, authorized.payer, authorized.token)).to.equal(DOLLAR);
  });

  it("holds in its time only", async () => {
    const context = await loadFixture(deployWithHolder);
    const { escrow, token, deadline } = context;
    const early = await authorize(context, { validAfter: deadline - 100n });
    await expect(bring(escrow, early)).to.be.revertedWithCustomError(token, "ERC3009InvalidAuthorizationTime");
    await time.increaseTo(deadline - 99n);
    await bring(escrow, early);

    const late = await authorize(context, { amount: DOLLAR });
    await time.increaseTo(deadline);
    await expect(bring(escrow, late)).to.be.revertedWithCustomError(token, "ERC3009InvalidAuthorizationTime");
  });

  it("refuses a token that only seems to take the authorization", async () => {
    const context = await loadFixture(deployWithHolder);
    const token = await ethers.deployContract("FallbackToken");
    const authorized = { ...(await authorize(context)), token: await token.getAddress() };
    await expect(bring(context.escrow, authorized))
      .to.be.revertedWithCustomError(context.escrow, "TokenDeliveredOther")
      .withArgs(authorized.token, authorized.amount, 0n);
  });

  it("fails for a token that knows no authorizations", async () => {
    const context = await loadFixture(deployWithHolder);
    const token = await ethers.deployContract("NoReturnToken");
    const authorized = { ...(await authorize(context)), token: await token.getAddress() };
    await expect(bring(context.escrow, authorized)).to.be.revertedWithoutReason();
  });

  const refused: [string, Partial<Authorized>, string][] = [
    ["an amount of zero", { amount: 0n }, "AmountZero"],
    ["an amount above 96 bits", { amount: 2n ** 96n }, "AmountTooLarge"],
    ["to credit the zero address", { payer: ZeroAddress }, "AccountInvalid"],
  ];
  it("refuses to credit the escrow itself", async () => {
    const context = await loadFixture(deployWithHolder);
    const payer = await context.escrow.getAddress();
    await expect(bring(context.escrow, await authorize(context, { payer })))
      .to.be.revertedWithCustomError(context.escrow, "AccountInvalid")
      .withArgs(payer);
  });

  for (const [what, changes, error] of refused)
    it(`refuses ${what}`, async () => {
      const context = await loadFixture(deployWithHolder);
      await expect(bring(context.escrow, await authorize(context, changes))).to.be.revertedWithCustomError(
        context.escrow,
        error,
      );
    });
});
