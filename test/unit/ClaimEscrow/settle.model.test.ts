import { loadFixture, takeSnapshot, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import fc from "fast-check";

import type { GroupResult, LineResult } from "@carepact/sdk/claims";

import { finalResult, resultsFor, SEED, shape, subset } from "../../support/arbitraries";
import { settle, type TestBatch } from "../../support/batches";
import {
  attested,
  closedLinesOf,
  deployClaims,
  fundedBatch,
  moneyOf,
  owedBy,
  paymentsOf,
  type Claims,
} from "../../support/claims";
import { ClaimsModel } from "../../support/model";
import { GRACE } from "../../support/system";

type Verb =
  | { verb: "settle"; results: GroupResult[]; open: number[]; together: boolean }
  | { verb: "reverse"; group: number; lines: number[] }
  | { verb: "refund"; group: number; share: number; over: boolean }
  | { verb: "reclaim" };

/** Anything that can be done with a batch of these line amounts. */
const verbs = (groups: bigint[][]): fc.Arbitrary<Verb> => {
  const group = fc.nat({ max: groups.length - 1 });
  return fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        verb: fc.constant("settle" as const),
        results: resultsFor(groups),
        open: subset(groups.length),
        together: fc.boolean(),
      }),
    },
    {
      weight: 3,
      arbitrary: group.chain((index) =>
        subset(groups[index]!.length, 1).map((lines) => ({ verb: "reverse" as const, group: index, lines })),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        verb: fc.constant("refund" as const),
        group,
        share: fc.integer({ min: 1, max: 4 }),
        over: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.constant({ verb: "reclaim" as const }) },
  );
};

const runs = (numRuns: number) => ({ seed: SEED, numRuns });

describe(`ClaimEscrow: random batches beside a model in plain arithmetic (seed ${SEED})`, () => {
  /** Does the same on the chain and in the model; what the model does not allow has to be refused. */
  async function act(claims: Claims, model: ClaimsModel, batch: TestBatch, step: Verb): Promise<void> {
    const { escrow } = claims;
    switch (step.verb) {
      case "settle": {
        const settlement = await attested(claims, batch, step.results, { open: step.open });
        if ((await time.latest()) > batch.terms.eventBy + GRACE && model.hasOpenLines(batch)) {
          await expect(settle(escrow, settlement)).to.be.revertedWithCustomError(escrow, "AttestationTooLate");
          return;
        }
        await (step.together ? escrow.settleMany([settlement]) : settle(escrow, settlement));
        model.settle(batch, step.results, step.open);
        return;
      }
      case "reverse": {
        const { opened, proof } = batch.openOne(step.group);
        const sent = escrow
          .connect(claims.payees[step.group])
          .reverse(batch.terms, batch.words, step.group, step.lines, opened, proof);
        if (!model.canReverse(batch, step.group, step.lines)) {
          await expect(sent).to.be.revertedWithCustomError(escrow, "LineNotOpen");
          return;
        }
        await sent;
        model.reverse(batch, step.group, step.lines);
        return;
      }
      case "refund": {
        const most = model.refundable(batch, step.group);
        const amount = step.over ? most + 1n : most / BigInt(step.share);
        if (amount === 0n) return;
        const sent = escrow
          .connect(claims.payees[step.group])
          .refund(batch.terms, batch.words, await paymentsOf(claims, batch), amount, true);
        if (step.over) {
          await expect(sent).to.be.revertedWithCustomError(escrow, "RefundTooLarge");
          return;
        }
        await sent;
        model.refund(batch, step.group, amount);
        return;
      }
      case "reclaim": {
        const due = batch.terms.eventBy + GRACE + 1;
        if ((await time.latest()) < due) await time.increaseTo(due);
        await escrow.reclaim(batch.terms);
        model.reclaim(batch);
      }
    }
  }

  it("agrees with it after every step, and the escrow always holds what it owes", async () => {
    const batchWithSteps = shape.chain((groups) =>
      fc.record({ groups: fc.constant(groups), steps: fc.array(verbs(groups), { minLength: 1, maxLength: 8 }) }),
    );
    await fc.assert(
      fc.asyncProperty(batchWithSteps, async ({ groups, steps }) => {
        const claims = await loadFixture(deployClaims);
        const model = new ClaimsModel();
        const batch = await fundedBatch(claims, groups);
        model.fund(batch);
        for (const step of steps) {
          await act(claims, model, batch, step);
          expect(await moneyOf(claims, batch)).to.deep.equal(model.moneyOf(batch));
          if (model.hasOpenLines(batch))
            expect(await closedLinesOf(claims, batch)).to.deep.equal(model.closedLines(batch));
          expect(await claims.token.balanceOf(claims.escrow)).to.equal(await owedBy(claims, [batch]));
        }
      }),
      runs(60),
    );
  });

  it("agrees with it for two batches of the same payees at once", async () => {
    const twoWithSteps = fc.tuple(shape, shape).chain(([first, second]) =>
      fc.record({
        shapes: fc.constant([first, second]),
        steps: fc.array(fc.oneof(fc.tuple(fc.constant(0), verbs(first)), fc.tuple(fc.constant(1), verbs(second))), {
          minLength: 2,
          maxLength: 8,
        }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(twoWithSteps, async ({ shapes, steps }) => {
        const claims = await loadFixture(deployClaims);
        const model = new ClaimsModel();
        const batches = [await fundedBatch(claims, shapes[0]), await fundedBatch(claims, shapes[1])];
        batches.forEach((batch) => model.fund(batch));
        for (const [index, step] of steps) await act(claims, model, batches[index]!, step);
        for (const batch of batches) expect(await moneyOf(claims, batch)).to.deep.equal(model.moneyOf(batch));
        expect(await claims.token.balanceOf(claims.escrow)).to.equal(await owedBy(claims, batches));
      }),
      runs(20),
    );
  });
});

/** Invariant 7 of the protocol. */
describe(`ClaimEscrow: attestations that do not conflict, in any order and by any way (seed ${SEED})`, () => {
  type Way = "settle" | "settleByLine" | "settleMany";
  /** What happened to each line in the end, and what each attestation knows of it already. */
  interface History {
    groups: bigint[][];
    outcomes: LineResult[][];
    known: boolean[][][];
    orders: { sequence: number[]; ways: Way[] }[];
  }

  const histories: fc.Arbitrary<History> = shape.chain((groups) =>
    fc.integer({ min: 2, max: 4 }).chain((count) => {
      const indices = Array.from({ length: count }, (_, i) => i);
      const way = fc.constantFrom<Way>("settle", "settleByLine", "settleMany");
      const order = fc.record({
        sequence: fc.shuffledSubarray(indices, { minLength: count, maxLength: count }),
        ways: fc.tuple(...indices.map(() => way)),
      });
      return fc.record({
        groups: fc.constant(groups),
        outcomes: fc.tuple(...groups.map((amounts) => fc.tuple(...amounts.map(finalResult)))),
        known: fc.tuple(
          ...indices.map(() => fc.tuple(...groups.map((amounts) => fc.tuple(...amounts.map(() => fc.boolean()))))),
        ),
        orders: fc.tuple(order, order, order),
      });
    }),
  );

  /** Results that say what is known, groups as a whole where all their lines fared alike. */
  const resultsOf = ({ outcomes }: History, known: boolean[][]): GroupResult[] =>
    outcomes.map((lines, group) => {
      const results = lines.map((line, i): LineResult => (known[group]![i] ? line : { result: "pending" }));
      const [first] = results;
      const alike = first!.result !== "partlyMet" && results.every(({ result }) => result === first!.result);
      return alike ? { result: first!.result } : { result: "byLine", lines: results };
    });

  it("give the same money", async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (history) => {
        const claims = await loadFixture(deployClaims);
        const { escrow } = claims;
        const batch = await fundedBatch(claims, history.groups);
        const everyGroup = history.groups.map((_, group) => group);
        const settlements = await Promise.all(
          history.known.map((known) => attested(claims, batch, resultsOf(history, known), { open: everyGroup })),
        );
        const start = await takeSnapshot();
        const seen: Awaited<ReturnType<typeof moneyOf>>[] = [];
        for (const { sequence, ways } of history.orders) {
          const together = sequence.filter((index) => ways[index] === "settleMany");
          for (const index of sequence) {
            const settlement = settlements[index]!;
            // Whoever has no lines to open settles what it can; somebody else settles the rest.
            if (ways[index] === "settle")
              await escrow.settle(settlement.batch, settlement.groups, settlement.attestation);
            if (ways[index] !== "settleMany") await settle(escrow, settlement);
            else if (index === together[0]) await escrow.settleMany(together.map((one) => settlements[one]!));
          }
          seen.push(await moneyOf(claims, batch));
          await start.restore();
        }

        const settled = history.outcomes.map((lines, group) =>
          lines.map((outcome, i) => (history.known.some((known) => known[group]![i]) ? outcome : undefined)),
        );
        const paidOf = (outcome: LineResult, amount: bigint) =>
          outcome.result === "partlyMet" ? outcome.amount : outcome.result === "met" ? amount : 0n;
        const credits = settled.map((lines, group) =>
          lines.reduce((sum, outcome, i) => sum + (outcome ? paidOf(outcome, history.groups[group]![i]!) : 0n), 0n),
        );
        const open = settled
          .flatMap((lines, group) => lines.map((outcome, i) => (outcome ? 0n : history.groups[group]![i]!)))
          .reduce((sum, amount) => sum + amount, 0n);
        const free = batch.terms.total - open - credits.reduce((sum, credit) => sum + credit, 0n);
        for (const money of seen) expect(money).to.deep.equal({ open, free, credits });
      }),
      runs(30),
    );
  });
});
