import { time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { byLine, met, notMet, partlyMet, pending } from "../../support/batches";
import { reportedBy, writtenOut, type HeldPresentation } from "../../support/books";
import { moneyOf } from "../../support/claims";
import {
  BOND,
  CHALLENGE,
  another,
  around,
  bookedOf,
  deposit,
  dispute,
  given,
  present,
  presentationAt,
  refuses,
  settlePresented,
  soundAfterEach,
  type Given,
  type RulebookName,
} from "../../support/disputes";
import { DAY } from "../../support/system";

const RESULTS = [byLine(met, partlyMet(50n)), notMet, met];

describe("ClaimEscrow: settlePresented", () => {
  soundAfterEach();

  async function presented(rulebook: RulebookName = "challenged"): Promise<Given> {
    const context = await given(rulebook);
    await present(context, RESULTS);
    return context;
  }
  const afterPeriod = () => time.increase(CHALLENGE);

  it("pays what was presented, by anybody's hand", async () => {
    const context = await presented();
    const { batch } = context;
    await afterPeriod();
    const [first, second, third] = batch.groups.map(({ payee }) => payee);
    expect(await reportedBy(context, settlePresented(context))).to.deep.equal([
      ["GroupSettled", batch.id, first, 1_050n, 150n],
      ["GroupSettled", batch.id, second, 0n, 500n],
      ["GroupSettled", batch.id, third, 400n, 0n],
      ["PresentationSettled", batch.id, 0n],
    ]);
    expect(await moneyOf(context, batch)).to.deep.equal({ open: 0n, free: 650n, credits: [1_050n, 0n, 400n] });
  });

  it("returns what it paid and what it freed, with what is retained", async () => {
    const context = await presented("full");
    const { batch, receiver } = context;
    await afterPeriod();
    await time.increase(1);
    const held = await presentationAt(context);
    expect(await receiver.settlePresented.staticCall(batch.terms, batch.words, held)).to.deep.equal([1_450n, 650n]);
  });

  it("keeps back the rulebook's share, rounded down", async () => {
    const context = await presented("full");
    const { batch } = context;
    await afterPeriod();
    await settlePresented(context);
    expect(await moneyOf(context, batch)).to.deep.equal({ open: 0n, free: 650n, credits: [945n, 0n, 360n] });
    const { amounts } = (await bookedOf(context)).retentions.get(0n)!;
    expect(amounts.map((word) => word & ((1n << 96n) - 1n))).to.deep.equal([105n, 40n]);
  });

  it("can be asked for only once the challenge period is over, to the second", async () => {
    const context = await presented();
    const { batch, receiver } = context;
    const { challengeUntil } = await receiver.presentationOf(batch.terms, 0);
    await around(challengeUntil, {
      atLast: [() => refuses(context, settlePresented(context), "ChallengePeriodOpen", challengeUntil)],
      after: [() => settlePresented(context)],
    });
  });

  it("has no time limit", async () => {
    const context = await presented();
    await time.increase(3_000 * DAY);
    await settlePresented(context);
    expect((await moneyOf(context, context.batch)).free).to.equal(650n);
  });

  it("works once", async () => {
    const context = await presented();
    const held = await presentationAt(context);
    await afterPeriod();
    await settlePresented(context);
    const { batch } = context;
    await refuses(context, settlePresented(context, 0n, held), "PresentationMismatch", batch.id, 0n);
  });

  it("pays what nobody disputed of it", async () => {
    const context = await presented();
    await deposit(context, context.payer, BOND);
    await dispute(context, context.payer, 0, 1);
    await afterPeriod();
    await settlePresented(context);
    expect(await moneyOf(context, context.batch)).to.deep.equal({ open: 0n, free: 500n, credits: [1_000n, 0n, 400n] });
  });

  it("settles presentations of one batch apart, each in its own time", async () => {
    const context = await given();
    await present(context, [met, pending, pending]);
    await time.increase(DAY);
    await present(context, [met, met, pending]);
    await time.increase(CHALLENGE - DAY);
    await settlePresented(context, 0n);
    await refuses(context, settlePresented(context, 2n), "ChallengePeriodOpen");
    await time.increase(DAY);
    await settlePresented(context, 2n);
    expect(await moneyOf(context, context.batch)).to.deep.equal({ open: 400n, free: 0n, credits: [1_200n, 500n, 0n] });
    expect((await bookedOf(context)).payments).to.have.length(2);
  });

  it("notes a batch that it pays whole as paid in full", async () => {
    const context = await given();
    await present(context, [met, met, met]);
    await afterPeriod();
    await settlePresented(context);
    expect((await context.escrow.claimBatchStatusOf(context.batch.id)).paidInFull).to.equal(true);
  });

  it("does not note it where a share is retained, or where it was paid in parts", async () => {
    const retaining = await given("full");
    await present(retaining, [met, met, met]);
    await afterPeriod();
    await settlePresented(retaining);
    expect((await retaining.escrow.claimBatchStatusOf(retaining.batch.id)).paidInFull).to.equal(false);

    const parts = await given();
    await present(parts, [met, pending, pending]);
    await present(parts, [met, met, met]);
    await afterPeriod();
    await settlePresented(parts, 0n);
    await settlePresented(parts, 2n);
    expect((await parts.escrow.claimBatchStatusOf(parts.batch.id)).paidInFull).to.equal(false);
  });

  it("refuses other groups, and batches that were never funded", async () => {
    const context = await presented();
    await afterPeriod();
    const { batch, receiver } = context;
    const held = await presentationAt(context);
    const words = [...batch.words].reverse();
    await refuses(context, receiver.settlePresented(batch.terms, words, held), "GroupsMismatch");
    const terms = { ...batch.terms, salt: 1n };
    await refuses(context, receiver.settlePresented(terms, batch.words, held), "ClaimBatchUnknown");
  });

  describe("refuses a presentation that is not the one", () => {
    const forgeries: Record<string, (held: HeldPresentation) => HeldPresentation> = {
      "with another name": (held) => ({ ...held, firstLine: 1n }),
      "with the greatest name": (held) => ({ ...held, firstLine: (1n << 256n) - 1n }),
      "with other results": (held) => ({ ...held, results: "0x15" }),
      "with results that are cut": (held) => ({ ...held, results: held.results.slice(0, -2) }),
      "with results that go on": (held) => ({ ...held, results: `${held.results}00` }),
      "with another line": (held) => ({ ...held, lines: [held.lines[0]! | (1n << 6n)] }),
      "without a line": (held) => ({ ...held, lines: [held.lines[0]! ^ 1n] }),
      "with more paid": (held) => ({ ...held, outcomes: held.outcomes.map((word) => word + (1n << 96n)) }),
      "with what is freed paid": (held) => ({ ...held, outcomes: held.outcomes.map((word) => word << 96n) }),
      "with the payees' shares exchanged": (held) => ({ ...held, outcomes: [...held.outcomes].reverse() }),
      "with a group more": (held) => ({ ...held, outcomes: [...held.outcomes, 0n] }),
      "with a group less": (held) => ({ ...held, outcomes: held.outcomes.slice(0, -1) }),
      "with a word of lines more": (held) => ({ ...held, lines: [...held.lines, 0n] }),
      "with a word of the outcomes among the lines": ({ lines, outcomes, ...held }) => ({
        ...held,
        lines: [...lines, outcomes[0]!],
        outcomes: outcomes.slice(1),
      }),
      "with a word of the lines among the outcomes": ({ lines, outcomes, ...held }) => ({
        ...held,
        lines: [],
        outcomes: [...lines, ...outcomes],
      }),
      "with nothing": (held) => ({ ...held, results: "0x", lines: [], outcomes: [] }),
    };
    for (const [what, forge] of Object.entries(forgeries))
      it(what, async () => {
        const context = await presented();
        await afterPeriod();
        const held = forge(await presentationAt(context));
        const sent = settlePresented(context, 0n, held);
        await refuses(context, sent, "PresentationMismatch", context.batch.id, held.firstLine);
        await settlePresented(context);
      });

    it("written out where its results said it all, and the other way round", async () => {
      const context = await given();
      await present(context, [met, pending, pending]);
      await present(context, [met, met, met]);
      await afterPeriod();
      const { batch } = context;
      const [whole, rest] = [await presentationAt(context, 0n), await presentationAt(context, 2n)];
      expect([whole.lines, whole.outcomes]).to.deep.equal([[], []]);
      const written = writtenOut(batch, whole);
      await refuses(context, settlePresented(context, 0n, written), "PresentationMismatch", batch.id, 0n);
      for (const cut of [{ lines: [] }, { outcomes: [] }, { lines: [], outcomes: [] }])
        await refuses(context, settlePresented(context, 2n, { ...rest, ...cut }), "PresentationMismatch", batch.id, 2n);
      await settlePresented(context, 0n);
      await settlePresented(context, 2n);
    });

    it("as it stood before a line was disputed", async () => {
      const context = await presented();
      const stale = await presentationAt(context);
      await deposit(context, context.payer, BOND);
      await dispute(context, context.payer, 2, 1);
      await afterPeriod();
      await refuses(context, settlePresented(context, 0n, stale), "PresentationMismatch", context.batch.id, 0n);
    });

    it("of another batch with the same groups", async () => {
      const context = await presented();
      const held = await presentationAt(context);
      const other = await another(context);
      await afterPeriod();
      await refuses(other, settlePresented(other, 0n, held), "PresentationMismatch", other.batch.id, 0n);
      await present(other, [met, met, met]);
      await refuses(other, settlePresented(other, 0n, held), "PresentationMismatch", other.batch.id, 0n);
    });
  });
});
