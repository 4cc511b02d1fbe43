import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ethers } from "hardhat";

import type { TestStablecoin } from "../../../typechain-types";
import { byLine, met, notMet, partlyMet, pending, settle } from "../../support/batches";
import { expectSound, interfaceOf } from "../../support/books";
import { attested, moneyOf } from "../../support/claims";
import {
  ARBITER_TIME,
  BOND,
  CHALLENGE,
  LOOK_BACK,
  another,
  anotherTo,
  at,
  attestByOf,
  bookedOf,
  deposit,
  dispute,
  disputeMissing,
  given,
  openingOf,
  present,
  presentationAt,
  recoup,
  refuses,
  release,
  resolve,
  resolveByDefault,
  settlePresented,
  soundAfterEach,
  type Given,
} from "../../support/disputes";

describe("ClaimEscrow: disputes, attacked", () => {
  soundAfterEach();

  describe("a line of nothing, which a payer can commit to", () => {
    async function worthless(rulebook: "challenged" | "arbitrated"): Promise<Given> {
      const context = await given(rulebook, [[100n, 0n, 20n]], { width: 2 });
      for (const account of [context.payer, context.payees[0]!]) await deposit(context, account, BOND);
      return context;
    }

    for (const side of ["payer", "payee"] as const)
      for (const way of ["arbiter", "default"] as const)
        it(`locks nobody's bond for ever: disputed by the ${side}, ended by the ${way}`, async () => {
          const context = await worthless("challenged");
          await present(context, [byLine(met, met, notMet)]);
          await dispute(context, side === "payer" ? context.payer : context.payees[0]!, 0, 1);
          await refuses(context, resolve(context, 0, 1, 1n), "AwardTooLarge", 0n, 1n);
          await time.increase(ARBITER_TIME - 5 * 60);
          if (way === "arbiter") await resolve(context, 0, 1, 0n);
          else {
            await time.increase(10 * 60);
            await resolveByDefault(context, 0, 1);
          }
          expect((await bookedOf(context)).disputes.size).to.equal(0);
          await settlePresented(context);
          const { free, credits } = await moneyOf(context, context.batch);
          expect(free + credits[0]!).to.be.greaterThanOrEqual(120n + BOND);
        });

    it("locks no bond for ever where nobody attested it", async () => {
      const context = await worthless("arbitrated");
      await at(Number(context.batch.terms.eventBy) + 1);
      await disputeMissing(context, context.payees[0]!, 0, 1);
      await refuses(context, disputeMissing(context, context.payees[0]!, 0, 1), "LineNotOpen", 1n);
      await resolve(context, 0, 1, 0n);
      expect((await bookedOf(context)).disputes.size).to.equal(0);
    });

    it("presents nothing by itself", async () => {
      const context = await worthless("challenged");
      await present(context, [byLine(pending, met, pending)]);
      expect((await bookedOf(context)).presentations.size).to.equal(0);
      await present(context, [byLine(met, met, met)]);
      expect((await presentationAt(context)).lines).to.deep.equal([0b111n]);
    });
  });

  describe("lists beside a presentation that says no outcomes", () => {
    it("are not read: neither when a line is disputed nor when it settles", async () => {
      const context = await given("bondless", [[100n, 20n], [30n]]);
      await present(context, [met, pending]);
      const held = await presentationAt(context);
      const { batch, receiver, payer } = context;
      const junk = { ...held, lines: [0b100n, (1n << 256n) - 1n] };
      const opening = openingOf(context, 1, 0);
      const other = receiver.connect(payer).dispute(batch.terms, batch.words, opening, junk);
      await refuses(context, other, "LineNotPresented", 2n);
      await receiver.connect(payer).dispute(batch.terms, batch.words, openingOf(context, 0, 1), junk);
      expect((await presentationAt(context)).lines).to.deep.equal([0b1n]);
      await present(context, [met, met]);
      await time.increase(CHALLENGE);
      const settling = await presentationAt(context);
      await settlePresented(context, 0n, settling);
      expect((await moneyOf(context, batch)).credits).to.deep.equal([100n, 0n]);
    });
  });

  it("pays no more than the batch's total however often a line could be brought in again", async () => {
    const context = await given("full", [[100n, 20n], [900n]]);
    for (const account of [context.payer, context.payees[0]!]) await deposit(context, account, 2n * BOND);
    await present(context, [byLine(met, pending), pending]);
    await dispute(context, context.payer, 0, 0);
    for (const results of [
      [met, pending],
      [byLine(met, notMet), pending],
      [notMet, pending],
    ])
      await present(context, results, { open: [0] });
    await resolve(context, 0, 0, 100n);
    await present(context, [met, pending], { open: [0] });
    await time.increase(CHALLENGE);
    for (const firstLine of (await bookedOf(context)).presentations.keys()) await settlePresented(context, firstLine);
    await time.increase(LOOK_BACK);
    for (const firstLine of (await bookedOf(context)).retentions.keys()) await release(context, firstLine);
    const { escrow, batch } = context;
    expect(await moneyOf(context, batch)).to.deep.equal({
      open: 900n,
      free: 2n * BOND - BOND,
      credits: [120n + BOND, 0n],
    });
    expect((await escrow.claimBatchStatusOf(batch.id)).paidInFull).to.equal(false);
  });

  it("refunds with tokens, too, what presentations, rulings and releases paid, and no more", async () => {
    const context = await given("full", [[1_000n, 200n]]);
    const { batch, escrow, payees, payer, token } = context;
    const [payee] = payees;
    await deposit(context, payer, BOND);
    await present(context, [met]);
    await dispute(context, payer, 0, 1);
    await resolve(context, 0, 1, 200n);
    await time.increase(CHALLENGE);
    await settlePresented(context);
    await recoup(context, 0, 40n);
    await time.increase(LOOK_BACK);
    const early = (await bookedOf(context)).payments;
    await release(context);
    const { payments } = await bookedOf(context);
    expect(payments.map((word) => word & ((1n << 96n) - 1n))).to.deep.equal([200n, 900n, 60n]);
    await token.mint(payee!, 5_000n);
    await token.connect(payee).approve(escrow, 5_000n);
    const refund = (list: bigint[], amount: bigint, fromCredit: boolean) =>
      escrow.connect(payee).refund(batch.terms, batch.words, list, amount, fromCredit);
    await refuses(context, refund(early, 1n, false), "PaymentsMismatch", batch.id);
    await refund(payments, 1_100n, false);
    await refuses(context, refund(payments, 61n, true), "RefundTooLarge", 1_160n, 1_100n, 61n);
    await refund(payments, 60n, true);
    // 40 were recouped: all of the batch is the payer's again.
    expect((await moneyOf(context, batch)).free).to.equal(1_200n);
    await refuses(context, release(context, 0n, { firstLine: 0n, amounts: [] }), "RetentionMismatch");
  });

  it("lets the payee not empty what is retained or in dispute by payouts and withdrawals", async () => {
    const context = await given("full", [[1_000n], [50n]]);
    const { escrow, payees, payer, token } = context;
    await deposit(context, payer, BOND);
    await present(context, [met, met]);
    await dispute(context, payer, 1, 0);
    await time.increase(CHALLENGE);
    await settlePresented(context);
    await escrow.payout(token, payees[0]!);
    await refuses(context, escrow.payout(token, payees[1]!), "AmountZero");
    await refuses(context, escrow.connect(payer).withdraw(token, 1n, payer), "FreeBalanceTooSmall");
    // Retained, frozen, and the bond.
    expect(await token.balanceOf(escrow)).to.equal(100n + 50n + BOND);
  });

  describe("an attester who lied", () => {
    /** Says met and not met at one moment, and is struck from the rulebook. */
    async function strike(context: Given, attester: HardhatEthersSigner): Promise<void> {
      const told = await another(context, [[1n]]);
      const { batch, rulebooks } = told;
      const observedAt = await time.latest();
      const [first, second] = [
        await attested(told, batch, [met], { signers: [attester], observedAt }),
        await attested(told, batch, [notMet], { signers: [attester], observedAt }),
      ];
      await rulebooks.proveEquivocation(
        ...([attester.address, batch.terms, batch.words, 0, 0, first.attestation, second.attestation] as const),
      );
    }

    it("is not heard any more, and changes nothing of what was presented before", async () => {
      const context = await given("bondless", [[100n, 20n], [30n]]);
      const { attesters } = context;
      await present(context, [pending, met]);
      await strike(context, attesters[0]!);
      await refuses(context, present(context, [met, met]), "NotAttester", attesters[0]!.address);
      await present(context, [met, met], { signers: attesters.slice(1) });
      await dispute(context, context.payer, 1, 0);
      await resolve(context, 1, 0, 10n);
      await time.increase(CHALLENGE);
      await settlePresented(context);
      expect((await moneyOf(context, context.batch)).credits).to.deep.equal([120n, 10n]);
    });

    it("leaves payees a way where too few are left: they dispute that results are missing", async () => {
      const context = await given("payeeDefault", [[100n, 20n], [30n]]);
      const { attesters, payees, batch, escrow } = context;
      await strike(context, attesters[0]!);
      await strike(context, attesters[2]!);
      for (const signers of [attesters.slice(0, 2), attesters.slice(1)])
        await refuses(context, settle(escrow, await attested(context, batch, [met, met], { signers })), "NotAttester");
      await at(attestByOf(batch));
      await disputeMissing(context, payees[0]!, 0, 0);
      await time.increase(ARBITER_TIME);
      await resolveByDefault(context, 0, 0);
      await escrow.reclaim(batch.terms);
      expect(await moneyOf(context, batch)).to.deep.equal({ open: 0n, free: 50n, credits: [100n, 0n] });
    });
  });

  describe("tokens that are not as they should be", () => {
    for (const [name, args] of Object.entries({ FeeOnTransferToken: [0], NoReturnToken: [] }))
      it(`lock and move bonds as others do, since no token moves (${name})`, async () => {
        const dollars = await given("challenged", [[1n]]);
        const contract = await ethers.deployContract(name, args);
        const token = contract as unknown as TestStablecoin;
        const context = { ...dollars, token, batches: [], batch: dollars.batch } as Given;
        const terms = { token: await token.getAddress(), rulebook: dollars.ids.challenged };
        const odd = await another(context, [[100n, 20n]], terms);
        await deposit(odd, odd.payer, BOND);
        if (name === "FeeOnTransferToken") await contract.getFunction("setFeeBps")(100);
        await present(odd, [byLine(met, partlyMet(5n))]);
        await dispute(odd, odd.payer, 0, 0);
        await resolve(odd, 0, 0, 50n);
        await time.increase(CHALLENGE);
        await settlePresented(odd, 1n);
        expect(await moneyOf(odd, odd.batch)).to.deep.equal({ open: 0n, free: 65n + BOND, credits: [55n] });
        await expectSound(odd, [odd.batch]);
      });

    it("cover no bond in another token", async () => {
      const context = await given("challenged", [[100n]]);
      const other = await ethers.deployContract("TestStablecoin", ["Other Dollar", "ODD", 6]);
      await deposit({ ...context, token: other }, context.payer, 10n * BOND);
      await present(context, [met]);
      await refuses(context, dispute(context, context.payer, 0, 0), "BondNotCovered");
    });
  });

  it("lets a payee that is a contract dispute, with a bond out of its credit", async () => {
    const context = await given("challenged", [[1n]]);
    const [owner] = context.payees;
    const wallet = await ethers.deployContract("Erc1271Wallet", [owner!.address]);
    const payee = await wallet.getAddress();
    const own = await anotherTo(context, { [payee]: [100n, 20n] });
    await present(own, [byLine(met, notMet)]);
    await time.increase(CHALLENGE);
    await settlePresented(own);
    const next = await anotherTo(own, { [payee]: [300n] });
    await present(next, [notMet]);
    const { batch, escrow, token } = next;
    const held = await presentationAt(next);
    const args = [batch.terms, batch.words, openingOf(next, 0, 0), held] as const;
    const data = interfaceOf(next).encodeFunctionData("dispute", args);
    await wallet.connect(owner).getFunction("execute")(escrow, data);
    expect((await escrow.balancesOf(payee, token)).credit).to.equal(100n - BOND);
    await resolve(next, 0, 0, 300n);
    expect((await escrow.balancesOf(payee, token)).credit).to.equal(400n);
    await escrow.payout(token, payee);
  });
});
