import { expect } from "chai";

import { eventKindBits, eventReasons, eventResult, eventRules, type EventResource } from "../../sdk/src/fhir";
import { eventKinds } from "../../sdk/src/rulebooks";
import { done, types, type EventType } from "../sdk/fhirEventResources";

import { codeIn, readPage, rowsOf, tablesOf } from "./page";

const page = readPage("docs/event-mapping.md");

const AMOUNT = 1000n;
const BILLED = { value: 60, unit: "TAB" };

/** Result of an event with the page's words, and the reason. */
function say(resource: EventResource, terms: Parameters<typeof eventResult>[1], version: "R4" | "R5" = "R5"): string[] {
  const { result, reason } = eventResult(resource, terms, { fhirVersion: version });
  return [{ partlyMet: "partly met", notMet: "not met" }[result as string] ?? result, reason];
}

const changed = (type: EventType, change: object): EventResource => ({ ...done[type], ...change });

describe("docs/event-mapping.md", () => {
  it("names the value sets, and the kinds of event of rulebooks", () => {
    const rows = rowsOf(page, "resource", "value set of `status`", "R4", "R5", "event kind", "bit");
    expect(rows.map(([type]) => codeIn(type))).to.deep.equal(types);
    for (const [cell, valueSet, r4, r5, kind, bit] of rows) {
      const type = codeIn(cell) as EventType;
      for (const [version, number] of [
        ["R4", r4],
        ["R5", r5],
      ] as const)
        expect(`${codeIn(valueSet)}|${number}`).to.equal(eventRules[version][type].valueSet);
      const bits: Partial<Record<EventType, number>> = eventKindBits;
      const kinds: Record<string, number> = eventKinds;
      expect([bit, kinds[codeIn(kind)]]).to.deep.equal([`${bits[type] ?? ""}`, bits[type]]);
    }
  });

  it("says of each status what the SDK says", () => {
    const header = ["status", "FHIR", "result", "after payment", "reason", "what it says"];
    const tables = tablesOf(page).filter((table) => table.header.join() === header.join());
    expect(tables).to.have.lengthOf(types.length);
    tables.forEach(({ rows }, i) => {
      const type = types[i] as EventType;
      for (const version of ["R4", "R5"] as const) {
        const own = rows.filter(([, versions = ""]) => versions.split(", ").includes(version));
        expect(own.map(([status]) => codeIn(status))).to.have.members(Object.keys(eventRules[version][type].statuses));
        for (const [status, , open, paid, reason] of own) {
          const event = changed(type, { status: codeIn(status) });
          const byQuantity = [open, paid].every((word) => word === "by hand-over and quantity");
          const words = byQuantity ? ["met", "met"] : [open, paid];
          expect(say(event, { amount: AMOUNT }, version), `${type} ${status}`).to.deep.equal([
            words[0],
            codeIn(reason),
          ]);
          expect(say(event, { amount: AMOUNT, paid: AMOUNT }, version)[0], `${type} ${status}`).to.equal(words[1]);
          expect(byQuantity).to.equal(type === "MedicationDispense" && status === "`completed`");
        }
      }
    });
  });

  it("says what a completed dispense is with each hand-over and quantity, the first that fits first", () => {
    const none = { amount: AMOUNT };
    const billed = { amount: AMOUNT, billed: BILLED };
    const partFill = { type: { coding: [{ code: "FFP" }] } };
    // Each fits what stands below it, too.
    const cases: [object, Parameters<typeof eventResult>[1]][] = [
      [{ whenHandedOver: undefined, quantity: { value: 0 }, ...partFill }, none],
      [{ quantity: { value: 0 }, ...partFill }, none],
      [{ quantity: undefined, ...partFill }, none],
      [{ quantity: undefined }, none],
      [{ quantity: undefined }, billed],
      [{ quantity: { value: 60 } }, billed],
      [{ quantity: { value: 60, code: "TAB" } }, billed],
      [{ quantity: { value: 1, code: "TAB" } }, billed],
      [{ quantity: { value: 1, code: "TAB" } }, { ...billed, amount: 59n }],
    ];
    const results = rowsOf(page, "`completed`, and", "result").map(([, result]) => result);
    expect(results).to.deep.equal(cases.map(([change, terms]) => say(changed("MedicationDispense", change), terms)[0]));
  });

  it("names every reason to wait, in the order in which they are looked for", () => {
    const quantity = { amount: AMOUNT, billed: { value: 2 } };
    const partFill = { type: { coding: [{ code: "RFP" }] } };
    const cases: [EventType, object, Parameters<typeof eventResult>[1]][] = [
      ["MedicationDispense", { whenHandedOver: undefined, quantity: { value: 0 } }, quantity],
      ["MedicationDispense", { quantity: { value: 0 }, ...partFill }, { amount: AMOUNT }],
      ["MedicationDispense", { quantity: undefined, ...partFill }, { amount: AMOUNT }],
      ["MedicationDispense", { quantity: undefined }, quantity],
      ["MedicationDispense", { quantity: { value: 2, code: "mL" } }, { amount: AMOUNT, billed: BILLED }],
      ["DiagnosticReport", {}, quantity],
      ["Procedure", { reportedBoolean: true }, quantity],
      ["Procedure", {}, quantity],
      ["Immunization", { primarySource: false, isSubpotent: true }, quantity],
      ["Immunization", { isSubpotent: true }, quantity],
      ["Immunization", {}, quantity],
      ["Task", { intent: "plan" }, quantity],
      ["Task", {}, quantity],
    ];
    const rows = rowsOf(page, "resource", "reason to wait").map((cells) => cells.map(codeIn));
    expect(rows).to.deep.equal(cases.map(([type, change, terms]) => [type, say(changed(type, change), terms)[1]]));
  });

  it("has the words of every reason", () => {
    const rows = rowsOf(page, "reason", "in words");
    expect(Object.fromEntries(rows.map(([reason, words]) => [codeIn(reason), words]))).to.deep.equal(eventReasons);
  });
});
