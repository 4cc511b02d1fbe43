import type { EventResource } from "../../sdk/src/fhir";

export type EventType = EventResource["resourceType"];

export const types: readonly EventType[] = [
  "MedicationDispense",
  "DiagnosticReport",
  "Procedure",
  "Immunization",
  "Task",
];

const subject = { display: "a patient" };

/** One resource of each type, as small as it can be to meet its line in full. */
export const done: Record<EventType, EventResource> = {
  MedicationDispense: {
    resourceType: "MedicationDispense",
    status: "completed",
    quantity: { value: 60, code: "TAB" },
    whenHandedOver: "2026-01-15T10:20:00Z",
  },
  DiagnosticReport: { resourceType: "DiagnosticReport", status: "final", code: { text: "a test" } },
  Procedure: { resourceType: "Procedure", status: "completed", subject },
  Immunization: {
    resourceType: "Immunization",
    status: "completed",
    vaccineCode: { text: "a vaccine" },
    patient: subject,
    occurrenceDateTime: "2026-01-15",
  },
  Task: {
    resourceType: "Task",
    status: "completed",
    intent: "order",
    code: { coding: [{ system: "http://hl7.org/fhir/CodeSystem/task-code", code: "fulfill" }] },
  },
};
