import { expect } from "chai";
import fc from "fast-check";
import type { Claim } from "fhir/r4";

import { adjudicate } from "../../sdk/src/claims/input";
import { isCarepactError, type ErrorCode } from "../../sdk/src/errors";
import { readClaim, type ChargedClaim } from "../../sdk/src/fhir";
import { formatAmount } from "../../sdk/src/money";

import { hl7, hl7Codes, hl7Names, pathsOf, withElements } from "./hl7";
import { refused } from "./refused";

// Kind, number of lines and total of HL7's seventeen.
const readable: Record<string, [ChargedClaim["kind"], number, string]> = {
  "Claim-100150": ["oral", 1, "135.57"],
  "Claim-100151": ["oral", 3, "1340.57"],
  "Claim-100152": ["oral", 1, "135.57"],
  "Claim-100153": ["oral", 3, "10205.00"],
  "Claim-100154": ["oral", 1, "135.57"],
  "Claim-100155": ["oral", 1, "135.57"],
  "Claim-100156": ["oral", 3, "2255.00"],
  "Claim-660150": ["vision", 1, "80.00"],
  "Claim-660151": ["vision", 1, "214.00"],
  "Claim-660152": ["vision", 1, "235.40"],
  "Claim-760150": ["pharmacy", 1, "60.00"],
  "Claim-760151": ["pharmacy", 1, "90.00"],
  "Claim-760152": ["pharmacy", 1, "155.00"],
  "Claim-860150": ["professional", 1, "75.00"],
  "Claim-960150": ["institutional", 1, "125.00"],
  "Claim-960151": ["institutional", 1, "125.00"],
  "Claim-MED-00050": ["institutional", 1, "12500.00"],
};

const payee = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

/** An HL7 claim with some elements changed. */
const changed = (name: string, changes: Record<string, unknown>): Claim => withElements(hl7<Claim>(name), changes);

const refusedAt = (code: ErrorCode, path: string, claim: Claim): void => {
  expect(refused(code, () => readClaim(claim)).details.path).to.equal(path);
};

describe("FHIR Claim", () => {
  it("reads HL7's seventeen examples, with their kinds, lines and totals", () => {
    const results = hl7Names("Claim").map((name) => {
      const claim = readClaim(hl7<Claim>(name));
      return [name, [claim.kind, claim.lines.length, formatAmount(claim.total, claim.currency)]];
    });
    expect(Object.fromEntries(results)).to.deep.equal(readable);
    expect(results).to.have.length(17);
  });

  it("says which of them may be funded: all but 100153, a preauthorization", () => {
    for (const name of hl7Names("Claim")) {
      const { fundable, mismatches } = readClaim(hl7<Claim>(name));
      expect(fundable, name).to.equal(name !== "Claim-100153");
      if (fundable) expect(mismatches, name).to.deep.equal([]);
    }
  });

  it("lists what does not sum in 100153, and refuses it where that were billed", () => {
    const estimate = readClaim(hl7<Claim>("Claim-100153"));
    expect(estimate).to.deep.include({
      fundable: false,
      reason: { path: "Claim.use", value: "preauthorization" },
      mismatches: [
        {
          path: "Claim.item[0].detail[4].net",
          equation: "net = quantity x unitPrice x factor",
          left: "250.00",
          right: "6000.00",
        },
        { path: "Claim.item[0].net", equation: "net = sum of details", left: "9000.00", right: "3250.00" },
      ],
    });

    const billed = changed("Claim-100153", { use: "claim" });
    refusedAt("CLAIM_NET_MISMATCH", "Claim.item[0].detail[4].net", billed);

    const oneMonth = changed("Claim-100153", { use: "claim", "item[0].detail[4].quantity": undefined });
    refusedAt("CLAIM_NET_MISMATCH", "Claim.item[0].net", oneMonth);
  });

  it("keeps what a payer decides by: quantities, details, provider, dates and the resource itself", () => {
    const source = hl7<Claim>("Claim-760151");
    const claim = readClaim(source);
    expect(claim.claimId).to.equal("760151");
    expect(claim.provider).to.equal("Organization/1");
    expect(claim.resource).to.deep.equal(source);
    const [line] = claim.lines;
    expect(line).to.deep.include({
      sequence: 1,
      productOrService: "http://www.nlm.nih.gov/research/umls/rxnorm|562721",
      quantity: { value: "90", unit: "TAB" },
      charge: 9000n,
      serviced: { start: "2014-08-16", end: "2014-08-16" },
    });
    expect(line?.details.map(({ sequence, net }) => [sequence, net])).to.deep.equal([
      [1, 4500n],
      [2, 900n],
      [3, 3600n],
    ]);
  });

  it("takes net from price or details where none is stated, and the total from the items", () => {
    const priced = changed("Claim-100156", { total: undefined, "item[0].net": undefined });
    expect(readClaim(priced).total).to.equal(225500n);
    const detailed = changed("Claim-760151", { "item[0].net": undefined });
    expect(readClaim(detailed).lines[0]!.charge).to.equal(9000n);
  });

  it("takes a unit price finer than a cent, as long as the product is not", () => {
    const price = (quantity: number): Claim =>
      changed("Claim-760150", {
        "item[0].quantity": { value: quantity },
        "item[0].unitPrice.value": 0.125,
        "item[0].net": undefined,
      });
    expect(readClaim(price(40)).total).to.equal(500n);
    refused("AMOUNT_TOO_PRECISE", () => readClaim(price(3)));
  });

  it("refuses a stated total that differs from the items", () => {
    refusedAt("CLAIM_TOTAL_MISMATCH", "Claim.total", changed("Claim-760151", { "total.value": 90.01 }));
  });

  it("refuses an item that differs from its details, and a detail from its subDetails", () => {
    const detail = changed("Claim-760151", { "item[0].detail[1].net.value": 9.01 });
    refusedAt("CLAIM_NET_MISMATCH", "Claim.item[0].net", detail);
    const subDetail = changed("Claim-760152", { "item[0].detail[2].subDetail[0].net.value": 27 });
    refusedAt("CLAIM_NET_MISMATCH", "Claim.item[0].detail[2].net", subDetail);
  });

  it("refuses a net that is not quantity x unit price x factor", () => {
    const factor = changed("Claim-660152", { "item[0].detail[1].subDetail[1].factor": 1.2 });
    refusedAt("CLAIM_NET_MISMATCH", "Claim.item[0].detail[1].subDetail[1].net", factor);
  });

  it("refuses mixed currencies, and another currency than asked for", () => {
    const mixed = changed("Claim-760152", { "item[0].detail[3].net.currency": "CAD" });
    refusedAt("CURRENCY_MISMATCH", "Claim.item[0].detail[3].net.currency", mixed);
    refused("CURRENCY_MISMATCH", () =>
      readClaim(hl7<Claim>("Claim-760151"), { currency: { code: "CAD", decimals: 2 } }),
    );
    const none = changed("Claim-760151", { "total.currency": undefined });
    refusedAt("INPUT_INVALID", "Claim.total.currency", none);
  });

  it("refuses negative and over-precise amounts, quantities and factors", () => {
    const cases: [ErrorCode, string, unknown][] = [
      ["AMOUNT_NEGATIVE", "net.value", -60],
      ["AMOUNT_NEGATIVE", "unitPrice.value", -60],
      ["AMOUNT_NEGATIVE", "factor", -1],
      ["AMOUNT_TOO_PRECISE", "net.value", 60.001],
      ["AMOUNT_UNSAFE", "net.value", 0.1 + 0.2],
      ["AMOUNT_INVALID", "net.value", "sixty"],
      ["AMOUNT_INVALID", "net.value", 1e-9],
    ];
    for (const [code, element, value] of cases)
      refusedAt(code, `Claim.item[0].${element}`, changed("Claim-760150", { [`item[0].${element}`]: value }));
    const returned = changed("Claim-760150", { "item[0].quantity": { value: -1 } });
    refusedAt("AMOUNT_NEGATIVE", "Claim.item[0].quantity.value", returned);
  });

  it("may be funded if active and a claim: every other use and status of the FHIR code systems is told, and refused by adjudicate", () => {
    for (const [element, codeSystem, fundable] of [
      ["use", "claim-use", "claim"],
      ["status", "fm-status", "active"],
    ] as const)
      for (const code of hl7Codes(codeSystem)) {
        const claim = readClaim(changed("Claim-760151", { [element]: code }));
        expect([claim.total, claim.fundable]).to.deep.equal([9000n, code === fundable]);
        if (claim.fundable) continue;
        expect(claim.reason).to.deep.equal({ path: `Claim.${element}`, value: code });
        const { details } = refused("CLAIM_NOT_FUNDABLE", () => adjudicate(claim, { payee, lines: [] }));
        expect(details).to.deep.equal(claim.reason);
      }
  });

  it("knows every claim type of FHIR", () => {
    const kinds = hl7Codes("claim-type").map(
      (code) => readClaim(changed("Claim-760151", { "type.coding[0].code": code })).kind,
    );
    expect(kinds).to.deep.equal(hl7Codes("claim-type"));
  });

  it("refuses what is missing, repeated or not understood, by its path", () => {
    const cases: [ErrorCode, string, Record<string, unknown>][] = [
      ["INPUT_INVALID", "Claim.resourceType", { resourceType: "ClaimResponse" }],
      ["INPUT_INVALID", "Claim.status", { status: undefined }],
      ["INPUT_INVALID", "Claim.use", { use: "bill" }],
      ["INPUT_INVALID", "Claim.type", { type: undefined }],
      ["INPUT_INVALID", "Claim.type.coding[0].code", { "type.coding[0].code": "laboratory" }],
      ["INPUT_INVALID", "Claim.type.coding", { "type.coding": [] }],
      ["INPUT_INVALID", "Claim.provider", { provider: undefined }],
      ["INPUT_INVALID", "Claim.item", { item: [] }],
      ["INPUT_INVALID", "Claim.item[0].net", { "item[0].net": undefined, "item[0].detail": undefined }],
      ["INPUT_INVALID", "Claim.item[0].sequence", { "item[0].sequence": 0 }],
      ["INPUT_INVALID", "Claim.item[0].servicedDate", { "item[0].servicedDate": "yesterday" }],
      ["INPUT_INVALID", "Claim.modifierExtension", { modifierExtension: [{}] }],
      ["INPUT_INVALID", "Claim.item[0].modifierExtension", { "item[0].modifierExtension": [{}] }],
      ["INPUT_INVALID", "Claim.implicitRules", { implicitRules: "http://example.org/rules" }],
      ["CLAIM_DUPLICATE_LINE", "Claim.item[1].sequence", { "item[1]": hl7<Claim>("Claim-760151").item?.[0] }],
      ["INPUT_INVALID", "Claim.identifier[0]", { id: undefined, identifier: undefined }],
    ];
    for (const [code, path, changes] of cases) refusedAt(code, path, changed("Claim-760151", changes));
  });

  it("answers garbage, and claims with any one element replaced by garbage, with a CarepactError or a claim", () => {
    const tame = (read: () => unknown): void => {
      try {
        read();
      } catch (error) {
        expect(isCarepactError(error), String(error)).to.equal(true);
      }
    };
    fc.assert(fc.property(fc.anything(), (value) => tame(() => readClaim(value as Claim))));

    const claims = Object.keys(readable).map((name) => hl7<Claim>(name));
    fc.assert(
      fc.property(fc.constantFrom(...claims), fc.nat(), fc.anything(), (claim, pick, value) => {
        const paths = pathsOf(claim);
        const path = paths[pick % paths.length] ?? "";
        tame(() => readClaim(withElements(claim, { [path]: value })));
      }),
      { numRuns: 500 },
    );
  });
});
