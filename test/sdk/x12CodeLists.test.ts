import { expect } from "chai";

import { loadCodeList, type CodeListOptions } from "../../sdk/src/x12";

import { refused } from "./refused";
import { bytesOf } from "./x12Files";

const options: CodeListOptions = {
  name: "SYN",
  columns: { code: "Code", description: "Words", start: "From", end: "To" },
};
const text = 'Words,Code,From,To\r\n"One, with ""quotes""\nand lines",S1,2020-01-01,\r\n\r\nTwo,S2,,2025-12-31\r\n';

describe("x12.loadCodeList", () => {
  it("reads a customer's CSV by the names of its columns", () => {
    for (const source of [text, bytesOf(text), `\uFEFF${text}`, text.trimEnd()]) {
      const list = loadCodeList(source, options);
      expect(list.size).to.equal(2);
      expect(list.entry("S1")).to.deep.equal({
        code: "S1",
        description: 'One, with "quotes"\nand lines',
        start: "2020-01-01",
      });
      expect(list.entries()[1]).to.deep.equal({ code: "S2", description: "Two", end: "2025-12-31" });
      expect([list.has("S2"), list.has("S3")]).to.deep.equal([true, false]);
    }
  });

  it("reads a TSV without names by the numbers of its columns", () => {
    const list = loadCodeList("S1\tÉin, Wort\nS2\tZwei", {
      name: "SYN",
      columns: { code: 0, description: 1 },
      separator: "\t",
    });
    expect(list.entries().map(({ description }) => description)).to.deep.equal(["Éin, Wort", "Zwei"]);
  });

  it("refuses a code that is not of the list, naming the list", () => {
    const list = loadCodeList(text, options);
    for (const code of ["S3", "", "toString", undefined as unknown as string])
      expect(refused("CODE_UNKNOWN", () => list.entry(code)).details["list"]).to.equal("SYN");
  });

  it("refuses files that are cut off or do not have what was said", () => {
    for (const source of [
      "",
      "Words,Code\nOne,S1",
      'Words,Code,From,To\n"One,S1',
      'Words,Code,From,To\n"One"x,S1,,',
      "Words,Code,From,To\nOne",
      "Words,Code,From,To\n,S1,,",
      "Words,Code,From,To\nOne,S1,,\nTwo,S1,,",
      new Uint8Array([0xff, 0xfe]),
    ])
      refused("X12_CODE_LIST_INVALID", () => loadCodeList(source, options));
  });
});
