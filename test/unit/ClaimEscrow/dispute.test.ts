import { time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroHash } from "ethers";

import { byLine, met, notMet, partlyMet, pending } from "../../support/batches";
import { commitmentTo, reportedBy } from "../../support/books";
import { attested, closedLinesOf, moneyOf } from "../../support/claims";
import {
  ARBITER_TIME,
  BOND,
  another,
  anotherTo,
  around,
  bookedOf,
  deposit,
  dispute,
  given,
  openingOf,
  present,
  presentationAt,
  refuses,
  settlePresented,
  soundAfterEach,
  unopened,
  type Given,
  type RulebookName,
} from "../../support/disputes";
import { DAY } from "../../support/system";

const packed = (paid: bigint, freed: bigint): bigint => (paid << 96n) | freed;
const RESULTS = [byLine(met, partlyMet(50n)), notMet, met];

describe("ClaimEscrow: dispute", () => {
  soundAfterEach();

  /** A batch that was presented, whose payer and payees have a bond each. */
  async function presented(rulebook: RulebookName = "challenged"): Promise<Given> {
    const context = await given(rulebook);
    const { payer, payees } = context;
    await present(context, RESULTS);
    for (const account of [payer, ...payees.slice(0, 3)]) await deposit(context, account, BOND);
    return context;
  }

  it("freezes a line for the payer, and tells what was attested of it", async () => {
    const context = await presented();
    const { batch, payer } = context;
    expect(await reportedBy(context, dispute(context, payer, 0, 1))).to.deep.equal([
      ["LineDisputed", batch.id, payer.address, 1n, 0n, 200n, 50n, BOND],
    ]);
  });

  it("freezes a line for its payee", async () => {
    const context = await presented();
    const [, second] = context.payees;
    expect(await reportedBy(context, dispute(context, second!, 1, 0))).to.deep.equal([
      ["LineDisputed", context.batch.id, second!.address, 2n, 0n, 500n, 0n, BOND],
    ]);
  });

  it("says what it knows of the dispute", async () => {
    const context = await presented();
    const { batch, payer, payees, receiver } = context;
    expect(await receiver.disputeOf(batch.terms, 1)).to.deep.equal([0n, false, false, 0n, 0n]);
    await dispute(context, payer, 0, 1);
    const first = BigInt((await time.latest()) + ARBITER_TIME);
    await time.increase(DAY);
    await dispute(context, payees[2]!, 2, 2);
    const second = BigInt((await time.latest()) + ARBITER_TIME);
    expect(await receiver.disputeOf(batch.terms, 1)).to.deep.equal([200n, true, true, 50n, first]);
    expect(await receiver.disputeOf(batch.terms, 5)).to.deep.equal([60n, false, true, 60n, second]);
    const unknown = { ...batch.terms, salt: 1n };
    await refuses(context, receiver.disputeOf(unknown, 1), "ClaimBatchUnknown");
  });

  it("takes the line out of the presentation, which keeps its time", async () => {
    const context = await presented();
    const { batch, receiver, payer } = context;
    const before = await presentationAt(context);
    const { challengeUntil } = await receiver.presentationOf(batch.terms, 0);
    await time.increase(DAY);
    await dispute(context, payer, 0, 1);
    const left = { ...before, lines: [0b111101n], outcomes: [packed(1_000n, 0n), packed(0n, 500n), packed(400n, 0n)] };
    expect(await receiver.presentationOf(batch.terms, 0)).to.deep.equal([commitmentTo(left), challengeUntil]);
    expect(await closedLinesOf(context, batch)).to.deep.equal([]);
  });

  it("lets the first line of a presentation be disputed, too, which is named by the next one then", async () => {
    const context = await presented("bondless");
    const { batch, payer, receiver } = context;
    const { challengeUntil } = await receiver.presentationOf(batch.terms, 0);
    await dispute(context, payer, 0, 0);
    expect(await receiver.presentationOf(batch.terms, 0)).to.deep.equal([ZeroHash, 0n]);
    const left = await presentationAt(context, 1n);
    expect(left.lines).to.deep.equal([0b111110n]);
    expect(await receiver.presentationOf(batch.terms, 1)).to.deep.equal([commitmentTo(left), challengeUntil]);
    const unnamed = { ...left, firstLine: 0n };
    await refuses(context, dispute(context, payer, 0, 1, unnamed), "PresentationMismatch", batch.id, 0n);
    await dispute(context, payer, 0, 1);
    await dispute(context, payer, 1, 0);
    expect((await presentationAt(context, 3n)).lines).to.deep.equal([0b111000n]);
  });

  it("writes out what its results said alone", async () => {
    const context = await given("bondless");
    await present(context, [met, pending, notMet]);
    await dispute(context, context.payer, 2, 1);
    const { firstLine, lines, outcomes } = await presentationAt(context, 0n);
    expect([firstLine, lines, outcomes]).to.deep.equal([
      ...[0n, [0b101011n]],
      [packed(1_200n, 0n), 0n, packed(0n, 360n)],
    ]);
  });

  it("leaves nothing of a presentation when each of its lines is disputed", async () => {
    const context = await presented("bondless");
    const { batch, receiver, payer, payees } = context;
    const last = await presentationAt(context);
    for (const [group, { lineCount }] of batch.groups.entries())
      for (let line = 0; line < lineCount; line++)
        await dispute(context, line % 2 === 0 ? payer : payees[group]!, group, line);
    expect(await receiver.presentationOf(batch.terms, 0)).to.deep.equal([ZeroHash, 0n]);
    const empty = { ...last, lines: [0n], outcomes: [0n, 0n, 0n] };
    await refuses(context, settlePresented(context, 0n, empty), "PresentationMismatch", batch.id, 0n);
    expect((await bookedOf(context)).disputes.size).to.equal(6);
  });

  it("needs no opened amounts where a group has one line, and reads none", async () => {
    const context = await presented();
    const { batch, receiver, payer } = context;
    const held = await presentationAt(context);
    await receiver.connect(payer).dispute(batch.terms, batch.words, unopened(1), held);
    expect((await receiver.disputeOf(batch.terms, 2)).amount).to.equal(500n);
  });

  it("is the payer's dispute where the payer is the payee as well", async () => {
    const context = await given("challenged", [[1n]]);
    const { payer, escrow, receiver, token } = context;
    const own = await anotherTo(context, { [payer.address]: [100n, 20n] });
    await present(own, [byLine(met, notMet)]);
    await deposit(own, payer, BOND);
    await dispute(own, payer, 0, 0);
    expect((await receiver.disputeOf(own.batch.terms, 0)).byPayer).to.equal(true);
    expect(await escrow.balancesOf(payer, token)).to.deep.equal([0n, 0n]);
  });

  it("can be made until the last second of the challenge period", async () => {
    const context = await presented();
    const { challengeUntil } = await context.receiver.presentationOf(context.batch.terms, 0);
    await around(challengeUntil, {
      atLast: [() => dispute(context, context.payer, 0, 1)],
      after: [() => refuses(context, dispute(context, context.payer, 0, 1), "ChallengePeriodOver", challengeUntil)],
    });
  });

  describe("takes the bond", () => {
    it("out of the free balance", async () => {
      const context = await presented();
      await dispute(context, context.payer, 0, 0);
      expect((await moneyOf(context, context.batch)).free).to.equal(0n);
      expect((await bookedOf(context)).disputes.get(0n)!.bond).to.equal(BOND);
    });

    /** A payee with so much credit and so much free. */
    async function earning(credit: bigint, free: bigint): Promise<Given> {
      const context = await given();
      await present(context, RESULTS);
      const paid = await another(context, [[credit]], { rulebook: context.rulebook });
      const { attestation } = await attested(paid, paid.batch, [met]);
      await paid.escrow.settle(paid.batch.terms, paid.batch.words, attestation);
      if (free > 0n) await deposit(context, context.payees[0]!, free);
      return context;
    }
    const left = (context: Given) => context.escrow.balancesOf(context.payees[0]!, context.token);

    it("out of credit alone", async () => {
      const context = await earning(BOND + 5n, 0n);
      await dispute(context, context.payees[0]!, 0, 1);
      expect(await left(context)).to.deep.equal([0n, 5n]);
    });

    it("out of both, first what is free", async () => {
      const context = await earning(5n, 3n);
      await dispute(context, context.payees[0]!, 0, 1);
      expect(await left(context)).to.deep.equal([0n, 1n]);
    });

    it("and leaves what is free beyond it, and all credit", async () => {
      const context = await earning(5n, BOND + 1n);
      await dispute(context, context.payees[0]!, 0, 1);
      expect(await left(context)).to.deep.equal([1n, 5n]);
    });

    it("only where both cover it", async () => {
      const context = await earning(3n, 3n);
      const { payees, token, batch } = context;
      const args = [payees[0]!.address, await token.getAddress(), 6n, BOND] as const;
      await refuses(context, dispute(context, payees[0]!, 0, 1), "BondNotCovered", ...args);
      await deposit(context, payees[0]!, 1n);
      await dispute(context, payees[0]!, 0, 1);
      expect(await left(context)).to.deep.equal([0n, 0n]);
      expect((await context.receiver.disputeOf(batch.terms, 1)).amount).to.equal(200n);
    });

    it("of nobody where the rulebook asks for none", async () => {
      const context = await given("bondless");
      await present(context, RESULTS);
      const [, , , , , , , bond] = (await reportedBy(context, dispute(context, context.payer, 0, 0)))[0]!;
      expect(bond).to.equal(0n);
    });

    it("for each line anew", async () => {
      const context = await presented();
      await dispute(context, context.payer, 0, 0);
      await refuses(context, dispute(context, context.payer, 0, 1), "BondNotCovered");
    });
  });

  describe("refuses", () => {
    it("strangers, attesters, the arbiter, and payees of other lines", async () => {
      const context = await presented();
      const { stranger, attesters, arbiter, suspender, payees } = context;
      for (const caller of [stranger, attesters[0]!, arbiter, suspender, payees[1]!, payees[5]!])
        await refuses(context, dispute(context, caller, 0, 0), "NotParty", caller.address);
    });

    it("a line that is in dispute, by either side", async () => {
      const context = await presented();
      await dispute(context, context.payer, 0, 0);
      const left = await presentationAt(context, 1n);
      for (const caller of [context.payer, context.payees[0]!])
        await refuses(context, dispute(context, caller, 0, 0, left), "LineNotPresented", 0n);
    });

    it("a line that was closed before, or whose result is to come", async () => {
      const context = await given();
      const { batch, escrow, payees, payer } = context;
      const { opened, proof } = batch.openOne(0);
      await escrow.connect(payees[0]).reverse(batch.terms, batch.words, 0, [0], opened, proof);
      await present(context, [met, pending, byLine(met, pending, notMet)], { open: [0, 2] });
      const held = await presentationAt(context, 1n);
      await refuses(context, dispute(context, payer, 0, 0, held), "LineNotPresented", 0n);
      await refuses(context, dispute(context, payer, 1, 0, held), "LineNotPresented", 2n);
      await refuses(context, dispute(context, payer, 2, 1, held), "LineNotPresented", 4n);
    });

    it("a line of another presentation of the same batch", async () => {
      const context = await given();
      await present(context, [met, pending, pending]);
      await present(context, [pending, met, pending]);
      const held = await presentationAt(context, 0n);
      await refuses(context, dispute(context, context.payer, 1, 0, held), "LineNotPresented", 2n);
    });

    it("a presentation as it was before another dispute, and one that settled", async () => {
      const context = await presented();
      const { payer, payees, batch } = context;
      const before = await presentationAt(context);
      await dispute(context, payees[2]!, 2, 0);
      await refuses(context, dispute(context, payer, 0, 0, before), "PresentationMismatch", batch.id, 0n);
      const after = await presentationAt(context);
      await time.increase(30 * DAY);
      await settlePresented(context);
      await refuses(context, dispute(context, payer, 0, 0, after), "PresentationMismatch", batch.id, 0n);
    });

    it("lines and groups that are not there", async () => {
      const context = await presented();
      const { batch, receiver, payer } = context;
      const held = await presentationAt(context);
      const asPayer = receiver.connect(payer);
      const away = { ...openingOf(context, 0, 0), line: 2 };
      await refuses(context, asPayer.dispute(batch.terms, batch.words, away, held), "LineInvalid", 2n);
      const far = { ...openingOf(context, 0, 0), group: 3 };
      await expect(asPayer.dispute(batch.terms, batch.words, far, held)).to.be.revertedWithPanic(0x32);
    });

    it("amounts that are not those of the line", async () => {
      const context = await presented();
      const { batch, receiver, payer } = context;
      const held = await presentationAt(context);
      const asPayer = receiver.connect(payer);
      const good = openingOf(context, 0, 1);
      const other = { ...good, opened: batch.openOne(2).opened };
      await refuses(context, asPayer.dispute(batch.terms, batch.words, other, held), "LinesMismatch", 0n);
      const changed = { ...good, opened: { ...batch.openOne(0).opened, salt: ZeroHash } };
      await refuses(context, asPayer.dispute(batch.terms, batch.words, changed, held), "LinesProofInvalid");
      const short = { ...good, proof: [] };
      await refuses(context, asPayer.dispute(batch.terms, batch.words, short, held), "ManifestProofMalformed");
      const longer = { ...good, proof: [...batch.openOne(0).proof, ZeroHash] };
      await refuses(context, asPayer.dispute(batch.terms, batch.words, longer, held), "LinesProofInvalid");
    });

    it("other groups, and batches that were never funded", async () => {
      const context = await presented();
      const { batch, receiver, payer } = context;
      const held = await presentationAt(context);
      const line = openingOf(context, 0, 0);
      const words = [...batch.words].reverse();
      await refuses(context, receiver.connect(payer).dispute(batch.terms, words, line, held), "GroupsMismatch");
      const terms = { ...batch.terms, salt: 1n };
      await refuses(context, receiver.connect(payer).dispute(terms, batch.words, line, held), "ClaimBatchUnknown");
    });
  });
});
