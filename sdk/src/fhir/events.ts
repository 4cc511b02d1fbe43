import type { DiagnosticReport, MedicationDispense } from "fhir/r4.js";

import type { LineResult } from "../claims/results";
import { toPlainJson } from "../encryption";
import { CarepactError } from "../errors";
import { parseDecimal, type Decimal, type DecimalInput } from "../money";

import { ElementReader, type Element } from "./read";

/** dispensed / billed in lowest terms. */
export interface Share {
  dispensed: bigint;
  billed: bigint;
}

/**
 * What an event means for the line it was billed on. Amounts in base units.
 * A *correction* changes what was settled before: nothing is paid or taken back by itself, people (or an 835 reversal)
 * do.
 */
export type EventResult =
  | { result: "pending"; reason: EventReason }
  | { result: "met"; amount: bigint; reason: EventReason }
  | { result: "partlyMet"; amount: bigint; share: Share; reason: EventReason }
  | { result: "notMet"; reason: EventReason }
  | { result: "correction"; paid: bigint; due: bigint; reason: EventReason };

/** Why an event leads to its result, in words. */
export const eventReasons = {
  "status-not-final": "The status says that it is not over.",
  "status-ended": "The status says that it will not happen.",
  "status-in-error": "It was entered in error: it did not happen.",
  done: "It is done in full.",
  "done-in-part": "Less than billed was dispensed; the rest returns to the payer.",
  "part-below-one-unit": "So little was dispensed that its share is below one base unit.",
  "not-handed-over": "It is completed, but nothing says that it was handed over.",
  "quantity-missing": "A quantity was billed, but none is stated as dispensed.",
  "quantity-zero": "It is completed with a quantity of zero, which contradicts itself.",
  "unit-differs": "Billed and dispensed quantity have different units and cannot be compared.",
  "part-fill-without-quantity-billed": "It is a part fill, but no quantity was billed to compare it with.",
  "changed-after-settlement": "The line was settled before; this says something else.",
} as const;
export type EventReason = keyof typeof eventReasons;

/** What the line says that the event is measured by. */
export interface LineTerms {
  /** Amount of the line, in base units, above zero. */
  amount: bigint;
  /** What the line was settled with, in base units, if it was: zero after *not met*. */
  paid?: bigint;
}

/** The same for a prescription fill. */
export interface DispenseTerms extends LineTerms {
  /** Quantity billed (NCPDP 442-E7, `Claim.item.quantity`), where one was. */
  billed?: { value: DecimalInput; unit?: string };
  /** Whether nothing is due before `whenHandedOver` is stated; true unless said otherwise. */
  handOverRequired?: boolean;
}

/** What a status of the FHIR resource says about the care. */
export interface StatusRule {
  /** What the status leads to; `byQuantity` compares what was dispensed with what was billed. */
  leadsTo: "pending" | "met" | "byQuantity" | "notMet";
  reason: EventReason;
  /** Whether the status itself says that something reported before was changed. */
  corrects?: true;
}

const notFinal: StatusRule = { leadsTo: "pending", reason: "status-not-final" };
const ended: StatusRule = { leadsTo: "notMet", reason: "status-ended" };
const inError: StatusRule = { leadsTo: "notMet", reason: "status-in-error", corrects: true };
const done: StatusRule = { leadsTo: "met", reason: "done" };

/**
 * FHIR R4 `MedicationDispense.status`, every code. There is no code for a part fill: quantities are compared.
 * `in-progress` is ready for pick-up.
 */
export const dispenseRules = {
  preparation: notFinal,
  "in-progress": notFinal,
  "on-hold": notFinal,
  unknown: notFinal,
  completed: { leadsTo: "byQuantity", reason: "done" },
  cancelled: ended,
  stopped: ended,
  declined: ended,
  "entered-in-error": inError,
} as const satisfies Record<string, StatusRule>;

/** FHIR R4 `DiagnosticReport.status`, every code. */
export const diagnosticReportRules = {
  registered: notFinal,
  partial: notFinal,
  preliminary: notFinal,
  unknown: notFinal,
  final: done,
  amended: { ...done, corrects: true },
  corrected: { ...done, corrects: true },
  appended: { ...done, corrects: true },
  cancelled: ended,
  "entered-in-error": inError,
} as const satisfies Record<string, StatusRule>;

/** Codes of HL7 v3 ActPharmacySupplyType that are part fills. */
const partFills = ["FFP", "RFP", "RFPS"];

const read = new ElementReader("EVENT_INVALID");

/**
 * What a FHIR R4 MedicationDispense means for the line it was billed on. No status falls through to payment: what
 * cannot be told is pending, and what is no status of the value set is refused.
 *
 * A part fill pays floor(amount x dispensed / billed): it is rounded down to a base unit, and the rest returns to the
 * payer. More dispensed than billed pays the line's amount, never more.
 * @throws EVENT_INVALID, and the AMOUNT_ codes for quantities
 */
export function dispenseResult(dispense: MedicationDispense, terms: DispenseTerms): EventResult {
  const resource = read.resource(toPlainJson(dispense, "MedicationDispense"), "MedicationDispense");
  return settleAgainst(
    terms,
    evaluate(resource, "MedicationDispense", dispenseRules, () => byQuantity(resource, terms)),
  );
}

/**
 * What a FHIR R4 DiagnosticReport means for the line it was billed on. Amended, corrected and appended reports are
 * final too; after settlement they are corrections.
 * @throws EVENT_INVALID
 */
export function diagnosticReportResult(report: DiagnosticReport, terms: LineTerms): EventResult {
  const resource = read.resource(toPlainJson(report, "DiagnosticReport"), "DiagnosticReport");
  return settleAgainst(
    terms,
    evaluate(resource, "DiagnosticReport", diagnosticReportRules, () => ({
      result: "met",
      share: whole,
      reason: "done",
    })),
  );
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

/** A result before money: which share of the line it makes due. */
type Evaluation =
  | { result: "pending" | "notMet"; reason: EventReason; corrects?: boolean }
  | { result: "met"; share: Share; reason: EventReason; corrects?: boolean };

const whole: Share = { dispensed: 1n, billed: 1n };

function evaluate(
  resource: Element,
  type: string,
  rules: Readonly<Record<string, StatusRule>>,
  done: () => Evaluation,
): Evaluation {
  const rule = rules[read.code(resource["status"], Object.keys(rules), `${type}.status`)] as StatusRule;
  const corrects = rule.corrects ?? false;
  if (rule.leadsTo === "byQuantity" || rule.leadsTo === "met") return { ...done(), corrects };
  return { result: rule.leadsTo, reason: rule.reason, corrects };
}

function byQuantity(resource: Element, { billed, handOverRequired = true }: DispenseTerms): Evaluation {
  const pending = (reason: EventReason): Evaluation => ({ result: "pending", reason });
  const handedOver = read.date(resource["whenHandedOver"], "MedicationDispense.whenHandedOver");
  if (handOverRequired && handedOver === undefined) return pending("not-handed-over");

  const quantity = read.quantity(resource["quantity"], "MedicationDispense.quantity");
  if (quantity?.exact.digits === 0n) return pending("quantity-zero");
  if (billed === undefined)
    return isPartFill(resource)
      ? pending("part-fill-without-quantity-billed")
      : { result: "met", share: whole, reason: "done" };

  if (quantity === undefined) return pending("quantity-missing");
  if (billed.unit !== undefined && (quantity.unit === undefined || unitOf(billed.unit) !== unitOf(quantity.unit)))
    return pending("unit-differs");

  const share = shareOf(quantity.exact, parseDecimal(billed.value, "billed.value"));
  return share.dispensed >= share.billed
    ? { result: "met", share: whole, reason: "done" }
    : { result: "met", share, reason: "done-in-part" };
}

function isPartFill(resource: Element): boolean {
  if (resource["type"] === undefined) return false;
  const path = "MedicationDispense.type";
  return read
    .list(read.element(resource["type"], path)["coding"], `${path}.coding`)
    .some((entry, i) => partFills.includes(String(read.element(entry, `${path}.coding[${i}]`)["code"])));
}

/** UCUM writes the litre `l` or `L`; every other unit means what its letters say, in their case (`Mg` is not `mg`). */
const unitOf = (unit: string): string => unit.replace(/^([afpnumcdhk]?)l$/, "$1L");

function shareOf(dispensed: Decimal, billed: Decimal): Share {
  if (billed.digits === 0n)
    throw new CarepactError("EVENT_INVALID", "The quantity billed is zero.", { path: "billed.value" });
  const scale = Math.max(dispensed.scale, billed.scale);
  const [a, b] = [dispensed, billed].map((entry) => entry.digits * 10n ** BigInt(scale - entry.scale)) as [
    bigint,
    bigint,
  ];
  const divisor = gcd(a, b);
  return { dispensed: a / divisor, billed: b / divisor };
}

function gcd(a: bigint, b: bigint): bigint {
  return b === 0n ? a : gcd(b, a % b);
}

function settleAgainst(terms: LineTerms, evaluation: Evaluation): EventResult {
  const { amount, paid } = terms;
  if (typeof amount !== "bigint" || amount <= 0n)
    throw new CarepactError("EVENT_INVALID", "The amount of a line is above zero.", { path: "amount", amount });
  if (paid !== undefined && (typeof paid !== "bigint" || paid < 0n || paid > amount))
    throw new CarepactError("EVENT_INVALID", "A line is paid between zero and its amount.", { path: "paid", paid });

  const result = moneyOf(evaluation, amount);
  if (paid === undefined || result.result === "pending") return result;
  const due = "amount" in result ? result.amount : 0n;
  // An error in a report that paid nothing takes nothing back.
  return due === paid && (!evaluation.corrects || paid === 0n)
    ? result
    : { result: "correction", paid, due, reason: "changed-after-settlement" };
}

function moneyOf(evaluation: Evaluation, amount: bigint): Exclude<EventResult, { result: "correction" }> {
  const { result, reason } = evaluation;
  if (result !== "met") return { result, reason };
  const { dispensed, billed } = evaluation.share;
  if (dispensed === billed) return { result, amount, reason };
  const part = (amount * dispensed) / billed;
  return part === 0n
    ? { result: "notMet", reason: "part-below-one-unit" }
    : { result: "partlyMet", amount: part, share: evaluation.share, reason };
}
