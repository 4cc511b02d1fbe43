import { expect } from "chai";
import fc from "fast-check";

import {
  completionOf,
  coordinate,
  healthAccountAnswer,
  paidBefore,
  requireBalanced,
  resultsOfEvents,
  reversalPlan,
  reversalStep,
  type AdjudicatedClaim,
  type AdjudicatedLine,
  type CoordinatedAnswer,
  type LineStanding,
} from "../../sdk/src/claims";
import { usDollar } from "../../sdk/src/money";
import { SEED } from "../support/arbitraries";

import { account, fillOf, groupOf, plan, standing, supplement, third } from "./coordinationFixture";
import { refused } from "./refused";

const payers = [plan, supplement, third, account];
const cents = (max: bigint): fc.Arbitrary<bigint> => fc.bigInt({ min: 0n, max });
const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);

/** Of an amount, parts for up to four payers, the patient, and nobody. */
const split = (whole: bigint): fc.Arbitrary<bigint[]> =>
  fc.array(cents(whole), { minLength: 5, maxLength: 5 }).map((cuts) => {
    const ends = [0n, ...cuts.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)), whole];
    return ends.slice(1).map((end, i) => end - (ends[i] ?? 0n));
  });

/** By line: what each of four payers pays, the patient's share, and the adjustment. */
const claims = fc.array(
  fc.bigInt({ min: 1n, max: 10n ** 12n }).chain((charge) => split(charge)),
  { minLength: 1, maxLength: 4 },
);

/** The answer of payer `k` to lines that are split so. */
function answerOf(parts: readonly bigint[][], k: number): AdjudicatedClaim {
  const lines = parts.map((part, i): AdjudicatedLine => {
    const [payments, patient, contractual] = [part.slice(0, 4), part[4] ?? 0n, part[5] ?? 0n];
    const otherPayers = sum(payments.slice(0, k));
    // What is left after this payer is the patient's, as far as this one knows.
    const patientShare = sum(payments.slice(k + 1)) + patient;
    const planPays = payments[k] ?? 0n;
    return {
      lineNumber: i + 1,
      event: { kind: "claimItem", provider: "P", claimId: "C", itemSequence: i + 1, productOrService: "T" },
      charge: sum(part),
      allowed: sum(part) - contractual,
      patientShare,
      otherPayers,
      adjustments: [
        { group: "CO", reason: "45", amount: contractual },
        { group: "PR", reason: "3", amount: patientShare },
        { group: "OA", reason: "23", amount: otherPayers },
      ],
      planPays,
    };
  });
  return {
    claimId: "C",
    kind: "professional",
    payee: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    currency: usDollar,
    charge: sum(lines.map(({ charge }) => charge)),
    planPays: sum(lines.map(({ planPays }) => planPays)),
    lines,
    resource: {},
  };
}

const check = (property: fc.IProperty<never> | fc.IRawProperty<unknown>, numRuns = 50): void => {
  fc.assert(property as fc.IProperty<unknown>, { seed: SEED, numRuns });
};

describe("coordination of random claims", () => {
  it("accounts for the charge to the cent, over one to four payers", () => {
    check(
      fc.property(claims, fc.integer({ min: 1, max: 4 }), (parts, count) => {
        const answers = payers.slice(0, count).map((payer, k) => ({ payer, adjudicated: answerOf(parts, k) }));
        const whole = coordinate(answers);
        const { shares, patientShare, adjustments, charge } = whole;
        expect(sum(shares.map(({ pays }) => pays)) + patientShare + adjustments).to.equal(charge);
        shares.forEach(({ pays }, k) => expect(pays).to.equal(sum(parts.map((part) => part[k] ?? 0n))));
        const left = parts.map((part) => sum(part.slice(count, 5)));
        expect(whole.lines.map((line) => line.patientShare)).to.deep.equal(left);
        expect(adjustments).to.equal(sum(parts.map((part) => part[5] ?? 0n)));
        for (const { fund } of shares) if (fund !== undefined) requireBalanced(fund);
      }),
    );
  });

  it("finds every cent by which one payer was told something else than was paid", () => {
    check(
      fc.property(claims, fc.integer({ min: 1, max: 3 }), fc.nat(), fc.bigInt(1n, 100n), (parts, k, pick, off) => {
        const answers = payers.map((payer, i): CoordinatedAnswer => ({ payer, adjudicated: answerOf(parts, i) }));
        const claim = answerOf(parts, k);
        const i = pick % claim.lines.length;
        // Still balanced in itself: others are said to pay more, the patient less, or the charge grows with it.
        const lines = claim.lines.map((line, at) =>
          at !== i
            ? line
            : {
                ...line,
                otherPayers: line.otherPayers + off,
                allowed: line.allowed + off,
                charge: line.charge + off,
                adjustments: [...line.adjustments, { group: "OA" as const, reason: "23", amount: off }],
              },
        );
        answers[k] = { payer: payers[k] ?? plan, adjudicated: { ...claim, charge: claim.charge + off, lines } };
        const { equation } = refused("CLAIM_DOES_NOT_BALANCE", () => coordinate(answers)).details;
        expect(equation).to.equal("charge of every payer = charge");
        const same = lines.map((line, at) =>
          at !== i
            ? line
            : {
                ...line,
                charge: line.charge - off,
                allowed: line.allowed - off,
                planPays: line.planPays - off,
              },
        );
        if (same.some(({ planPays }) => planPays < 0n)) return;
        const planPays = claim.planPays - off;
        answers[k] = { payer: payers[k] ?? plan, adjudicated: { ...claim, planPays, lines: same } };
        expect(refused("CLAIM_DOES_NOT_BALANCE", () => coordinate(answers)).details.equation).to.equal(
          "otherPayers = sum of payments before",
        );
      }),
    );
  });

  it("lets an account pay any part of what is left to the patient", () => {
    check(
      fc.property(claims, cents(10n ** 12n), (parts, most) => {
        const last = answerOf(parts, 0);
        const adjudicated = healthAccountAnswer(last, most);
        const left = sum(last.lines.map(({ patientShare }) => patientShare));
        const whole = coordinate([
          { payer: plan, adjudicated: last },
          { payer: account, healthAccount: true, adjudicated },
        ]);
        expect(adjudicated.planPays).to.equal(most < left ? most : left);
        expect(whole.patientShare).to.equal(left - adjudicated.planPays);
      }),
    );
  });

  it("splits a fill into parts that balance and sum to the line", () => {
    check(
      fc.property(
        fc.bigInt(0n, 9_000n),
        fc.bigInt(0n, 9_000n),
        fc.integer({ min: 1, max: 299 }),
        fc.bigInt(0n, 9_000n),
        (a, b, tenths, some) => {
          const [patient, others] = a + b <= 9_000n ? [a, b] : [9_000n - a, 0n];
          const decimal = (amount: bigint): string => `${amount / 100n}.${String(amount % 100n).padStart(2, "0")}`;
          const claim = fillOf(decimal(9_000n - patient - others), decimal(patient), decimal(others));
          const paid = some < claim.planPays ? some : claim.planPays;
          const fills = [{ quantity: { value: `${Math.floor(tenths / 10)}.${tenths % 10}`, unit: "EA" }, paid }];
          const rest = completionOf(claim, 1, fills, { claimId: "F-2", dateOfService: "2026-01-20" });
          requireBalanced(rest);
          expect(rest.planPays + paid).to.equal(claim.planPays);
          const [line, was] = [rest.lines[0]!, claim.lines[0]!];
          for (const name of ["charge", "allowed", "patientShare", "otherPayers"] as const)
            expect(line[name] <= was[name], name).to.equal(true);
        },
      ),
    );
  });

  it("takes back from the last payer to the first, whatever stands where", async () => {
    const groups = await Promise.all(payers.map((payer) => groupOf(payer, [fillOf("60.00", "30.00")])));
    const states = fc.constantFrom<Partial<LineStanding>>(
      {},
      { state: "presented" },
      { state: "frozen" },
      { state: "returned" },
      { state: "paid", paid: 60_000_000n },
      { state: "paid", paid: 60_000_000n, givenBack: 60_000_000n },
    );
    check(
      fc.property(fc.array(states, { minLength: 1, maxLength: 4 }), (changes) => {
        const made = reversalPlan(changes.map((change, i) => standing(groups[i]!, change)));
        const order = payers.slice(0, changes.length).reverse();
        expect(made.steps.map(({ payer }) => payer)).to.deep.equal(order);
        const left = made.steps.filter(({ verb }) => verb !== "done");
        expect(made.next).to.equal(left[0]);
        left.slice(1).forEach(({ payer }) => refused("REVERSAL_OUT_OF_ORDER", () => reversalStep(made, payer)));
      }),
      200,
    );
  });

  it("tells the next payer what was paid for any share of an event", async () => {
    const groups = await Promise.all([
      groupOf(plan, [fillOf("60.00", "30.00")]),
      groupOf(supplement, [fillOf("20.00", "10.00", "60.00")]),
    ]);
    const [{ event }] = groups[0].lines as [LineStanding["line"]];
    check(
      fc.property(fc.bigInt(1n, 99n), (dispensed) => {
        const standings = groups.map((group) => {
          const [result] = resultsOfEvents(group, [{ event, result: "partlyMet", share: { dispensed, billed: 100n } }]);
          const line = result?.result === "byLine" ? result.lines[0] : undefined;
          return standing(group, { state: "paid", paid: line?.result === "partlyMet" ? line.amount : 0n });
        });
        const [paid] = paidBefore(standings, usDollar);
        expect(paid?.payers.map(({ amount }) => amount)).to.deep.equal([60n * dispensed, 20n * dispensed]);
        expect(paid?.amount).to.equal(80n * dispensed);
      }),
    );
  });
});
