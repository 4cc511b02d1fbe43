import { expect } from "chai";
import { getAddress, solidityPackedKeccak256, toBeHex } from "ethers";
import fc from "fast-check";

import {
  buildClaimBatch,
  openClaimBatchFile,
  openClaimBatchRecord,
  openedLinesOf,
  packLineAmounts,
  parseClaimBatchRecord,
  resultShapeOf,
  sealClaimBatchRecord,
  verifyLines,
  type BuiltClaimBatch,
  type OpenedGroup,
  type OpenedLines,
  type PayeeKey,
  type PlacedLeaf,
} from "../../sdk/src/claims";
import { generateSealingKeys } from "../../sdk/src/encryption";
import { isCarepactError, type ErrorCode } from "../../sdk/src/errors";

import { fill, laboratory, makeClaimBatch, mutate, payer, pharmacy, valueAt, type Fixture } from "./claimBatchFixture";
import { pathsOf, withElements } from "./hl7";
import { refused, refusedAsync } from "./refused";

/** Opened groups as the escrow hashes them, each in its place. */
const placedOf = ({ groups }: OpenedLines): PlacedLeaf[] =>
  groups.map(({ group, salt, amounts }) => ({
    position: group,
    leaf: solidityPackedKeccak256(["uint256", "bytes32", "bytes"], [group, salt, amounts]),
  }));

const keysOf = ({ laboratoryKeys, pharmacyKeys }: Fixture): Record<string, PayeeKey> => ({
  [laboratory]: { publicKey: laboratoryKeys.publicKey, version: 1 },
  [pharmacy]: { publicKey: pharmacyKeys.publicKey, version: 7 },
});

describe("claim batch record", () => {
  let fixture: Fixture;
  let built: BuiltClaimBatch;

  before(async () => {
    fixture = await makeClaimBatch();
    ({ built } = fixture);
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

  it("opens the line amounts of any groups by one proof, in order of group, as the escrow reads them", async () => {
    const { input } = await makeClaimBatch();
    const accounts = Array.from({ length: 7 }, (_, i) => getAddress(toBeHex(i + 1, 20)));
    const [key] = Object.values(input.payeeKeys);
    const wide = await buildClaimBatch({
      ...input,
      claims: accounts.flatMap((account, i) => [fill(`${i}1`, "90.00", account), fill(`${i}2`, "0.01", account)]),
      payeeKeys: Object.fromEntries(accounts.map((account) => [account, key as PayeeKey])),
    });
    const record = openClaimBatchRecord(wide.record);
    fc.assert(
      fc.property(fc.subarray([0, 1, 2, 3, 4, 5, 6], { minLength: 1 }), (groups) => {
        const opened = openedLinesOf(record, [...groups].reverse());
        expect(opened.groups.map(({ group }) => group)).to.deep.equal(groups);
        expect(verifyLines(wide.terms.manifestRoot, placedOf(opened), accounts.length, opened.proof)).to.equal(true);
      }),
    );
    expect(openedLinesOf(record, [])).to.deep.equal({ groups: [], proof: [] });
    expect(openedLinesOf(record).groups).to.have.length(7);
  });

  it("opens a payee's own group by its own proof, and no other", () => {
    const record = openClaimBatchRecord(built.record);
    const own = record.opened[1] as OpenedGroup;
    const opened = openedLinesOf(own);
    expect(opened.groups).to.deep.equal([
      { group: 1, salt: own.groupLines.salt, amounts: packLineAmounts(own.groupLines.amounts) },
    ]);
    expect(opened.proof).to.deep.equal(own.linesProof);
    expect(verifyLines(built.terms.manifestRoot, placedOf(opened), 2, opened.proof)).to.equal(true);
    expect(openedLinesOf(own, [])).to.deep.equal({ groups: [], proof: [] });
    refused("GROUPS_INVALID", () => openedLinesOf(own, [0]));
    refused("GROUPS_INVALID", () => openedLinesOf(record, [2]));
  });

  it("refuses parts that are missing, swapped, or without lines", () => {
    const [first, second] = built.record.parts;
    refused("FILE_TAMPERED", () => openClaimBatchRecord(withElements(built.record, { parts: [first] })));
    refused("FILE_TAMPERED", () => openClaimBatchRecord(withElements(built.record, { parts: [second, first] })));
    const short = withElements(built.record, { "parts[1].lines": [second?.lines[0]] });
    refused("FILE_TAMPERED", () => openClaimBatchRecord(short));
  });

  it("makes the file once more, sealed to other keys, and to them only", async () => {
    const fresh = await generateSealingKeys();
    const payeeKeys = { ...keysOf(fixture), [pharmacy]: { publicKey: fresh.publicKey, version: 8 } };

    const file = await sealClaimBatchRecord(built.record, payeeKeys);

    expect({ ...file, sealed: [] }).to.deep.equal({ ...built.file, sealed: [] });
    expect(file.sealed.map(({ payee, hpkeKeyVersion }) => [payee, hpkeKeyVersion])).to.deep.equal([
      [laboratory, 1],
      [pharmacy, 8],
    ]);
    const opened = await openClaimBatchFile(file, { payee: pharmacy, privateKey: fresh.privateKey });
    expect(opened.groupLines.amounts).to.deep.equal([90_000_000n, 12_340_000n]);
    await refusedAsync(
      "SEALED_UNREADABLE",
      openClaimBatchFile(built.file, { payee: pharmacy, privateKey: fresh.privateKey }),
    );
  });

  it("seals nothing of a record that was changed, or to a payee without a key", async () => {
    const keys = keysOf(fixture);
    const changed = withElements(built.record, { "parts[1].amounts[0]": "90000001" });
    await refusedAsync("GROUPS_DO_NOT_SUM", sealClaimBatchRecord(changed, keys));
    const ofOne = { [laboratory]: keys[laboratory]! };
    await refusedAsync("PAYEE_KEY_MISSING", sealClaimBatchRecord(built.record, ofOne));
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
