import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { type TypedDataDomain, id } from "ethers";
import { ethers } from "hardhat";

import { escrowDomain, escrowTypes, fundingOrderDigestOf, groupsHashOf, packGroup } from "@carepact/sdk/claims";

import type { TestBatch } from "../../support/batches";
import { DOLLAR, POOL, batchOf, deployFunded } from "../../support/funded";
import { DAY, kinds, register } from "../../support/system";

const TOTAL = 190n * DOLLAR;
const { ClaimBatch, FundingOrder } = escrowTypes;

/** Signs the funding of `batch`, in its domain unless told otherwise. */
const order = (
  signer: HardhatEthersSigner,
  batch: TestBatch,
  deadline: number,
  domain: TypedDataDomain = escrowDomain(batch.ref),
): Promise<string> => signer.signTypedData(domain, { ClaimBatch, FundingOrder }, { batch: batch.terms, deadline });

async function deployWithOrder() {
  const context = await loadFixture(deployFunded);
  const batch = await batchOf(context);
  const deadline = (await time.latest()) + DAY;
  return { ...context, batch, deadline, signature: await order(context.payer, batch, deadline) };
}

describe("ClaimEscrow: fundWithSignature", () => {
  it("publishes the domain that is signed for (EIP-5267)", async () => {
    const { escrow, batch } = await loadFixture(deployWithOrder);
    const { name, version, chainId, verifyingContract, extensions } = await escrow.eip712Domain();
    expect({ name, version, chainId, verifyingContract }).to.deep.equal(escrowDomain(batch.ref));
    expect(extensions).to.deep.equal([]);
  });

  describe("given the payer's signature", () => {
    it("funds the batch from the payer's pool, whoever brings it", async () => {
      const { escrow, token, payer, stranger, rulebook, batch, deadline, signature } =
        await loadFixture(deployWithOrder);
      const funding = escrow.connect(stranger).fundWithSignature(batch.terms, batch.words, deadline, signature);
      await expect(funding)
        .to.emit(escrow, "ClaimBatchFunded")
        .withArgs(batch.id, payer.address, rulebook, await token.getAddress(), TOTAL);
      expect(await escrow.balancesOf(payer, token)).to.deep.equal([POOL - TOTAL, 0n]);
      const { funded, open } = await escrow.claimBatchStatusOf(batch.id);
      expect([funded, open]).to.deep.equal([true, TOTAL]);
    });

    it("returns the batch's id", async () => {
      const { escrow, batch, deadline, signature } = await loadFixture(deployWithOrder);
      expect(await escrow.fundWithSignature.staticCall(batch.terms, batch.words, deadline, signature)).to.equal(
        batch.id,
      );
    });

    it("is good in the last second of its deadline", async () => {
      const { escrow, batch, deadline, signature } = await loadFixture(deployWithOrder);
      await time.setNextBlockTimestamp(deadline);
      await escrow.fundWithSignature(batch.terms, batch.words, deadline, signature);
      expect((await escrow.claimBatchStatusOf(batch.id)).funded).to.equal(true);
    });

    it("has expired one second after its deadline", async () => {
      const { escrow, batch, deadline, signature } = await loadFixture(deployWithOrder);
      await time.setNextBlockTimestamp(deadline + 1);
      await expect(escrow.fundWithSignature(batch.terms, batch.words, deadline, signature))
        .to.be.revertedWithCustomError(escrow, "FundingSignatureExpired")
        .withArgs(deadline);
    });

    it("funds once", async () => {
      const { escrow, payer, batch, deadline, signature } = await loadFixture(deployWithOrder);
      await escrow.fundWithSignature(batch.terms, batch.words, deadline, signature);
      await expect(escrow.fundWithSignature(batch.terms, batch.words, deadline, signature))
        .to.be.revertedWithCustomError(escrow, "ClaimBatchAlreadyFunded")
        .withArgs(batch.id);
      const later = await order(payer, batch, deadline + DAY);
      await expect(
        escrow.fundWithSignature(batch.terms, batch.words, deadline + DAY, later),
      ).to.be.revertedWithCustomError(escrow, "ClaimBatchAlreadyFunded");
    });

    it("does not fund what the payer could not fund itself", async () => {
      const { escrow, registry, payer, batch, deadline, signature } = await loadFixture(deployWithOrder);
      const fund = () => escrow.fundWithSignature(batch.terms, batch.words, deadline, signature);
      await registry.suspend(payer);
      await expect(fund()).to.be.revertedWithCustomError(escrow, "PayerNotInStanding").withArgs(payer.address);
      await registry.reinstate(payer);
      await escrow.pause();
      await expect(fund()).to.be.revertedWithCustomError(escrow, "PausedUntil");
    });
  });

  describe("refuses a signature", () => {
    const signers: [string, (context: Awaited<ReturnType<typeof deployWithOrder>>) => Promise<string> | string][] = [
      ["of another payer", ({ otherPayer, batch, deadline }) => order(otherPayer, batch, deadline)],
      ["of the operator", ({ operator, batch, deadline }) => order(operator, batch, deadline)],
      [
        "for another chain",
        ({ payer, batch, deadline }) => order(payer, batch, deadline, escrowDomain({ ...batch.ref, chainId: 1 })),
      ],
      [
        "for another escrow",
        ({ payer, batch, deadline, stranger }) =>
          order(payer, batch, deadline, escrowDomain({ ...batch.ref, escrow: stranger.address })),
      ],
      [
        "for another version of the escrow",
        ({ payer, batch, deadline }) => order(payer, batch, deadline, { ...escrowDomain(batch.ref), version: "2" }),
      ],
      ["for another deadline", ({ payer, batch, deadline }) => order(payer, batch, deadline + 1)],
      [
        "over the batch alone, which is no order",
        ({ payer, batch }) => payer.signTypedData(escrowDomain(batch.ref), { ClaimBatch }, batch.terms),
      ],
      [
        "over the digest as a message",
        ({ payer, batch, deadline }) =>
          payer.signMessage(ethers.getBytes(fundingOrderDigestOf(batch.terms, deadline, batch.ref))),
      ],
      ["that lacks a byte", ({ signature }) => signature.slice(0, -2)],
      ["that is empty", () => "0x"],
    ];
    for (const [what, sign] of signers)
      it(what, async () => {
        const context = await loadFixture(deployWithOrder);
        const { escrow, payer, batch, deadline } = context;
        await expect(escrow.fundWithSignature(batch.terms, batch.words, deadline, await sign(context)))
          .to.be.revertedWithCustomError(escrow, "FundingSignatureInvalid")
          .withArgs(payer.address);
      });

    it("when any term is another than was signed", async () => {
      const { escrow, payer, otherPayer, stranger, batch, deadline, signature } = await loadFixture(deployWithOrder);
      const groups = batch.groups.map((group, i) => ({ ...group, subtotal: group.subtotal + (i === 0 ? 1n : -1n) }));
      const changes = [
        { payer: otherPayer.address },
        { token: stranger.address },
        { total: batch.terms.total + 1n },
        { groupsHash: groupsHashOf(groups) },
        { manifestRoot: id("another manifest") },
        { rulebook: id("another rulebook") },
        { eventBy: batch.terms.eventBy + 1 },
        { salt: batch.terms.salt ^ 1n },
      ];
      expect(changes.flatMap((change) => Object.keys(change))).to.have.members(Object.keys(batch.terms));
      for (const change of changes) {
        const words = "groupsHash" in change ? groups.map(packGroup) : batch.words;
        await expect(escrow.fundWithSignature({ ...batch.terms, ...change }, words, deadline, signature))
          .to.be.revertedWithCustomError(escrow, "FundingSignatureInvalid")
          .withArgs(change.payer ?? payer.address);
      }
    });
  });

  describe("given a payer that is a contract wallet (ERC-1271)", () => {
    async function deployWithWallet() {
      const context = await loadFixture(deployFunded);
      const { escrow, registry, payer, operator } = context;
      const wallet = await ethers.deployContract("Erc1271Wallet", [operator.address]);
      await register(registry, await wallet.getAddress(), kinds.payer);
      await escrow.connect(payer).deposit(wallet, context.token, POOL);
      const batch = await batchOf(context, { payer: await wallet.getAddress() });
      return { ...context, wallet, owner: operator, batch, deadline: (await time.latest()) + DAY };
    }

    it("funds by its owner's signature", async () => {
      const { escrow, token, wallet, owner, batch, deadline } = await loadFixture(deployWithWallet);
      await escrow.fundWithSignature(batch.terms, batch.words, deadline, await order(owner, batch, deadline));
      expect(await escrow.balancesOf(wallet, token)).to.deep.equal([POOL - TOTAL, 0n]);
    });

    it("refuses the signature of somebody else", async () => {
      const { escrow, wallet, payer, batch, deadline } = await loadFixture(deployWithWallet);
      await expect(escrow.fundWithSignature(batch.terms, batch.words, deadline, await order(payer, batch, deadline)))
        .to.be.revertedWithCustomError(escrow, "FundingSignatureInvalid")
        .withArgs(await wallet.getAddress());
    });

    it("refuses the owner's signature for other terms", async () => {
      const { escrow, wallet, owner, batch, deadline } = await loadFixture(deployWithWallet);
      const signature = await order(owner, batch, deadline);
      const terms = { ...batch.terms, salt: batch.terms.salt ^ 1n };
      await expect(escrow.fundWithSignature(terms, batch.words, deadline, signature))
        .to.be.revertedWithCustomError(escrow, "FundingSignatureInvalid")
        .withArgs(await wallet.getAddress());
    });

    it("refuses the owner itself as caller, and takes the wallet", async () => {
      const { escrow, token, wallet, owner, batch } = await loadFixture(deployWithWallet);
      await expect(escrow.connect(owner).fund(batch.terms, batch.words))
        .to.be.revertedWithCustomError(escrow, "NotPayer")
        .withArgs(await wallet.getAddress(), owner.address);
      const data = escrow.interface.encodeFunctionData("fund", [batch.terms, batch.words]);
      await wallet.connect(owner).execute(escrow, data);
      expect(await escrow.balancesOf(wallet, token)).to.deep.equal([POOL - TOTAL, 0n]);
    });

    const answers = [
      "a revert",
      "a word that is not the magic value",
      "the magic value with dirt behind it",
      "nothing",
      "four bytes",
      "64 KiB",
      "nothing after all gas is gone",
    ];
    for (const [mode, what] of answers.entries())
      it(`refuses a wallet that answers ${what}`, async () => {
        const context = await loadFixture(deployWithWallet);
        const { escrow, registry, owner, deadline } = context;
        const wallet = await ethers.deployContract("Erc1271Misbehaving", [mode]);
        await register(registry, await wallet.getAddress(), kinds.payer);
        const batch = await batchOf(context, { payer: await wallet.getAddress() });
        await expect(escrow.fundWithSignature(batch.terms, batch.words, deadline, await order(owner, batch, deadline)))
          .to.be.revertedWithCustomError(escrow, "FundingSignatureInvalid")
          .withArgs(await wallet.getAddress());
      });
  });
});
