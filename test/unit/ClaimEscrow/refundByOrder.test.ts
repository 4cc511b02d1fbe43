import { time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { SigningKey, TypedDataEncoder, Wallet, ZeroAddress, concat, hexlify, id } from "ethers";
import { ethers } from "hardhat";

import { escrowDomain } from "@carepact/sdk/claims";

import { met, notMet, pending, settle } from "../../support/batches";
import { reportedBy } from "../../support/books";
import { attested, moneyOf } from "../../support/claims";
import {
  BOND,
  CHALLENGE,
  LOOK_BACK,
  another,
  anotherTo,
  around,
  bookedOf,
  deposit,
  dispute,
  given,
  present,
  recoup,
  refundOrderOf,
  refundOrderTypes,
  refuses,
  release,
  resolve,
  settlePresented,
  soundAfterEach,
  type Given,
} from "../../support/disputes";
import { DAY } from "../../support/system";

type Order = Awaited<ReturnType<typeof refundOrderOf>>;

describe("ClaimEscrow: refundByOrder", () => {
  soundAfterEach();

  /** 1,200, 500 and 400 were paid to three payees, at once. */
  async function paid(): Promise<Given> {
    const context = await given("arbitrated");
    await settle(context.escrow, await attested(context, context.batch, [met, met, met]));
    return context;
  }
  const bring = async (context: Given, { order, signature }: Order, payments?: bigint[]) =>
    context.receiver
      .connect(context.stranger)
      .refundByOrder(
        context.batch.terms,
        context.batch.words,
        payments ?? (await bookedOf(context)).payments,
        order,
        signature,
      );
  const creditOf = async ({ escrow, token }: Given, account: { address: string }) =>
    (await escrow.balancesOf(account.address, token)).credit;
  const orderOf = (context: Given, upTo: bigint, changes = {}) =>
    refundOrderOf(context, context.payees[0]!, upTo, changes);

  it("takes what was agreed out of the payee's credit, by anybody's hand", async () => {
    const context = await paid();
    const { batch, payees, escrow } = context;
    expect(await reportedBy(context, bring(context, await orderOf(context, 700n)))).to.deep.equal([
      ["Refunded", batch.id, payees[0]!.address, 700n, true],
    ]);
    expect(await moneyOf(context, batch)).to.deep.equal({ open: 0n, free: 700n, credits: [500n, 500n, 400n] });
    expect(await escrow.refundedOf(batch.id, payees[0]!)).to.equal(700n);
  });

  it("returns how much it took", async () => {
    const context = await paid();
    const { order, signature } = await orderOf(context, 700n);
    const { batch, receiver } = context;
    const returned = await receiver.refundByOrder.staticCall(batch.terms, batch.words, [], order, signature);
    expect(returned).to.equal(700n);
  });

  it("takes nothing when it is brought again", async () => {
    const context = await paid();
    const order = await orderOf(context, 700n);
    await bring(context, order);
    expect(await reportedBy(context, bring(context, order))).to.deep.equal([]);
    await bring(context, await orderOf(context, 699n));
    expect(await creditOf(context, context.payees[0]!)).to.equal(500n);
  });

  it("takes the rest when a later order allows more", async () => {
    const context = await paid();
    await bring(context, await orderOf(context, 700n));
    await bring(context, await orderOf(context, 900n));
    expect(await creditOf(context, context.payees[0]!)).to.equal(300n);
  });

  it("takes no more than was received, whatever was agreed", async () => {
    const context = await paid();
    const order = await orderOf(context, (1n << 256n) - 1n);
    const other = await another(context, [[100n]]);
    await settle(other.escrow, await attested(other, other.batch, [met]));
    await bring(context, order);
    expect(await creditOf(context, context.payees[0]!)).to.equal(100n);
    expect(await context.escrow.refundedOf(context.batch.id, context.payees[0]!)).to.equal(1_200n);
    expect(await reportedBy(context, bring(context, order))).to.deep.equal([]);
  });

  it("takes credits that come later, from other batches, in parts", async () => {
    const context = await paid();
    const [payee] = context.payees;
    await context.escrow.payout(context.token, payee!);
    const order = await orderOf(context, 800n);
    expect(await reportedBy(context, bring(context, order))).to.deep.equal([]);
    for (const [amount, left] of [
      [300n, 0n],
      [300n, 0n],
      [300n, 100n],
    ] as const) {
      const next = await another(context, [[amount]]);
      await settle(next.escrow, await attested(next, next.batch, [met]));
      await bring(context, order);
      expect(await creditOf(context, payee!)).to.equal(left);
    }
    expect(await context.escrow.refundedOf(context.batch.id, payee!)).to.equal(800n);
  });

  it("counts what was refunded in other ways", async () => {
    const context = await paid();
    const { batch, escrow, payees } = context;
    await escrow.connect(payees[0]).refund(batch.terms, batch.words, [], 600n, true);
    const order = await orderOf(context, 700n);
    await bring(context, order);
    expect(await creditOf(context, payees[0]!)).to.equal(500n);
    await escrow.connect(payees[0]).refund(batch.terms, batch.words, [], 50n, true);
    expect(await reportedBy(context, bring(context, order))).to.deep.equal([]);
    await refuses(
      ...([context, escrow.connect(payees[0]).refund(batch.terms, batch.words, [], 451n, true)] as const),
      ...(["RefundTooLarge", 1_200n, 750n, 451n] as const),
    );
  });

  it("is good until the last second of its deadline", async () => {
    const context = await paid();
    const deadline = (await time.latest()) + DAY;
    const order = await orderOf(context, 10n, { deadline });
    await around(deadline, {
      atLast: [() => bring(context, order)],
      after: [() => refuses(context, bring(context, order), "RefundOrderExpired", deadline)],
    });
  });

  it("never ends with the greatest deadline", async () => {
    const context = await paid();
    await bring(context, await orderOf(context, 10n, { deadline: (1n << 256n) - 1n }));
    expect(await creditOf(context, context.payees[0]!)).to.equal(1_190n);
  });

  it("refunds what came in every way: presented, awarded, released; and not what was recouped", async () => {
    const context = await given("full");
    const { batch, payees, escrow } = context;
    const [payee] = payees;
    await deposit(context, payee!, BOND);
    await present(context, [notMet, pending, met]);
    await dispute(context, payee!, 0, 1);
    await present(context, [notMet, met, met]);
    await time.increase(CHALLENGE);
    await settlePresented(context);
    await settlePresented(context, 2n);
    await resolve(context, 0, 1, 150n);
    await recoup(context, 0, 30n);
    const third = payees[2]!;
    const order = await refundOrderOf(context, third, 1_000n, { deadline: 1n << 255n });
    await bring(context, order);
    expect(await escrow.refundedOf(batch.id, third)).to.equal(360n);
    await time.increase(LOOK_BACK);
    await release(context);
    await release(context, 2n);
    await bring(context, order);
    expect(await escrow.refundedOf(batch.id, third)).to.equal(370n);
    await bring(context, await refundOrderOf(context, payee!, 1_000n));
    expect(await escrow.refundedOf(batch.id, payee!)).to.equal(150n);
    expect(await creditOf(context, payee!)).to.equal(BOND);
    await refuses(context, bring(context, order, []), "PaymentsMismatch", batch.id);
  });

  it("takes nothing of who received nothing", async () => {
    const context = await paid();
    const stranger = await refundOrderOf(context, context.stranger, 5n);
    expect(await reportedBy(context, bring(context, stranger))).to.deep.equal([]);
    const open = await given("arbitrated");
    expect(await reportedBy(open, bring(open, await orderOf(open, 5n)))).to.deep.equal([]);
  });

  describe("refuses an order", () => {
    const forged = {
      "for more": { upTo: 701n },
      "that is good for longer": { deadline: 1n << 200n },
    };
    for (const [what, change] of Object.entries(forged))
      it(what, async () => {
        const context = await paid();
        const { order, signature } = await orderOf(context, 700n);
        const sent = bring(context, { order: { ...order, ...change }, signature });
        await refuses(context, sent, "RefundOrderInvalid", context.payees[0]!.address);
      });

    it("of another payee", async () => {
      const context = await paid();
      const { order, signature } = await orderOf(context, 700n);
      for (const { address } of [context.payees[1]!, context.payer]) {
        const sent = bring(context, { order: { ...order, payee: address }, signature });
        await refuses(context, sent, "RefundOrderInvalid", address);
      }
      const nobody = bring(context, { order: { ...order, payee: ZeroAddress }, signature: "0x" });
      await refuses(context, nobody, "RefundOrderInvalid", ZeroAddress);
    });

    it("that somebody else signed: payer, arbiter, or another payee", async () => {
      const context = await paid();
      const { payer, arbiter, payees } = context;
      for (const signer of [payer, arbiter, payees[1]!]) {
        const order = await refundOrderOf(context, signer, 700n, { payee: payees[0]!.address });
        await refuses(context, bring(context, order), "RefundOrderInvalid", payees[0]!.address);
      }
    });

    it("of another batch, or another escrow or chain", async () => {
      const context = await paid();
      const { batch, payees } = context;
      const other = await another(context);
      await settle(other.escrow, await attested(other, other.batch, [met, met, met]));
      const elsewhere = await orderOf(other, 700n);
      await refuses(context, bring(context, elsewhere), "RefundOrderInvalid", payees[0]!.address);
      for (const ref of [
        { ...batch.ref, chainId: 1n },
        { ...batch.ref, escrow: context.stranger.address },
      ]) {
        const order = await orderOf({ ...context, batch: { ...batch, ref } }, 700n);
        await refuses(context, bring(context, order), "RefundOrderInvalid", payees[0]!.address);
      }
    });

    it("without a signature, with one that is cut, or with its twin", async () => {
      const context = await paid();
      const { order, signature } = await orderOf(context, 700n);
      const s = BigInt(`0x${signature.slice(66, 130)}`);
      const order256 = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
      const v = signature.endsWith("1b") ? "0x1c" : "0x1b";
      const twin = concat([signature.slice(0, 66), `0x${(order256 - s).toString(16).padStart(64, "0")}`, v]);
      for (const wrong of ["0x", signature.slice(0, -2), `${signature}00`, twin])
        await refuses(context, bring(context, { order, signature: wrong }), "RefundOrderInvalid");
    });

    it("with other groups or payments, of an unknown batch, or while paused", async () => {
      const context = await given("retaining");
      await present(context, [met, met, met]);
      const { batch, receiver, escrow } = context;
      const { order, signature } = await orderOf(context, 700n);
      const { payments } = await bookedOf(context);
      const send = (terms: typeof batch.terms, words: bigint[], list: bigint[]) =>
        receiver.refundByOrder(terms, words, list, order, signature);
      await refuses(context, send(batch.terms, [...batch.words].reverse(), payments), "GroupsMismatch");
      await refuses(context, send(batch.terms, batch.words, []), "PaymentsMismatch", batch.id);
      const more = payments.map((word) => word + 1n);
      await refuses(context, send(batch.terms, batch.words, more), "PaymentsMismatch", batch.id);
      await refuses(context, send({ ...batch.terms, salt: 1n }, batch.words, payments), "RefundOrderInvalid");
      const unknown = { ...batch.terms, salt: 1n };
      const forUnknown = await orderOf(context, 1n, { batchId: await escrow.batchIdOf(unknown) });
      const sent = receiver.refundByOrder(unknown, batch.words, [], forUnknown.order, forUnknown.signature);
      await refuses(context, sent, "ClaimBatchUnknown");
      await escrow.pause();
      await refuses(context, send(batch.terms, batch.words, payments), "PausedUntil");
      await escrow.unpause();
      await send(batch.terms, batch.words, payments);
    });
  });

  describe("of a payee that is a contract", () => {
    const key = new SigningKey(id("owner of a payee's wallet"));
    const signed = async (context: Given, payee: string, upTo: bigint): Promise<Order> => {
      const order = { payee, upTo, deadline: (await time.latest()) + DAY };
      const message = { batchId: context.batch.id, ...order };
      const digest = TypedDataEncoder.hash(escrowDomain(context.batch.ref), refundOrderTypes, message);
      return { order, signature: key.sign(digest).serialized };
    };

    async function paidTo(contract: string, args: unknown[]): Promise<{ context: Given; payee: string }> {
      const disputing = await given("arbitrated", [[1n]]);
      const payee = await (await ethers.deployContract(contract, args)).getAddress();
      const context = await anotherTo(disputing, { [payee]: [100n] });
      await settle(context.escrow, await attested(context, context.batch, [met]));
      return { context, payee };
    }

    it("takes its ERC-1271 signature", async () => {
      const { context, payee } = await paidTo("Erc1271Wallet", [new Wallet(key).address]);
      await bring(context, await signed(context, payee, 60n));
      expect(await context.escrow.refundedOf(context.batch.id, payee)).to.equal(60n);
      const { order } = await signed(context, payee, 60n);
      const wrong = { order: { ...order, upTo: 61n }, signature: hexlify(new Uint8Array(65)) };
      await refuses(context, bring(context, wrong), "RefundOrderInvalid", payee);
      await context.escrow.payout(context.token, payee);
    });

    for (const mode of [0, 1, 3, 5, 6])
      it(`is not taken in by one that misbehaves (${mode})`, async () => {
        const { context, payee } = await paidTo("Erc1271Misbehaving", [mode]);
        const order = await signed(context, payee, 60n);
        const { batch, receiver } = context;
        const sent = receiver.refundByOrder(batch.terms, batch.words, [], order.order, order.signature, {
          gasLimit: 1_000_000,
        });
        await refuses(context, sent, "RefundOrderInvalid", payee);
        await context.escrow.payout(context.token, payee);
      });
  });
});
