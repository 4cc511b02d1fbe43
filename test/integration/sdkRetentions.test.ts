import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { recoverAddress } from "ethers";

import { run } from "@carepact/sdk";
import {
  createClaims,
  parseRefundOrder,
  refundOrderDigestOf,
  type RefundOrder,
  type Settlement,
} from "@carepact/sdk/claims";

import { met, notMet, pending } from "../support/batches";
import { DAY } from "../support/system";

import { attestations, byClaim, CENT, fundedBatch, lineOf, moneyOf, nodeWith, refusal, reverted } from "./support";
import { challengedWorld, CHALLENGE_PERIOD, DOLLAR, LOOK_BACK, retainedWorld, type StrictWorld } from "./strictWorld";

const TENTH = CENT / 10n;

interface SettledWorld extends StrictWorld {
  settled: Settlement;
}

/** All lines settled as met: a tenth of 102.34 and of 75.00 is retained. */
async function settledWorld(): Promise<SettledWorld> {
  const world = await loadFixture(retainedWorld);
  const signed = await attestations(world, world.file, [met, met]);
  return { ...world, settled: await run(world.stranger.claims.settle(world.file, signed)) };
}

const creditOf = async ({ stranger, tokenAddress: token }: StrictWorld, account: string): Promise<bigint> =>
  (await stranger.pools.balances({ account, token })).credit;

describe("SDK: what is retained of payments", () => {
  describe("settling", () => {
    it("keeps back the rulebook's share, in one step where nothing can be disputed", async () => {
      const world = await loadFixture(retainedWorld);
      const { stranger, file, pharmacy, laboratory } = world;
      const signed = await attestations(world, file, [met, met]);
      const action = stranger.claims.settle(file, signed);
      const whole = { paid: 159_606n * TENTH, freed: 0n, retained: 17_734n * TENTH };
      expect(await action.simulate()).to.deep.equal(whole);
      expect(await run(action)).to.deep.include({
        batchId: file.batchId,
        ...whole,
        unopened: [],
        groups: [
          { payee: pharmacy.address, paid: 92_106n * TENTH, freed: 0n, retained: 10_234n * TENTH },
          { payee: laboratory.address, paid: 67_500n * TENTH, freed: 0n, retained: 7_500n * TENTH },
        ],
      });
      expect(await stranger.claims.status(file)).to.include({ open: 0n, retained: whole.retained, paidInFull: false });
      const now = await time.latest();
      expect(await stranger.claims.retentions(file)).to.deep.equal([
        {
          firstLine: 0,
          amounts: [
            (BigInt(pharmacy.address) << 96n) | (10_234n * TENTH),
            (BigInt(laboratory.address) << 96n) | (7_500n * TENTH),
          ],
          payments: [
            { payee: pharmacy.address, amount: 10_234n * TENTH },
            { payee: laboratory.address, amount: 7_500n * TENTH },
          ],
          amount: whole.retained,
          recoupUntil: now + LOOK_BACK,
        },
      ]);
    });

    it("opens lines that settle one by one, and keeps nothing back of what is freed", async () => {
      const world = await loadFixture(retainedWorld);
      const { stranger, file, record, own } = world;
      const said = byClaim(own, { "F-12": { result: "partlyMet", amount: 10n * DOLLAR } });
      const signed = await attestations(world, own, [said, notMet]);
      const action = stranger.claims.settle(record, signed);
      const outcome = { paid: 9n * DOLLAR, freed: 7_734n * CENT, retained: DOLLAR };
      expect(await action.simulate()).to.deep.equal(outcome);
      const settled = await run(action);
      expect(settled).to.deep.include(outcome);
      expect(settled.groups.map(({ retained }) => retained)).to.deep.equal([DOLLAR, 0n]);
      const retentions = await stranger.claims.retentions(file);
      expect(retentions.map(({ firstLine, amount }) => [firstLine, amount])).to.deep.equal([
        [lineOf(own, "F-12"), DOLLAR],
      ]);
      const nothing = await run(stranger.claims.settle(record, signed));
      expect(nothing).to.deep.include({ paid: 0n, freed: 0n, retained: 0n, groups: [] });
    });

    it("goes on by itself only: several batches in one call are for other rulebooks", async () => {
      const { stranger, file } = await loadFixture(retainedWorld);
      const many = stranger.claims.settleMany([{ batch: file, attestations: [] }]);
      const { message } = await refusal("PRESENTATION_NEEDED", many.simulate());
      expect(message).to.include("by itself");
    });
  });

  describe("recouping and releasing", () => {
    it("takes parts for the payer within the look-back, and gives the rest to the payees afterwards", async () => {
      const world = await loadFixture(settledWorld);
      const { arbiter, payer, stranger, pharmacy, laboratory, file } = world;
      const take = (amount: bigint, payee = pharmacy.address) => ({ retention: 0, payee, amount });
      const before = await moneyOf(world);
      expect(await run(arbiter.claims.recoup(file, take(4n * DOLLAR)))).to.include({ amount: 4n * DOLLAR });
      expect((await moneyOf(world)).pool - before.pool).to.equal(400n);
      expect(await stranger.claims.status(file)).to.include({ retained: 13_734n * TENTH });
      const [retention] = await stranger.claims.retentions(file);
      expect(retention?.payments[0]).to.deep.equal({ payee: pharmacy.address, amount: 6_234n * TENTH });

      await reverted("NotArbiter", payer.claims.recoup(file, take(1n)).simulate());
      const large = await reverted("RecoupTooLarge", arbiter.claims.recoup(file, take(6_234n * TENTH + 1n)).simulate());
      expect(large).to.deep.equal({ retained: String(6_234n * TENTH), asked: String(6_234n * TENTH + 1n) });
      await reverted("LookBackOpen", stranger.claims.release(file, 0).simulate());
      const stale = { ...retention!, amounts: retention!.amounts.map((word) => word + 1n) };
      await reverted("RetentionMismatch", arbiter.claims.recoup(file, { ...take(1n), retention: stale }).simulate());

      await run(arbiter.claims.recoup(file, { ...take(7_500n * TENTH, laboratory.address), retention: retention! }));
      await time.increase(LOOK_BACK + 1);
      await reverted("LookBackOver", arbiter.claims.recoup(file, take(1n)).simulate());
      const action = stranger.claims.release(file, 0);
      expect(await action.simulate()).to.deep.equal({ amount: 6_234n * TENTH });
      expect(await run(action)).to.deep.include({
        batchId: file.batchId,
        amount: 6_234n * TENTH,
        payments: [{ payee: pharmacy.address, amount: 6_234n * TENTH }],
      });
      expect(await stranger.claims.retentions(file)).to.deep.equal([]);
      expect(await stranger.claims.status(file)).to.include({ retained: 0n });
      const { details } = await refusal("RETENTION_UNKNOWN", stranger.claims.release(file, 0).simulate());
      expect(details).to.deep.include({ firstLine: 0, retained: [] });
    });

    it("knows nothing of payees whose payment nothing is retained of", async () => {
      const { arbiter, payer, file } = await loadFixture(settledWorld);
      const { details } = await refusal(
        "RETENTION_UNKNOWN",
        arbiter.claims.recoup(file, { retention: 0, payee: payer.address, amount: 1n }).simulate(),
      );
      expect(details).to.deep.include({ firstLine: 0, payee: payer.address });
      await refusal(
        "IDENTIFIER_INVALID",
        arbiter.claims.recoup(file, { retention: 0, payee: "0x", amount: 1n }).simulate(),
      );
    });

    it("ends with nothing when all of it was recouped, though no event says so", async () => {
      const world = await loadFixture(settledWorld);
      const { arbiter, stranger, pharmacy, laboratory, file } = world;
      for (const [payee, amount] of [
        [pharmacy.address, 10_234n],
        [laboratory.address, 7_500n],
      ] as const)
        await run(arbiter.claims.recoup(file, { retention: 0, payee, amount: amount * TENTH }));
      expect((await stranger.claims.retentions(file)).map(({ amount }) => amount)).to.deep.equal([0n]);
      await time.increase(LOOK_BACK + 1);
      expect(await run(stranger.claims.release(file, 0))).to.deep.include({ amount: 0n, payments: [] });
      expect(await stranger.claims.retentions(file)).to.deep.equal([]);
    });
  });

  describe("refunding what was paid in parts", () => {
    it("proves settlements, awards and releases, in the order in which they came", async () => {
      const world = await loadFixture(settledWorld);
      const { pharmacy, stranger, file } = world;
      await time.increase(LOOK_BACK + 1);
      await run(stranger.claims.release(file, 0));
      await reverted(
        "RefundTooLarge",
        pharmacy.claims.refund(file, { amount: 10_234n * CENT + 1n, from: "credit" }).simulate(),
      );
      expect(await run(pharmacy.claims.refund(file, { amount: 10_234n * CENT, from: "credit" }))).to.include({
        amount: 10_234n * CENT,
      });
      expect(await creditOf(world, pharmacy.address)).to.equal(0n);
    });

    it("counts what an arbiter awarded", async () => {
      const world = await loadFixture(challengedWorld);
      const { payer, arbiter, pharmacy, stranger, file, record, own } = world;
      const place = { group: 0, line: lineOf(own, "F-11") };
      await run(stranger.claims.present(file, await attestations(world, file, [met, pending])));
      await run(payer.claims.dispute(record, place));
      await run(arbiter.claims.resolve(file, place, 50n * DOLLAR));
      await time.increase(CHALLENGE_PERIOD + 1);
      await run(stranger.claims.settlePresented(file, lineOf(own, "F-12")));
      const all = { amount: 6_234n * CENT, from: "credit" } as const;
      expect(await run(pharmacy.claims.refund(file, all))).to.include({ amount: 6_234n * CENT });
    });
  });
});

describe("SDK: refund orders", () => {
  const sign = async ({ pharmacy, file }: StrictWorld, upTo = 30n * DOLLAR): Promise<RefundOrder> =>
    pharmacy.claims.signRefundOrder(file, { upTo, deadline: (await time.latest()) + 30 * DAY });

  it("are taken out of credits in parts, as these come, up to what was agreed", async () => {
    const world = await loadFixture(settledWorld);
    const { pharmacy, stranger, file, tokenAddress: token } = world;
    const order = await sign(world, 100n * DOLLAR);
    expect(parseRefundOrder(JSON.stringify(order))).to.deep.equal(order);
    // Paid out but for five dollars, before anybody brought the order.
    const credit = await creditOf(world, pharmacy.address);
    await run(pharmacy.pools.payoutTo({ token, amount: credit - 5n * DOLLAR, to: pharmacy.address }));
    const action = stranger.claims.refundByOrder(file, order);
    expect(await action.simulate()).to.deep.equal({ batchId: file.batchId, amount: 5n * DOLLAR });
    expect(await run(action)).to.include({ amount: 5n * DOLLAR });
    expect(await run(stranger.claims.refundByOrder(file, order))).to.include({ amount: 0n });

    // Another batch's credit repays it, too; the payee received 92.106 of this batch.
    const { file: other } = await fundedBatch({ ...world, rulebook: world.plain });
    await run(stranger.claims.settle(other, await attestations(world, other, [met, met])));
    expect(await run(stranger.claims.refundByOrder(file, order))).to.include({ amount: 92_106n * TENTH - 5n * DOLLAR });
    expect(await run(stranger.claims.refundByOrder(file, order))).to.include({ amount: 0n });
  });

  it("need no account to be looked at, and count refunds made otherwise", async () => {
    const world = await loadFixture(settledWorld);
    const { pharmacy, stranger, file, deployment } = world;
    const order = await sign(world);
    await run(pharmacy.claims.refund(file, { amount: 20n * DOLLAR, from: "credit" }));
    const reader = createClaims({ runner: nodeWith({}), deployment });
    expect(await reader.refundByOrder(file, order).simulate()).to.include({ amount: 10n * DOLLAR });
    expect(await run(stranger.claims.refundByOrder(file, order))).to.include({ amount: 10n * DOLLAR });
  });

  it("are for one batch, one payee and a time", async () => {
    const world = await loadFixture(settledWorld);
    const { stranger, laboratory, payer, file } = world;
    const order = await sign(world);
    const reasonOf = async (attempt: Promise<unknown>): Promise<unknown> =>
      (await refusal("REFUND_ORDER_INVALID", attempt)).details["reason"];
    const bring = (changes: Partial<RefundOrder>) => stranger.claims.refundByOrder(file, { ...order, ...changes });

    expect(await reasonOf(payer.claims.signRefundOrder(file, { upTo: 1n, deadline: 1 }))).to.equal("notPayee");
    expect(await reasonOf(bring({ batchId: `0x${"11".repeat(32)}` }).simulate())).to.equal("otherBatch");
    expect(await reasonOf(bring({ chainId: 1 }).simulate())).to.equal("otherBatch");
    expect(await reasonOf(bring({ payee: payer.address }).simulate())).to.equal("notPayee");
    expect(await reasonOf(bring({ deadline: 1 }).simulate())).to.equal("expired");
    for (const changes of [
      { payee: laboratory.address },
      { upTo: "1" },
      { deadline: order.deadline + 1 },
      { signature: "0x00" },
    ])
      await reverted("RefundOrderInvalid", bring(changes).simulate());
    await time.increaseTo(order.deadline + 1);
    expect(await reasonOf(bring({}).simulate())).to.equal("expired");
  });

  it("are documents that say what they are", async () => {
    const world = await loadFixture(settledWorld);
    const order = await sign(world);
    const { pharmacy, file } = world;
    expect(order).to.deep.include({
      carepact: "refund-order",
      version: 1,
      payee: pharmacy.address,
      upTo: String(30n * DOLLAR),
    });
    expect(recoverAddress(refundOrderDigestOf(order), order.signature)).to.equal(pharmacy.address);
    for (const [code, document] of [
      ["FILE_WRONG_DOCUMENT", { ...order, carepact: "claim-batch" }],
      ["FILE_VERSION_UNSUPPORTED", { ...order, version: 2 }],
      ["FILE_MALFORMED", { ...order, upTo: "1.00" }],
      ["FILE_MALFORMED", { ...order, note: "please" }],
      ["FILE_MALFORMED", { ...order, payee: "0x12" }],
    ] as const) {
      await refusal(code, () => parseRefundOrder(JSON.stringify(document)));
      await refusal(code, pharmacy.claims.refundByOrder(file, document as RefundOrder).simulate());
    }
    await refusal("FILE_MALFORMED", pharmacy.claims.signRefundOrder(file, { upTo: -1n, deadline: 1 }));
    await refusal("FILE_MALFORMED", pharmacy.claims.signRefundOrder(file, { upTo: 1n, deadline: new Date(NaN) }));
  });
});
