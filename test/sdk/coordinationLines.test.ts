import { expect } from "chai";

import {
  correctionPlan,
  keptOf,
  paidBefore,
  rebill,
  resultsOfEvents,
  reversalPlan,
  reversalStep,
  standingOf,
  type CorrectedLine,
  type LineStanding,
  type OpenedGroup,
} from "../../sdk/src/claims";
import type { ErrorCode } from "../../sdk/src/errors";
import { dispenseResult, type EventResult } from "../../sdk/src/fhir";
import { usDollar } from "../../sdk/src/money";

import { account, answerOf, fillOf, groupOf, happened, plan, standing, supplement, usual } from "./coordinationFixture";
import { refused } from "./refused";

const DOLLAR = 1_000_000n;

const path = (code: ErrorCode, action: () => unknown): unknown => refused(code, action).details.path;

describe("how a line stands", () => {
  let group: OpenedGroup;
  before(async () => {
    const test = (planPays: string) => ({ charge: planPays, allowed: planPays, patientResponsibility: "0", planPays });
    group = await groupOf(plan, [answerOf([test("60"), test("15")])]);
  });

  const settledBy = (results: string, paid: bigint, freed: bigint) =>
    [
      ["GroupSettled", { batchId: group.batchId, payee: group.payee, paid, freed }],
      ["ClaimBatchSettled", { batchId: group.batchId, attestation: "0x", results }],
    ] as const;
  const refund = (amount: bigint) =>
    ["Refunded", { batchId: group.batchId, payee: group.payee, amount, fromCredit: true }] as const;

  /** State, what was paid and what was given back of each line, by its number in the claim. */
  const shown = (lines: readonly LineStanding[]): unknown =>
    [...lines]
      .sort((a, b) => a.line.detail.lineNumber - b.line.detail.lineNumber)
      .map(({ state, paid, givenBack }) => [state, paid, givenBack]);

  it("is told by the events of its batch: open, paid, reversed, reclaimed", () => {
    expect(shown(standingOf(group, []).lines)).to.deep.equal([
      ["open", 0n, 0n],
      ["open", 0n, 0n],
    ]);
    expect(shown(standingOf(group, happened([...settledBy("0x01", 75n * DOLLAR, 0n)])).lines)).to.deep.equal([
      ["paid", 60n * DOLLAR, 0n],
      ["paid", 15n * DOLLAR, 0n],
    ]);
    expect(shown(standingOf(group, happened([...settledBy("0x02", 0n, 75n * DOLLAR)])).lines)).to.deep.equal([
      ["returned", 0n, 0n],
      ["returned", 0n, 0n],
    ]);
    const [first] = group.lines;
    const reversed = happened([
      ["LinesReversed", { batchId: group.batchId, payee: group.payee, amount: first?.amount, lines: [0n] }],
    ]);
    expect(standingOf(group, reversed).lines.map(({ state }) => state)).to.deep.equal(["returned", "open"]);
    const reclaimed = happened([["ClaimBatchReclaimed", { batchId: group.batchId, amount: 75n * DOLLAR }]]);
    expect(standingOf(group, reclaimed).lines.map(({ state }) => state)).to.deep.equal(["returned", "returned"]);
  });

  it("is told while it is in dispute, and when an arbiter ended that", () => {
    const [line] = group.lines as [OpenedGroup["lines"][number]];
    const { batchId, payee } = group;
    const disputed = [
      "LineDisputed",
      {
        batchId,
        line: 0n,
        by: group.payee,
        firstLine: 2n ** 256n - 1n,
        amount: line.amount,
        attestedAmount: 0n,
        bond: 0n,
        resolveBy: 1n,
      },
    ] as const;
    const award = 10n * DOLLAR;
    const returned = line.amount - award;
    const bondTo = payee;
    const resolved = [
      "DisputeResolved",
      { batchId, line: 0n, payee, award, returned, byArbiter: true, bond: 0n, bondTo },
    ] as const;
    const states = (...list: Parameters<typeof happened>[0]) =>
      standingOf(group, happened(list)).lines.map(({ state, paid }) => [state, paid]);
    expect(states(disputed)).to.deep.equal([
      ["frozen", 0n],
      ["open", 0n],
    ]);
    expect(states(disputed, resolved)).to.deep.equal([
      ["paid", award],
      ["open", 0n],
    ]);
  });

  it("puts refunds on lines where that is certain, or said", () => {
    const paid = settledBy("0x01", 75n * DOLLAR, 0n);
    const all = standingOf(group, happened([...paid, refund(75n * DOLLAR)])).lines;
    expect(all.map(keptOf)).to.deep.equal([0n, 0n]);

    const some = happened([...paid, refund(15n * DOLLAR)]);
    expect(path("COORDINATION_UNSETTLED", () => standingOf(group, some))).to.equal("refunds");
    const said = { claimId: "L-1", lineNumber: 2, amount: 15n * DOLLAR };
    expect(shown(standingOf(group, some, { refunds: [said] }).lines)).to.deep.equal([
      ["paid", 60n * DOLLAR, 0n],
      ["paid", 15n * DOLLAR, 15n * DOLLAR],
    ]);
    const wrong = { ...said, amount: 14n * DOLLAR };
    expect(refused("CLAIM_DOES_NOT_BALANCE", () => standingOf(group, some, { refunds: [wrong] })).details).to.include({
      equation: "sum of refunds = refunded",
      left: "14.00",
      right: "15.00",
    });
    for (const refunds of [
      [{ ...said, lineNumber: 3 }],
      [{ ...said, amount: 16n * DOLLAR }],
      [{ ...said, amount: -1n }],
    ])
      expect(path("INPUT_INVALID", () => standingOf(group, some, { refunds }))).to.equal("refunds[0]");
  });

  it("is refused where the events do not sum to what the escrow reported", () => {
    refused("REMITTANCE_MISMATCH", () => standingOf(group, happened([...settledBy("0x01", 74n * DOLLAR, DOLLAR)])));
  });
});

describe("what earlier payers paid", () => {
  let groups: OpenedGroup[];
  before(async () => {
    groups = await Promise.all([groupOf(plan, [usual.primary]), groupOf(supplement, [usual.secondary])]);
  });
  const standings = (...changes: Partial<LineStanding>[]): LineStanding[] =>
    changes.map((change, i) => standing(groups[i] as OpenedGroup, change));

  it("is what the chain says they paid in the end, by event and payer", () => {
    const paid = paidBefore(
      standings(
        { state: "paid", paid: 60n * DOLLAR, givenBack: 5n * DOLLAR },
        { state: "paid", paid: 12n * DOLLAR + 340_000n },
      ),
      usDollar,
    );
    expect(paid).to.deep.equal([
      {
        event: usual.primary.lines[0]?.event,
        amount: 6_734n,
        otherPayers: "67.34",
        payers: [
          { payer: plan, amount: 5_500n },
          { payer: supplement, amount: 1_234n },
        ],
      },
    ]);
  });

  it("is nothing for what was not met, and unknown for what is open, presented or in dispute", () => {
    expect(paidBefore(standings({ state: "returned" }), usDollar)[0]).to.include({ amount: 0n, otherPayers: "0.00" });
    for (const state of ["open", "presented", "frozen"] as const)
      expect(refused("COORDINATION_UNSETTLED", () => paidBefore(standings({ state }), usDollar)).details).to.include({
        payer: plan,
        state,
        claimId: "L-1",
        lineNumber: 1,
      });
  });

  it("counts a line that was billed anew once, and refuses a payer that paid twice", () => {
    const [old] = standings({ state: "returned" }) as [LineStanding];
    const [anew] = standings({ state: "paid", paid: 60n * DOLLAR }) as [LineStanding];
    expect(paidBefore([old, anew], usDollar)[0]?.payers).to.deep.equal([{ payer: plan, amount: 6_000n }]);
    refused("COORDINATION_INVALID", () => paidBefore([anew, anew], usDollar));
  });

  it("refuses fractions of the currency's base unit", () => {
    refused("AMOUNT_TOO_PRECISE", () => paidBefore(standings({ state: "paid", paid: 3_333_333n }), usDollar));
  });
});

describe("results of one event for several batches", () => {
  it("are the same outcome on each payer's own amount", async () => {
    const primary = await groupOf(plan, [fillOf("60.00", "30.00")]);
    const secondary = await groupOf(supplement, [fillOf("20.00", "10.00", "60.00")]);
    const [{ event }] = primary.lines as [OpenedGroup["lines"][number]];
    const share = { dispensed: 3n, billed: 5n };
    const results = [primary, secondary].map((group) =>
      resultsOfEvents(group, [{ event, result: "partlyMet", share }]),
    );
    expect(results).to.deep.equal([
      [{ result: "byLine", lines: [{ result: "partlyMet", amount: 36n * DOLLAR }] }],
      [{ result: "byLine", lines: [{ result: "partlyMet", amount: 12n * DOLLAR }] }],
    ]);
    expect(resultsOfEvents(secondary, [{ event, result: "met" }])).to.deep.equal([{ result: "met" }]);
    expect(resultsOfEvents(secondary, [])).to.deep.equal([{ result: "pending" }]);
    const least = { dispensed: 1n, billed: 10n ** 12n };
    expect(resultsOfEvents(secondary, [{ event, result: "partlyMet", share: least }])).to.deep.equal([
      { result: "notMet" },
    ]);
    expect(
      path("EVENT_INVALID", () =>
        resultsOfEvents(primary, [
          { event, result: "met" },
          { event, result: "met" },
        ]),
      ),
    ).to.equal("outcomes[1].event");
    for (const billed of [3n, 2n])
      refused("EVENT_INVALID", () =>
        resultsOfEvents(primary, [{ event, result: "partlyMet", share: { dispensed: 3n, billed } }]),
      );
  });
});

describe("taking back an event of several payers", () => {
  let groups: OpenedGroup[];
  before(async () => {
    groups = await Promise.all([
      groupOf(plan, [usual.primary]),
      groupOf(supplement, [usual.secondary]),
      groupOf(account, [usual.account]),
    ]);
  });
  const planOf = (...changes: Partial<LineStanding>[]) =>
    reversalPlan(changes.map((change, i) => standing(groups[i] as OpenedGroup, change)));

  it("goes from the last payer to the first, with the verb that each needs", () => {
    const { steps, next } = planOf({ state: "paid", paid: 60n * DOLLAR }, { state: "presented" }, {});
    expect(steps.map(({ payer, verb, amount }) => [payer, verb, amount])).to.deep.equal([
      [account, "reverse", 6n * DOLLAR],
      [supplement, "wait", 20n * DOLLAR],
      [plan, "refund", 60n * DOLLAR],
    ]);
    expect(next).to.equal(steps[0]);
    expect(planOf({}, { state: "frozen" }).next).to.deep.include({ payer: supplement, verb: "wait" });
  });

  it("refuses an earlier payer while a later one still has money in it", () => {
    const paid = { state: "paid", paid: 60n * DOLLAR } as const;
    const both = planOf(paid, { state: "paid", paid: 20n * DOLLAR, givenBack: 5n * DOLLAR });
    expect(refused("REVERSAL_OUT_OF_ORDER", () => reversalStep(both, plan)).details).to.include({
      payer: plan,
      first: supplement,
      verb: "refund",
      amount: "15000000",
    });
    expect(reversalStep(both, supplement)).to.include({ verb: "refund", amount: 15n * DOLLAR });
    const last = planOf(paid, { state: "paid", paid: 20n * DOLLAR, givenBack: 20n * DOLLAR });
    expect(reversalStep(last, plan)).to.include({ verb: "refund", amount: 60n * DOLLAR });
    expect(reversalStep(last, supplement)).to.include({ verb: "done", amount: 0n });
    refused("COORDINATION_INVALID", () => reversalStep(last, account));
  });

  it("ends once nothing is left, and knows each payer once", () => {
    expect(planOf({ state: "returned" }, { state: "returned" }).next).to.equal(undefined);
    const [group] = groups as [OpenedGroup];
    refused("COORDINATION_INVALID", () => reversalPlan([standing(group), standing(group)]));
  });
});

describe("billing a line anew", () => {
  it("says which line it replaces, once that one was taken back, and commits to it", async () => {
    const old = await groupOf(plan, [usual.primary]);
    const claim = { ...usual.primary, claimId: "L-9" };
    const anew = rebill(claim, [{ lineNumber: 1, replaced: standing(old, { state: "returned" }) }]);
    expect(anew.lines[0]?.replaces).to.deep.equal({ claimId: "L-1", lineNumber: 1 });
    const [line] = (await groupOf(plan, [anew])).lines;
    expect(line?.detail.replaces).to.deep.equal({ claimId: "L-1", lineNumber: 1 });

    const repaid = standing(old, { state: "paid", paid: DOLLAR, givenBack: DOLLAR });
    expect(rebill(claim, [{ lineNumber: 1, replaced: repaid }]).lines[0]?.replaces?.claimId).to.equal("L-1");
  });

  it("is refused while the old line holds money, for another payee, or for a line that is not there", async () => {
    const old = await groupOf(plan, [usual.primary]);
    const once =
      (change: Partial<LineStanding>, lineNumber = 1, claim = usual.primary) =>
      () =>
        rebill(claim, [{ lineNumber, replaced: standing(old, change) }]);
    for (const state of ["open", "presented", "frozen"] as const)
      expect(refused("REPLACED_LINE_HOLDS_MONEY", once({ state })).details).to.include({
        state,
        amount: (60n * DOLLAR).toString(),
      });
    refused("REPLACED_LINE_HOLDS_MONEY", once({ state: "paid", paid: 2n * DOLLAR, givenBack: DOLLAR }));
    expect(path("INPUT_INVALID", once({ state: "returned" }, 2))).to.equal("replacements[0].lineNumber");
    const other = { ...usual.primary, payee: plan };
    expect(path("INPUT_INVALID", once({ state: "returned" }, 1, other))).to.equal("replacements[0].replaced.payee");
    const test = { charge: "60", allowed: "60", patientResponsibility: "0", planPays: "60" };
    const replaced = standing(old, { state: "returned" });
    refused("CLAIM_DUPLICATE_LINE", () =>
      rebill(answerOf([test, test], "L-9", "ACC-9"), [
        { lineNumber: 1, replaced },
        { lineNumber: 2, replaced },
      ]),
    );
  });
});

describe("a correction after payment", () => {
  let groups: OpenedGroup[];
  before(async () => {
    groups = await Promise.all([
      groupOf(plan, [fillOf("60.00", "30.00")]),
      groupOf(supplement, [fillOf("20.00", "10.00", "60.00")]),
    ]);
  });
  const dispense = (status: string, quantity: number) =>
    ({
      resourceType: "MedicationDispense",
      status,
      whenHandedOver: "2026-01-16",
      quantity: { value: quantity, code: "EA" },
    }) as Parameters<typeof dispenseResult>[0];
  const corrected = (status: string, quantity: number, paid: bigint[], retained?: bigint): CorrectedLine[] =>
    groups.map((group, i) => {
      const was = standing(group, { state: "paid", paid: paid[i] ?? 0n });
      const terms = { amount: was.line.amount, paid: was.paid, billed: was.line.detail.quantity };
      return {
        standing: was,
        result: dispenseResult(dispense(status, quantity), terms),
        ...(retained === undefined ? {} : { retained }),
      };
    });

  it("gives back what was entered in error, last payer first, out of what is retained and then by refund", () => {
    const steps = correctionPlan(corrected("entered-in-error", 30, [60n * DOLLAR, 20n * DOLLAR], 5n * DOLLAR));
    const [first, second] = groups as [OpenedGroup, OpenedGroup];
    expect(steps).to.deep.equal([
      {
        payer: supplement,
        payee: second.payee,
        batchId: second.batchId,
        claimId: "F-1",
        lineNumber: 1,
        action: "giveBack",
        amount: 20n * DOLLAR,
        recoup: 5n * DOLLAR,
        refund: 15n * DOLLAR,
      },
      {
        payer: plan,
        payee: first.payee,
        batchId: first.batchId,
        claimId: "F-1",
        lineNumber: 1,
        action: "giveBack",
        amount: 60n * DOLLAR,
        recoup: 5n * DOLLAR,
        refund: 55n * DOLLAR,
      },
    ]);
  });

  it("gives back the difference of a smaller quantity, and bills a larger one as a new line, first payer first", () => {
    const less = correctionPlan(corrected("completed", 15, [60n * DOLLAR, 20n * DOLLAR]));
    expect(less.map((step) => [step.payer, step.action, "amount" in step && step.amount])).to.deep.equal([
      [supplement, "giveBack", 10n * DOLLAR],
      [plan, "giveBack", 30n * DOLLAR],
    ]);
    const more = correctionPlan(corrected("completed", 30, [30n * DOLLAR, 10n * DOLLAR]));
    expect(more.map((step) => [step.payer, step.action, "amount" in step && step.amount])).to.deep.equal([
      [plan, "newLine", 30n * DOLLAR],
      [supplement, "newLine", 10n * DOLLAR],
    ]);
  });

  it("does nothing where the same is due, and leaves to people what nobody can tell", () => {
    const same = correctionPlan(corrected("completed", 30, [60n * DOLLAR, 20n * DOLLAR]));
    expect(same.map(({ action }) => action)).to.deep.equal(["nothing", "nothing"]);
    const [line] = corrected("completed", 30, [60n * DOLLAR]) as [CorrectedLine];
    const unclear: EventResult = { result: "correction", paid: 60n * DOLLAR, reason: "changed-after-settlement" };
    expect(correctionPlan([{ ...line, result: unclear }])[0]).to.include({ action: "decide", paid: 60n * DOLLAR });
    const amended: EventResult = { ...unclear, due: 60n * DOLLAR };
    expect(correctionPlan([{ ...line, result: amended }])[0]).to.include({ action: "nothing" });
  });

  it("never pays: what is not settled, or not held against what was paid, is refused", () => {
    const [line] = corrected("completed", 15, [60n * DOLLAR]) as [CorrectedLine];
    const open = { ...line, standing: { ...line.standing, state: "open" as const } };
    refused("COORDINATION_UNSETTLED", () => correctionPlan([open]));
    const other = { ...line, standing: { ...line.standing, givenBack: DOLLAR } };
    expect(path("EVENT_INVALID", () => correctionPlan([other]))).to.equal("lines[0].result.paid");
    for (const result of [
      { result: "met", amount: 30n * DOLLAR, reason: "done" },
      { result: "pending", reason: "not-handed-over" },
      { result: "notMet", reason: "status-ended" },
    ] as EventResult[])
      expect(path("EVENT_INVALID", () => correctionPlan([{ ...line, result }]))).to.equal("lines[0].result");
  });
});
