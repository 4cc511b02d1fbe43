import { expect } from "chai";
import fc from "fast-check";

import {
  batchLimits,
  buildClaimBatch,
  fileForPayee,
  openClaimBatchFile,
  openClaimBatchPart,
  openClaimBatchRecord,
  parseClaimBatchFile,
  parseClaimBatchRecord,
  unsealClaimBatchPart,
  type BuiltClaimBatch,
  type ClaimBatchFile,
  type ClaimBatchInput,
  type ClaimBatchPart,
} from "../../sdk/src/claims";
import { rulebookIdOf } from "../../sdk/src/rulebooks";
import fileSchema from "../../sdk/src/claims/file/claim-batch-file.schema.json";
import partSchema from "../../sdk/src/claims/file/claim-batch-part.schema.json";
import recordSchema from "../../sdk/src/claims/file/claim-batch-record.schema.json";
import { type SealingKeyPair } from "../../sdk/src/encryption";
import { isCarepactError, type ErrorCode } from "../../sdk/src/errors";

import { escrow, fill, laboratory, makeClaimBatch, mutate, payer, pharmacy, valueAt } from "./claimBatchFixture";
import { pathsOf, withElements } from "./hl7";
import { refused, refusedAsync } from "./refused";

describe("claim batch file", () => {
  let laboratoryKeys: SealingKeyPair;
  let pharmacyKeys: SealingKeyPair;
  let input: ClaimBatchInput;
  let built: BuiltClaimBatch;

  before(async () => {
    ({ laboratoryKeys, pharmacyKeys, input, built } = await makeClaimBatch());
  });

  const openAsPharmacy = (file: ClaimBatchFile): ReturnType<typeof openClaimBatchFile> =>
    openClaimBatchFile(file, { payee: pharmacy, privateKey: pharmacyKeys.privateKey });

  describe("opening", () => {
    it("gives a payee its own lines, all checked", async () => {
      const opened = await openAsPharmacy(built.file);
      expect(opened).to.deep.include({ batchId: built.batchId, payee: pharmacy, group: 1, firstLine: 2 });
      expect(opened.terms).to.deep.equal(built.terms);
      expect(opened.groups).to.deep.equal(built.groups);
      expect(rulebookIdOf(opened.rulebook)).to.equal(built.terms.rulebook);
      expect(opened.groupLines.amounts).to.deep.equal([90_000_000n, 12_340_000n]);
      expect(opened.lines.map(({ detail }) => detail.claimId)).to.deep.equal(["A-1", "A-2"]);
      expect(opened.lines[0]).to.deep.include({
        index: 0,
        amount: 90_000_000n,
        event: {
          kind: "dispense",
          pharmacyNpi: "1234567893",
          prescriptionReferenceNumber: "1",
          fillNumber: 0,
          dateOfService: "2026-01-15",
        },
        resource: fill("1", "90.00").resource,
      });
      expect(opened.lines[0]?.detail).to.deep.include({ kind: "pharmacy", planPays: 9000n, quantity: { value: "30" } });
    });

    it("keeps sensitivity and consent in the detail", async () => {
      const opened = await openClaimBatchFile(built.file, { payee: laboratory, privateKey: laboratoryKeys.privateKey });
      for (const { detail } of opened.lines)
        expect(detail).to.deep.include({ sensitivity: "R", consentReference: "Consent/1" });
    });

    it("works from the text of a file with that part alone, as a payee keeps it", async () => {
      const text = JSON.stringify(fileForPayee(built.file, pharmacy), null, 2);
      const file = parseClaimBatchFile(text);
      expect(file.sealed).to.have.length(1);
      expect((await openAsPharmacy(file)).groupLines).to.deep.equal((await openAsPharmacy(built.file)).groupLines);
    });

    it("gives a payee its part in the clear, which an attester opens and checks just so", async () => {
      const reader = { payee: pharmacy, privateKey: pharmacyKeys.privateKey };
      const part = await unsealClaimBatchPart(built.file, reader);
      expect(openClaimBatchPart({ ...built.file, sealed: [] }, part)).to.deep.equal(await openAsPharmacy(built.file));
    });

    it("refuses a part in the clear that was changed, or is of nobody in the batch", () => {
      const part = built.record.parts[1] as ClaimBatchPart;
      const event = { ...part.lines[0]?.event, fillNumber: 1 };
      const lines = [{ ...part.lines[0], event }, part.lines[1]];
      const open = (changes: object): unknown => openClaimBatchPart(built.file, { ...part, ...changes });
      refused("FILE_TAMPERED", () => open({ lines }));
      refused("FILE_TAMPERED", () => open({ payee: laboratory }));
      refused("FILE_NOT_FOR_PAYEE", () => open({ payee: payer }));
      refused("FILE_WRONG_DOCUMENT", () => openClaimBatchPart(built.file, built.file as unknown as ClaimBatchPart));
    });

    it("refuses other readers: with another key, or without a part", async () => {
      const other = laboratoryKeys.privateKey;
      await refusedAsync("SEALED_UNREADABLE", openClaimBatchFile(built.file, { payee: pharmacy, privateKey: other }));
      await refusedAsync("FILE_NOT_FOR_PAYEE", openClaimBatchFile(built.file, { payee: payer, privateKey: other }));
      await refusedAsync("KEY_INVALID", openClaimBatchFile(built.file, { payee: pharmacy, privateKey: "secret" }));
      await refusedAsync("IDENTIFIER_INVALID", openClaimBatchFile(built.file, { payee: "me", privateKey: other }));
      refused("FILE_NOT_FOR_PAYEE", () => fileForPayee(built.file, payer));
    });

    it("refuses a part of one payee in another's place, and of one batch in another", async () => {
      const [first, second] = built.file.sealed;
      const swapped = withElements(built.file, { sealed: [{ ...first, payee: pharmacy }] });
      await refusedAsync("SEALED_UNREADABLE", openAsPharmacy(swapped));
      const other = await buildClaimBatch({ ...input, salt: 5n });
      await refusedAsync("SEALED_UNREADABLE", openAsPharmacy({ ...other.file, sealed: second ? [second] : [] }));
    });

    const tamperings: [string, ErrorCode, string, () => Record<string, unknown>][] = [
      ["the chain", "FILE_TAMPERED", "$.batchId", () => ({ chainId: 1 })],
      ["the escrow", "FILE_TAMPERED", "$.batchId", () => ({ escrow: payer })],
      ["the deadline", "FILE_TAMPERED", "$.batchId", () => ({ "terms.eventBy": 1_900_000_000 })],
      ["the batch id", "FILE_TAMPERED", "$.batchId", () => ({ batchId: "0x" + "11".repeat(32) })],
      ["the total", "FILE_TAMPERED", "$.batchId", () => ({ "terms.total": "207340001" })],
      ["a subtotal", "GROUPS_DO_NOT_SUM", "$.groups", () => ({ "groups[1].subtotal": "102340001" })],
      [
        "subtotals that still sum",
        "FILE_TAMPERED",
        "$.groups",
        () => ({ "groups[0].subtotal": "104000000", "groups[1].subtotal": "103340000" }),
      ],
      ["a line count", "FILE_TAMPERED", "$.groups", () => ({ "groups[1].lineCount": 3 })],
      ["a payee", "GROUPS_INVALID", "$.groups[1].payee", () => ({ "groups[1].payee": laboratory })],
      ["the token", "FILE_TAMPERED", "$.token.address", () => ({ "token.address": payer })],
      ["the token's decimals", "FILE_TAMPERED", "$.token.decimals", () => ({ "token.decimals": 2 })],
      ["the token's symbol", "FILE_TAMPERED", "$.token.symbol", () => ({ "token.symbol": "USD" })],
      ["the rulebook", "FILE_TAMPERED", "$.rulebook", () => ({ "rulebook.attesterGroups[0].threshold": 0 })],
      ["a key version", "FILE_TAMPERED", "$.sealed[1].hpkeKeyVersion", () => ({ "sealed[1].hpkeKeyVersion": 8 })],
      ["whom a part is for", "FILE_TAMPERED", "$.sealed[0].payee", () => ({ "sealed[0].payee": payer })],
      ["a checksum", "FILE_MALFORMED", "$.escrow", () => ({ escrow: escrow.toLowerCase() })],
    ];
    for (const [what, code, path, changes] of tamperings)
      it(`names ${what} as tampered with`, async () => {
        const error = await refusedAsync(code, openAsPharmacy(withElements(built.file, changes())));
        expect(error.details.path).to.equal(path);
      });

    it("refuses the file with any one element of it changed or left out", async () => {
      const own = fileForPayee(built.file, pharmacy);
      for (const path of pathsOf(own))
        for (const change of [mutate, () => undefined])
          try {
            await openAsPharmacy(withElements(own, { [path]: change(valueAt(own, path)) }));
            expect.fail(`${path} was changed, and the file still opens`);
          } catch (error) {
            expect(isCarepactError(error), `${path}: ${String(error)}`).to.equal(true);
          }
    });

    it("refuses the sealed part with any byte flipped", async () => {
      const own = fileForPayee(built.file, pharmacy);
      const { enc, ciphertext } = own.sealed[0] ?? { enc: "", ciphertext: "" };
      const bytes = Buffer.from(ciphertext, "base64");
      await fc.assert(
        fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
          const changed = Buffer.from(bytes);
          changed[at] = (changed[at] ?? 0) ^ flip;
          const file = withElements(own, { "sealed[0].ciphertext": changed.toString("base64") });
          await refusedAsync("SEALED_UNREADABLE", openAsPharmacy(file));
        }),
      );
      await fc.assert(
        fc.asyncProperty(fc.nat(31), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
          const changed = Buffer.from(enc.slice(2), "hex");
          changed[at] = (changed[at] ?? 0) ^ flip;
          const file = withElements(own, { "sealed[0].enc": "0x" + changed.toString("hex") });
          // RFC 7748 masks the top bit of a public key, but HPKE hashes the key as sent.
          await refusedAsync("SEALED_UNREADABLE", openAsPharmacy(file));
        }),
      );
    });

    it("refuses another spelling of the same base64", async () => {
      const own = fileForPayee(built.file, pharmacy);
      const ciphertext = own.sealed[0]?.ciphertext ?? "";
      const respelt = ciphertext.endsWith("=") ? ciphertext.replace(/=+$/, "") : `${ciphertext}=`;
      await refusedAsync("FILE_MALFORMED", openAsPharmacy(withElements(own, { "sealed[0].ciphertext": respelt })));
    });
  });

  describe("parsing", () => {
    it("gives back what was written", () => {
      expect(parseClaimBatchFile(JSON.stringify(built.file))).to.deep.equal(built.file);
      expect(parseClaimBatchRecord(JSON.stringify(built.record))).to.deep.equal(built.record);
    });

    it("says what is wrong with a text that is no claim batch file", () => {
      const text = JSON.stringify(built.file);
      const cases: [ErrorCode, string][] = [
        ["FILE_MALFORMED", ""],
        ["FILE_MALFORMED", text.slice(0, -1)],
        ["FILE_MALFORMED", "[]"],
        ["FILE_MALFORMED", "null"],
        ["FILE_MALFORMED", '"claim-batch"'],
        ["FILE_WRONG_DOCUMENT", "{}"],
        ["FILE_WRONG_DOCUMENT", JSON.stringify(built.record)],
        ["FILE_WRONG_DOCUMENT", JSON.stringify({ resourceType: "Claim" })],
        ["FILE_VERSION_UNSUPPORTED", JSON.stringify({ ...built.file, version: 2, extra: true })],
        ["FILE_MALFORMED", JSON.stringify({ ...built.file, version: 0 })],
        ["FILE_MALFORMED", JSON.stringify({ ...built.file, version: "2" })],
        ["FILE_MALFORMED", JSON.stringify({ ...built.file, extra: true })],
        ["FILE_MALFORMED", `{"__proto__":1,${text.slice(1)}`],
      ];
      for (const [code, bad] of cases) refused(code, () => parseClaimBatchFile(bad));
      expect(
        refused("FILE_VERSION_UNSUPPORTED", () => parseClaimBatchFile(JSON.stringify({ ...built.file, version: 2 })))
          .message,
      ).to.contain("update the SDK");
      refused("FILE_MALFORMED", () => parseClaimBatchFile(undefined as unknown as string));
    });

    it("takes as many groups and lines as a batch may have", () => {
      const { groups, lines } = batchLimits;
      const { properties: file, $defs } = fileSchema;
      expect([file.sealed.maxItems, $defs.groups.maxItems, recordSchema.properties.parts.maxItems]).to.deep.equal(
        Array(3).fill(groups),
      );
      expect($defs.groups.items.properties.lineCount.maximum).to.equal(lines);
      const { properties: part } = partSchema;
      expect([part.amounts.maxItems, part.claims.maxItems, part.lines.maxItems]).to.deep.equal(Array(3).fill(lines));
      expect(part.group.maximum).to.equal(groups - 1);
      expect([part.firstLine.maximum, partSchema.$defs.line.properties.claim.maximum]).to.deep.equal(
        Array(2).fill(lines - 1),
      );
    });

    it("names the element that does not fit the schema", () => {
      const pathOf = (changes: Record<string, unknown>): unknown =>
        refused("FILE_MALFORMED", () => parseClaimBatchFile(JSON.stringify(withElements(built.file, changes)))).details
          .path;
      expect(pathOf({ "groups[1].subtotal": "01" })).to.equal("$.groups[1].subtotal");
      expect(pathOf({ "terms.total": 5 })).to.equal("$.terms.total");
      expect(pathOf({ "sealed[0].note": "hello" })).to.equal("$.sealed[0]");
    });

    it("refuses a text above the limit before it reads it", () => {
      const text = JSON.stringify(built.file);
      expect(parseClaimBatchFile(text, { maxBytes: text.length })).to.deep.equal(built.file);
      refused("FILE_TOO_BIG", () => parseClaimBatchFile(text, { maxBytes: text.length - 1 }));
      refused("FILE_TOO_BIG", () => parseClaimBatchFile("é".repeat(10), { maxBytes: 19 }));
    });

    it("answers any text and any JSON with a CarepactError or a file", () => {
      const tame = (text: string): void => {
        for (const parse of [parseClaimBatchFile, parseClaimBatchRecord])
          try {
            parse(text);
          } catch (error) {
            expect(isCarepactError(error), String(error)).to.equal(true);
          }
      };
      fc.assert(fc.property(fc.string(), tame));
      fc.assert(fc.property(fc.json(), tame));
    });

    it("answers files with any element replaced by any JSON with a CarepactError", async () => {
      const own = fileForPayee(built.file, pharmacy);
      await fc.assert(
        fc.asyncProperty(fc.constantFrom(...pathsOf(own)), fc.jsonValue(), async (path, value) => {
          if (JSON.stringify(value) === JSON.stringify(valueAt(own, path))) return;
          try {
            await openAsPharmacy(withElements(own, { [path]: value }));
            expect.fail(`${path} was replaced, and the file still opens`);
          } catch (error) {
            expect(isCarepactError(error), String(error)).to.equal(true);
          }
        }),
        { numRuns: 300 },
      );
    });

    it("answers records with any element replaced by any JSON with a CarepactError or a record", () => {
      fc.assert(
        fc.property(fc.constantFrom(...pathsOf(built.record)), fc.jsonValue(), (path, value) => {
          try {
            openClaimBatchRecord(withElements(built.record, { [path]: value }));
          } catch (error) {
            expect(isCarepactError(error), String(error)).to.equal(true);
          }
        }),
        { numRuns: 300 },
      );
    });
  });
});
