import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import fc from "fast-check";

import type { GroupResult } from "@carepact/sdk/claims";

import type { SettlementStruct } from "../../../typechain-types/contracts/claims/ClaimEscrow";
import { resultsFor, SEED, shape } from "../../support/arbitraries";
import { settle, type TestBatch } from "../../support/batches";
import { attested, fundedBatch, moneyOf, owedBy } from "../../support/claims";
import { runs } from "../../support/consents";
import { ClaimsModel } from "../../support/model";
import { NOTHING, deployReporting, keptOf, report, reportOf, unsigned, type Reporting } from "./fixture";

/** Which of the statements that there are, reported as observed when; or settled, by the report or by signatures. */
type Verb =
  | { verb: "report"; reports: { statement: number; age: number }[] }
  | { verb: "settle"; statement: number; signed: boolean };

const STATEMENTS = 4;
/** Few times, so that many reports are equally old. */
const AGES = 5;

const verb: fc.Arbitrary<Verb> = fc.oneof(
  fc.record({
    verb: fc.constant("report" as const),
    reports: fc.array(fc.record({ statement: fc.nat({ max: STATEMENTS - 1 }), age: fc.nat({ max: AGES - 1 }) }), {
      minLength: 1,
      maxLength: 3,
    }),
  }),
  fc.record({
    verb: fc.constant("settle" as const),
    statement: fc.nat({ max: STATEMENTS - 1 }),
    signed: fc.boolean(),
  }),
);

describe(`WorkflowReceiver: random reports and settlements beside a plain model of the newest report (seed ${SEED})`, () => {
  async function run(context: Reporting, groups: bigint[][], results: GroupResult[][], steps: Verb[]): Promise<void> {
    const { escrow, receiver, mixed } = context;
    const batch = await fundedBatch(context, groups, { rulebook: mixed });
    const money = new ClaimsModel();
    money.fund(batch);
    const now = await time.latest();
    const all = groups.map((_, group) => group);
    const changes = { observedAt: now - AGES, open: all };
    const unsignedOnes = await Promise.all(results.map((one) => unsigned(batch, one, changes)));
    let newest: { statement: number; observedAt: number } | undefined;

    const doReport = async (reports: { statement: number; age: number }[]): Promise<void> => {
      const encoded = await Promise.all(
        reports.map(({ statement, age }) =>
          reportOf(context, batch, unsignedOnes[statement]!, { observedAt: now - age }),
        ),
      );
      await report(context, ...encoded);
      for (const { statement, age } of reports)
        if (newest === undefined || now - age > newest.observedAt) newest = { statement, observedAt: now - age };
    };
    const doSettle = async (statement: number, signed: boolean): Promise<void> => {
      const settlement: SettlementStruct = signed
        ? await attested(context, batch, results[statement]!, changes)
        : unsignedOnes[statement]!;
      if (!signed && newest?.statement !== statement && money.hasOpenLines(batch)) {
        await expect(settle(escrow, settlement)).to.be.revertedWithCustomError(escrow, "NotReported");
        return;
      }
      const wasWhole = money.moneyOf(batch).open === batch.terms.total;
      await settle(escrow, settlement);
      money.settle(batch, results[statement]!, all);
      // What settles a batch in parts may be needed for a line that is in dispute.
      if (!signed && wasWhole && !money.hasOpenLines(batch)) newest = undefined;
    };

    for (const step of steps) {
      await (step.verb === "report" ? doReport(step.reports) : doSettle(step.statement, step.signed));
      expect(await receiver.reportOf(mixed, batch.id)).to.deep.equal(
        await expected(context, batch, unsignedOnes, newest),
      );
      expect(await moneyOf(context, batch)).to.deep.equal(money.moneyOf(batch));
      expect(await context.token.balanceOf(escrow)).to.equal(await owedBy(context, [batch]));
    }
  }

  async function expected(
    context: Reporting,
    batch: TestBatch,
    statements: SettlementStruct[],
    newest: { statement: number; observedAt: number } | undefined,
  ): Promise<[string, bigint]> {
    if (newest === undefined) return NOTHING;
    const [digest] = await keptOf(context, batch, statements[newest.statement]!);
    return [digest, BigInt(newest.observedAt)];
  }

  it("agrees with it after every step", async () => {
    const cases = shape.chain((groups) =>
      fc.record({
        groups: fc.constant(groups),
        results: fc.array(resultsFor(groups), { minLength: STATEMENTS, maxLength: STATEMENTS }),
        steps: fc.array(verb, { minLength: 2, maxLength: 10 }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(cases, async ({ groups, results, steps }) =>
        run(await loadFixture(deployReporting), groups, results, steps),
      ),
      { seed: SEED, numRuns: runs(50) },
    );
  });
});
