import { expect } from "chai";

import { eventResult, type EventResource } from "../../sdk/src/fhir";

import type { EventType } from "./fhirEventResources";
import { hl7, hl7Names } from "./hl7";

// HL7's examples that are not met in full; test/sdk/fhirDispense.test.ts has the dispenses, with their quantities.
const examples: Record<Exclude<EventType, "MedicationDispense">, { count: number; others: Record<string, string> }> = {
  DiagnosticReport: { count: 6, others: {} },
  Procedure: { count: 16, others: { ambulation: "notMet: status-ended" } },
  Immunization: {
    count: 5,
    others: {
      example: "pending: dose-subpotent",
      historical: "pending: not-first-hand",
      notGiven: "notMet: status-ended",
    },
  },
  Task: {
    count: 12,
    others: {
      example1: "pending: status-not-final",
      example2: "pending: status-not-final",
      example3: "pending: status-not-final",
      // Completed, but what they were to do stands in a text: "Specimen Collection", "Lipid Panel".
      example4: "pending: not-fulfilment",
      example5: "pending: status-not-final",
      example6: "pending: not-fulfilment",
      "fm-example1": "pending: status-not-final",
      "fm-example2": "pending: status-not-final",
      "fm-example3": "pending: status-not-final",
      "fm-example4": "pending: status-not-final",
      "fm-example5": "pending: status-not-final",
      // Completed: a question how a claim stands.
      "fm-example6": "pending: not-fulfilment",
    },
  },
};

describe("HL7's examples of events", () => {
  for (const [type, { count, others }] of Object.entries(examples))
    it(`have one result each: ${count} of ${type}`, () => {
      const names = hl7Names(type);
      expect(names).to.have.length(count);
      const results = names.map((name): [string, string] => {
        const { result, reason } = eventResult(hl7<EventResource>(name), { amount: 1000n });
        return [name.slice(type.length + 1), `${result}: ${reason}`];
      });
      expect(Object.fromEntries(results.filter(([, result]) => result !== "met: done"))).to.deep.equal(others);
    });

  it("of tasks are met with a code that says what the completed ones were: the fulfilment of an order", () => {
    const code = { coding: [{ system: "http://hl7.org/fhir/CodeSystem/task-code", code: "fulfill" }] };
    for (const name of ["Task-example4", "Task-example6"])
      expect(eventResult({ ...hl7<EventResource>(name), code } as EventResource, { amount: 1000n }).result).to.equal(
        "met",
      );
  });
});
