import { expect } from "chai";
import fc from "fast-check";
import type { Claim } from "fhir/r4";

import {
  adjudicate,
  isNpi,
  readLaboratoryClaim,
  readPharmacyClaim,
  requireBalanced,
  type AdjudicatedClaim,
  type ClaimDecision,
  type LaboratoryClaim,
  type LineDecision,
  type PharmacyClaim,
} from "../../sdk/src/claims/input";
import { isCarepactError, type ErrorCode } from "../../sdk/src/errors";
import { readClaim } from "../../sdk/src/fhir";

import { hl7, pathsOf, withElements } from "./hl7";
import { refused } from "./refused";

const payee = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

// Made-up numbers; the NPI is the one that CMS uses to explain the check digit.
const pharmacyClaim: PharmacyClaim = {
  kind: "pharmacy",
  claimId: "A-1",
  currency: "USD",
  transactionResponseStatus: "P",
  pharmacyNpi: "1234567893",
  prescriptionReferenceNumber: "7700001",
  fillNumber: 0,
  dateOfService: "2026-01-15",
  productServiceId: "00000000000",
  quantityDispensed: "90.000",
  unitOfMeasure: "TAB",
  daysSupply: 30,
  grossAmountDue: "120.00",
  ingredientCostPaid: "80.00",
  dispensingFeePaid: "9.50",
  flatSalesTaxAmountPaid: "0.30",
  incentiveAmountPaid: "0.20",
  patientPayAmount: "15.00",
  otherPayerAmountRecognized: "5.00",
  totalAmountPaid: "70.00",
};

const laboratoryClaim: LaboratoryClaim = {
  kind: "laboratory",
  claimId: "L-1",
  currency: "USD",
  claimStatusCode: "1",
  laboratoryNpi: "1234567893",
  clia: "99D9999999",
  accessionNumber: "ACC-1",
  collectionDate: "2026-01-15",
  lines: [
    {
      lineNumber: 1,
      procedureCode: "T1",
      charge: "182.00",
      allowed: "107.00",
      patientResponsibility: "7.00",
      adjustments: [
        { group: "CO", reason: "45", amount: "75.00" },
        { group: "PR", reason: "2", amount: "7.00" },
      ],
      planPays: "100.00",
    },
    { lineNumber: 2, procedureCode: "T2", charge: 75, allowed: 75, patientResponsibility: 0, planPays: 75 },
  ],
};

const pharmacy = (changes: Record<string, unknown> = {}): AdjudicatedClaim =>
  readPharmacyClaim(withElements(pharmacyClaim, changes), { payee });
const laboratory = (changes: Record<string, unknown> = {}): AdjudicatedClaim =>
  readLaboratoryClaim(withElements(laboratoryClaim, changes), { payee });

const equationOf = (action: () => unknown): unknown => refused("CLAIM_DOES_NOT_BALANCE", action).details.equation;

describe("PharmacyClaim", () => {
  it("becomes one line that balances, named by the fill", () => {
    expect(pharmacy()).to.deep.equal({
      claimId: "A-1",
      kind: "pharmacy",
      payee,
      currency: { code: "USD", decimals: 2 },
      charge: 12000n,
      planPays: 7000n,
      lines: [
        {
          lineNumber: 1,
          event: {
            kind: "dispense",
            pharmacyNpi: "1234567893",
            prescriptionReferenceNumber: "7700001",
            fillNumber: 0,
            dateOfService: "2026-01-15",
          },
          quantity: { value: "90", unit: "TAB" },
          charge: 12000n,
          allowed: 9000n,
          patientShare: 1500n,
          otherPayers: 500n,
          adjustments: [
            { group: "CO", reason: "45", amount: 3000n },
            { group: "OA", reason: "23", amount: 500n },
            { group: "PR", reason: "3", amount: 1500n },
          ],
          planPays: 7000n,
        },
      ],
      resource: pharmacyClaim,
    });
  });

  it("charges what is allowed where no gross amount is stated", () => {
    expect(pharmacy({ grossAmountDue: undefined })).to.deep.include({ charge: 9000n, planPays: 7000n });
  });

  it("splits the patient's share where its parts are stated", () => {
    const parts = { amountAppliedToPeriodicDeductible: "10.00", amountOfCoinsurance: "0.00", amountOfCopay: "5.00" };
    expect(pharmacy(parts).lines[0]?.adjustments.filter(({ group }) => group === "PR")).to.deep.equal([
      { group: "PR", reason: "1", amount: 1000n },
      { group: "PR", reason: "3", amount: 500n },
    ]);
    expect(equationOf(() => pharmacy({ ...parts, amountOfCopay: "4.99" }))).to.equal(
      "deductible + coinsurance + copay = patientPayAmount",
    );
  });

  it("refuses a total that is not what its parts leave, and names the sum", () => {
    const error = refused("CLAIM_DOES_NOT_BALANCE", () => pharmacy({ totalAmountPaid: "70.01" }));
    expect(error.details).to.deep.include({
      equation: "sum of amounts paid = totalAmountPaid",
      left: "70.00",
      right: "70.01",
    });
    expect(equationOf(() => pharmacy({ grossAmountDue: "89.99" }))).to.equal("allowed <= charge");
  });

  it("funds paid claims only: captured, rejected and duplicate ones are refused", () => {
    for (const status of ["C", "R", "D"])
      refused("CLAIM_NOT_FUNDABLE", () => pharmacy({ transactionResponseStatus: status }));
    refused("INPUT_INVALID", () => pharmacy({ transactionResponseStatus: "p" }));
  });

  it("refuses what is missing, unknown or out of shape, by path", () => {
    const cases: [ErrorCode, string, Record<string, unknown>][] = [
      ["INPUT_INVALID", "$", { totalAmountPaid: undefined }],
      ["INPUT_INVALID", "$", { copay: "1.00" }],
      ["INPUT_INVALID", "$.kind", { kind: "laboratory" }],
      ["INPUT_INVALID", "$.fillNumber", { fillNumber: 1.5 }],
      ["INPUT_INVALID", "$.dateOfService", { dateOfService: "2026-02-30" }],
      ["INPUT_INVALID", "$.dateOfService", { dateOfService: "20260115" }],
      ["INPUT_INVALID", "$.sensitivity", { sensitivity: "secret" }],
      ["IDENTIFIER_INVALID", "$.pharmacyNpi", { pharmacyNpi: "1234567894" }],
      ["CURRENCY_MISMATCH", "$.currency", { currency: "CAD" }],
      ["AMOUNT_NEGATIVE", "$.patientPayAmount", { patientPayAmount: "-15.00" }],
      ["AMOUNT_TOO_PRECISE", "$.ingredientCostPaid", { ingredientCostPaid: "80.001" }],
      ["AMOUNT_INVALID", "$.dispensingFeePaid", { dispensingFeePaid: "9,50" }],
      ["AMOUNT_INVALID", "$.quantityDispensed", { quantityDispensed: "ninety" }],
    ];
    for (const [code, path, changes] of cases)
      expect(refused(code, () => pharmacy(changes)).details.path, JSON.stringify(changes)).to.equal(path);
  });

  it("refuses a pharmacy that no account is known for", () => {
    for (const unknown of [undefined, "", "0x1234", "0x" + "00".repeat(20)])
      refused("PAYEE_UNKNOWN", () => readPharmacyClaim(pharmacyClaim, { payee: unknown }));
  });

  it("keeps sensitivity and consent", () => {
    expect(pharmacy({ sensitivity: "R", consentReference: "Consent/1" })).to.deep.include({
      sensitivity: "R",
      consentReference: "Consent/1",
    });
  });
});

describe("LaboratoryClaim", () => {
  it("becomes one line a test, each balancing, named by accession and procedure", () => {
    const claim = laboratory();
    expect(claim).to.deep.include({ kind: "laboratory", charge: 25700n, planPays: 17500n });
    expect(claim.lines.map(({ event, planPays, adjustments }) => [event, planPays, adjustments.length])).to.deep.equal(
      ["T1", "T2"].map((procedureCode, i) => [
        {
          kind: "diagnosticReport",
          clia: "99D9999999",
          accessionNumber: "ACC-1",
          procedureCode,
          collectionDate: "2026-01-15",
        },
        [10000n, 7500n][i],
        [2, 0][i],
      ]),
    );
  });

  it("refuses each sum that fails, and names it", () => {
    const cases: [string, Record<string, unknown>][] = [
      ["charge - adjustments = planPays", { "lines[0].adjustments[0].amount": "74.99" }],
      ["planPays + patientShare + otherPayers = allowed", { "lines[0].allowed": "106.00" }],
      ["allowed <= charge", { "lines[1].allowed": "75.01" }],
      [
        "adjustments of group PR = patientShare",
        { "lines[0].adjustments[1].group": "CO", "lines[0].adjustments[0].group": "PI" },
      ],
      [
        "adjustments of group OA >= otherPayers",
        { "lines[0].otherPayers": "1.00", "lines[0].allowed": "108.00", "lines[0].adjustments[0].group": "CO" },
      ],
    ];
    for (const [equation, changes] of cases)
      expect(
        equationOf(() => laboratory(changes)),
        equation,
      ).to.equal(equation);
  });

  it("funds processed claims only", () => {
    for (const status of ["1", "2", "3"]) expect(laboratory({ claimStatusCode: status }).planPays).to.equal(17500n);
    for (const status of ["4", "22", "19", "25"])
      refused("CLAIM_NOT_FUNDABLE", () => laboratory({ claimStatusCode: status }));
  });

  it("refuses the same line or the same test twice", () => {
    refused("CLAIM_DUPLICATE_LINE", () => laboratory({ "lines[1].lineNumber": 1 }));
    refused("CLAIM_DUPLICATE_LINE", () => laboratory({ "lines[1].procedureCode": "T1" }));
  });

  it("refuses what is missing, unknown or out of shape, by path", () => {
    const cases: [ErrorCode, string, Record<string, unknown>][] = [
      ["INPUT_INVALID", "$.lines", { lines: [] }],
      ["INPUT_INVALID", "$.lines[1]", { "lines[1].planPays": undefined }],
      ["INPUT_INVALID", "$.lines[0].adjustments[0].group", { "lines[0].adjustments[0].group": "XX" }],
      ["IDENTIFIER_INVALID", "$.clia", { clia: "99-9999999" }],
      ["IDENTIFIER_INVALID", "$.laboratoryNpi", { laboratoryNpi: "1111111111" }],
      ["INPUT_INVALID", "$.collectionDate", { collectionDate: "2025-02-29" }],
      ["CURRENCY_MISMATCH", "$.currency", { currency: "EUR" }],
      ["AMOUNT_NEGATIVE", "$.lines[0].adjustments[0].amount", { "lines[0].adjustments[0].amount": "-75.00" }],
      ["AMOUNT_TOO_PRECISE", "$.lines[1].charge", { "lines[1].charge": 75.005 }],
    ];
    for (const [code, path, changes] of cases)
      expect(refused(code, () => laboratory(changes)).details.path, JSON.stringify(changes)).to.equal(path);
  });

  it("refuses a laboratory that no account is known for", () => {
    refused("PAYEE_UNKNOWN", () => readLaboratoryClaim(laboratoryClaim, { payee: undefined }));
  });
});

describe("a decision on a FHIR claim", () => {
  const charged = readClaim(hl7<Claim>("Claim-100156"));
  const decision: ClaimDecision = {
    payee,
    lines: [
      { sequence: 1, allowed: "900.00", patientShare: "90.00", otherPayers: "10.00" },
      { sequence: 2, allowed: "105.00" },
      { sequence: 3, allowed: "0" },
    ],
  };

  it("becomes an adjudicated claim that balances", () => {
    const claim = adjudicate(charged, decision);
    expect(claim).to.deep.include({ claimId: "100156", kind: "oral", payee, charge: 225500n, planPays: 90500n });
    expect(claim.lines[0]).to.deep.include({
      event: {
        kind: "claimItem",
        provider: "Organization/1",
        claimId: "100156",
        itemSequence: 1,
        productOrService: charged.lines[0]?.productOrService,
        serviced: "2014-08-16",
      },
      charge: 105000n,
      allowed: 90000n,
      patientShare: 9000n,
      otherPayers: 1000n,
      adjustments: [
        { group: "CO", reason: "45", amount: 15000n },
        { group: "PR", reason: "3", amount: 9000n },
        { group: "OA", reason: "23", amount: 1000n },
      ],
      planPays: 80000n,
    });
    expect(claim.lines.map(({ planPays }) => planPays)).to.deep.equal([80000n, 10500n, 0n]);
  });

  it("carries the event where it is known more closely, and the quantity billed", () => {
    const event = {
      kind: "dispense",
      pharmacyNpi: "1234567893",
      prescriptionReferenceNumber: "1",
      fillNumber: 0,
      dateOfService: "2014-08-16",
    } as const;
    const claim = adjudicate(readClaim(hl7<Claim>("Claim-760151")), {
      payee,
      lines: [{ sequence: 1, allowed: "90.00", event }],
    });
    expect(claim.lines[0]).to.deep.include({ event, quantity: { value: "90", unit: "TAB" }, planPays: 9000n });
  });

  it("refuses an answer that is missing, repeated, or to no item", () => {
    const [first, second, third] = decision.lines as [LineDecision, LineDecision, LineDecision];
    for (const lines of [
      [first, second],
      [first, second, third, third],
      [first, second, { ...third, sequence: 4 }],
    ])
      refused("CLAIM_DECISION_MISMATCH", () => adjudicate(charged, { ...decision, lines }));
  });

  it("refuses sums that fail, amounts that are none, and unknown payees", () => {
    const changed = (changes: Record<string, unknown>) => () => adjudicate(charged, withElements(decision, changes));
    expect(equationOf(changed({ "lines[0].planPays": "799.99" }))).to.equal("charge - adjustments = planPays");
    expect(equationOf(changed({ "lines[0].allowed": "1050.01" }))).to.equal("allowed <= charge");
    expect(equationOf(changed({ "lines[1].adjustments": [{ group: "CO", reason: "45", amount: "1.00" }] }))).to.equal(
      "charge - adjustments = planPays",
    );
    refused("AMOUNT_NEGATIVE", changed({ "lines[0].patientShare": "900.01", "lines[0].otherPayers": "0" }));
    refused("AMOUNT_NEGATIVE", changed({ "lines[0].allowed": "-1" }));
    refused("AMOUNT_TOO_PRECISE", changed({ "lines[0].allowed": "900.001" }));
    refused("PAYEE_UNKNOWN", changed({ payee: undefined }));
  });
});

describe("an adjudicated claim made by hand", () => {
  it("is refused where its lines do not sum, are none, or are no bigints", () => {
    const claim = pharmacy();
    expect(requireBalanced(claim)).to.equal(claim);
    expect(equationOf(() => requireBalanced({ ...claim, charge: 1n }))).to.equal("sum of line charges = charge");
    expect(equationOf(() => requireBalanced({ ...claim, planPays: 1n }))).to.equal("sum of line planPays = planPays");
    refused("INPUT_INVALID", () => requireBalanced({ ...claim, lines: [] }));
    refused("INPUT_INVALID", () => requireBalanced(withElements(claim, { "lines[0].charge": 120 })));
    refused("IDENTIFIER_INVALID", () => requireBalanced({ ...claim, payee: "0x00" }));
  });
});

describe("input", () => {
  it("knows an NPI by its check digit", () => {
    expect(isNpi("1234567893")).to.equal(true);
    for (const npi of ["1234567890", "123456789", "12345678930", "3234567893", "123456789x", 1234567893, null])
      expect(isNpi(npi), String(npi)).to.equal(false);
    // Any single wrong digit shows.
    for (let i = 1; i < 10; i++)
      for (let digit = 0; digit < 10; digit++) {
        const npi = `${"1234567893".slice(0, i)}${digit}${"1234567893".slice(i + 1)}`;
        expect(isNpi(npi)).to.equal(npi === "1234567893");
      }
  });

  it("answers garbage, and claims with any element replaced by garbage, with a CarepactError or a balanced claim", () => {
    const sources = [
      { claim: pharmacyClaim, read: (claim: unknown) => readPharmacyClaim(claim as PharmacyClaim, { payee }) },
      { claim: laboratoryClaim, read: (claim: unknown) => readLaboratoryClaim(claim as LaboratoryClaim, { payee }) },
    ];
    for (const { claim, read } of sources) {
      const tame = (value: unknown): void => {
        try {
          requireBalanced(read(value));
        } catch (error) {
          expect(isCarepactError(error), String(error)).to.equal(true);
        }
      };
      fc.assert(fc.property(fc.anything(), tame));
      fc.assert(
        fc.property(fc.constantFrom(...pathsOf(claim)), fc.anything(), (path, value) =>
          tame(withElements(claim as unknown, { [path]: value })),
        ),
      );
    }
  });
});
