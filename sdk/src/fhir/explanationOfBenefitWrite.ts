import type {
  CodeableConcept,
  ExplanationOfBenefit,
  ExplanationOfBenefitInsurance,
  ExplanationOfBenefitItem,
  ExplanationOfBenefitItemAdjudication,
} from "fhir/r4.js";

import { dayOf, procedureOf } from "../claims/remittance/procedure";
import type { ClaimStatus, Remittance, RemittedLine } from "../claims/remittance/types";
import { CarepactError } from "../errors";
import type { Currency } from "../money";

import { moneyOf } from "./moneyWrite";
import {
  claimReference,
  fhirDate,
  ofClaim,
  organizationReference,
  remittanceIdentifier,
  type WriteRemittanceOptions,
} from "./remittanceWrite";

const ADJUDICATION = "http://terminology.hl7.org/CodeSystem/adjudication";
const CLAIM_TYPE = "http://terminology.hl7.org/CodeSystem/claim-type";
const ADJUSTMENT_GROUP = "https://x12.org/codes/claim-adjustment-group-codes";
const ADJUSTMENT_REASON = "https://x12.org/codes/claim-adjustment-reason-codes";

/** Why a required element has no value (FHIR's own extension). */
const UNKNOWN = {
  extension: [{ url: "http://hl7.org/fhir/StructureDefinition/data-absent-reason", valueCode: "unknown" }],
};

const dispositions: Readonly<Record<ClaimStatus, string>> = {
  "1": "Processed as primary",
  "2": "Processed as secondary",
  "3": "Processed as tertiary",
  "4": "Denied",
  "22": "Reversal of previous payment",
};

/**
 * The FHIR R4 ExplanationOfBenefit of one claim of a remittance. What is not told (a patient, a coverage) is marked as
 * unknown. FHIR has no amounts below zero here: a reversal is a cancelled explanation of what was paid before.
 * @param place Of the claim in the remittance, from 0.
 * @throws INPUT_INVALID, AMOUNT_UNSAFE
 */
export function writeExplanationOfBenefit(
  remittance: Remittance,
  place: number,
  { parties }: WriteRemittanceOptions,
): ExplanationOfBenefit {
  const claim = remittance.claims[place];
  if (claim === undefined)
    throw new CarepactError("INPUT_INVALID", `The remittance has ${remittance.claims.length} claims.`, {
      path: "place",
      place,
    });
  const { currency, payer, payee, period } = remittance;
  const reversed = claim.status === "22";
  const sign = reversed ? -1n : 1n;
  const [first] = claim.lines;
  const items = claim.lines.map((line) => itemOf(line, sign, currency));
  return {
    resourceType: "ExplanationOfBenefit",
    identifier: [remittanceIdentifier(remittance, place)],
    status: reversed ? "cancelled" : "active",
    // FHIR's claim types have none for laboratories, which bill as professionals do.
    type: coded(CLAIM_TYPE, claim.kind === "laboratory" ? "professional" : claim.kind),
    use: "claim",
    patient: ofClaim(first?.resource, "patient") ?? UNKNOWN,
    created: new Date(period.to * 1_000).toISOString(),
    insurer: organizationReference(payer, parties.payer),
    provider: organizationReference(payee, parties.payee),
    claim: claimReference(claim),
    outcome: claim.lines.some(({ outcome }) => outcome === "partlyMet") ? "partial" : "complete",
    disposition: dispositions[claim.status],
    insurance: (ofClaim(first?.resource, "insurance") ?? [
      { focal: true, coverage: UNKNOWN },
    ]) as ExplanationOfBenefitInsurance[],
    item: items,
    total: [
      { category: coded(ADJUDICATION, "submitted"), amount: moneyOf(sign * claim.charge, currency) },
      { category: coded(ADJUDICATION, "benefit"), amount: moneyOf(sign * claim.paid, currency) },
    ],
    ...(reversed
      ? {}
      : {
          payment: {
            amount: moneyOf(claim.paid, currency),
            date: fhirDate(period.to - 1),
            identifier: remittanceIdentifier(remittance),
          },
        }),
  };
}

const coded = (system: string, code: string): CodeableConcept => ({ coding: [{ system, code }] });

function itemOf(line: RemittedLine, sign: bigint, currency: Currency): ExplanationOfBenefitItem {
  const { lineNumber, charge, paid, patientShare, otherPayers, adjustments } = line;
  const day = dayOf(line);
  const entry = (code: string, amount: bigint): ExplanationOfBenefitItemAdjudication => ({
    category: coded(ADJUDICATION, code),
    amount: moneyOf(sign * amount, currency),
  });
  return {
    sequence: lineNumber,
    productOrService: productOrService(line),
    ...(day === undefined ? {} : { servicedDate: day }),
    net: moneyOf(sign * charge, currency),
    adjudication: [
      entry("submitted", charge),
      entry("eligible", paid + patientShare + otherPayers),
      entry("benefit", paid),
      ...adjustments.map(({ group, reason, amount }) => ({
        category: coded(ADJUSTMENT_GROUP, group),
        reason: coded(ADJUSTMENT_REASON, reason),
        amount: moneyOf(sign * amount, currency),
      })),
    ],
  };
}

function productOrService(line: RemittedLine): CodeableConcept {
  const { event } = line;
  if (event.kind === "claimItem") {
    const [system, code] = event.productOrService.split("|");
    if (system === undefined || code === undefined) return { text: event.productOrService };
    // A claim that came in by X12 names a qualifier there, which is no system of FHIR's.
    return system.includes(":") ? coded(system, code) : { coding: [{ code }] };
  }
  const procedure = procedureOf(line);
  if (procedure === undefined) return { text: event.kind === "dispense" ? "Prescription fill" : "Laboratory test" };
  return procedure.qualifier === "N4"
    ? coded("http://hl7.org/fhir/sid/ndc", procedure.code)
    : { coding: [{ code: procedure.code }] };
}
