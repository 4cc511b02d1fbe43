import { time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroHash } from "ethers";

import { byLine, met, notMet, partlyMet, pending, settle } from "../../support/batches";
import { reportedBy } from "../../support/books";
import { attested, moneyOf } from "../../support/claims";
import {
  ARBITER_TIME,
  BOND,
  around,
  at,
  attestByOf,
  deposit,
  disputeMissing,
  given,
  openingOf,
  present,
  presentDisputed,
  refuses,
  soundAfterEach,
  unopened,
  another,
  type Given,
  type RulebookName,
} from "../../support/disputes";
import { DAY } from "../../support/system";

const GREATEST = (1n << 256n) - 1n;

/** A batch whose eventBy is over, with bonds at hand. */
async function unattested(rulebook: RulebookName = "arbitrated"): Promise<Given> {
  const context = await given(rulebook);
  for (const account of [context.payer, ...context.payees.slice(0, 3)]) await deposit(context, account, BOND);
  await at(Number(context.batch.terms.eventBy) + 1);
  return context;
}

describe("ClaimEscrow: disputeMissing", () => {
  soundAfterEach();

  for (const rulebook of ["arbitrated", "challenged", "retaining"] as const)
    it(`freezes a line that nobody attested (${rulebook})`, async () => {
      const context = await unattested(rulebook);
      const { batch, payees, receiver } = context;
      const bond = rulebook === "retaining" ? 0n : BOND;
      expect(await reportedBy(context, disputeMissing(context, payees[0]!, 0, 1))).to.deep.equal([
        ["LineDisputed", batch.id, payees[0]!.address, 1n, GREATEST, 200n, 0n, bond],
      ]);
      const resolveBy = BigInt((await time.latest()) + ARBITER_TIME);
      expect(await receiver.disputeOf(batch.terms, 1)).to.deep.equal([200n, false, false, 0n, resolveBy]);
      expect((await moneyOf(context, batch)).open).to.equal(1_900n);
    });

  it("needs no opened amounts where a group has one line", async () => {
    const context = await unattested();
    const { batch, receiver, payees } = context;
    await receiver.connect(payees[1]).disputeMissing(batch.terms, batch.words, unopened(1));
    expect((await receiver.disputeOf(batch.terms, 2)).amount).to.equal(500n);
  });

  it("can freeze every line of a batch", async () => {
    const context = await given("payeeDefault");
    const { batch, payees } = context;
    await at(Number(batch.terms.eventBy) + 1);
    for (const [group, { lineCount }] of batch.groups.entries())
      for (let line = 0; line < lineCount; line++) await disputeMissing(context, payees[group]!, group, line);
    expect((await moneyOf(context, batch)).open).to.equal(0n);
    await refuses(context, disputeMissing(context, payees[0]!, 0, 0), "LineNotOpen", 0n);
    const late = await attested(context, batch, [met, met, met]);
    expect(await reportedBy(context, settle(context.escrow, late))).to.deep.equal([]);
  });

  it("works from the second after eventBy to attestBy", async () => {
    const context = await given("payeeDefault");
    const { batch, payees } = context;
    const { eventBy } = batch.terms;
    const times = [eventBy, attestByOf(batch)] as const;
    await around(eventBy, {
      atLast: [() => refuses(context, disputeMissing(context, payees[0]!, 0, 0), "DisputeOutsideTime", ...times)],
      after: [() => disputeMissing(context, payees[0]!, 0, 0)],
    });
    await around(attestByOf(batch), {
      atLast: [() => disputeMissing(context, payees[0]!, 0, 1)],
      after: [() => refuses(context, disputeMissing(context, payees[0]!, 0, 1), "DisputeOutsideTime", ...times)],
    });
  });

  it("wins the race with reclaim, which takes what is left, and loses it one second later", async () => {
    const context = await given("payeeDefault");
    const { batch, payees, escrow } = context;
    const attestBy = attestByOf(batch);
    await around(attestBy, {
      atLast: [() => refuses(context, escrow.reclaim(batch.terms), "ReclaimTooEarly", attestBy)],
      after: [() => escrow.reclaim(batch.terms)],
    });
    await at(attestBy);
    await disputeMissing(context, payees[0]!, 0, 0);
    await escrow.reclaim(batch.terms);
    expect(await moneyOf(context, batch)).to.deep.equal({ open: 0n, free: 1_100n, credits: [0n, 0n, 0n] });
    await refuses(context, disputeMissing(context, payees[0]!, 0, 1), "DisputeOutsideTime");
  });

  it("leaves the other lines to be settled", async () => {
    const context = await unattested();
    await disputeMissing(context, context.payees[2]!, 2, 1);
    await settle(context.escrow, await attested(context, context.batch, [met, notMet, met], { open: [2] }));
    expect(await moneyOf(context, context.batch)).to.deep.equal({
      open: 0n,
      free: 500n + BOND,
      credits: [1_200n, 0n, 360n],
    });
  });

  describe("refuses", () => {
    it("the payer, strangers, the arbiter, and payees of other lines", async () => {
      const context = await unattested();
      const { payer, payees, stranger, arbiter } = context;
      for (const caller of [payer, stranger, arbiter, payees[1]!])
        await refuses(context, disputeMissing(context, caller, 0, 0), "NotPayee", payees[0]!.address, caller.address);
    });

    it("what no arbiter would rule on", async () => {
      const context = await given("arbitrated");
      const plain = await another(context, [[1n]], { rulebook: context.rulebook });
      await at(Number(plain.batch.terms.eventBy) + 1);
      await refuses(plain, disputeMissing(plain, plain.payees[0]!, 0, 0), "ArbiterMissing", context.rulebook);
    });

    it("lines that are in dispute, settled, reversed, presented, or reclaimed", async () => {
      const context = await unattested();
      const { batch, payees, escrow } = context;
      await disputeMissing(context, payees[0]!, 0, 0);
      await refuses(context, disputeMissing(context, payees[0]!, 0, 0), "LineNotOpen", 0n);
      await settle(escrow, await attested(context, batch, [pending, met, pending]));
      await refuses(context, disputeMissing(context, payees[1]!, 1, 0), "LineNotOpen", 2n);
      const { opened, proof } = batch.openOne(2);
      await escrow.connect(payees[2]).reverse(batch.terms, batch.words, 2, [0], opened, proof);
      await refuses(context, disputeMissing(context, payees[2]!, 2, 0), "LineNotOpen", 3n);

      const presenting = await unattested("challenged");
      await present(presenting, [met, pending, pending]);
      await refuses(presenting, disputeMissing(presenting, payees[0]!, 0, 1), "LineNotOpen", 1n);
    });

    it("lines and groups that are not there, and amounts that are not the batch's", async () => {
      const context = await unattested();
      const { batch, receiver, payees } = context;
      const asPayee = receiver.connect(payees[0]);
      const good = openingOf(context, 0, 1);
      const send = (line: typeof good) => asPayee.disputeMissing(batch.terms, batch.words, line);
      await refuses(context, send({ ...good, line: 2 }), "LineInvalid", 2n);
      await expect(send({ ...good, group: 3 })).to.be.revertedWithPanic(0x32);
      await refuses(context, send({ ...good, opened: batch.openOne(2).opened }), "LinesMismatch", 0n);
      const { opened } = batch.openOne(0);
      await refuses(context, send({ ...good, opened: { ...opened, salt: ZeroHash } }), "LinesProofInvalid");
      await refuses(context, send({ ...good, opened: { ...opened, amounts: "0x04b0" } }), "LinesProofInvalid");
    });

    it("other groups, batches that were never funded, and a bond that is not covered", async () => {
      const context = await given("arbitrated");
      const { batch, receiver, payees, token } = context;
      await at(Number(batch.terms.eventBy) + 1);
      const asPayee = receiver.connect(payees[0]);
      const line = openingOf(context, 0, 0);
      await refuses(context, asPayee.disputeMissing(batch.terms, [...batch.words].reverse(), line), "GroupsMismatch");
      const terms = { ...batch.terms, salt: 1n };
      await refuses(context, asPayee.disputeMissing(terms, batch.words, line), "ClaimBatchUnknown");
      const args = [payees[0]!.address, await token.getAddress(), 0n, BOND] as const;
      await refuses(context, asPayee.disputeMissing(batch.terms, batch.words, line), "BondNotCovered", ...args);
    });

    it("a line whose amounts do not sum to its group's", async () => {
      const disputing = await given("payeeDefault");
      const wrong = await another(disputing, [[100n, 20n]], { committed: { 0: [100n, 21n] } });
      await at(Number(wrong.batch.terms.eventBy) + 1);
      await refuses(wrong, disputeMissing(wrong, wrong.payees[0]!, 0, 1), "LinesDoNotSum", 0n, 121n, 120n);
    });
  });
});

describe("ClaimEscrow: presentDisputed", () => {
  soundAfterEach();

  async function missing(rulebook: RulebookName = "arbitrated"): Promise<Given> {
    const context = await unattested(rulebook);
    await disputeMissing(context, context.payees[0]!, 0, 1);
    return context;
  }

  const answers = { met: [met, 200n], notMet: [notMet, 0n], partlyMet: [partlyMet(30n), 30n] } as const;
  for (const rulebook of ["arbitrated", "challenged"] as const)
    for (const [name, [result, attestedAmount]] of Object.entries(answers))
      it(`notes what was attested late: ${name} (${rulebook})`, async () => {
        const context = await missing(rulebook);
        const { batch, receiver } = context;
        const { resolveBy } = await receiver.disputeOf(batch.terms, 1);
        const late = await attested(context, batch, [byLine(pending, result), pending, pending]);
        const digest = await context.escrow.attestationDigestOf(batch.id, late.attestation);
        const sent = receiver.presentDisputed(batch.terms, batch.words, late.attestation, 0, 1);
        expect(await reportedBy(context, sent)).to.deep.equal([
          ["DisputeAttested", batch.id, 1n, digest, attestedAmount],
        ]);
        const after = await receiver.disputeOf(batch.terms, 1);
        expect(after).to.deep.equal([200n, false, true, attestedAmount, resolveBy]);
      });

  it("takes a result of the whole group", async () => {
    const context = await missing();
    await presentDisputed(context, [met, pending, pending], 0, 1);
    expect((await context.receiver.disputeOf(context.batch.terms, 1)).attestedAmount).to.equal(200n);
  });

  it("leaves what is open as it is", async () => {
    const context = await missing("challenged");
    await presentDisputed(context, [met, met, met], 0, 1);
    expect((await moneyOf(context, context.batch)).open).to.equal(1_900n);
    await present(context, [met, met, met], { open: [0] });
    expect((await moneyOf(context, context.batch)).open).to.equal(0n);
  });

  it("lands until the last second of attestBy, for a line disputed in that second, too", async () => {
    const context = await given("payeeDefault");
    const { batch, payees } = context;
    const last = attestByOf(batch);
    await at(last - 2);
    await disputeMissing(context, payees[0]!, 0, 0);
    await disputeMissing(context, payees[0]!, 0, 1);
    const attest = () => presentDisputed(context, [met, pending, pending], 0, 1);
    await around(last, {
      atLast: [attest],
      after: [() => refuses(context, attest(), "AttestationTooLate", last)],
    });
  });

  it("is refused a second time, and where the line was presented before it was disputed", async () => {
    const context = await missing();
    await presentDisputed(context, [met, pending, pending], 0, 1);
    await refuses(context, presentDisputed(context, [notMet, pending, pending], 0, 1), "DisputeAlreadyAttested", 1n);
  });

  it("is refused where nothing final is said", async () => {
    const context = await missing();
    await refuses(context, presentDisputed(context, [pending, met, met], 0, 1), "ResultPending", 1n);
    const results = [byLine(met, pending), met, met];
    await refuses(context, presentDisputed(context, results, 0, 1), "ResultPending", 1n);
  });

  it("is refused where the line is not in dispute, or not there", async () => {
    const context = await missing();
    await refuses(context, presentDisputed(context, [met, met, met], 0, 0), "LineNotDisputed", context.batch.id, 0n);
    await refuses(context, presentDisputed(context, [met, met, met], 0, 2), "LineInvalid", 2n);
    await expect(presentDisputed(context, [met, met, met], 3, 0)).to.be.revertedWithPanic(0x32);
  });

  it("is refused with results that do not fit, or a part that is not less than the line", async () => {
    const context = await missing();
    await refuses(context, presentDisputed(context, "0x", 0, 1), "ResultsMalformed");
    await refuses(context, presentDisputed(context, "0x0100", 0, 1), "ResultsMalformed");
    const results = (part: bigint) => `0x030c${part.toString(16).padStart(22, "0")}`;
    for (const part of [0n, 200n])
      await refuses(context, presentDisputed(context, results(part), 0, 1), "PartialAmountInvalid", 0n, 1n);
    await presentDisputed(context, results(199n), 0, 1);
  });

  it("is refused without the attesters' signatures, with other groups, and of an unknown batch", async () => {
    const context = await missing();
    const { batch, receiver, stranger, arbiter } = context;
    const signers = [stranger, arbiter];
    await refuses(context, presentDisputed(context, [met, met, met], 0, 1, { signers }), "NotAttester");
    await refuses(context, presentDisputed(context, [met, met, met], 0, 1, { signers: [] }), "NotReported", batch.id);
    const { attestation } = await attested(context, batch, [met, met, met]);
    const words = [...batch.words].reverse();
    await refuses(context, receiver.presentDisputed(batch.terms, words, attestation, 0, 1), "GroupsMismatch");
    const terms = { ...batch.terms, salt: 1n };
    await refuses(context, receiver.presentDisputed(terms, batch.words, attestation, 0, 1), "ClaimBatchUnknown");
  });

  it("is refused with an attestation that expired", async () => {
    const context = await missing();
    const now = (await time.latest()) + DAY;
    await at(now);
    const validUntil = now - 1;
    await refuses(
      context,
      presentDisputed(context, [met, met, met], 0, 1, { validUntil }),
      "AttestationExpired",
      validUntil,
    );
  });
});
