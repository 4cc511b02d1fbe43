import { time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { byLine, met, notMet, partlyMet } from "../../support/batches";
import { reportedBy } from "../../support/books";
import { moneyOf } from "../../support/claims";
import {
  ARBITER_TIME,
  BOND,
  CHALLENGE,
  another,
  anotherTo,
  around,
  at,
  bookedOf,
  deposit,
  dispute,
  disputeMissing,
  given,
  present,
  presentDisputed,
  publishTerms,
  refuses,
  resolve,
  resolveByDefault,
  settlePresented,
  soundAfterEach,
  type Given,
  type RulebookName,
} from "../../support/disputes";

const LINE = 200n;

/** Line 1 of group 0, presented as `result`, is disputed by a side. */
async function disputed(
  side: "payer" | "payee",
  result: Parameters<typeof byLine>[0] = partlyMet(50n),
  rulebook: RulebookName = "challenged",
): Promise<Given> {
  const context = await given(rulebook);
  const { payer, payees } = context;
  await present(context, [byLine(met, result), met, met]);
  const by = side === "payer" ? payer : payees[0]!;
  if (rulebook !== "bondless") await deposit(context, by, BOND);
  await dispute(context, by, 0, 1);
  return context;
}

/** Its payee says that line 1 of group 0 has no result; one may have come since. */
async function missing(rulebook: RulebookName = "arbitrated", result?: Parameters<typeof byLine>[0]): Promise<Given> {
  const context = await given(rulebook);
  if (rulebook !== "payeeDefault" && rulebook !== "bondless") await deposit(context, context.payees[0]!, BOND);
  await at(Number(context.batch.terms.eventBy) + 1);
  await disputeMissing(context, context.payees[0]!, 0, 1);
  if (result) await presentDisputed(context, [byLine(met, result), met, met], 0, 1);
  return context;
}

/** What payer and payee hold, free and credit. */
async function holdings({ escrow, payer, payees, token }: Given): Promise<bigint[]> {
  const [payerFree, payerCredit] = await escrow.balancesOf(payer, token);
  const [payeeFree, payeeCredit] = await escrow.balancesOf(payees[0]!, token);
  return [payerFree, payerCredit, payeeFree, payeeCredit];
}

describe("ClaimEscrow: resolve", () => {
  soundAfterEach();

  // Who disputes, what is attested, what the arbiter awards, who gets the bond.
  const rulings = [
    ["payer", met, 200n, "payee"],
    ["payer", met, 199n, "payer"],
    ["payer", met, 0n, "payer"],
    ["payer", partlyMet(50n), 200n, "payee"],
    ["payer", partlyMet(50n), 50n, "payee"],
    ["payer", partlyMet(50n), 49n, "payer"],
    ["payer", partlyMet(50n), 0n, "payer"],
    ["payer", notMet, 0n, "payee"],
    ["payer", notMet, 1n, "payee"],
    ["payee", met, 200n, "payer"],
    ["payee", met, 0n, "payer"],
    ["payee", partlyMet(50n), 200n, "payee"],
    ["payee", partlyMet(50n), 51n, "payee"],
    ["payee", partlyMet(50n), 50n, "payer"],
    ["payee", partlyMet(50n), 0n, "payer"],
    ["payee", notMet, 200n, "payee"],
    ["payee", notMet, 1n, "payee"],
    ["payee", notMet, 0n, "payer"],
  ] as const;
  for (const [side, result, award, winner] of rulings) {
    const attested = result.result === "partlyMet" ? "partly met" : result.result === "met" ? "met" : "not met";
    it(`awards ${award} of ${attested}, which the ${side} disputed, and the ${winner} gets the bond`, async () => {
      const context = await disputed(side, result);
      const { batch, payer, payees } = context;
      const bondTo = winner === "payer" ? payer.address : payees[0]!.address;
      expect(await reportedBy(context, resolve(context, 0, 1, award))).to.deep.equal([
        ["DisputeResolved", batch.id, payees[0]!.address, 1n, award, LINE - award, true, bondTo, BOND],
      ]);
      const bonds = winner === "payer" ? [BOND, 0n] : [0n, BOND];
      expect(await holdings(context)).to.deep.equal([LINE - award + bonds[0]!, 0n, 0n, award + bonds[1]!]);
    });
  }

  for (const [award, winner] of [
    [0n, "payer"],
    [1n, "payee"],
    [200n, "payee"],
  ] as const)
    it(`awards ${award} where nothing was attested, and the ${winner} gets the bond`, async () => {
      const context = await missing();
      await resolve(context, 0, 1, award);
      const bonds = winner === "payer" ? [BOND, 0n] : [0n, BOND];
      expect(await holdings(context)).to.deep.equal([LINE - award + bonds[0]!, 0n, 0n, award + bonds[1]!]);
    });

  for (const [award, winner] of [
    [0n, "payer"],
    [1n, "payee"],
    [50n, "payee"],
    [51n, "payee"],
  ] as const)
    it(`awards ${award} where 50 was attested once it was disputed, and the ${winner} gets the bond`, async () => {
      const context = await missing("arbitrated", partlyMet(50n));
      await resolve(context, 0, 1, award);
      const bonds = winner === "payer" ? [BOND, 0n] : [0n, BOND];
      expect(await holdings(context)).to.deep.equal([LINE - award + bonds[0]!, 0n, 0n, award + bonds[1]!]);
    });

  it("moves no bond where there is none", async () => {
    const context = await disputed("payee", notMet, "bondless");
    const [[, , , , , , , bondTo, bond]] = (await reportedBy(context, resolve(context, 0, 1, 60n))) as [unknown[]];
    expect([bondTo, bond]).to.deep.equal([context.payees[0]!.address, 0n]);
    expect(await holdings(context)).to.deep.equal([140n, 0n, 0n, 60n]);
  });

  it("retains nothing of an award", async () => {
    const context = await disputed("payee", notMet, "full");
    await resolve(context, 0, 1, LINE);
    expect(await holdings(context)).to.deep.equal([0n, 0n, 0n, LINE + BOND]);
    expect((await bookedOf(context)).retentions.size).to.equal(0);
  });

  it("ends one dispute of several, and lets the rest of the presentation settle", async () => {
    const context = await disputed("payer", met);
    await deposit(context, context.payees[2]!, BOND);
    await dispute(context, context.payees[2]!, 2, 0);
    await resolve(context, 0, 1, 0n);
    await time.increase(CHALLENGE);
    await settlePresented(context);
    expect((await bookedOf(context)).disputes.size).to.equal(1);
    await resolve(context, 2, 0, 300n);
    expect(await moneyOf(context, context.batch)).to.deep.equal({
      open: 0n,
      free: LINE + 2n * BOND,
      credits: [1_000n, 500n, 400n],
    });
  });

  it("lets the payer be the payee, and the arbiter the payee", async () => {
    const context = await given("challenged", [[1n]]);
    const { payer } = context;
    const own = await anotherTo(context, { [payer.address]: [100n] });
    await present(own, [met]);
    await deposit(own, payer, BOND);
    await dispute(own, payer, 0, 0);
    await resolve(own, 0, 0, 40n);
    expect(await own.escrow.balancesOf(payer, own.token)).to.deep.equal([60n + BOND, 40n]);

    const rulebook = await publishTerms(context, {
      ...{ challengePeriod: CHALLENGE, arbiterDeadline: ARBITER_TIME },
      arbiter: context.payees[0]!.address,
    });
    const judge = await another(context, [[100n]], { rulebook });
    await present(judge, [notMet]);
    await dispute(judge, judge.payees[0]!, 0, 0);
    await resolve(judge, 0, 0, 100n, judge.payees[0]);
    expect((await moneyOf(judge, judge.batch)).credits).to.deep.equal([100n]);
  });

  it("can be done until the last second of the arbiter's time, then only by default", async () => {
    const context = await disputed("payer", met);
    const { resolveBy } = await context.receiver.disputeOf(context.batch.terms, 1);
    await around(resolveBy, {
      atLast: [
        () => refuses(context, resolveByDefault(context, 0, 1), "ArbiterHasTime", resolveBy),
        () => resolve(context, 0, 1, 1n),
      ],
      after: [
        () => refuses(context, resolve(context, 0, 1, 1n), "ArbiterTooLate", resolveBy),
        () => resolveByDefault(context, 0, 1),
      ],
    });
  });

  describe("is refused", () => {
    it("to all but the rulebook's arbiter", async () => {
      const context = await disputed("payer");
      const { payer, payees, stranger, suspender, otherArbiter, attesters, arbiter } = context;
      for (const caller of [payer, payees[0]!, stranger, suspender, attesters[0]!, otherArbiter])
        await refuses(context, resolve(context, 0, 1, 0n, caller), "NotArbiter", arbiter.address, caller.address);
    });

    it("to the arbiter of another rulebook, with its own terms, too", async () => {
      const context = await disputed("payer");
      const terms = { challengePeriod: CHALLENGE, arbiterDeadline: ARBITER_TIME, bond: BOND };
      const rulebook = await publishTerms(context, { ...terms, arbiter: context.otherArbiter.address });
      const other = { ...context, batch: { ...context.batch, terms: { ...context.batch.terms, rulebook } } };
      await refuses(other, resolve(other, 0, 1, 0n, context.otherArbiter), "ClaimBatchUnknown");
    });

    it("under a rulebook without an arbiter", async () => {
      const context = await given();
      const plain = await another(context, [[1n]], { rulebook: context.rulebook });
      const nobody = "0x0000000000000000000000000000000000000000";
      await refuses(plain, resolve(plain, 0, 0, 0n), "NotArbiter", nobody, context.arbiter.address);
    });

    it("beyond the line's amount", async () => {
      const context = await disputed("payer");
      await refuses(context, resolve(context, 0, 1, LINE + 1n), "AwardTooLarge", LINE, LINE + 1n);
      const most = (1n << 256n) - 1n;
      await refuses(context, resolve(context, 0, 1, most), "AwardTooLarge", LINE, most);
    });

    it("a second time, by either way, and then nothing brings the line back", async () => {
      const context = await disputed("payer");
      await resolve(context, 0, 1, 10n);
      const { batch, payer, payees } = context;
      await refuses(context, resolve(context, 0, 1, 10n), "LineNotDisputed", batch.id, 1n);
      await refuses(context, dispute(context, payees[0]!, 0, 1), "LineNotPresented", 1n);
      await refuses(context, dispute(context, payer, 0, 1), "LineNotPresented", 1n);
      await time.increase(2 * ARBITER_TIME);
      await refuses(context, resolveByDefault(context, 0, 1), "LineNotDisputed", batch.id, 1n);
    });

    it("for lines that nobody disputed, or that are not there", async () => {
      const context = await disputed("payer");
      const { id } = context.batch;
      await refuses(context, resolve(context, 0, 0, 0n), "LineNotDisputed", id, 0n);
      await refuses(context, resolve(context, 2, 0, 0n), "LineNotDisputed", id, 3n);
      await refuses(context, resolve(context, 0, 2, 0n), "LineInvalid", 2n);
      await expect(resolve(context, 3, 0, 0n)).to.be.revertedWithPanic(0x32);
    });

    it("with other groups, and for batches that were never funded", async () => {
      const context = await disputed("payer");
      const { batch, receiver, arbiter } = context;
      const words = [...batch.words].reverse();
      await refuses(context, receiver.connect(arbiter).resolve(batch.terms, words, 0, 1, 0), "GroupsMismatch");
      await refuses(context, receiver.resolveByDefault(batch.terms, words, 0, 1), "GroupsMismatch");
      const terms = { ...batch.terms, salt: 1n };
      const unknown = { ...context, batch: { ...batch, terms } };
      await refuses(context, resolve(unknown, 0, 1, 0n), "ClaimBatchUnknown");
      await refuses(context, resolveByDefault(unknown, 0, 1), "ClaimBatchUnknown");
    });
  });
});

describe("ClaimEscrow: resolveByDefault", () => {
  soundAfterEach();

  const afterDeadline = () => time.increase(ARBITER_TIME);

  for (const side of ["payer", "payee"] as const)
    for (const [result, award] of [
      [met, 200n],
      [partlyMet(50n), 50n],
      [notMet, 0n],
    ] as const)
      it(`holds to what was attested (${award}), and who disputed it loses the bond: the ${side}`, async () => {
        const context = await disputed(side, result);
        const { batch, payer, payees } = context;
        await afterDeadline();
        const bondTo = side === "payer" ? payees[0]!.address : payer.address;
        expect(await reportedBy(context, resolveByDefault(context, 0, 1))).to.deep.equal([
          ["DisputeResolved", batch.id, payees[0]!.address, 1n, award, LINE - award, false, bondTo, BOND],
        ]);
        const bonds = side === "payer" ? [0n, BOND] : [BOND, 0n];
        expect(await holdings(context)).to.deep.equal([LINE - award + bonds[0]!, 0n, 0n, award + bonds[1]!]);
      });

  it("returns what the payee got", async () => {
    const context = await disputed("payer", partlyMet(50n));
    await afterDeadline();
    await time.increase(1);
    const { batch, receiver } = context;
    expect(await receiver.resolveByDefault.staticCall(batch.terms, batch.words, 0, 1)).to.equal(50n);
  });

  it("is for the payer where nothing was attested and the rulebook says so", async () => {
    const context = await missing("arbitrated");
    await afterDeadline();
    await resolveByDefault(context, 0, 1);
    expect(await holdings(context)).to.deep.equal([LINE + BOND, 0n, 0n, 0n]);
  });

  it("is for the payee where nothing was attested and the rulebook says so", async () => {
    const context = await missing("payeeDefault");
    await afterDeadline();
    await resolveByDefault(context, 0, 1);
    expect(await holdings(context)).to.deep.equal([0n, 0n, 0n, LINE]);
  });

  it("is for the payee with its bond", async () => {
    const context = await missing("full");
    await afterDeadline();
    await resolveByDefault(context, 0, 1);
    expect(await holdings(context)).to.deep.equal([0n, 0n, 0n, LINE + BOND]);
  });

  for (const rulebook of ["arbitrated", "payeeDefault"] as const)
    it(`holds to what was attested late, whatever the rulebook says else (${rulebook})`, async () => {
      const context = await missing(rulebook, partlyMet(50n));
      await afterDeadline();
      await resolveByDefault(context, 0, 1);
      const bond = rulebook === "arbitrated" ? BOND : 0n;
      expect(await holdings(context)).to.deep.equal([LINE - 50n, 0n, 0n, 50n + bond]);
    });

  it("takes the bond of who disputed what was attested late to be nothing", async () => {
    const context = await missing("full", notMet);
    await afterDeadline();
    await resolveByDefault(context, 0, 1);
    expect(await holdings(context)).to.deep.equal([LINE + BOND, 0n, 0n, 0n]);
  });

  it("frees all disputes of a batch whose arbiter and attesters are gone", async () => {
    const context = await given("payeeDefault");
    const { batch, payees, escrow } = context;
    await at(Number(batch.terms.eventBy) + 1);
    for (const [group, line] of [
      [0, 0],
      [0, 1],
      [1, 0],
    ] as const)
      await disputeMissing(context, payees[group]!, group, line);
    await afterDeadline();
    await escrow.reclaim(batch.terms);
    for (const [group, line] of [
      [0, 0],
      [0, 1],
      [1, 0],
    ] as const)
      await resolveByDefault(context, group, line);
    expect(await moneyOf(context, batch)).to.deep.equal({ open: 0n, free: 400n, credits: [1_200n, 500n, 0n] });
    expect((await escrow.claimBatchStatusOf(batch.id)).paidInFull).to.equal(false);
  });
});
