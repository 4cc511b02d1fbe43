import { expect } from "chai";
import { ethers } from "hardhat";

import { deployImplementation } from "../support/implementations";

import { codeIn, readPage, tablesOf } from "./page";

const pages = ["docs/overview.md", "docs/claim-batch.md", "docs/patients.md"];
const secondsIn: Record<string, bigint> = { hours: 3_600n, days: 86_400n };

/** `7 days` in seconds, `1,000` as it is. */
function valueOf(text: string): bigint {
  const [number = "", unit] = text.split(" ");
  return BigInt(number.replaceAll(",", "")) * (unit === undefined ? 1n : (secondsIn[unit] ?? 0n));
}

describe("limits in the docs", () => {
  for (const page of pages)
    for (const { header, rows } of tablesOf(readPage(page)).filter(({ header }) => header[1] === "constant"))
      for (const [what = "", constant, value = ""] of rows)
        it(`${page} says what ${codeIn(constant)} is: ${value}`, async () => {
          expect(header[2]).to.equal("value");
          const [contractName = "", name = ""] = codeIn(constant).split(".");
          const contract = await ethers.getContractAt(contractName, await deployImplementation(contractName));

          const actual = (await contract.getFunction(name)()) as bigint;

          expect(valueOf(value), what).to.equal(actual);
        });

  it("are shown at all", () => {
    const shown = pages.flatMap((page) => tablesOf(readPage(page)).filter(({ header }) => header[1] === "constant"));
    expect(shown).to.have.lengthOf(pages.length);
  });
});
