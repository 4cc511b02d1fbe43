import { expect } from "chai";
import fc from "fast-check";
import type { Claim, ClaimResponse } from "fhir/r4";

import { adjudicate } from "../../sdk/src/claims/input";
import { isCarepactError, type ErrorCode } from "../../sdk/src/errors";
import { decisionOf, readClaim, readClaimResponse } from "../../sdk/src/fhir";

import { hl7, hl7Codes, pathsOf, withElements } from "./hl7";
import { refused } from "./refused";

const payee = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

const response = (name: string, changes: Record<string, unknown> = {}): ClaimResponse =>
  withElements(hl7<ClaimResponse>(`ClaimResponse-${name}`), changes);

const money = (value: unknown): object => ({ value, currency: "USD" });
const amount = (code: string, value: unknown): object => ({ category: { coding: [{ code }] }, amount: money(value) });

const tame = (read: () => unknown): void => {
  try {
    read();
  } catch (error) {
    expect(isCarepactError(error), String(error)).to.equal(true);
  }
};

describe("FHIR ClaimResponse", () => {
  it("is read whole: R3502, of which 75 of 182 were kept back for an overpayment", () => {
    const source = response("R3502");
    const read = readClaimResponse(source);
    expect(read).to.deep.include({
      id: "R3502",
      kind: "vision",
      use: "claim",
      status: "active",
      outcome: "complete",
      fundable: true,
      disposition: "Claim settled as per contract.",
      insurer: "Organization/2",
      request: "http://happysight.com/claim|6612346",
      benefit: 18_200n,
      totals: [
        { category: "submitted", amount: 23_540n },
        { category: "benefit", amount: 18_200n },
      ],
      payment: {
        amount: 10_700n,
        adjustment: 7_500n,
        adjustmentReason: "http://terminology.hl7.org/CodeSystem/payment-adjustment-reason|a002",
        date: "2014-08-16",
        identifier: "http://thebenefitcompany.com/paymentidentifier|201416-123456",
      },
      errors: [],
      resource: source,
    });
    const [item] = read.items;
    expect(item?.adjudication).to.deep.equal([
      { category: "eligible", amount: 23_540n },
      { category: "copay", amount: 2_000n },
      { category: "eligpercent", value: "80" },
      { category: "benefit", amount: 17_232n },
    ]);
    expect(item?.details[1]?.details.map(({ sequence }) => sequence)).to.deep.equal([1, 2, 3]);
  });

  it("lets the total say which level counts where items are no summary of their details, and lists where they are not", () => {
    const { level, mismatches } = readClaimResponse(response("R3502"));
    expect(level).to.equal("detail");
    const equation = "benefit = sum of details' benefit";
    expect(mismatches).to.deep.equal([
      { path: "ClaimResponse.item[0].adjudication", equation, left: "172.32", right: "182.00" },
      { path: "ClaimResponse.item[0].detail[1].adjudication", equation, left: "88.00", right: "80.00" },
    ]);
    const summed = readClaimResponse(
      response("R3502", { "total[1].amount.value": 172.32, "payment.amount.value": 97.32 }),
    );
    expect([summed.level, summed.benefit]).to.deep.equal(["item", 17_232n]);
  });

  it("refuses a total that neither level sums to", () => {
    const { details } = refused("CLAIM_DOES_NOT_BALANCE", () =>
      readClaimResponse(response("R3502", { "total[1].amount.value": 182.01, "payment.amount.value": 107.01 })),
    );
    expect(details).to.deep.equal({
      path: "ClaimResponse.total[1].amount",
      equation: "sum of items' benefit = total benefit",
      left: "172.32",
      right: "182.01",
    });
  });

  it("balances R3500 and R3503 once the payment is what they give", () => {
    expect(readClaimResponse(response("R3500", { "payment.amount.value": 90.47 })).benefit).to.equal(9_047n);
    // A negative adjustment adds to the payment.
    const more = { "payment.amount.value": 100.47, "payment.adjustment": money(-10) };
    expect(readClaimResponse(response("R3500", more)).payment?.adjustment).to.equal(-1_000n);
    expect(readClaimResponse(response("R3503", { "payment.amount.value": 1054.47 })).benefit).to.equal(105_447n);
  });

  it("reads an error and an authorization, which nothing is funded by", () => {
    const error = readClaimResponse(response("R3501"));
    expect(error).to.deep.include({
      fundable: false,
      reason: { path: "ClaimResponse.outcome", value: "error" },
      request: "Claim/100156",
      errors: [
        {
          code: "http://terminology.hl7.org/CodeSystem/adjudication-error|a002",
          itemSequence: 3,
          detailSequence: 2,
        },
      ],
    });
    expect(error.benefit).to.equal(undefined);

    expect(readClaimResponse(response("UR3503"))).to.deep.include({
      fundable: false,
      reason: { path: "ClaimResponse.use", value: "preauthorization" },
      preAuthRef: "18SS12345",
      benefit: 104_000n,
    });
  });

  it("may be funded if active, complete and about a claim, by every code of FHIR's code systems", () => {
    for (const [element, codeSystem, fundable] of [
      ["use", "claim-use", "claim"],
      ["status", "fm-status", "active"],
      ["outcome", "remittance-outcome", "complete"],
    ] as const)
      for (const code of hl7Codes(codeSystem))
        expect(readClaimResponse(response("R3502", { [element]: code })).fundable).to.equal(code === fundable);
  });

  it("refuses what is missing, repeated or not understood, by its path", () => {
    const cases: [ErrorCode, string, Record<string, unknown>][] = [
      ["INPUT_INVALID", "ClaimResponse.resourceType", { resourceType: "Claim" }],
      ["INPUT_INVALID", "ClaimResponse.status", { status: undefined }],
      ["INPUT_INVALID", "ClaimResponse.outcome", { outcome: "paid" }],
      ["INPUT_INVALID", "ClaimResponse.insurer", { insurer: undefined }],
      ["INPUT_INVALID", "ClaimResponse.item[0].itemSequence", { "item[0].itemSequence": 0 }],
      ["INPUT_INVALID", "ClaimResponse.item[1].itemSequence", { "item[1]": { itemSequence: 1 } }],
      [
        "INPUT_INVALID",
        "ClaimResponse.item[0].adjudication[4].category",
        { "item[0].adjudication[4]": amount("benefit", 1) },
      ],
      [
        "INPUT_INVALID",
        "ClaimResponse.item[0].adjudication[0].category",
        {
          "item[0].adjudication[0].category.coding[0]": {
            system: "http://terminology.hl7.org/CodeSystem/adjudication",
            code: "due",
          },
        },
      ],
      ["INPUT_INVALID", "ClaimResponse.total[2].category", { "total[2]": amount("benefit", 182) }],
      ["INPUT_INVALID", "ClaimResponse.total[0].amount", { "total[0].amount": undefined }],
      ["INPUT_INVALID", "ClaimResponse.payment.amount", { "payment.amount": undefined }],
      ["INPUT_INVALID", "ClaimResponse.modifierExtension", { modifierExtension: [{}] }],
      ["INPUT_INVALID", "ClaimResponse.item[0].modifierExtension", { "item[0].modifierExtension": [{}] }],
      ["CURRENCY_MISMATCH", "ClaimResponse.payment.amount.currency", { "payment.amount.currency": "CAD" }],
      [
        "AMOUNT_NEGATIVE",
        "ClaimResponse.item[0].adjudication[3].amount.value",
        { "item[0].adjudication[3].amount.value": -1 },
      ],
      [
        "AMOUNT_UNSAFE",
        "ClaimResponse.item[0].adjudication[3].amount.value",
        { "item[0].adjudication[3].amount.value": 0.1 + 0.2 },
      ],
      ["AMOUNT_TOO_PRECISE", "ClaimResponse.payment.adjustment.value", { "payment.adjustment.value": -0.001 }],
    ];
    for (const [code, path, changes] of cases)
      expect(refused(code, () => readClaimResponse(response("R3502", changes))).details.path).to.equal(path);
  });

  it("answers garbage, and answers with any one element replaced by garbage, with a CarepactError or what they say", () => {
    fc.assert(fc.property(fc.anything(), (value) => tame(() => readClaimResponse(value as ClaimResponse))));
    const sources = ["R3500", "R3501", "R3502", "R3503", "UR3503"].map((name) => response(name));
    const claim = readClaim(hl7<Claim>("Claim-660152"));
    fc.assert(
      fc.property(fc.constantFrom(...sources), fc.nat(), fc.anything(), (source, pick, value) => {
        const paths = pathsOf(source);
        const changed = withElements(source, { [paths[pick % paths.length] ?? ""]: value });
        tame(() => decisionOf(readClaimResponse(changed), claim, { payee }));
      }),
      { numRuns: 300 },
    );
  });
});

describe("the decision of a ClaimResponse", () => {
  // HL7's R3502 names 6612346, whose claim charges 214.00; what it was submitted with is 6612347.
  const toOther = { "request.identifier.value": "6612347" };
  const claim = readClaim(hl7<Claim>("Claim-660152"));

  it("is adjudicated: benefit, copay, and the rest of what was eligible as coinsurance", () => {
    const decision = decisionOf(readClaimResponse(response("R3502", toOther)), claim, { payee });
    expect(decision).to.deep.equal({
      payee,
      lines: [
        {
          sequence: 1,
          allowed: "235.40",
          patientShare: "53.40",
          otherPayers: "0.00",
          planPays: "182.00",
          adjustments: [
            { group: "PR", reason: "2", amount: "33.40" },
            { group: "PR", reason: "3", amount: "20.00" },
          ],
        },
      ],
    });
    expect(adjudicate(claim, decision)).to.include({ charge: 23_540n, planPays: 18_200n });
  });

  it("takes what earlier payers paid from the caller, since FHIR has no category for it", () => {
    const decision = decisionOf(readClaimResponse(response("R3502", toOther)), claim, {
      payee,
      otherPayers: { 1: "30.00" },
    });
    const [line] = adjudicate(claim, decision).lines;
    expect(line).to.include({ otherPayers: 3_000n, patientShare: 2_340n, planPays: 18_200n });
  });

  it("counts what the payer added for the item that it stands for", () => {
    const three = readClaim(hl7<Claim>("Claim-100151"));
    const answer = response("R3503", { "payment.amount.value": 1054.47, "request.identifier.value": "12346" });
    const decision = decisionOf(readClaimResponse(answer), three, { payee });
    expect(decision.lines.map(({ sequence, planPays }) => [sequence, planPays])).to.deep.equal([
      [1, "100.47"],
      [2, "84.00"],
      [3, "870.00"],
    ]);
    expect(adjudicate(three, decision).planPays).to.equal(105_447n);
  });

  it("is refused for another claim, one of another charge, or items that no line can be told of", () => {
    const at = (code: ErrorCode, changes: Record<string, unknown>, other = claim): string | undefined =>
      refused(code, () => decisionOf(readClaimResponse(response("R3502", changes)), other, { payee })).details
        .path as string;
    expect(at("CLAIM_DECISION_MISMATCH", {})).to.equal("ClaimResponse.request");
    expect(at("CLAIM_DECISION_MISMATCH", { request: undefined })).to.equal("ClaimResponse.request");
    // By its identifier R3502 is the answer to 660151, whose charge is another.
    expect(at("CLAIM_DOES_NOT_BALANCE", {}, readClaim(hl7<Claim>("Claim-660151")))).to.equal(
      "ClaimResponse.total[0].amount",
    );
    expect(at("CLAIM_DECISION_MISMATCH", { ...toOther, "item[0].itemSequence": 2 })).to.equal("ClaimResponse.item");
    const added = { itemSequence: [1, 2], productOrService: { text: "both" }, adjudication: [] };
    expect(at("CLAIM_DECISION_MISMATCH", { ...toOther, addItem: [added] })).to.equal(
      "ClaimResponse.addItem[0].itemSequence",
    );
    const only = { ...toOther, total: undefined, payment: undefined, "item[0].detail": undefined };
    expect(at("CLAIM_DECISION_MISMATCH", { ...only, "item[0].adjudication": [amount("eligible", 10)] })).to.equal(
      "ClaimResponse.item[sequence 1]",
    );
    for (const [eligible, benefit] of [
      [100, 100.01],
      [235.41, 100],
    ])
      expect(
        at("CLAIM_DOES_NOT_BALANCE", {
          ...only,
          "item[0].adjudication": [amount("eligible", eligible), amount("benefit", benefit)],
        }),
      ).to.equal("ClaimResponse.item[sequence 1]");
  });

  it("is refused for what cannot be funded, on either side", () => {
    const draft = readClaimResponse(response("R3502", { ...toOther, status: "draft" }));
    refused("CLAIM_NOT_FUNDABLE", () => decisionOf(draft, claim, { payee }));
    const cancelled = readClaim(withElements(hl7<Claim>("Claim-660152"), { status: "cancelled" }));
    refused("CLAIM_NOT_FUNDABLE", () =>
      decisionOf(readClaimResponse(response("R3502", toOther)), cancelled, { payee }),
    );
  });

  it("knows the claim by its literal reference, an absolute one or a version of it, too", () => {
    for (const reference of [
      "Claim/660152",
      "Claim/660152/_history/2",
      "https://plan.example/fhir/Claim/660152",
      "660152",
    ])
      expect(
        decisionOf(readClaimResponse(response("R3502", { request: { reference } })), claim, { payee }).lines,
      ).to.have.length(1);
    for (const reference of ["Claim/1660152", "Claim/66015", "https://plan.example/fhir/OtherClaim/660152"])
      refused("CLAIM_DECISION_MISMATCH", () =>
        decisionOf(readClaimResponse(response("R3502", { request: { reference } })), claim, { payee }),
      );
  });
});
