import { expect } from "chai";

import {
  claimsScore,
  claimsTable,
  columnsOf,
  consentsScores,
  consentsTable,
  linesPerPayeeOf,
  percent,
  small,
  type Verdict,
} from "./table";
import { binomialTail, hypergeometricTail, interval, type Score } from "./statistics";

/** What the observer may find by chance once in a hundred times, and what once in a thousand. */
const ORDINARY = 0.01;
const CAUGHT = 0.001;

function judge(verdict: Verdict, score: Score, what: string): void {
  const text = [what, ...columnsOf(score)].join(" | ");
  if (small) return;
  expect(score.guesses, text).to.be.above(0);
  if (typeof verdict === "object") {
    const error = Math.sqrt((verdict.told * (1 - verdict.told)) / score.guesses);
    expect(score.right / score.guesses, text).to.be.closeTo(verdict.told, 3 * error);
  }
  if (verdict === "chance") expect(score.p, text).to.be.above(ORDINARY);
  if (verdict === "caught") {
    expect(score.p, text).to.be.below(CAUGHT);
    expect(score.right / score.guesses, text).to.be.above(1.5 * score.chance);
  }
}

function words(verdict: Verdict): string {
  if (small) return "runs";
  if (typeof verdict === "object") return `is right as often as docs/privacy.md says, ${percent(verdict.told)}`;
  return { chance: "finds no more than chance", caught: "finds it out" }[verdict];
}

describe("privacy: an observer of the whole chain", function () {
  this.timeout(600_000);

  describe("who looks for two claims of one patient", () => {
    for (const row of claimsTable)
      it(`given ${linesPerPayeeOf(row)} lines a payee, ${row.name}: ${words(row.verdict)}`, async () => {
        judge(row.verdict, await claimsScore(row), row.name);
      });
  });

  describe("who looks for clinics, accesses, birthdays and restrictions", () => {
    for (const row of consentsTable)
      it(`given ${row.name}: ${[...new Set(Object.values(row.verdicts).map(words))].join("; ")}`, async () => {
        for (const [question, verdict, score] of await consentsScores(row))
          judge(verdict, score, `${row.name}, ${question}`);
      });
  });
});

describe("privacy: the statistics", () => {
  it("are those of the textbooks", () => {
    // 10 throws of a coin: 8 or more heads in 56 of 1,024.
    expect(binomialTail(10, 8, 0.5)).to.be.closeTo(56 / 1024, 1e-12);
    expect(binomialTail(10, 0, 0.5)).to.equal(1);
    // Fisher's lady: all four cups of eight in one of 70.
    expect(hypergeometricTail(8, 4, 4, 4)).to.be.closeTo(1 / 70, 1e-12);
    expect(hypergeometricTail(8, 4, 4, 3)).to.be.closeTo(17 / 70, 1e-12);
    // Clopper and Pearson, 1934.
    const [from, to] = interval({ guesses: 10, right: 5 });
    expect(from).to.be.closeTo(0.1871, 1e-4);
    expect(to).to.be.closeTo(0.8129, 1e-4);
    expect(interval({ guesses: 20, right: 0 })[0]).to.equal(0);
    expect(interval({ guesses: 20, right: 0 })[1]).to.be.closeTo(0.1684, 1e-4);
    expect(interval({ guesses: 20, right: 20 })).to.satisfy(([low, high]: number[]) => high === 1 && low! > 0.83);
  });
});
