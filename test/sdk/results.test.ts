import { expect } from "chai";
import fc from "fast-check";

import {
  decodeResults,
  encodeResults,
  groupResultsOf,
  lineResultsOf,
  type GroupResult,
  type GroupShape,
  type LineResult,
} from "../../sdk/src/claims/results";
import { isCarepactError } from "../../sdk/src/errors";

import { refused } from "./refused";

const plain: LineResult[] = [{ result: "pending" }, { result: "met" }, { result: "notMet" }];

const lineOf = (amount: bigint): fc.Arbitrary<LineResult> =>
  amount < 2n
    ? fc.constantFrom(...plain)
    : fc.oneof(
        fc.constantFrom(...plain),
        fc.bigInt(1n, amount - 1n).map((part): LineResult => ({ result: "partlyMet", amount: part })),
      );

const groupOf: fc.Arbitrary<[Required<GroupShape>, GroupResult]> = fc
  .array(fc.bigInt(1n, (1n << 86n) - 1n), { minLength: 1, maxLength: 12 })
  .chain((amounts) =>
    fc.tuple(
      fc.constant({ lineCount: amounts.length, amounts }),
      fc.oneof(
        fc.constantFrom<GroupResult>({ result: "pending" }, { result: "met" }, { result: "notMet" }),
        fc.tuple(...amounts.map(lineOf)).map((lines): GroupResult => ({ result: "byLine", lines })),
      ),
    ),
  );

describe("results", () => {
  it("packs two bits a group, the first in the lowest bits", () => {
    const shape = [1, 1, 1, 1, 1].map((lineCount) => ({ lineCount }));
    const results: GroupResult[] = [
      { result: "met" },
      { result: "notMet" },
      { result: "pending" },
      { result: "met" },
      { result: "notMet" },
    ];
    expect(encodeResults(results, shape)).to.equal("0x4902");
  });

  it("puts a group's line codes and partial amounts after the group codes", () => {
    const shape = [{ lineCount: 3, amounts: [10n, 500n, 7n] }, { lineCount: 2 }];
    const results: GroupResult[] = [
      { result: "byLine", lines: [{ result: "met" }, { result: "partlyMet", amount: 258n }, { result: "notMet" }] },
      { result: "met" },
    ];
    // groups 3 | 1 << 2 = 0x07; lines 1 | 3 << 2 | 2 << 4 = 0x2d; then 258 in 11 bytes
    expect(encodeResults(results, shape)).to.equal("0x072d" + "0102".padStart(22, "0"));
    expect(decodeResults("0x072d" + "0102".padStart(22, "0"), shape)).to.deep.equal(results);
  });

  it("reads back whatever it wrote", () => {
    fc.assert(
      fc.property(fc.array(groupOf, { minLength: 1, maxLength: 9 }), (groups) => {
        const shape = groups.map(([groupShape]) => groupShape);
        const results = groups.map(([, result]) => result);
        expect(decodeResults(encodeResults(results, shape), shape)).to.deep.equal(results);
      }),
    );
  });

  it("has one encoding: whatever decodes encodes to the same bytes, and the rest is refused", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
        (bytes, counts) => {
          const shape = counts.map((lineCount) => ({ lineCount }));
          const hex = "0x" + Buffer.from(bytes).toString("hex");
          let decoded: GroupResult[];
          try {
            decoded = decodeResults(hex, shape);
          } catch (error) {
            expect(isCarepactError(error), String(error)).to.equal(true);
            return;
          }
          expect(encodeResults(decoded, shape)).to.equal(hex);
        },
      ),
    );
  });

  it("refuses bytes that are missing, left over, or set where nothing is", () => {
    const shape = [{ lineCount: 2 }];
    refused("RESULTS_MALFORMED", () => decodeResults("0x", shape));
    refused("RESULTS_MALFORMED", () => decodeResults("0x03", shape));
    refused("RESULTS_MALFORMED", () => decodeResults("0x0300aa", shape));
    refused("RESULTS_MALFORMED", () => decodeResults("0x05", shape));
    refused("RESULTS_MALFORMED", () => decodeResults("0x0310", shape));
    refused("RESULTS_MALFORMED", () => decodeResults("0x0303", shape));
    refused("RESULTS_MALFORMED", () => decodeResults("0x1", shape));
    refused("RESULTS_MALFORMED", () => decodeResults("results", shape));
  });

  it("refuses a partial amount that is zero or not below the line's own", () => {
    const shape = [{ lineCount: 1, amounts: [100n] }];
    for (const amount of [0n, 100n, 101n, -1n]) {
      const results: GroupResult[] = [{ result: "byLine", lines: [{ result: "partlyMet", amount }] }];
      refused("PARTIAL_AMOUNT_INVALID", () => encodeResults(results, shape));
    }
    refused("PARTIAL_AMOUNT_INVALID", () => decodeResults("0x0303" + "00".repeat(11), shape));
    refused("PARTIAL_AMOUNT_INVALID", () => decodeResults("0x0303" + "64".padStart(22, "0"), shape));
    refused("PARTIAL_AMOUNT_INVALID", () => decodeResults("0x0303" + "ff".repeat(11), [{ lineCount: 1 }]));
  });

  it("refuses results that do not fit the groups", () => {
    refused("RESULTS_MALFORMED", () => encodeResults([], [{ lineCount: 1 }]));
    refused("RESULTS_MALFORMED", () => encodeResults([], []));
    refused("RESULTS_MALFORMED", () => encodeResults([{ result: "byLine", lines: [] }], [{ lineCount: 1 }]));
    refused("RESULTS_MALFORMED", () => encodeResults([{ result: "paid" } as never], [{ lineCount: 1 }]));
    refused("RESULTS_MALFORMED", () => encodeResults([{ result: "met" }], [{ lineCount: 0 }]));
    refused("RESULTS_MALFORMED", () => encodeResults([{ result: "met" }], [{ lineCount: 2, amounts: [1n] }]));
  });

  it("brings lines that agree into a group's result, and keeps the others by line", () => {
    const partly: LineResult = { result: "partlyMet", amount: 5n };
    expect(
      groupResultsOf([
        [{ result: "met" }, { result: "met" }],
        [{ result: "notMet" }],
        [{ result: "met" }, { result: "pending" }],
        [partly],
      ]),
    ).to.deep.equal([
      { result: "met" },
      { result: "notMet" },
      { result: "byLine", lines: [{ result: "met" }, { result: "pending" }] },
      { result: "byLine", lines: [partly] },
    ]);
    expect(lineResultsOf({ result: "met" }, 2)).to.deep.equal([{ result: "met" }, { result: "met" }]);
  });
});
