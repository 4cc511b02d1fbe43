import { expect } from "chai";

import type { Row } from "../../bench/budgets";
import { budgetsMissed, changesSince } from "../../bench/compare";

const row = (key: string, budget?: number): Row => ({ key, operation: key, ...(budget && { budget }), peers: [] });

describe("bench: budgets", () => {
  it("should accept what takes its budget exactly", () => {
    expect(budgetsMissed({ "fund.1": 69_000 }, [row("fund.1", 69_000)])).to.deep.equal([]);
  });

  it("should name what takes more, with both numbers", () => {
    expect(budgetsMissed({ "settle.perLine": 320.01 }, [row("settle.perLine", 320)])).to.deep.equal([
      "settle.perLine takes 320.01, its budget is 320.",
    ]);
  });

  it("should accept any number where there is no budget", () => {
    expect(budgetsMissed({ "deposit.1": 1e9 }, [row("deposit.1")])).to.deep.equal([]);
  });

  it("should name a row that was not measured, with or without a budget", () => {
    expect(budgetsMissed({}, [row("fund.1", 69_000), row("deposit.1")])).to.deep.equal([
      "fund.1 was not measured.",
      "deposit.1 was not measured.",
    ]);
  });
});

describe("bench: changes since the committed result", () => {
  it("should accept the same numbers, in any order", () => {
    expect(changesSince({ a: 1, b: 2 }, { b: 2, a: 1 })).to.deep.equal([]);
  });

  it("should accept a change of 1 %, up or down", () => {
    expect(changesSince({ a: 10_000, b: 10_000 }, { a: 10_100, b: 9_900 })).to.deep.equal([]);
  });

  it("should name a rise above 1 %", () => {
    expect(changesSince({ a: 10_000 }, { a: 10_101 })).to.deep.equal(["a changed from 10000 to 10101 (+1.01 %)."]);
  });

  it("should name a fall above 1 % too, so that it gets committed and cannot be lost again unseen", () => {
    expect(changesSince({ a: 300 }, { a: 296.5 })).to.deep.equal(["a changed from 300 to 296.5 (-1.17 %)."]);
  });

  it("should name a key that is measured but not committed", () => {
    expect(changesSince({ a: 1 }, { a: 1, b: 2 })).to.deep.equal(["b is new: 2."]);
  });

  it("should name a key that is committed but no longer measured", () => {
    expect(changesSince({ a: 1, b: 2 }, { a: 1 })).to.deep.equal(["b is no longer measured; it was 2."]);
  });
});
