import { impersonateAccount, loadFixture, setBalance } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { id } from "ethers";
import { ethers } from "hardhat";

import { met, settle, settlementOf } from "../../support/batches";
import {
  type Funded,
  DOLLAR,
  POOL,
  batchOf,
  changeKinds,
  creditOf,
  deployFunded,
  freeOf,
  fundedBatchOf,
} from "../../support/funded";
import { deployToken, kinds, register } from "../../support/system";

/** Lets the payer fund another batch as {@link batchOf} builds it. */
async function fundAnother(context: Funded, account = context.payer, token = context.token) {
  const { escrow } = context;
  const batch = await batchOf(context, { payer: account.address, token: await token.getAddress() });
  return escrow.connect(account).fund(batch.terms, batch.words);
}

/** Registers the stranger with `kind`, and fills its pool. */
async function withPool(context: Funded, kind: number): Promise<void> {
  await register(context.registry, context.stranger.address, kind);
  await context.escrow.connect(context.payer).deposit(context.stranger, context.token, 1_000n * DOLLAR);
}

describe("ClaimEscrow: the copy of standings", () => {
  it("says what the registry says", async () => {
    const { escrow, registry, payer, pharmacy, stranger } = await loadFixture(deployFunded);
    expect(await escrow.standingOf(payer)).to.equal(kinds.payer);
    expect(await escrow.standingOf(stranger)).to.equal(0n);
    await registry.suspend(payer);
    expect(await escrow.standingOf(payer)).to.equal(0n);
    await registry.reinstate(payer);
    expect(await escrow.standingOf(payer)).to.equal(kinds.payer);
    await changeKinds(registry, pharmacy.address, kinds.pharmacy | kinds.clinic);
    expect(await escrow.standingOf(pharmacy)).to.equal(kinds.pharmacy | kinds.clinic);
  });

  it("is told by the registry only", async () => {
    const { escrow, admin, rulebooks, payer, stranger } = await loadFixture(deployFunded);
    const account = await rulebooks.getAddress();
    await impersonateAccount(account);
    await setBalance(account, 10n ** 18n);
    for (const caller of [admin, payer, stranger, await ethers.getSigner(account)])
      await expect(escrow.connect(caller).onStandingChanged(stranger, kinds.payer))
        .to.be.revertedWithCustomError(escrow, "NotRegistry")
        .withArgs(caller.address);
  });
});

describe("ClaimEscrow: the copy of rulebooks", () => {
  it("is told by the rulebooks contract only", async () => {
    const { receiver, admin, registry, suspender, stranger, rulebook } = await loadFixture(deployFunded);
    const account = await registry.getAddress();
    await impersonateAccount(account);
    await setBalance(account, 10n ** 18n);
    for (const caller of [admin, suspender, stranger, await ethers.getSigner(account)]) {
      const listener = receiver.connect(caller);
      for (const told of [
        () => listener.onRulebookPublished(id("a rulebook"), stranger),
        () => listener.onRulebookSuspended(rulebook),
        () => listener.onRulebookResumed(rulebook),
        () => listener.onAttesterSuspended(rulebook, stranger),
      ])
        await expect(told()).to.be.revertedWithCustomError(receiver, "NotRulebooks").withArgs(caller.address);
    }
  });
});

describe("ClaimEscrow: a rulebook it was told of", () => {
  it("never changes, not even if the rulebooks contract says so", async () => {
    const context = await loadFixture(deployFunded);
    const { escrow, receiver, rulebooks, rulebook, stranger } = context;
    const batch = await fundedBatchOf(context);
    const attestBy = await escrow.attestByOf(batch.terms);
    const account = await rulebooks.getAddress();
    await impersonateAccount(account);
    await setBalance(account, 10n ** 18n);
    const other = await ethers.deployContract("RulebookBlob", [`0x00${"00".repeat(31)}`]);
    for (const blob of [stranger.address, await other.getAddress()])
      await receiver.connect(await ethers.getSigner(account)).onRulebookPublished(rulebook, blob);
    expect(await escrow.attestByOf(batch.terms)).to.equal(attestBy);
  });
});

describe("ClaimEscrow: who may fund", () => {
  describe("an account that was never registered", () => {
    it("may not, whatever its pool holds", async () => {
      const context = await loadFixture(deployFunded);
      const { escrow, payer, stranger, token } = context;
      await escrow.connect(payer).deposit(stranger, token, 1_000n * DOLLAR);
      await expect(fundAnother(context, stranger))
        .to.be.revertedWithCustomError(escrow, "PayerNotInStanding")
        .withArgs(stranger.address);
    });
  });

  for (const kind of ["payer", "sponsor"] as const)
    it(`a ${kind} may`, async () => {
      const context = await loadFixture(deployFunded);
      await withPool(context, kinds[kind]);
      await fundAnother(context, context.stranger);
    });

  for (const kind of ["pharmacy", "laboratory", "clinic", "gateway"] as const)
    it(`a ${kind} may not, unless it is a payer too`, async () => {
      const context = await loadFixture(deployFunded);
      await withPool(context, kinds[kind]);
      await expect(fundAnother(context, context.stranger))
        .to.be.revertedWithCustomError(context.escrow, "PayerNotInStanding")
        .withArgs(context.stranger.address);
      await changeKinds(context.registry, context.stranger.address, kinds[kind] | kinds.payer);
      await fundAnother(context, context.stranger);
    });

  describe("a payer that has funded before", () => {
    async function deployWithFunder() {
      const context = await loadFixture(deployFunded);
      const batch = await fundedBatchOf(context);
      return { ...context, batch };
    }

    it("may not once it is suspended", async () => {
      const context = await loadFixture(deployWithFunder);
      const { escrow, registry, payer } = context;
      await registry.suspend(payer);
      await expect(fundAnother(context))
        .to.be.revertedWithCustomError(escrow, "PayerNotInStanding")
        .withArgs(payer.address);
    });

    it("may not once it is no payer any more", async () => {
      const context = await loadFixture(deployWithFunder);
      await changeKinds(context.registry, context.payer.address, kinds.clinic);
      await expect(fundAnother(context)).to.be.revertedWithCustomError(context.escrow, "PayerNotInStanding");
    });

    it("may when it became a sponsor instead, or besides", async () => {
      const context = await loadFixture(deployWithFunder);
      for (const kind of [kinds.payer | kinds.sponsor, kinds.sponsor]) {
        await changeKinds(context.registry, context.payer.address, kind);
        await fundAnother(context);
      }
    });

    it("may again when it is reinstated, and not when it is suspended once more", async () => {
      const context = await loadFixture(deployWithFunder);
      const { escrow, registry, payer } = context;
      for (let i = 0; i < 2; ++i) {
        await registry.suspend(payer);
        await expect(fundAnother(context)).to.be.revertedWithCustomError(escrow, "PayerNotInStanding");
        await registry.reinstate(payer);
        await fundAnother(context);
      }
    });

    it("may whoever else is suspended", async () => {
      const context = await loadFixture(deployWithFunder);
      const { registry, otherPayer, pharmacy } = context;
      for (const other of [otherPayer, pharmacy]) {
        await registry.suspend(other);
        await fundAnother(context);
      }
    });

    it("may not while suspended, although others are suspended and reinstated", async () => {
      const context = await loadFixture(deployWithFunder);
      const { escrow, registry, payer, otherPayer } = context;
      await registry.suspend(otherPayer);
      await fundAnother(context);
      await registry.suspend(payer);
      await registry.reinstate(otherPayer);
      await expect(fundAnother(context)).to.be.revertedWithCustomError(escrow, "PayerNotInStanding");
      await fundAnother(context, otherPayer);
      await expect(fundAnother(context)).to.be.revertedWithCustomError(escrow, "PayerNotInStanding");
    });

    it("may not from its pool in another token either", async () => {
      const context = await loadFixture(deployWithFunder);
      const { escrow, registry, payer } = context;
      const other = await deployToken();
      await other.mint(payer, POOL);
      await other.connect(payer).approve(escrow, POOL);
      await escrow.connect(payer).deposit(payer, other, POOL);
      await registry.suspend(payer);
      await expect(fundAnother(context, payer, other)).to.be.revertedWithCustomError(escrow, "PayerNotInStanding");
      await registry.reinstate(payer);
      await fundAnother(context, payer, other);
      await registry.suspend(payer);
      await expect(fundAnother(context, payer, other)).to.be.revertedWithCustomError(escrow, "PayerNotInStanding");
    });

    it("stays what it is when the registry tells its standing again", async () => {
      const context = await loadFixture(deployWithFunder);
      const { escrow, registry, payer, stranger } = context;
      await registry.connect(stranger).tellStandings([payer, stranger]);
      await fundAnother(context);
      await registry.suspend(payer);
      await registry.connect(stranger).tellStandings([payer, stranger]);
      await expect(fundAnother(context)).to.be.revertedWithCustomError(escrow, "PayerNotInStanding");
    });

    it("keeps its free balance in order through checks and suspensions", async () => {
      const context = await loadFixture(deployWithFunder);
      const { escrow, registry, payer } = context;
      const token = await context.token.getAddress();
      await registry.suspend(context.otherPayer);
      await fundAnother(context);
      await registry.suspend(payer);
      await escrow.connect(payer).deposit(payer, token, DOLLAR);
      expect(await freeOf(escrow, payer.address, token)).to.equal(POOL - 380n * DOLLAR + DOLLAR);
      expect(await creditOf(escrow, payer.address, token)).to.equal(0n);
    });

    it("cannot take back by a suspension what was earned", async () => {
      const context = await loadFixture(deployWithFunder);
      const { escrow, registry, payer, pharmacy, laboratory, attesters, batch } = context;
      const token = await context.token.getAddress();
      for (const account of [payer, pharmacy, laboratory]) await registry.suspend(account);
      await settle(escrow, await settlementOf(batch, { results: [met, met], signers: attesters.slice(0, 2) }));
      expect(await creditOf(escrow, pharmacy.address, token)).to.equal(115n * DOLLAR);
      await escrow.payout(token, pharmacy);
    });
  });
});
