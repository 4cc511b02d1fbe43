import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroHash, id } from "ethers";
import { ethers } from "hardhat";

import { escrowDomain, escrowTypes } from "@carepact/sdk/claims";

import { byLine, met, pending, settle, settlementOf } from "../../support/batches";
import { batchOf, deployFunded } from "../../support/funded";

const MOMENT = { before: 1, after: 2 } as const;

/**
 * A token with hooks that is itself a payer and a payee: it has a free balance of 50, a credit of 60, a payment of 60 that it
 * could refund, and an open line of 40. The pharmacy has a credit of 100.
 */
async function deployReentrant() {
  const context = await loadFixture(deployFunded);
  const { escrow, payer, pharmacy, laboratory, attesters } = context;
  const token = await ethers.deployContract("ReentrantToken");
  const self = await token.getAddress();
  const account = await escrow.getAddress();
  await token.mint(payer, 2_000n);
  await token.connect(payer).approve(escrow, 2_000n);
  await escrow.connect(payer).deposit(payer, token, 1_000n);

  await token.mint(token, 200n);
  await token.execute(token, token.interface.encodeFunctionData("approve", [account, 200n]));
  await token.execute(escrow, escrow.interface.encodeFunctionData("deposit", [self, self, 50n]));

  const batch = await batchOf(context, { token: self, lines: { [pharmacy.address]: [100n], [self]: [60n, 40n] } });
  await escrow.connect(payer).fund(batch.terms, batch.words);
  const results = batch.groups.map(({ payee }) => (payee === self ? byLine(met, pending) : met));
  const signers = attesters.slice(0, 2);
  await settle(escrow, await settlementOf(batch, { results, signers }));
  const group = batch.groups.findIndex(({ payee }) => payee === self);
  const payments = batch.groups.map(({ payee }) => (BigInt(payee) << 96n) | (payee === self ? 60n : 100n));
  const rest = await settlementOf(batch, { results: batch.groups.map(() => met), signers, open: [group] });

  const order = await batchOf(context, { token: self, lines: { [laboratory.address]: [10n] } });
  await token.mint(pharmacy, 10n);
  await token.connect(pharmacy).approve(escrow, 10n);
  return { ...context, token, self, batch, group, payments, rest, order };
}

type Context = Awaited<ReturnType<typeof deployReentrant>>;

/** Calls during which the token moves, and so calls back. */
const outer: [string, (context: Context) => Promise<unknown>][] = [
  ["deposit", ({ escrow, payer, token }) => escrow.connect(payer).deposit(payer, token, 10n)],
  ["withdraw", ({ escrow, payer, token }) => escrow.connect(payer).withdraw(token, 10n, payer)],
  ["payout", ({ escrow, pharmacy, token }) => escrow.payout(token, pharmacy)],
  ["payoutTo", ({ escrow, pharmacy, token }) => escrow.connect(pharmacy).payoutTo(token, 10n, pharmacy)],
  [
    "refund",
    ({ escrow, pharmacy, batch, payments }) =>
      escrow.connect(pharmacy).refund(batch.terms, batch.words, payments, 10n, false),
  ],
];

type Escrow = Context["escrow"]["interface"];

/** What the token may not call back with, in its own name. */
const guarded: [string, (escrow: Escrow, context: Context) => string][] = [
  ["deposit", (escrow, { self }) => escrow.encodeFunctionData("deposit", [self, self, 10n])],
  [
    "depositWithPermit",
    (escrow, { self }) => escrow.encodeFunctionData("depositWithPermit", [self, self, 10n, 0n, 27, ZeroHash, ZeroHash]),
  ],
  [
    "depositWithAuthorization",
    (escrow, { self }) =>
      escrow.encodeFunctionData("depositWithAuthorization", [
        self,
        self,
        self,
        10n,
        0n,
        0n,
        ZeroHash,
        27,
        ZeroHash,
        ZeroHash,
      ]),
  ],
  ["withdraw", (escrow, { self }) => escrow.encodeFunctionData("withdraw", [self, 10n, self])],
  ["payout", (escrow, { self }) => escrow.encodeFunctionData("payout", [self, self])],
  ["payoutTo", (escrow, { self }) => escrow.encodeFunctionData("payoutTo", [self, 10n, self])],
  [
    "refund from credit",
    (escrow, { batch, payments }) =>
      escrow.encodeFunctionData("refund", [batch.terms, batch.words, payments, 10n, true]),
  ],
  [
    "refund with tokens",
    (escrow, { batch, payments }) =>
      escrow.encodeFunctionData("refund", [batch.terms, batch.words, payments, 10n, false]),
  ],
];

/** What moves no tokens, and so may be called back with. */
const harmless: [string, (escrow: Escrow, context: Context) => Promise<string> | string][] = [
  [
    "settle",
    (escrow, { rest }) =>
      escrow.encodeFunctionData("settleByLine", [rest.batch, rest.groups, rest.attestation, rest.opened]),
  ],
  ["settleMany", (escrow, { rest }) => escrow.encodeFunctionData("settleMany", [[rest]])],
  [
    "reverse",
    (escrow, { batch, group }) => {
      const { opened, proof } = batch.openOne(group);
      return escrow.encodeFunctionData("reverse", [batch.terms, batch.words, group, [1n], opened, proof]);
    },
  ],
  [
    "fundWithSignature",
    async (escrow, { payer, order }) => {
      const types = { ClaimBatch: escrowTypes.ClaimBatch, FundingOrder: escrowTypes.FundingOrder };
      const deadline = order.terms.eventBy;
      const signature = await payer.signTypedData(escrowDomain(order.ref), types, { batch: order.terms, deadline });
      return escrow.encodeFunctionData("fundWithSignature", [order.terms, order.words, deadline, signature]);
    },
  ],
];

/** The token's balance of the escrow, and what the escrow's books say it should be. */
async function booksOf({ escrow, token, payer, pharmacy, laboratory, self, batch, order }: Context) {
  let booked = 0n;
  for (const account of [payer.address, pharmacy.address, laboratory.address, self]) {
    const [free, credit] = await escrow.balancesOf(account, token);
    booked += free + credit;
  }
  for (const { id } of [batch, order]) booked += (await escrow.claimBatchStatusOf(id)).open;
  return { held: await token.balanceOf(escrow), booked };
}

describe("ClaimEscrow: a token that calls back during a transfer", () => {
  for (const [during, call] of outer) {
    describe(`in a ${during}`, () => {
      for (const [name, encode] of guarded)
        it(`is refused a ${name}`, async () => {
          for (const moment of [MOMENT.before, MOMENT.after]) {
            const context = await loadFixture(deployReentrant);
            const { escrow, token } = context;
            await token.setCallback(moment, escrow, encode(escrow.interface, context));
            await call(context);
            expect(await token.callbacks()).to.equal(1n);
            expect(await token.lastSucceeded()).to.equal(false);
            expect(await token.lastReturned()).to.equal(id("ReentrancyGuardReentrantCall()").slice(0, 10));
            const { held, booked } = await booksOf(context);
            expect(held).to.equal(booked);
          }
        });

      for (const [name, encode] of harmless)
        it(`does no harm with a ${name}`, async () => {
          for (const moment of [MOMENT.before, MOMENT.after]) {
            const context = await loadFixture(deployReentrant);
            const { escrow, token } = context;
            await token.setCallback(moment, escrow, await encode(escrow.interface, context));
            await call(context);
            expect(await token.callbacks()).to.equal(1n);
            expect(await token.lastSucceeded()).to.equal(true);
            const { held, booked } = await booksOf(context);
            expect(held).to.equal(booked);
          }
        });
    });
  }

  it("is refused a deposit during which it sends tokens by hand", async () => {
    const { escrow, token, self, payer } = await loadFixture(deployReentrant);
    const account = await escrow.getAddress();
    const byHand = token.interface.encodeFunctionData("transfer", [account, 5n]);
    await token.setCallback(MOMENT.after, token, byHand);
    await expect(escrow.connect(payer).deposit(payer, token, 10n))
      .to.be.revertedWithCustomError(escrow, "TokenDeliveredOther")
      .withArgs(self, 10n, 15n);
  });
});
