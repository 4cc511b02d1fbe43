// Written by `npm run codes` from sdk/src/fhir/eventMapping.json, which is held against HL7's value sets (npm packages, CC0).

/** Why an event leads to its result, in words. */
export const eventReasons = {
  "status-not-final": "The status says that it is not over.",
  "status-ended": "The status says that it will not happen.",
  "status-in-error": "It was entered in error: it did not happen.",
  "stopped-part-way": "It was begun and given up; how much of it is due, the resource does not say.",
  done: "It is done in full.",
  "done-in-part": "Less than billed was dispensed; the rest returns to the payer.",
  "part-below-one-unit": "So little was dispensed that its share is below one base unit.",
  "not-handed-over": "It is completed, but nothing says that it was handed over.",
  "quantity-missing": "A quantity was billed, but none is stated as dispensed.",
  "quantity-zero": "It is completed with a quantity of zero, which contradicts itself.",
  "quantity-not-stated": "More than one was billed, and this resource does not say how many were done.",
  "unit-differs": "Billed and dispensed quantity have different units and cannot be compared.",
  "part-fill-without-quantity-billed": "It is a part fill, but no quantity was billed to compare it with.",
  "not-first-hand": "It is completed, but reported by somebody other than who did it.",
  "dose-subpotent": "The dose is marked as too weak; whether it is due is for people to say.",
  "not-fulfilment": "It is completed, but it does not say that it carried an order out.",
  "changed-after-settlement": "The line was settled before; this says something else.",
} as const;

/** Statuses that all versions have. */
const statuses = {
  MedicationDispense: {
    preparation: { leadsTo: "pending", reason: "status-not-final" },
    "in-progress": { leadsTo: "pending", reason: "status-not-final" },
    "on-hold": { leadsTo: "pending", reason: "status-not-final" },
    unknown: { leadsTo: "pending", reason: "status-not-final" },
    completed: { leadsTo: "byQuantity", reason: "done" },
    cancelled: { leadsTo: "notMet", reason: "status-ended" },
    stopped: { leadsTo: "notMet", reason: "status-ended" },
    declined: { leadsTo: "notMet", reason: "status-ended" },
    "entered-in-error": { leadsTo: "notMet", reason: "status-in-error", corrects: true },
  },
  DiagnosticReport: {
    registered: { leadsTo: "pending", reason: "status-not-final" },
    partial: { leadsTo: "pending", reason: "status-not-final" },
    preliminary: { leadsTo: "pending", reason: "status-not-final" },
    final: { leadsTo: "met", reason: "done" },
    amended: { leadsTo: "met", reason: "done", corrects: true },
    corrected: { leadsTo: "met", reason: "done", corrects: true },
    appended: { leadsTo: "met", reason: "done", corrects: true },
    cancelled: { leadsTo: "notMet", reason: "status-ended" },
    "entered-in-error": { leadsTo: "notMet", reason: "status-in-error", corrects: true },
    unknown: { leadsTo: "pending", reason: "status-not-final" },
  },
  Procedure: {
    preparation: { leadsTo: "pending", reason: "status-not-final" },
    "in-progress": { leadsTo: "pending", reason: "status-not-final" },
    "not-done": { leadsTo: "notMet", reason: "status-ended" },
    "on-hold": { leadsTo: "pending", reason: "status-not-final" },
    stopped: { leadsTo: "pending", reason: "stopped-part-way", corrects: true },
    completed: { leadsTo: "met", reason: "done" },
    "entered-in-error": { leadsTo: "notMet", reason: "status-in-error", corrects: true },
    unknown: { leadsTo: "pending", reason: "status-not-final" },
  },
  Immunization: {
    completed: { leadsTo: "met", reason: "done" },
    "entered-in-error": { leadsTo: "notMet", reason: "status-in-error", corrects: true },
    "not-done": { leadsTo: "notMet", reason: "status-ended" },
  },
  Task: {
    draft: { leadsTo: "pending", reason: "status-not-final" },
    requested: { leadsTo: "pending", reason: "status-not-final" },
    received: { leadsTo: "pending", reason: "status-not-final" },
    accepted: { leadsTo: "pending", reason: "status-not-final" },
    rejected: { leadsTo: "notMet", reason: "status-ended" },
    ready: { leadsTo: "pending", reason: "status-not-final" },
    cancelled: { leadsTo: "notMet", reason: "status-ended" },
    "in-progress": { leadsTo: "pending", reason: "status-not-final" },
    "on-hold": { leadsTo: "pending", reason: "status-not-final" },
    failed: { leadsTo: "notMet", reason: "status-ended" },
    completed: { leadsTo: "met", reason: "done" },
    "entered-in-error": { leadsTo: "notMet", reason: "status-in-error", corrects: true },
  },
} as const;

/** By version of FHIR and resource type, what each code of the value set of `status` leads to. */
export const eventRules = {
  R4: {
    MedicationDispense: {
      valueSet: "http://hl7.org/fhir/ValueSet/medicationdispense-status|4.0.1",
      statuses: statuses.MedicationDispense,
    },
    DiagnosticReport: {
      valueSet: "http://hl7.org/fhir/ValueSet/diagnostic-report-status|4.0.1",
      statuses: statuses.DiagnosticReport,
    },
    Procedure: { valueSet: "http://hl7.org/fhir/ValueSet/event-status|4.0.1", statuses: statuses.Procedure },
    Immunization: {
      valueSet: "http://hl7.org/fhir/ValueSet/immunization-status|4.0.1",
      statuses: statuses.Immunization,
    },
    Task: { valueSet: "http://hl7.org/fhir/ValueSet/task-status|4.0.1", statuses: statuses.Task },
  },
  R5: {
    MedicationDispense: {
      valueSet: "http://hl7.org/fhir/ValueSet/medicationdispense-status|5.0.0",
      statuses: statuses.MedicationDispense,
    },
    DiagnosticReport: {
      valueSet: "http://hl7.org/fhir/ValueSet/diagnostic-report-status|5.0.0",
      statuses: { ...statuses.DiagnosticReport, modified: { leadsTo: "pending", reason: "status-not-final" } },
    },
    Procedure: { valueSet: "http://hl7.org/fhir/ValueSet/event-status|5.0.0", statuses: statuses.Procedure },
    Immunization: {
      valueSet: "http://hl7.org/fhir/ValueSet/immunization-status|5.0.0",
      statuses: statuses.Immunization,
    },
    Task: { valueSet: "http://hl7.org/fhir/ValueSet/task-status|5.0.0", statuses: statuses.Task },
  },
} as const;

/** Bit of a rulebook's event kinds by resource type. A Task is no kind of event: what it was about is. */
export const eventKindBits = { MedicationDispense: 1, DiagnosticReport: 2, Procedure: 4, Immunization: 8 } as const;
