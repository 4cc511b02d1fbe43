import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { AbiCoder, ZeroHash, keccak256 } from "ethers";

import { escrowDomain, escrowTypes } from "@carepact/sdk/claims";

import { roles } from "../../../deploy/roles";
import { byLine, met, pending, settle, settlementOf } from "../../support/batches";
import { DOLLAR, POOL, batchOf, deployFunded, fundedBatchOf } from "../../support/funded";
import { DAY, publish, rulebookOf } from "../../support/system";
import { signReceiveAuthorization } from "../../support/tokens";
import { given } from "../Mandates/fixture";

const MAX_PAUSE = 7 * DAY;
const COOLDOWN = 7 * DAY;

describe("ClaimEscrow: pause", () => {
  it("says how long it lasts at most, and how soon the next can follow", async () => {
    const { escrow } = await loadFixture(deployFunded);
    expect(await escrow.MAX_PAUSE()).to.equal(MAX_PAUSE);
    expect(await escrow.PAUSE_COOLDOWN()).to.equal(COOLDOWN);
    expect(await escrow.paused()).to.equal(false);
  });

  it("begins at once, and tells when it lapses", async () => {
    const { escrow, admin } = await loadFixture(deployFunded);
    const now = (await time.latest()) + 10;
    await time.setNextBlockTimestamp(now);
    await expect(escrow.pause())
      .to.emit(escrow, "Paused")
      .withArgs(admin.address, now + MAX_PAUSE);
    expect(await escrow.paused()).to.equal(true);
  });

  it("is for pausers only, its end too", async () => {
    const { escrow, accessManager, governance, operator, payer, stranger } = await loadFixture(deployFunded);
    const grant = accessManager.interface.encodeFunctionData("grantRole", [roles.pauser.id, operator.address, 0]);
    await accessManager.connect(governance).schedule(accessManager, grant, 0);
    await time.increase(14 * DAY);
    await accessManager.connect(governance).execute(accessManager, grant);
    for (const caller of [payer, stranger])
      await expect(escrow.connect(caller).pause())
        .to.be.revertedWithCustomError(escrow, "AccessManagedUnauthorized")
        .withArgs(caller.address);
    await escrow.connect(operator).pause();
    for (const caller of [payer, stranger])
      await expect(escrow.connect(caller).unpause())
        .to.be.revertedWithCustomError(escrow, "AccessManagedUnauthorized")
        .withArgs(caller.address);
    await expect(escrow.connect(operator).unpause()).to.emit(escrow, "Unpaused").withArgs(operator.address);
    expect(await escrow.paused()).to.equal(false);
  });

  it("lapses by itself, to the second", async () => {
    const { escrow, token, payer } = await loadFixture(deployFunded);
    const deposit = () => escrow.connect(payer).deposit(payer, token, DOLLAR);
    await escrow.pause();
    const until = (await time.latest()) + MAX_PAUSE;
    await time.setNextBlockTimestamp(until - 1);
    await expect(deposit()).to.be.revertedWithCustomError(escrow, "PausedUntil").withArgs(until);
    expect(await escrow.paused()).to.equal(true);
    await time.setNextBlockTimestamp(until);
    await deposit();
    expect(await escrow.paused()).to.equal(false);
  });

  it("is refused while one lasts", async () => {
    const { escrow } = await loadFixture(deployFunded);
    await escrow.pause();
    const until = (await time.latest()) + MAX_PAUSE;
    await expect(escrow.pause()).to.be.revertedWithCustomError(escrow, "PausedUntil").withArgs(until);
  });

  it("cannot be ended where there is none, or where it lapsed", async () => {
    const { escrow } = await loadFixture(deployFunded);
    await expect(escrow.unpause()).to.be.revertedWithCustomError(escrow, "NotPaused");
    await escrow.pause();
    await escrow.unpause();
    await expect(escrow.unpause()).to.be.revertedWithCustomError(escrow, "NotPaused");
    await time.increase(COOLDOWN);
    await escrow.pause();
    await time.increase(MAX_PAUSE);
    await expect(escrow.unpause()).to.be.revertedWithCustomError(escrow, "NotPaused");
  });

  for (const [how, end] of [
    ["was ended", DAY],
    ["lapsed", MAX_PAUSE],
  ] as const)
    it(`can follow one that ${how} seven days later, and not one second sooner`, async () => {
      const { escrow } = await loadFixture(deployFunded);
      await escrow.pause();
      const ended = (await time.latest()) + end;
      if (end < MAX_PAUSE) {
        await time.setNextBlockTimestamp(ended);
        await escrow.unpause();
      }
      await time.setNextBlockTimestamp(ended + COOLDOWN - 1);
      await expect(escrow.pause())
        .to.be.revertedWithCustomError(escrow, "PauseTooSoon")
        .withArgs(ended + COOLDOWN);
      await time.setNextBlockTimestamp(ended + COOLDOWN);
      await escrow.pause();
      expect(await escrow.paused()).to.equal(true);
    });

  it("leaves a loss of standing counted, before it, in it and after it", async () => {
    const context = await loadFixture(deployFunded);
    const { escrow, registry, payer } = context;
    await fundedBatchOf(context);
    await registry.suspend(context.pharmacy);
    await fundedBatchOf(context);
    await escrow.pause();
    await registry.suspend(payer);
    await escrow.unpause();
    const batch = await batchOf(context);
    await expect(escrow.connect(payer).fund(batch.terms, batch.words)).to.be.revertedWithCustomError(
      escrow,
      "PayerNotInStanding",
    );
    await registry.reinstate(payer);
    await escrow.connect(payer).fund(batch.terms, batch.words);
  });
});

describe("ClaimEscrow: while paused", () => {
  /** One batch of which the pharmacy's first line is paid and its second is open, and one that is all open. */
  async function deployPaused() {
    const context = await loadFixture(deployFunded);
    const { escrow, attesters, pharmacy } = context;
    const signers = attesters.slice(0, 2);
    const begun = await fundedBatchOf(context);
    const results = begun.groups.map(({ payee }) => (payee === pharmacy.address ? byLine(met, pending) : met));
    await settle(escrow, await settlementOf(begun, { results, signers }));
    const payments = begun.groups.map(
      ({ payee, subtotal }) => (BigInt(payee) << 96n) | (payee === pharmacy.address ? 90n * DOLLAR : subtotal),
    );
    const batch = await fundedBatchOf(context);
    const settlement = await settlementOf(batch, { results: [met, met], signers });
    const next = await batchOf(context);
    const deadline = next.terms.eventBy;
    const { ClaimBatch, FundingOrder } = escrowTypes;
    const order = await context.payer.signTypedData(
      escrowDomain(next.ref),
      { ClaimBatch, FundingOrder },
      { batch: next.terms, deadline },
    );
    const authorization = await signReceiveAuthorization(context.token, context.payer, {
      to: await escrow.getAddress(),
      value: DOLLAR,
      validAfter: 0n,
      validBefore: BigInt(deadline),
      nonce: keccak256(AbiCoder.defaultAbiCoder().encode(["address", "bytes32"], [context.payer.address, ZeroHash])),
    });
    const { mandate } = await given(context);
    await escrow.pause();
    const until = (await time.latest()) + MAX_PAUSE;
    return { ...context, begun, payments, batch, settlement, next, deadline, order, authorization, mandate, until };
  }
  type Context = Awaited<ReturnType<typeof deployPaused>>;

  const stopped: [string, (context: Context) => Promise<unknown>][] = [
    ["deposit", ({ escrow, payer, token }) => escrow.connect(payer).deposit(payer, token, DOLLAR)],
    [
      "depositWithPermit",
      ({ escrow, payer, token }) =>
        escrow.connect(payer).depositWithPermit(payer, token, DOLLAR, 0n, 27, ZeroHash, ZeroHash),
    ],
    [
      "depositWithAuthorization",
      ({ escrow, payer, token, deadline, authorization: { v, r, s } }) =>
        escrow.depositWithAuthorization(payer, token, payer, DOLLAR, 0n, deadline, ZeroHash, v, r, s),
    ],
    ["fund", ({ escrow, payer, next }) => escrow.connect(payer).fund(next.terms, next.words)],
    [
      "fundWithSignature",
      ({ escrow, next, deadline, order }) => escrow.fundWithSignature(next.terms, next.words, deadline, order),
    ],
    [
      "fund under a mandate",
      ({ mandates, operator, next, mandate }) => mandates.connect(operator).fund(next.terms, next.words, mandate),
    ],
    ["settle", ({ escrow, settlement }) => escrow.settle(settlement.batch, settlement.groups, settlement.attestation)],
    [
      "settleByLine",
      ({ escrow, settlement }) =>
        escrow.settleByLine(settlement.batch, settlement.groups, settlement.attestation, settlement.opened),
    ],
    [
      "reverse",
      ({ escrow, batch, pharmacy }) => {
        const group = batch.groups.findIndex(({ payee }) => payee === pharmacy.address);
        const { opened, proof } = batch.openOne(group);
        return escrow.connect(pharmacy).reverse(batch.terms, batch.words, group, [0], opened, proof);
      },
    ],
    [
      "refund from credit",
      ({ escrow, begun, pharmacy, payments }) =>
        escrow.connect(pharmacy).refund(begun.terms, begun.words, payments, DOLLAR, true),
    ],
    [
      "refund with tokens",
      ({ escrow, begun, pharmacy, payments }) =>
        escrow.connect(pharmacy).refund(begun.terms, begun.words, payments, DOLLAR, false),
    ],
  ];
  for (const [name, call] of stopped)
    it(`${name} is refused, and works once the pause is over`, async () => {
      const context = await loadFixture(deployPaused);
      const { escrow, token, pharmacy, until } = context;
      await expect(call(context)).to.be.revertedWithCustomError(escrow, "PausedUntil").withArgs(until);
      await escrow.unpause();
      await token.mint(pharmacy, DOLLAR);
      await token.connect(pharmacy).approve(escrow, DOLLAR);
      await call(context);
    });

  it("settleMany skips every batch and says why", async () => {
    const { escrow, batch, settlement, until } = await loadFixture(deployPaused);
    await expect(escrow.settleMany([settlement]))
      .to.emit(escrow, "SettlementSkipped")
      .withArgs(0n, escrow.interface.encodeErrorResult("PausedUntil", [until]));
    expect((await escrow.claimBatchStatusOf(batch.id)).open).to.equal(190n * DOLLAR);
  });

  it("reclaim is refused, also where it is due otherwise", async () => {
    const context = await loadFixture(deployPaused);
    const { escrow, batch } = context;
    await expect(escrow.reclaim(batch.terms)).to.be.revertedWithCustomError(escrow, "ReclaimWhileStopped");
    await escrow.unpause();
    await time.increaseTo((await escrow.attestByOf(batch.terms)) + 1n);
    await escrow.pause();
    await expect(escrow.reclaim(batch.terms)).to.be.revertedWithCustomError(escrow, "ReclaimWhileStopped");
    await escrow.unpause();
    await expect(escrow.reclaim(batch.terms)).to.emit(escrow, "ClaimBatchReclaimed");
  });

  it("withdraw works", async () => {
    const { escrow, token, payer } = await loadFixture(deployPaused);
    const left = POOL - 380n * DOLLAR;
    await expect(escrow.connect(payer).withdraw(token, left, payer)).to.changeTokenBalance(token, payer, left);
  });

  it("payout works", async () => {
    const { escrow, token, pharmacy } = await loadFixture(deployPaused);
    await expect(escrow.payout(token, pharmacy)).to.changeTokenBalance(token, pharmacy, 90n * DOLLAR);
  });

  it("payoutTo works", async () => {
    const { escrow, token, pharmacy, stranger } = await loadFixture(deployPaused);
    await expect(escrow.connect(pharmacy).payoutTo(token, DOLLAR, stranger)).to.changeTokenBalance(
      token,
      stranger,
      DOLLAR,
    );
  });

  it("rulebooks are published, suspended and resumed, mandates given and ended, standings changed", async () => {
    const context = await loadFixture(deployPaused);
    const { escrow, mandates, rulebooks, registry, payer, suspender, stranger, rulebook } = context;
    await publish(rulebooks, rulebookOf([stranger.address], 1));
    await rulebooks.connect(suspender).suspend(rulebook);
    await rulebooks.connect(suspender).resume(rulebook);
    const { mandate } = await given(context);
    await mandates.connect(payer).endMandate(mandate);
    await registry.suspend(payer);
    expect(await escrow.standingOf(payer)).to.equal(0n);
  });
});
