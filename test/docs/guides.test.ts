import { expect } from "chai";

import { typeProblemsOf } from "./types";

describe("code in README and guides", () => {
  it("type-checks as it stands", () => {
    expect(typeProblemsOf([{ page: "README.md", given: "readme.test#ReadmesGiven" }])).to.deep.equal([]);
  });
});
