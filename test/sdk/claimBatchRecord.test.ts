import { expect } from "chai";

import { openClaimBatchRecord, parseClaimBatchRecord, resultShapeOf, type BuiltClaimBatch } from "../../sdk/src/claims";
import { isCarepactError, type ErrorCode } from "../../sdk/src/errors";

import { laboratory, makeClaimBatch, mutate, payer, pharmacy, valueAt } from "./claimBatchFixture";
import { pathsOf, withElements } from "./hl7";
import { refused } from "./refused";

describe("claim batch record", () => {
  let built: BuiltClaimBatch;

  before(async () => {
    ({ built } = await makeClaimBatch());
  });

  it("opens every group from its text", () => {
    const { opened, batchId } = openClaimBatchRecord(parseClaimBatchRecord(JSON.stringify(built.record)));
    expect(batchId).to.equal(built.batchId);
    expect(opened.map(({ payee, firstLine, groupLines }) => [payee, firstLine, groupLines.amounts])).to.deep.equal([
      [laboratory, 0, [75_000_000n, 30_000_000n]],
      [pharmacy, 2, [90_000_000n, 12_340_000n]],
    ]);
    expect(resultShapeOf({ ...opened[0]! }, opened)).to.deep.equal([
      { lineCount: 2, amounts: [75_000_000n, 30_000_000n] },
      { lineCount: 2, amounts: [90_000_000n, 12_340_000n] },
    ]);
    expect(resultShapeOf(opened[0]!)).to.deep.equal([{ lineCount: 2 }, { lineCount: 2 }]);
  });

  const tamperings: [string, ErrorCode, string, Record<string, unknown>][] = [
    ["an amount", "GROUPS_DO_NOT_SUM", "part.amounts", { "parts[1].amounts[0]": "90000001" }],
    [
      "amounts that still sum",
      "FILE_TAMPERED",
      "part.amounts",
      { "parts[1].amounts[0]": "90000001", "parts[1].amounts[1]": "12339999" },
    ],
    ["the salt of the amounts", "FILE_TAMPERED", "part.amounts", { "parts[1].linesSalt": "0x" + "aa".repeat(32) }],
    ["the proof of the amounts", "FILE_TAMPERED", "part.amounts", { "parts[1].linesProof": [] }],
    ["an event", "FILE_TAMPERED", "part.lines[0]", { "parts[1].lines[0].event.fillNumber": 1 }],
    ["an event's salt", "FILE_TAMPERED", "part.lines[0]", { "parts[1].lines[0].eventSalt": "0x" + "aa".repeat(32) }],
    ["a claim", "FILE_TAMPERED", "part.lines[1]", { "parts[1].claims[1].resource.daysSupply": 90 }],
    ["a claim's id", "FILE_TAMPERED", "part.lines[1].claim", { "parts[1].claims[1].claimId": "A-3" }],
    ["a detail", "FILE_TAMPERED", "part.lines[0]", { "parts[1].lines[0].detail.quantity.value": "60" }],
    [
      "a detail's sums",
      "CLAIM_DOES_NOT_BALANCE",
      "part.lines[0].detail",
      { "parts[1].lines[0].detail.charge": "9001" },
    ],
    [
      "what the payer decided",
      "FILE_TAMPERED",
      "part.amounts[0]",
      {
        "parts[1].lines[0].detail.charge": "9001",
        "parts[1].lines[0].detail.allowed": "9001",
        "parts[1].lines[0].detail.planPays": "9001",
      },
    ],
    ["a manifest proof", "FILE_TAMPERED", "part.lines[1]", { "parts[1].lines[1].proof[0]": "0x" + "aa".repeat(32) }],
    ["a part's place", "FILE_TAMPERED", "part.group", { "parts[1].group": 0 }],
    ["a part's first line", "FILE_TAMPERED", "part.firstLine", { "parts[1].firstLine": 3 }],
    ["a part's payee", "FILE_TAMPERED", "part.payee", { "parts[1].payee": payer }],
    ["a claim that is not there", "FILE_TAMPERED", "part.lines[0].claim", { "parts[1].lines[0].claim": 9 }],
  ];
  for (const [what, code, path, changes] of tamperings)
    it(`names ${what} as tampered with`, () => {
      const error = refused(code, () => openClaimBatchRecord(withElements(built.record, changes)));
      expect(error.details.path).to.equal(path);
    });

  it("refuses parts that are missing, swapped, or without lines", () => {
    const [first, second] = built.record.parts;
    refused("FILE_TAMPERED", () => openClaimBatchRecord(withElements(built.record, { parts: [first] })));
    refused("FILE_TAMPERED", () => openClaimBatchRecord(withElements(built.record, { parts: [second, first] })));
    const short = withElements(built.record, { "parts[1].lines": [second?.lines[0]] });
    refused("FILE_TAMPERED", () => openClaimBatchRecord(short));
  });

  it("refuses the record with any one element of it changed or left out", () => {
    for (const path of pathsOf(built.record)) {
      // Which key a part was sealed under is a note of the payer to itself.
      if (path.endsWith(".hpkeKeyVersion")) continue;
      for (const change of [mutate, () => undefined])
        try {
          openClaimBatchRecord(withElements(built.record, { [path]: change(valueAt(built.record, path)) }));
          expect.fail(`${path} was changed, and the record still opens`);
        } catch (error) {
          expect(isCarepactError(error), `${path}: ${String(error)}`).to.equal(true);
        }
    }
  });
});
