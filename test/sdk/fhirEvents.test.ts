import { expect } from "chai";
import type { StructureDefinition } from "fhir/r4";

import {
  diagnosticReportResult,
  dispenseResult,
  eventKindBits,
  eventResult,
  eventRules,
  immunizationResult,
  lineResultOf,
  procedureResult,
  taskResult,
  type DispenseTerms,
  type EventResource,
  type EventResult,
  type FhirVersion,
} from "../../sdk/src/fhir";
import { eventKinds } from "../../sdk/src/rulebooks";

import { done, types, type EventType } from "./fhirEventResources";
import { hl7, hl7ValueSet } from "./hl7";
import { refused } from "./refused";

const AMOUNT = 1000n;
const BOTH: FhirVersion[] = ["R4", "R5"];

type Result = EventResult["result"];

// What the mapping has to be, without a look at the data it is made of: a status, and what it is to a line that is open,
// was paid in full, was settled with nothing; then the versions that have it, where not both do.
type Row = [status: string, open: Result, paid: Result, unpaid: Result, versions?: FhirVersion[]];
const expected: Record<EventType, Row[]> = {
  MedicationDispense: [
    ["preparation", "pending", "pending", "pending"],
    ["in-progress", "pending", "pending", "pending"],
    ["on-hold", "pending", "pending", "pending"],
    ["unknown", "pending", "pending", "pending"],
    ["completed", "met", "met", "correction"],
    ["cancelled", "notMet", "correction", "notMet"],
    ["stopped", "notMet", "correction", "notMet"],
    ["declined", "notMet", "correction", "notMet"],
    ["entered-in-error", "notMet", "correction", "notMet"],
  ],
  DiagnosticReport: [
    ["registered", "pending", "pending", "pending"],
    ["partial", "pending", "pending", "pending"],
    ["preliminary", "pending", "pending", "pending"],
    ["modified", "pending", "pending", "pending", ["R5"]],
    ["unknown", "pending", "pending", "pending"],
    ["final", "met", "met", "correction"],
    ["amended", "met", "correction", "correction"],
    ["corrected", "met", "correction", "correction"],
    ["appended", "met", "correction", "correction"],
    ["cancelled", "notMet", "correction", "notMet"],
    ["entered-in-error", "notMet", "correction", "notMet"],
  ],
  Procedure: [
    ["preparation", "pending", "pending", "pending"],
    ["in-progress", "pending", "pending", "pending"],
    ["on-hold", "pending", "pending", "pending"],
    ["unknown", "pending", "pending", "pending"],
    ["stopped", "pending", "correction", "pending"],
    ["completed", "met", "met", "correction"],
    ["not-done", "notMet", "correction", "notMet"],
    ["entered-in-error", "notMet", "correction", "notMet"],
  ],
  Immunization: [
    ["completed", "met", "met", "correction"],
    ["not-done", "notMet", "correction", "notMet"],
    ["entered-in-error", "notMet", "correction", "notMet"],
  ],
  Task: [
    ["draft", "pending", "pending", "pending"],
    ["requested", "pending", "pending", "pending"],
    ["received", "pending", "pending", "pending"],
    ["accepted", "pending", "pending", "pending"],
    ["ready", "pending", "pending", "pending"],
    ["in-progress", "pending", "pending", "pending"],
    ["on-hold", "pending", "pending", "pending"],
    ["completed", "met", "met", "correction"],
    ["rejected", "notMet", "correction", "notMet"],
    ["cancelled", "notMet", "correction", "notMet"],
    ["failed", "notMet", "correction", "notMet"],
    ["entered-in-error", "notMet", "correction", "notMet"],
  ],
};

const valueSets: Record<EventType, string> = {
  MedicationDispense: "http://hl7.org/fhir/ValueSet/medicationdispense-status",
  DiagnosticReport: "http://hl7.org/fhir/ValueSet/diagnostic-report-status",
  Procedure: "http://hl7.org/fhir/ValueSet/event-status",
  Immunization: "http://hl7.org/fhir/ValueSet/immunization-status",
  Task: "http://hl7.org/fhir/ValueSet/task-status",
};

const numbers: Record<FhirVersion, string> = { R4: "4.0.1", R5: "5.0.0" };

const rowsOf = (type: EventType, version: FhirVersion): Row[] =>
  expected[type].filter(([, , , , versions = BOTH]) => versions.includes(version));

/** Why a status leads to what it is to an open line. */
function reasonOf(status: string, open: Result): string {
  if (status === "stopped" && open === "pending") return "stopped-part-way";
  if (status === "entered-in-error") return "status-in-error";
  if (open === "met") return "done";
  return open === "pending" ? "status-not-final" : "status-ended";
}

/** A resource of which nothing but the status can keep a line from being paid in full. */
const withStatus = (type: EventType, status: unknown): EventResource => ({ ...done[type], status }) as EventResource;

const judge = (resource: EventResource, terms: Partial<DispenseTerms>, fhirVersion: FhirVersion): EventResult =>
  eventResult(resource, { amount: AMOUNT, ...terms }, { fhirVersion });

describe("statuses of events", () => {
  for (const version of BOTH)
    for (const type of types) {
      const valueSet = `${valueSets[type]}|${numbers[version]}`;

      it(`of ${type} in ${version} are those of HL7's value set, and no other`, () => {
        expect(eventRules[version][type].valueSet).to.equal(valueSet);
        expect(Object.keys(eventRules[version][type].statuses).sort()).to.deep.equal(hl7ValueSet(valueSet));
        expect(
          rowsOf(type, version)
            .map(([status]) => status)
            .sort(),
        ).to.deep.equal(hl7ValueSet(valueSet));
      });

      for (const [status, open, paid, unpaid] of rowsOf(type, version))
        it(`read ${type} ${status} in ${version} as ${open}, after payment ${paid}, after not met ${unpaid}`, () => {
          const resource = withStatus(type, status);
          const { result, reason } = judge(resource, {}, version);
          expect([result, reason]).to.deep.equal([open, reasonOf(status, open)]);
          expect(judge(resource, { paid: AMOUNT }, version).result).to.equal(paid);
          expect(judge(resource, { paid: 0n }, version).result).to.equal(unpaid);
        });
    }

  it("are bound to these value sets by R4's definitions", () => {
    for (const type of types) {
      const { snapshot } = hl7<StructureDefinition>(`StructureDefinition-${type}`);
      const binding = snapshot?.element.find(({ path }) => path === `${type}.status`)?.binding;
      expect([binding?.strength, binding?.valueSet]).to.deep.equal(["required", eventRules.R4[type].valueSet]);
    }
  });

  it("are refused where they are no code of the value set, instead of paid", () => {
    const codes = types.flatMap((type) => expected[type].map(([status]) => status));
    const others = [
      "Completed",
      "FINAL",
      "paid",
      " completed",
      "",
      "constructor",
      "__proto__",
      null,
      undefined,
      1,
      ["final"],
    ];
    for (const version of BOTH)
      for (const type of types) {
        const known = rowsOf(type, version).map(([status]) => status);
        for (const status of [...codes.filter((code) => !known.includes(code)), ...others]) {
          const { details } = refused("EVENT_INVALID", () => judge(withStatus(type, status), {}, version));
          expect(details.path).to.equal(`${type}.status`);
        }
      }
  });
});

describe("events", () => {
  it("are R4 unless said otherwise, and of no other version than R4 and R5", () => {
    const modified = withStatus("DiagnosticReport", "modified");
    refused("EVENT_INVALID", () => eventResult(modified, { amount: AMOUNT }));
    expect(eventResult(modified, { amount: AMOUNT }, { fhirVersion: "R5" }).result).to.equal("pending");
    for (const fhirVersion of ["R4B", "r4", "", "constructor", 4])
      refused("EVENT_INVALID", () => judge(done.Procedure, {}, fhirVersion as FhirVersion));
  });

  it("have a function each, which takes no other resource", () => {
    const terms = { amount: AMOUNT };
    const functions = {
      MedicationDispense: dispenseResult,
      DiagnosticReport: diagnosticReportResult,
      Procedure: procedureResult,
      Immunization: immunizationResult,
      Task: taskResult,
    };
    for (const type of types) {
      const own = functions[type] as typeof eventResult;
      expect(own(done[type], terms)).to.deep.equal({ result: "met", amount: AMOUNT, reason: "done" });
      expect(own(done[type], terms)).to.deep.equal(eventResult(done[type], terms));
      for (const other of types.filter((name) => name !== type))
        refused("EVENT_INVALID", () => own(done[other], terms));
    }
    for (const value of [null, undefined, [], "Task", { resourceType: "Observation", status: "final" }, {}])
      refused("EVENT_INVALID", () => eventResult(value as never, terms));
  });

  it("are of the kinds that rulebooks name, except tasks", () => {
    expect(eventKindBits).to.deep.equal({
      MedicationDispense: eventKinds.dispense,
      DiagnosticReport: eventKinds.diagnosticReport,
      Procedure: eventKinds.procedure,
      Immunization: eventKinds.immunization,
    });
  });

  it("are refused where something changes their meaning", () => {
    for (const type of types)
      for (const change of [{ modifierExtension: [] }, { implicitRules: "urn:rules" }, { doNotPerform: true }])
        refused("EVENT_INVALID", () => judge({ ...done[type], ...change }, {}, "R5"));
    expect(judge({ ...done.Task, doNotPerform: false } as EventResource, {}, "R5").result).to.equal("met");
    refused("EVENT_INVALID", () => judge({ ...done.Task, doNotPerform: "no" } as never, {}, "R5"));
  });

  it("are refused for lines that cannot be", () => {
    for (const terms of [{ amount: 0n }, { amount: -1n }, { amount: 1 as never }, { paid: AMOUNT + 1n }, { paid: -1n }])
      for (const type of types) refused("EVENT_INVALID", () => judge(done[type], terms, "R4"));
  });

  // What the resource says beside its status: result of an open line, and whether it speaks against a payment made before.
  const waits: [string, EventType, object, string, corrects: boolean][] = [
    ["R5 says that it was reported", "Procedure", { reportedBoolean: true }, "not-first-hand", true],
    ["R5 says who reported it", "Procedure", { reportedReference: { display: "his wife" } }, "not-first-hand", true],
    ["it is known second-hand", "Immunization", { primarySource: false }, "not-first-hand", true],
    ["R4 names another source", "Immunization", { reportOrigin: { text: "recall" } }, "not-first-hand", true],
    ["R5 names another source", "Immunization", { informationSource: { concept: {} } }, "not-first-hand", true],
    ["the dose was too weak", "Immunization", { isSubpotent: true }, "dose-subpotent", true],
    ["it has no code", "Task", { code: undefined }, "not-fulfilment", true],
    ["its code is a text", "Task", { code: { text: "fulfill" } }, "not-fulfilment", true],
    ["it was to cancel", "Task", { code: taskCode("abort") }, "not-fulfilment", true],
    ["it was to do and to cancel", "Task", { code: taskCode("fulfill", "abort") }, "not-fulfilment", true],
    ["its code is another system's", "Task", { code: { coding: [{ code: "fulfill" }] } }, "not-fulfilment", true],
    ["it was proposed only", "Task", { intent: "proposal" }, "not-fulfilment", true],
    ["nobody knows who wanted it", "Task", { intent: "unknown" }, "not-fulfilment", true],
    ["it says no intent", "Task", { intent: undefined }, "not-fulfilment", true],
    ["it was not handed over", "MedicationDispense", { whenHandedOver: undefined }, "not-handed-over", false],
  ];
  for (const [what, type, change, reason, corrects] of waits)
    it(`wait, ${type}: ${what}`, () => {
      const resource = { ...done[type], ...change };
      for (const version of BOTH) {
        const pending = { result: "pending", reason };
        expect(judge(resource, {}, version)).to.deep.equal(pending);
        expect(judge(resource, { paid: 0n }, version)).to.deep.equal(pending);
        expect(judge(resource, { paid: 7n }, version)).to.deep.equal(
          corrects ? { result: "correction", paid: 7n, reason: "changed-after-settlement" } : pending,
        );
      }
    });

  it("do not wait for what says nothing against them", () => {
    const changes: [EventType, object][] = [
      ["Procedure", { reportedBoolean: false }],
      ["Immunization", { isSubpotent: false }],
      ["Immunization", { primarySource: undefined }],
      ["Immunization", { primarySource: true, informationSource: { concept: {} } }],
      ["Immunization", { doseQuantity: { value: 0.5, code: "mL" } }],
      ...["original-order", "reflex-order", "filler-order", "instance-order"].map((intent): [EventType, object] => [
        "Task",
        { intent },
      ]),
      ["Task", { code: { coding: [...taskCode("fulfill").coding, { system: "urn:own", code: "7" }] } }],
    ];
    for (const [type, change] of changes)
      expect(judge({ ...done[type], ...change }, {}, "R5").result, JSON.stringify(change)).to.equal("met");
    for (const [type, name] of [
      ["Procedure", "reportedBoolean"],
      ["Immunization", "primarySource"],
      ["Immunization", "isSubpotent"],
    ] as const)
      refused("EVENT_INVALID", () => judge({ ...done[type], [name]: "true" }, {}, "R5"));
  });

  it("are one unit each, where they state no quantity", () => {
    for (const type of types.filter((name) => name !== "MedicationDispense")) {
      for (const value of [1, "1.0", "0.5"])
        expect(judge(done[type], { billed: { value } }, "R4").result).to.equal("met");
      for (const value of [2, "1.000001"])
        expect(judge(done[type], { billed: { value } }, "R4")).to.deep.equal({
          result: "pending",
          reason: "quantity-not-stated",
        });
      refused("EVENT_INVALID", () => judge(done[type], { billed: { value: 0 } }, "R4"));
      refused("AMOUNT_NEGATIVE", () => judge(done[type], { billed: { value: -1 } }, "R4"));
    }
  });

  it("have a line result to attest, except corrections", () => {
    expect(lineResultOf({ result: "met", amount: 5n, reason: "done" })).to.deep.equal({ result: "met" });
    expect(lineResultOf({ result: "pending", reason: "status-not-final" })).to.deep.equal({ result: "pending" });
    expect(
      lineResultOf({ result: "partlyMet", amount: 5n, share: { dispensed: 1n, billed: 2n }, reason: "done-in-part" }),
    ).to.deep.equal({ result: "partlyMet", amount: 5n });
    for (const due of [{ due: 0n }, {}])
      refused("EVENT_INVALID", () =>
        lineResultOf({ result: "correction", paid: 5n, ...due, reason: "changed-after-settlement" }),
      );
  });
});

function taskCode(...codes: string[]): { coding: { system: string; code: string }[] } {
  return { coding: codes.map((code) => ({ system: "http://hl7.org/fhir/CodeSystem/task-code", code })) };
}
