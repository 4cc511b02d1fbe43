import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { expect } from "chai";

import { rows } from "../../bench/budgets";
import { benchmarksPage, readCommitted } from "../../bench/files";

const root = resolve(__dirname, "../..");

describe("bench: what is committed", () => {
  it("should have every row and nothing else", () => {
    expect(readCommitted(root)).to.have.all.keys(rows.map(({ key }) => key));
  });

  it("should be what docs/benchmarks.md shows", async () => {
    const page = readFileSync(join(root, "docs", "benchmarks.md"), "utf8");

    expect(await benchmarksPage(root, readCommitted(root))).to.equal(page);
  });
});
