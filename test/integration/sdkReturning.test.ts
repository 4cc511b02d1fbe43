import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { run } from "@carepact/sdk";
import {
  openClaimBatchRecord,
  type ClaimBatchFile,
  type OpenedGroup,
  type OpenedRecord,
  type RefundInput,
} from "@carepact/sdk/claims";

import { met, notMet, pending } from "../support/batches";
import { DAY, GRACE } from "../support/system";

import {
  attestations,
  byClaim,
  CENT,
  deployWorld,
  fundedBatch,
  lineOf,
  moneyOf,
  openAs,
  refusal,
  reverted,
  type Payee,
  type World,
} from "./support";

const DOLLAR = 100n * CENT;

interface Funded extends World {
  file: ClaimBatchFile;
  record: OpenedRecord;
  /** The pharmacy's own group: 90.00 and 12.34. */
  own: OpenedGroup;
}

async function deployFunded(): Promise<Funded> {
  const world = await loadFixture(deployWorld);
  const { file, record } = await fundedBatch(world);
  return { ...world, file, record: openClaimBatchRecord(record), own: await openAs(world.pharmacy, file) };
}

describe("SDK: money that goes back to the payer", () => {
  describe("reversing, given open lines of the payee's own group", () => {
    it("gives up the lines that are named, and pays the others", async () => {
      const funded = await loadFixture(deployFunded);
      const { pharmacy, stranger, own, file } = funded;
      const { batchId } = file;
      const line = lineOf(own, "F-12");
      const action = pharmacy.claims.reverse(own, [line]);
      expect(await action.simulate()).to.deep.equal({ batchId, amount: 1_234n * CENT });
      expect(await run(action)).to.include({ batchId, amount: 1_234n * CENT });
      expect((await pharmacy.claims.status(file)).closedLines).to.deep.equal([0, 1, 2, 3].map((i) => i === line));

      const signed = await attestations(funded, file, [met, met]);
      // What was attested as a whole has to be opened now: the public part is not enough.
      const { unopened } = await run(stranger.claims.settle(file, signed));
      expect(unopened).to.deep.equal([0]);
      const { paid } = await run(stranger.claims.settle(own, signed));
      expect(paid).to.equal(90n * DOLLAR);
      expect(await moneyOf(funded)).to.deep.equal({ pool: -16_500n, credits: [9_000n, 7_500n], wallets: [0n, 0n] });
    });

    it("gives up all lines, in whatever order and however often they are named", async () => {
      const funded = await loadFixture(deployFunded);
      const { amount } = await run(funded.pharmacy.claims.reverse(funded.own, [1, 0, 1]));
      expect(amount).to.equal(10_234n * CENT);
    });

    it("refuses lines that the group does not have, and none, before anything is sent", async () => {
      const { pharmacy, own } = await loadFixture(deployFunded);
      const nonce = await pharmacy.signer.getNonce();
      for (const lines of [[], [2], [-1], [0.5], [0, 7]]) {
        const { details } = await refusal("INPUT_INVALID", pharmacy.claims.reverse(own, lines).send());
        expect(details).to.deep.equal({ lines });
      }
      expect(await pharmacy.signer.getNonce()).to.equal(nonce);
    });

    it("is for the payee alone, and once for each line", async () => {
      const { pharmacy, stranger, own } = await loadFixture(deployFunded);
      expect(await reverted("NotPayee", stranger.claims.reverse(own, [0]).simulate())).to.deep.equal({
        payee: pharmacy.address,
        caller: stranger.address,
      });
      await run(pharmacy.claims.reverse(own, [0]));
      expect(await reverted("LineNotOpen", pharmacy.claims.reverse(own, [0]).simulate())).to.deep.equal({ line: "0" });
    });
  });

  describe("reclaiming, given that nothing was attested", () => {
    it("has to wait until the time for attestations has passed, and says until when", async () => {
      const { stranger, file } = await loadFixture(deployFunded);
      const attestBy = file.terms.eventBy + GRACE;
      const args = await reverted("ReclaimTooEarly", stranger.claims.reclaim(file).simulate());
      expect(args).to.deep.equal({ attestBy: String(attestBy) });
    });

    it("returns what is open, whoever sends it, and nothing the second time", async () => {
      const funded = await loadFixture(deployFunded);
      const { stranger, file } = funded;
      await run(stranger.claims.settle(file, await attestations(funded, file, [met, pending])));
      await time.increaseTo(file.terms.eventBy + GRACE + 1);
      const action = stranger.claims.reclaim(file);
      expect(await action.simulate()).to.deep.equal({ batchId: file.batchId, amount: 75n * DOLLAR });
      expect(await run(action)).to.include({ batchId: file.batchId, amount: 75n * DOLLAR });
      expect(await stranger.claims.status(file)).to.deep.include({ open: 0n, closedLines: Array(4).fill(true) });
      expect(await run(stranger.claims.reclaim(file))).to.include({ amount: 0n });
      expect(await moneyOf(funded)).to.deep.equal({ pool: -10_234n, credits: [10_234n, 0n], wallets: [0n, 0n] });
    });
  });

  describe("refunding", () => {
    const refund = (payee: Payee, funded: Funded, amount: bigint, from: RefundInput["from"]) =>
      payee.claims.refund(funded.file, { amount, from });

    it("given a batch that one settlement paid in full, takes it from the credit", async () => {
      const funded = await loadFixture(deployFunded);
      const { pharmacy, laboratory, stranger, file } = funded;
      await run(stranger.claims.settle(file, await attestations(funded, file, [met, met])));
      const { batchId } = file;
      expect(await run(refund(pharmacy, funded, 20n * DOLLAR, "credit"))).to.include({
        batchId,
        amount: 20n * DOLLAR,
      });
      await run(refund(laboratory, funded, 75n * DOLLAR, "credit"));
      expect(await moneyOf(funded)).to.deep.equal({ pool: -8_234n, credits: [8_234n, 0n], wallets: [0n, 0n] });
    });

    it("given money that was paid out, takes tokens that the payee approved", async () => {
      const funded = await loadFixture(deployFunded);
      const { pharmacy, stranger, file, tokenAddress: token } = funded;
      await run(stranger.claims.settle(file, await attestations(funded, file, [met, met])));
      await run(stranger.pools.payout({ token, payee: pharmacy.address }));
      const amount = 90n * DOLLAR;
      expect(await reverted("CreditTooSmall", refund(pharmacy, funded, amount, "credit").simulate())).to.include({
        credit: "0",
      });
      const args = await reverted("ERC20InsufficientAllowance", refund(pharmacy, funded, amount, "tokens").simulate());
      expect(args).to.include({ spender: funded.deployment.claimEscrow, needed: String(amount) });
      await run(pharmacy.pools.approve({ token, amount }));
      await run(refund(pharmacy, funded, amount, "tokens"));
      expect(await moneyOf(funded)).to.deep.equal({ pool: -8_734n, credits: [0n, 7_500n], wallets: [1_234n, 0n] });
    });

    it("given several settlements and other batches, finds the payments in the events of this one", async () => {
      const funded = await loadFixture(deployFunded);
      const { pharmacy, laboratory, stranger, file, record } = funded;
      const [fills, tests] = record.opened as [OpenedGroup, OpenedGroup];
      for (const results of [
        [byClaim(fills, { "F-12": met }), byClaim(tests, { "L-21/1": notMet })],
        [pending, byClaim(tests, { "L-21/1": notMet, "L-21/2": met })],
        [met, pending],
      ]) {
        await run(stranger.claims.settle(record, await attestations(funded, record, results)));
        const { file: other } = await fundedBatch(funded);
        await run(stranger.claims.settle(other, await attestations(funded, other, [met, notMet])));
      }
      expect(await stranger.claims.status(file)).to.include({ open: 0n, paidInFull: false });
      const before = await moneyOf(funded);

      await run(refund(pharmacy, funded, 95n * DOLLAR, "credit"));
      await run(refund(pharmacy, funded, 734n * CENT, "credit"));
      const args = await reverted("RefundTooLarge", refund(pharmacy, funded, 1n, "credit").simulate());
      expect(args).to.deep.equal({ received: "102340000", refunded: "102340000", asked: "1" });
      await run(refund(laboratory, funded, 15n * DOLLAR, "credit"));
      const after = await moneyOf(funded);
      expect(after.pool - before.pool).to.equal(11_734n);
      expect(before.credits.map((credit, i) => credit - after.credits[i]!)).to.deep.equal([10_234n, 1_500n]);
    });

    it("given a refund that was prepared before more was paid, says so; a new one works", async () => {
      const funded = await loadFixture(deployFunded);
      const { pharmacy, stranger, file, own } = funded;
      await run(stranger.claims.settle(own, await attestations(funded, own, [byClaim(own, { "F-11": met }), pending])));
      const stale = refund(pharmacy, funded, 90n * DOLLAR, "credit");
      await stale.simulate();
      await run(stranger.claims.settle(own, await attestations(funded, own, [met, pending])));
      const args = await reverted("PaymentsMismatch", stale.send());
      expect(args).to.deep.equal({ batchId: file.batchId });
      await run(refund(pharmacy, funded, 90n * DOLLAR, "credit"));
    });

    it("is for those who received something from the batch, and not of zero", async () => {
      const funded = await loadFixture(deployFunded);
      const { pharmacy, laboratory, stranger, file } = funded;
      const nothing = { received: "0", refunded: "0", asked: "1" };
      expect(await reverted("RefundTooLarge", refund(pharmacy, funded, 1n, "credit").simulate())).to.deep.equal(
        nothing,
      );
      await run(stranger.claims.settle(file, await attestations(funded, file, [met, pending])));
      expect(await reverted("RefundTooLarge", refund(laboratory, funded, 1n, "credit").simulate())).to.deep.equal(
        nothing,
      );
      expect(
        await reverted("RefundTooLarge", stranger.claims.refund(file, { amount: 1n, from: "credit" }).simulate()),
      ).to.deep.equal(nothing);
      await reverted("AmountZero", refund(pharmacy, funded, 0n, "credit").simulate());
    });
  });

  describe("settling several batches in one transaction", () => {
    it("given one that the escrow refuses, settles the others and says why", async () => {
      const funded = await loadFixture(deployFunded);
      const { payer, pharmacy, laboratory, suspender, stranger, admin, file, own } = funded;
      const { id: rulebook } = await run(
        admin.rulebooks.publish({ ...(await admin.rulebooks.get(funded.rulebook)), grace: 4 * DAY }),
      );
      const { file: stopped } = await fundedBatch({ ...funded, rulebook });
      const { file: last } = await fundedBatch(funded);
      await run(suspender.rulebooks.suspend(rulebook));

      const action = stranger.claims.settleMany([
        {
          batch: own,
          attestations: await attestations(funded, own, [byClaim(own, { "F-11": notMet, "F-12": met }), met]),
        },
        { batch: stopped, attestations: await attestations(funded, stopped, [met, met]) },
        { batch: last, attestations: await attestations(funded, last, [pending, met]) },
      ]);
      expect(await action.simulate()).to.deep.equal({ settled: [true, false, true] });
      const { settled, settlements } = await run(action);
      expect(settled).to.deep.equal([true, false, true]);
      expect(settlements).to.deep.equal([
        {
          batchId: file.batchId,
          paid: 8_734n * CENT,
          freed: 90n * DOLLAR,
          groups: [
            { payee: pharmacy.address, paid: 1_234n * CENT, freed: 90n * DOLLAR },
            { payee: laboratory.address, paid: 75n * DOLLAR, freed: 0n },
          ],
          unopened: [],
        },
        {
          batchId: stopped.batchId,
          skipped: { name: "RulebookIsSuspended", args: { rulebook } },
        },
        {
          batchId: last.batchId,
          paid: 75n * DOLLAR,
          freed: 0n,
          groups: [{ payee: laboratory.address, paid: 75n * DOLLAR, freed: 0n }],
          unopened: [],
        },
      ]);
      expect((await payer.claims.status(stopped)).open).to.equal(17_734n * CENT);
    });

    it("given two attestations of one batch, tells what each did", async () => {
      const funded = await loadFixture(deployFunded);
      const { stranger, file } = funded;
      const first = await attestations(funded, file, [met, pending]);
      const second = await attestations(funded, file, [met, met]);
      const { settled, settlements } = await run(
        stranger.claims.settleMany([
          { batch: file, attestations: first },
          { batch: file, attestations: second },
          { batch: file, attestations: second },
        ]),
      );
      expect(settled).to.deep.equal([true, true, true]);
      expect(settlements.map((one) => ("paid" in one ? one.paid : undefined))).to.deep.equal([
        10_234n * CENT,
        75n * DOLLAR,
        0n,
      ]);
    });

    it("given one whose attestations cannot settle, says which before anything is sent", async () => {
      const funded = await loadFixture(deployFunded);
      const { stranger, file } = funded;
      const nonce = await stranger.signer.getNonce();
      const { file: other } = await fundedBatch(funded);
      const signed = await attestations(funded, file, [met, met]);
      const { details } = await refusal(
        "ATTESTATION_TOO_FEW",
        stranger.claims
          .settleMany([
            { batch: file, attestations: signed },
            { batch: other, attestations: [] },
          ])
          .send(),
      );
      expect(details["batchId"]).to.equal(other.batchId);
      expect(await stranger.signer.getNonce()).to.equal(nonce);
    });
  });
});
