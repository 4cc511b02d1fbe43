import { time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroHash } from "ethers";

import { byLine, met, notMet, partlyMet, pending, settle } from "../../support/batches";
import { attested, batchOf, closedLinesOf, moneyOf, poolFor } from "../../support/claims";
import { commitmentTo, reportedBy, writtenOut } from "../../support/books";
import {
  BOND,
  CHALLENGE,
  another,
  at,
  attestByOf,
  bookedOf,
  bring,
  dispute,
  deposit,
  given,
  present,
  presentationAt,
  refuses,
  settlePresented,
  soundAfterEach,
} from "../../support/disputes";
import { DAY } from "../../support/system";

const packed = (paid: bigint, freed: bigint): bigint => (paid << 96n) | freed;
const ALL = [byLine(met, partlyMet(50n)), notMet, met];

describe("ClaimEscrow: present", () => {
  soundAfterEach();

  describe("under a rulebook with a challenge period", () => {
    it("takes the lines out of what is open, and pays nobody yet", async () => {
      const context = await given();
      await present(context, ALL);
      expect(await moneyOf(context, context.batch)).to.deep.equal({ open: 0n, free: 0n, credits: [0n, 0n, 0n] });
    });

    it("reports what holds unless somebody disputes it, and commits to that", async () => {
      const context = await given();
      const { attestation } = await attested(context, context.batch, ALL);
      const digest = await context.escrow.attestationDigestOf(context.batch.id, attestation);
      const { batch, receiver } = context;
      const outcomes = [packed(1_050n, 150n), packed(0n, 500n), packed(400n, 0n)];
      const sent = receiver.presentByLine(batch.terms, batch.words, attestation, batch.open([0]));
      expect(await reportedBy(context, sent)).to.deep.equal([
        ["ResultsPresented", batch.id, digest, 0n, attestation.results],
        ["LinesPresented", batch.id, 0n, [0b111111n], outcomes],
      ]);
      const { commitment, challengeUntil } = await receiver.presentationOf(batch.terms, 0);
      const results = attestation.results as string;
      expect(commitment).to.equal(commitmentTo({ firstLine: 0n, results, lines: [0b111111n], outcomes }));
      expect(challengeUntil).to.equal((await time.latest()) + CHALLENGE);
    });

    it("returns how much was presented", async () => {
      const context = await given();
      const { attestation, opened } = await attested(context, context.batch, [byLine(met, pending), pending, notMet]);
      const { batch, receiver } = context;
      expect(await receiver.presentByLine.staticCall(batch.terms, batch.words, attestation, opened)).to.equal(1_400n);
      expect(await receiver.present.staticCall(batch.terms, batch.words, attestation)).to.equal(400n);
    });

    it("leaves open what the results leave open, and presents it later under another name", async () => {
      const context = await given();
      await present(context, [byLine(pending, met), pending, byLine(met, pending, pending)]);
      expect(await closedLinesOf(context, context.batch)).to.deep.equal([1, 3]);
      await present(context, [met, notMet, met], { open: [0, 2] });
      const { presentations } = await bookedOf(context);
      expect(
        [...presentations.values()].map(({ firstLine, lines, outcomes }) => [firstLine, lines, outcomes]),
      ).to.deep.equal([
        [1n, [0b001010n], [packed(200n, 0n), 0n, packed(300n, 0n)]],
        [0n, [0b110101n], [packed(1_000n, 0n), packed(0n, 500n), packed(100n, 0n)]],
      ]);
      expect((await moneyOf(context, context.batch)).open).to.equal(0n);
    });

    it("says no lines and outcomes where the results of groups say it all of a batch of which nothing was closed", async () => {
      const context = await given();
      const { batch, escrow } = context;
      const { attestation, opened } = await attested(context, batch, [pending, notMet, met]);
      const digest = await escrow.attestationDigestOf(batch.id, attestation);
      expect(await reportedBy(context, bring(context, { attestation, opened }))).to.deep.equal([
        ["ResultsPresented", batch.id, digest, 2n, attestation.results],
      ]);
      expect(await moneyOf(context, batch)).to.include({ open: 1_200n });
      expect(await closedLinesOf(context, batch)).to.deep.equal([2, 3, 4, 5]);
      await present(context, [met, met, pending]);
      expect((await presentationAt(context)).lines).to.deep.equal([0b11n]);
    });

    it("presents nothing twice: who comes later presents nothing, and nothing changes", async () => {
      const context = await given();
      await present(context, [met, pending, pending]);
      expect(await reportedBy(context, present(context, [notMet, pending, pending], { open: [0] }))).to.deep.equal([]);
      expect(await reportedBy(context, present(context, [notMet, pending, pending]))).to.deep.equal([]);
      await present(context, [pending, met, met]);
      expect(await reportedBy(context, present(context, "0x"))).to.deep.equal([]);
    });

    it("says nothing of a presentation that never was", async () => {
      const { receiver, batch } = await given();
      expect(await receiver.presentationOf(batch.terms, 0)).to.deep.equal([ZeroHash, 0n]);
    });

    it("keeps a group open whose lines would have to be opened and are not, for who opens them", async () => {
      const context = await given();
      await present(context, [byLine(met, pending), met, pending], { open: [] });
      expect(await moneyOf(context, context.batch)).to.include({ open: 1_600n });
      await present(context, [byLine(met, pending), met, pending]);
      expect(await moneyOf(context, context.batch)).to.include({ open: 600n });
      await present(context, [met, met, pending], { open: [] });
      expect(await moneyOf(context, context.batch)).to.include({ open: 600n });
      await present(context, [met, met, pending], { open: [0] });
      expect(await moneyOf(context, context.batch)).to.include({ open: 400n });
    });

    it("presents what is left of a group of which the payee reversed a line", async () => {
      const context = await given();
      const { batch, escrow, payees } = context;
      const { opened, proof } = batch.openOne(0);
      await escrow.connect(payees[0]).reverse(batch.terms, batch.words, 0, [0], opened, proof);
      await present(context, [met, met, met], { open: [0] });
      const { firstLine, lines, outcomes } = await presentationAt(context, 1n);
      expect([firstLine, lines, outcomes[0]]).to.deep.equal([1n, [0b111110n], packed(200n, 0n)]);
      expect(await moneyOf(context, batch)).to.deep.equal({ open: 0n, free: 1_000n, credits: [0n, 0n, 0n] });
    });

    it("presents an older attestation of what a newer one left open", async () => {
      const context = await given();
      const older = await attested(context, context.batch, [met, met, met]);
      await present(context, [notMet, pending, pending]);
      await bring(context, older);
      const { presentations } = await bookedOf(context);
      expect([...presentations.keys()]).to.deep.equal([0n, 2n]);
    });

    for (const count of [255, 256, 257, 500])
      it(`keeps apart the words of ${count} lines`, async () => {
        const lines = [Array.from({ length: count - 1 }, () => 3n), [5n]];
        const context = await given("challenged", lines);
        await present(context, [pending, met]);
        const last = BigInt(count - 1);
        const wordsOf = (bits: bigint) =>
          Array.from(
            { length: Math.ceil(count / 256) },
            (_, word) => (bits >> BigInt(256 * word)) & ((1n << 256n) - 1n),
          );
        expect(writtenOut(context.batch, await presentationAt(context, last)).lines).to.deep.equal(wordsOf(1n << last));
        await present(context, [met, met]);
        expect((await presentationAt(context)).lines).to.deep.equal(wordsOf((1n << last) - 1n));
        await deposit(context, context.payer, BOND);
        await dispute(context, context.payer, 0, count - 2);
        expect((await presentationAt(context)).lines).to.deep.equal(wordsOf((1n << (last - 1n)) - 1n));
      });

    it("names a presentation by its lowest line, in whichever word that is", async () => {
      const context = await given("challenged", [Array.from({ length: 300 }, () => 3n), [5n], [7n]]);
      await present(context, [met, pending, pending]);
      await present(context, [met, pending, met]);
      expect((await presentationAt(context, 301n)).lines).to.deep.equal([0n, 1n << 45n]);
    });

    it("presents amounts as large as a subtotal can be", async () => {
      const most = (1n << 86n) - 1n;
      const context = await given("bondless", [[most], [most - 1n, 1n]]);
      await present(context, [met, byLine(partlyMet(most - 2n), notMet)]);
      const { outcomes } = await presentationAt(context);
      expect(outcomes).to.deep.equal([packed(most, 0n), packed(most - 2n, 2n)]);
      await dispute(context, context.payer, 0, 0);
      await dispute(context, context.payees[1]!, 1, 0);
      const { amount, attestedAmount } = await context.receiver.disputeOf(context.batch.terms, 1);
      expect([amount, attestedAmount]).to.deep.equal([most - 1n, most - 2n]);
    });
  });

  describe("under a rulebook that only retains", () => {
    it("settles in the same call", async () => {
      const context = await given("retaining");
      const { attestation, opened } = await attested(context, context.batch, [byLine(met, notMet), pending, met]);
      const { batch, escrow } = context;
      const digest = await escrow.attestationDigestOf(batch.id, attestation);
      const sent = bring(context, { attestation, opened });
      const [first, , third] = batch.groups.map(({ payee }) => payee);
      expect(await reportedBy(context, sent)).to.deep.equal([
        ["ResultsPresented", batch.id, digest, 0n, attestation.results],
        [...["LinesPresented", batch.id, 0n, [0b111011n]], [packed(1_000n, 200n), 0n, packed(400n, 0n)]],
        ["GroupSettled", batch.id, first, 900n, 200n],
        ["GroupSettled", batch.id, third, 360n, 0n],
        ["PaymentsRetained", batch.id, 0n, [packed(BigInt(first!), 100n), packed(BigInt(third!), 40n)]],
        ["PresentationSettled", batch.id, 0n],
      ]);
      expect(await moneyOf(context, batch)).to.deep.equal({ open: 500n, free: 200n, credits: [900n, 0n, 360n] });
    });

    it("keeps no presentation that could be disputed or settled once more", async () => {
      const context = await given("retaining");
      const { attestation, opened } = await attested(context, context.batch, [met, met, met]);
      const { batch, receiver } = context;
      await bring(context, { attestation, opened });
      const results = attestation.results as string;
      const presentation = { firstLine: 0n, results, lines: [], outcomes: [] };
      expect(await receiver.presentationOf(batch.terms, 0)).to.deep.equal([ZeroHash, 0n]);
      await refuses(context, settlePresented(context, 0n, presentation), "PresentationMismatch", batch.id, 0n);
      await refuses(context, dispute(context, context.payer, 1, 0, presentation), "PresentationMismatch", batch.id, 0n);
    });

    it("retains nothing of what is freed", async () => {
      const context = await given("retaining");
      await present(context, [notMet, notMet, notMet]);
      expect(await moneyOf(context, context.batch)).to.deep.equal({ open: 0n, free: 2_100n, credits: [0n, 0n, 0n] });
      expect((await bookedOf(context)).retentions.size).to.equal(0);
    });
  });

  describe("refuses", () => {
    it("a batch under a rulebook whose attestations settle at once, with or without an arbiter", async () => {
      const context = await given("arbitrated");
      await refuses(context, present(context, ALL), "PresentationNotAsked", context.ids.arbitrated);
      const plain = await another(context, [[1n]], { rulebook: context.rulebook });
      await refuses(plain, present(plain, [met]), "PresentationNotAsked", context.rulebook);
    });

    it("a batch that was never funded", async () => {
      const context = await given();
      const batch = await batchOf(context, [[1n]], { rulebook: context.ids.challenged });
      await poolFor(context, batch);
      await refuses(context, present({ ...context, batch }, [met]), "ClaimBatchUnknown", batch.id);
      await refuses(context, context.receiver.presentationOf(batch.terms, 0), "ClaimBatchUnknown", batch.id);
    });

    it("other groups", async () => {
      const context = await given();
      const { batch, receiver } = context;
      const { attestation, opened } = await attested(context, batch, [met, met, met]);
      const reversed = [...batch.words].reverse();
      await refuses(context, receiver.present(batch.terms, reversed, attestation), "GroupsMismatch");
      await refuses(context, receiver.presentByLine(batch.terms, reversed, attestation, opened), "GroupsMismatch");
    });

    it("amounts that are not the batch's", async () => {
      const context = await given();
      const { batch, receiver } = context;
      const { attestation, opened } = await attested(context, batch, ALL);
      const changed = { groups: opened.groups, proof: [ZeroHash, ...opened.proof.slice(1)] };
      const sent = receiver.presentByLine(batch.terms, batch.words, attestation, changed);
      await refuses(context, sent, "LinesProofInvalid", batch.terms.manifestRoot);
    });

    const malformed = { "no results": "0x", "results that go on": "0x1500", "a group that is not there": "0x55" };
    for (const [what, results] of Object.entries(malformed))
      it(what, async () => {
        const context = await given();
        await refuses(context, present(context, results), "ResultsMalformed");
      });

    it("the same once lines were closed, and results by line that go on", async () => {
      const context = await given();
      await refuses(context, present(context, "0x170500", { open: [0] }), "ResultsMalformed");
      await refuses(context, present(context, "0x17", { open: [0] }), "ResultsMalformed");
      await present(context, [pending, met, pending]);
      for (const results of Object.values(malformed))
        await refuses(context, present(context, results), "ResultsMalformed");
    });

    it("a part that is nothing, or not less than the line", async () => {
      const context = await given();
      for (const part of [0n, 200n]) {
        const results = `0x03${"0d"}${part.toString(16).padStart(22, "0")}`;
        await refuses(context, present(context, results, { open: [0] }), "PartialAmountInvalid", 0n, 1n);
      }
    });

    it("signatures of too few, of strangers, or in another order", async () => {
      const context = await given();
      const [a, b] = context.attesters;
      await refuses(context, present(context, [met, met, met], { signers: [a!] }), "SignatureInvalid", 0);
      const strangers = [context.stranger, context.arbiter];
      await refuses(context, present(context, [met, met, met], { signers: strangers }), "NotAttester");
      const reversed = { signers: [b!, a!], sorted: false };
      await refuses(context, present(context, [met, met, met], reversed), "SignersNotAscending", a!.address);
    });

    it("an attestation of another batch", async () => {
      const context = await given();
      const other = await another(context);
      const { attestation, opened } = await attested(context, other.batch, [met, met, met]);
      await refuses(context, bring(context, { attestation, opened }), "NotAttester");
    });

    it("an attestation without signatures that no workflow reported", async () => {
      const context = await given();
      await refuses(context, present(context, [met, met, met], { signers: [] }), "NotReported", context.batch.id);
    });

    it("an attestation after attestBy, not at its last second", async () => {
      const context = await given();
      const attestBy = attestByOf(context.batch);
      const last = await attested(context, context.batch, [met, pending, pending]);
      const late = await attested(context, context.batch, [pending, met, pending]);
      await at(attestBy);
      await bring(context, last);
      await at(attestBy + 1);
      await refuses(context, bring(context, late), "AttestationTooLate", attestBy);
    });

    it("an attestation that expired, or that comes from the future", async () => {
      const context = await given();
      const now = (await time.latest()) + 100;
      await at(now);
      await refuses(context, present(context, ALL, { validUntil: now - 1 }), "AttestationExpired", now - 1);
      await refuses(context, present(context, ALL, { observedAt: now + 10 * DAY }), "AttestationFromFuture");
    });
  });

  describe("is what settling at once is not, under the same rulebook", () => {
    for (const rulebook of ["challenged", "retaining", "full"] as const)
      it(`(${rulebook}) for one batch, for many, and without signatures`, async () => {
        const context = await given(rulebook);
        const { escrow, batch, attesters } = context;
        const settlement = await attested(context, batch, [met, met, met]);
        for (const count of [1, 2, 3]) {
          const signed = await attested(context, batch, [met, met, met], { signers: attesters.slice(0, count) });
          await expect(settle(escrow, signed))
            .to.be.revertedWithCustomError(escrow, "SignatureCountWrong")
            .withArgs(0, 65 * count);
        }
        const byLines = { ...settlement, opened: batch.open([0]) };
        await expect(settle(escrow, byLines)).to.be.revertedWithCustomError(escrow, "SignatureCountWrong");
        const unsigned = await attested(context, batch, [met, met, met], { signers: [] });
        await expect(settle(escrow, unsigned)).to.be.revertedWithCustomError(escrow, "NotReported").withArgs(batch.id);
        await expect(escrow.settleMany([settlement, unsigned])).to.emit(escrow, "SettlementSkipped");
        const long = { ...settlement.attestation, signatures: `0x${"00".repeat(65 * 255)}` };
        await expect(settle(escrow, { ...settlement, attestation: long })).to.be.reverted;
        expect((await moneyOf(context, batch)).open).to.equal(2_100n);
      });
  });
});
