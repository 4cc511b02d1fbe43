import { expect } from "chai";
import fc from "fast-check";
import type { MedicationDispense, MedicationRequest } from "fhir/r4";
import type { MedicationDispense as MedicationDispenseR5 } from "fhir/r5";

import { dispenseResult, type DispenseTerms } from "../../sdk/src/fhir";
import { SEED } from "../support/arbitraries";

import { hl7, hl7Names } from "./hl7";
import { refused } from "./refused";

const AMOUNT = 1000n;

// HL7's 31 examples: result where the dispensed quantity is the one billed, and where the billed one is the quantity of
// the authorizing MedicationRequest (where that states one). In both, payment needs a hand-over.
const dispenses: Record<string, [asDispensed: string, asPrescribed: string]> = {
  meddisp008: ["pending: not-handed-over", "pending: not-handed-over"],
  meddisp0301: ["pending: status-not-final", "pending: status-not-final"],
  meddisp0302: ["pending: status-not-final", "pending: status-not-final"],
  meddisp0303: ["pending: status-not-final", "pending: status-not-final"],
  meddisp0304: ["met: done", "met: done"],
  meddisp0305: ["notMet: status-in-error", "notMet: status-in-error"],
  meddisp0306: ["pending: status-not-final", "pending: status-not-final"],
  meddisp0307: ["met: done", "pending: part-fill-without-quantity-billed"],
  meddisp0308: ["met: done", "met: done"],
  meddisp0309: ["notMet: status-in-error", "notMet: status-in-error"],
  meddisp0310: ["pending: status-not-final", "pending: status-not-final"],
  meddisp0311: ["met: done", "met: done"],
  meddisp0312: ["pending: status-not-final", "pending: status-not-final"],
  meddisp0313: ["notMet: status-ended", "notMet: status-ended"],
  meddisp0314: ["met: done", "met: done"],
  meddisp0315: ["pending: status-not-final", "pending: status-not-final"],
  meddisp0316: ["pending: status-not-final", "pending: status-not-final"],
  meddisp0317: ["notMet: status-ended", "notMet: status-ended"],
  meddisp0318: ["pending: status-not-final", "pending: status-not-final"],
  meddisp0319: ["met: done", "met: done"],
  meddisp0320: ["met: done", "met: done"],
  meddisp0321: ["pending: status-not-final", "pending: status-not-final"],
  meddisp0322: ["met: done", "met: done"],
  meddisp0324: ["met: done", "pending: unit-differs"],
  meddisp0325: ["pending: status-not-final", "pending: status-not-final"],
  meddisp0326: ["pending: status-not-final", "pending: status-not-final"],
  meddisp0327: ["met: done", "met: done"],
  meddisp0328: ["pending: status-not-final", "pending: status-not-final"],
  meddisp0329: ["met: done", "met: done"],
  meddisp0330: ["pending: status-not-final", "pending: status-not-final"],
  meddisp0331: ["pending: status-not-final", "pending: status-not-final"],
};

type Quantity = { value?: number; unit?: string; code?: string } | undefined;

const billedOf = (quantity: Quantity): Pick<DispenseTerms, "billed"> => {
  if (quantity?.value === undefined) return {};
  const unit = quantity.code ?? quantity.unit;
  return { billed: { value: quantity.value, ...(unit === undefined ? {} : { unit }) } };
};

const say = (dispense: MedicationDispense, billed: Pick<DispenseTerms, "billed">): string => {
  const { result, reason } = dispenseResult(dispense, { amount: AMOUNT, ...billed });
  return `${result}: ${reason}`;
};

const completed = (change: Partial<MedicationDispense> = {}): MedicationDispense => ({
  resourceType: "MedicationDispense",
  status: "completed",
  whenHandedOver: "2026-01-15T10:20:00Z",
  quantity: { value: 60, code: "TAB" },
  ...change,
});

describe("what a MedicationDispense means for its line", () => {
  it("gives each of HL7's 31 examples exactly one result", () => {
    const results = hl7Names("MedicationDispense").map((name): [string, [string, string]] => {
      const dispense = hl7<MedicationDispense>(name);
      const request = dispense.authorizingPrescription?.[0]?.reference?.replace("/", "-") ?? "";
      const prescribed = hl7<MedicationRequest>(request).dispenseRequest?.quantity;
      return [dispense.id ?? "", [say(dispense, billedOf(dispense.quantity)), say(dispense, billedOf(prescribed))]];
    });
    expect(results).to.have.length(31);
    expect(Object.fromEntries(results)).to.deep.equal(dispenses);
  });

  it("pays a part fill in proportion, rounded down to a base unit", () => {
    expect(dispenseResult(completed(), { amount: 100n, billed: { value: "90.0", unit: "TAB" } })).to.deep.equal({
      result: "partlyMet",
      amount: 66n,
      share: { dispensed: 2n, billed: 3n },
      reason: "done-in-part",
    });
  });

  it("never pays more than the line, nor less than its exact share by a base unit or more", () => {
    fc.assert(
      fc.property(
        fc.bigInt(1n, (1n << 86n) - 1n),
        fc.integer({ min: 1, max: 100_000 }),
        fc.integer({ min: 1, max: 100_000 }),
        (amount, dispensed, billed) => {
          const quantity = { value: dispensed / 100, code: "TAB" };
          const event = dispenseResult(completed({ quantity }), {
            amount,
            billed: { value: billed / 100, unit: "TAB" },
          });
          const paid = "amount" in event ? event.amount : 0n;
          expect(paid <= amount).to.equal(true);
          if (dispensed >= billed) expect(event).to.deep.include({ result: "met", amount });
          else {
            expect(paid * BigInt(billed) <= amount * BigInt(dispensed)).to.equal(true);
            expect((paid + 1n) * BigInt(billed) > amount * BigInt(dispensed)).to.equal(true);
          }
        },
      ),
      { seed: SEED },
    );
  });

  it("is not met where the share is below one base unit", () => {
    expect(dispenseResult(completed({ quantity: { value: 1 } }), { amount: 2n, billed: { value: 90 } })).to.deep.equal({
      result: "notMet",
      reason: "part-below-one-unit",
    });
  });

  it("pays no more for more than billed", () => {
    expect(dispenseResult(completed(), { amount: AMOUNT, billed: { value: 30 } })).to.deep.include({ amount: AMOUNT });
  });

  it("waits where completed does not say enough", () => {
    const cases: [string, Partial<MedicationDispense>, Partial<DispenseTerms>][] = [
      ["not-handed-over", { whenHandedOver: undefined }, {}],
      ["quantity-missing", { quantity: undefined }, { billed: { value: 60 } }],
      ["quantity-missing", { quantity: { code: "TAB" } }, { billed: { value: 60 } }],
      ["quantity-zero", { quantity: { value: 0 } }, { billed: { value: 60 } }],
      ["unit-differs", {}, { billed: { value: 60, unit: "mL" } }],
      ["unit-differs", { quantity: { value: 60 } }, { billed: { value: 60, unit: "mL" } }],
      ["unit-differs", { quantity: { value: 60, code: "Mg" } }, { billed: { value: 60, unit: "mg" } }],
      ["part-fill-without-quantity-billed", { type: { coding: [{ code: "RFP" }] } }, {}],
    ];
    for (const [reason, change, terms] of cases)
      expect(dispenseResult(completed(change), { amount: AMOUNT, ...terms })).to.deep.equal({
        result: "pending",
        reason,
      });
  });

  it("needs no hand-over where none is required, and no quantity where none was billed", () => {
    const mailed = completed({ whenHandedOver: undefined, quantity: undefined });
    expect(dispenseResult(mailed, { amount: AMOUNT, handOverRequired: false }).result).to.equal("met");
  });

  it("reads both ways UCUM writes the litre as one", () => {
    const event = dispenseResult(completed({ quantity: { value: 360, code: "ml" } }), {
      amount: AMOUNT,
      billed: { value: 360, unit: "mL" },
    });
    expect(event.result).to.equal("met");
  });

  it("calls what differs from the settlement a correction, with what was paid and what would be due", () => {
    const terms = { amount: AMOUNT, billed: { value: 60, unit: "TAB" } };
    const correction = { result: "correction", reason: "changed-after-settlement" };
    expect(dispenseResult(completed({ status: "entered-in-error" }), { ...terms, paid: AMOUNT })).to.deep.equal({
      ...correction,
      paid: AMOUNT,
      due: 0n,
    });
    expect(
      dispenseResult(completed({ quantity: { value: 30, code: "TAB" } }), { ...terms, paid: AMOUNT }),
    ).to.deep.equal({
      ...correction,
      paid: AMOUNT,
      due: 500n,
    });
    expect(dispenseResult(completed(), { ...terms, paid: 0n })).to.deep.equal({ ...correction, paid: 0n, due: AMOUNT });
    expect(dispenseResult(completed(), { ...terms, paid: AMOUNT }).result).to.equal("met");
    expect(dispenseResult(completed({ status: "stopped" }), { ...terms, paid: 0n }).result).to.equal("notMet");
    expect(dispenseResult(completed({ status: "on-hold" }), { ...terms, paid: AMOUNT }).result).to.equal("pending");
  });

  it("reads quantity and hand-over of R5 as those of R4", () => {
    const dispense: MedicationDispenseR5 = {
      resourceType: "MedicationDispense",
      status: "completed",
      medication: { concept: { text: "a medicine" } },
      subject: { display: "a patient" },
      quantity: { value: 45, code: "TAB" },
      whenHandedOver: "2026-01-15T10:20:00Z",
    };
    const terms = { amount: AMOUNT, billed: { value: 60, unit: "TAB" } };
    const share = { dispensed: 3n, billed: 4n };
    const partly = { result: "partlyMet", amount: 750n, share, reason: "done-in-part" };
    expect(dispenseResult(dispense, terms, { fhirVersion: "R5" })).to.deep.equal(partly);
    const kept = { ...dispense, whenHandedOver: undefined };
    const pending = { result: "pending", reason: "not-handed-over" };
    expect(dispenseResult(kept, terms, { fhirVersion: "R5" })).to.deep.equal(pending);
  });

  it("refuses dates, quantities and terms that make no sense", () => {
    refused("EVENT_INVALID", () => dispenseResult(completed({ whenHandedOver: "soon" }), { amount: AMOUNT }));
    refused("AMOUNT_NEGATIVE", () => dispenseResult(completed({ quantity: { value: -1 } }), { amount: AMOUNT }));
    refused("EVENT_INVALID", () => dispenseResult(completed(), { amount: 1n, billed: { value: 0 } }));
  });
});
