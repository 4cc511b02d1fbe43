import type * as r4 from "fhir/r4.js";
import type * as r5 from "fhir/r5.js";

import type { LineResult } from "../claims/results";
import { toPlainJson } from "../encryption";
import { CarepactError } from "../errors";
import type { DecimalInput } from "../money";

import { settleAgainst, wait, type Evaluation } from "./eventMoney";
import { byQuantity, byUnit } from "./eventQuantity";
import { eventRules, type eventReasons } from "./eventTables";
import { ElementReader, type Element } from "./read";

/** dispensed / billed in lowest terms. */
export interface Share {
  dispensed: bigint;
  billed: bigint;
}

/** Why an event leads to its result; `eventReasons` has the words. */
export type EventReason = keyof typeof eventReasons;

/**
 * What an event means for the line it was billed on. Amounts in base units.
 * A *correction* changes what was settled before: nothing is paid or taken back by itself, people (or an 835 reversal)
 * do. `due` is absent where the resource does not tell how much would be.
 */
export type EventResult =
  | { result: "pending"; reason: EventReason }
  | { result: "met"; amount: bigint; reason: EventReason }
  | { result: "partlyMet"; amount: bigint; share: Share; reason: EventReason }
  | { result: "notMet"; reason: EventReason }
  | { result: "correction"; paid: bigint; due?: bigint; reason: EventReason };

/** What the line says that the event is measured by. */
export interface LineTerms {
  /** Amount of the line, in base units, above zero. */
  amount: bigint;
  /** What the line was settled with, in base units, if it was: zero after *not met*. */
  paid?: bigint;
  /**
   * Quantity billed (NCPDP 442-E7, `Claim.item.quantity`), where one was. Only a MedicationDispense says how many: for
   * another event, more than one is never met. Leave it out where one event covers all that was billed.
   */
  billed?: { value: DecimalInput; unit?: string };
}

/** The same for a prescription fill. */
export interface DispenseTerms extends LineTerms {
  /** Whether nothing is due before `whenHandedOver` is stated; true unless said otherwise. */
  handOverRequired?: boolean;
}

/** Version of FHIR that a resource is written in. */
export type FhirVersion = keyof typeof eventRules;

/** How to read an event. */
export interface EventOptions {
  /** A resource does not tell its version, and a code may be in one of them only; R4 unless said otherwise. */
  fhirVersion?: FhirVersion;
}

/** What a status of the FHIR resource says about the care. */
export interface StatusRule {
  /** What the status leads to; `byQuantity` compares what was dispensed with what was billed. */
  leadsTo: "pending" | "met" | "byQuantity" | "notMet";
  reason: EventReason;
  /** Whether the status itself speaks against what was paid before. */
  corrects?: true;
}

/** A resource that says whether care happened. */
export type EventResource =
  | r4.MedicationDispense
  | r4.DiagnosticReport
  | r4.Procedure
  | r4.Immunization
  | r4.Task
  | r5.MedicationDispense
  | r5.DiagnosticReport
  | r5.Procedure
  | r5.Immunization
  | r5.Task;

type EventType = keyof (typeof eventRules)[FhirVersion];

const read = new ElementReader("EVENT_INVALID");

/**
 * What a FHIR MedicationDispense means for the line it was billed on. No status falls through to payment: what cannot
 * be told is pending, and what is no status of the value set is refused.
 *
 * A part fill pays floor(amount x dispensed / billed): it is rounded down to a base unit, and the rest returns to the
 * payer. More dispensed than billed pays the line's amount, never more.
 * @throws EVENT_INVALID, and the AMOUNT_ codes for quantities
 */
export function dispenseResult(
  dispense: r4.MedicationDispense | r5.MedicationDispense,
  terms: DispenseTerms,
  options?: EventOptions,
): EventResult {
  return resultOf("MedicationDispense", dispense, terms, options);
}

/**
 * What a FHIR DiagnosticReport means for the line it was billed on. Amended, corrected and appended reports are final
 * too; after settlement they are corrections.
 * @throws EVENT_INVALID, and the AMOUNT_ codes for the quantity billed
 */
export function diagnosticReportResult(
  report: r4.DiagnosticReport | r5.DiagnosticReport,
  terms: LineTerms,
  options?: EventOptions,
): EventResult {
  return resultOf("DiagnosticReport", report, terms, options);
}

/**
 * What a FHIR Procedure means for the line it was billed on. One that was stopped part-way is pending: how much of it is
 * due, no element says. What somebody else reports of it (R5 `reported[x]`) is pending, too.
 * @throws EVENT_INVALID, and the AMOUNT_ codes for the quantity billed
 */
export function procedureResult(
  procedure: r4.Procedure | r5.Procedure,
  terms: LineTerms,
  options?: EventOptions,
): EventResult {
  return resultOf("Procedure", procedure, terms, options);
}

/**
 * What a FHIR Immunization means for the line it was billed on. A dose marked as subpotent, and one that somebody else
 * reports than who gave it, are pending. `doseQuantity` is how much vaccine was given, and no quantity billed.
 * @throws EVENT_INVALID, and the AMOUNT_ codes for the quantity billed
 */
export function immunizationResult(
  immunization: r4.Immunization | r5.Immunization,
  terms: LineTerms,
  options?: EventOptions,
): EventResult {
  return resultOf("Immunization", immunization, terms, options);
}

/**
 * What a FHIR Task means for the line of the order that it fulfils. Completed pays only with the code `fulfill` of HL7's
 * task-code and the intent of an order: a completed task may have been to cancel that order.
 * @throws EVENT_INVALID, and the AMOUNT_ codes for the quantity billed
 */
export function taskResult(task: r4.Task | r5.Task, terms: LineTerms, options?: EventOptions): EventResult {
  return resultOf("Task", task, terms, options);
}

/**
 * What any of these resources means for its line, by its `resourceType`. `handOverRequired` is for a MedicationDispense
 * only.
 * @throws EVENT_INVALID, and the AMOUNT_ codes for quantities
 */
export function eventResult(resource: EventResource, terms: DispenseTerms, options?: EventOptions): EventResult {
  const { resourceType } = read.element(resource, "resource");
  return resultOf(read.code(resourceType, eventTypes, "resourceType"), resource, terms, options);
}

/**
 * The line result to attest for an event. A correction has none, since its line is settled.
 * @throws EVENT_INVALID for a correction
 */
export function lineResultOf(event: EventResult): LineResult {
  switch (event.result) {
    case "partlyMet":
      return { result: "partlyMet", amount: event.amount };
    case "correction":
      throw new CarepactError(
        "EVENT_INVALID",
        "The line was settled before; a correction is not attested, but refunded or billed anew.",
        { paid: event.paid, due: event.due },
      );
    default:
      return { result: event.result };
  }
}

/** What is due where the status leads to payment. */
const dueOf: Record<EventType, (resource: Element, terms: DispenseTerms) => Evaluation> = {
  MedicationDispense: (dispense, terms) => byQuantity(read, dispense, terms),
  DiagnosticReport: (_, terms) => byUnit(terms),
  Procedure: (procedure, terms) => (isReported(procedure) ? wait("not-first-hand", true) : byUnit(terms)),
  Immunization(immunization, terms) {
    if (!isByAdministrator(immunization)) return wait("not-first-hand", true);
    const subpotent = read.flag(immunization["isSubpotent"], "Immunization.isSubpotent");
    return subpotent === true ? wait("dose-subpotent", true) : byUnit(terms);
  },
  Task: (task, terms) => (isFulfilment(task) ? byUnit(terms) : wait("not-fulfilment", true)),
};

const eventTypes = Object.keys(dueOf) as EventType[];

function resultOf(
  type: EventType,
  resource: unknown,
  terms: DispenseTerms,
  { fhirVersion = "R4" }: EventOptions = {},
): EventResult {
  const version = read.code(fhirVersion, Object.keys(eventRules) as FhirVersion[], "fhirVersion");
  const rules: Readonly<Record<string, StatusRule>> = eventRules[version][type].statuses;
  const event = read.resource(toPlainJson(resource, type), type);
  if (read.flag(event["doNotPerform"], `${type}.doNotPerform`) === true)
    throw read.refuse(`${type}.doNotPerform`, "asks that something is not done, which is nothing to pay for");
  const rule = rules[read.code(event["status"], Object.keys(rules), `${type}.status`)] as StatusRule;
  return settleAgainst(
    terms,
    evaluate(rule, () => dueOf[type](event, terms)),
  );
}

function evaluate({ leadsTo, reason, corrects }: StatusRule, due: () => Evaluation): Evaluation {
  if (leadsTo === "pending" || leadsTo === "notMet") return { result: leadsTo, reason, corrects };
  const evaluation = due();
  return { ...evaluation, corrects: corrects ?? evaluation.corrects };
}

/** R5 `Procedure.reported[x]`: a record of what somebody told, or a reference to who did. */
const isReported = (procedure: Element): boolean =>
  read.flag(procedure["reportedBoolean"], "Procedure.reportedBoolean") === true ||
  procedure["reportedReference"] !== undefined;

/** Unless `primarySource` says so, another source named in R4's or R5's element stands against it. */
const isByAdministrator = (immunization: Element): boolean =>
  read.flag(immunization["primarySource"], "Immunization.primarySource") ??
  (immunization["reportOrigin"] === undefined && immunization["informationSource"] === undefined);

const TASK_CODE = "http://hl7.org/fhir/CodeSystem/task-code";

/** Codes of request-intent that authorize what the task is about. */
const orders: readonly unknown[] = ["order", "original-order", "reflex-order", "filler-order", "instance-order"];

function isFulfilment(task: Element): boolean {
  if (task["code"] === undefined) return false;
  const codes = read
    .list(read.element(task["code"], "Task.code")["coding"], "Task.code.coding")
    .map((entry, i) => read.element(entry, `Task.code.coding[${i}]`))
    .flatMap(({ system, code }) => (system === TASK_CODE ? [code] : []));
  return codes.length > 0 && codes.every((code) => code === "fulfill") && orders.includes(task["intent"]);
}
