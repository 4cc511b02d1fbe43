import type { ClaimItemIdentity, DiagnosticReportIdentity, DispenseIdentity } from "@carepact/sdk/claims";

import {
  codingsOf,
  elementsOf,
  identifiersOf,
  isElement,
  isExactly,
  referenceOf,
  textOf,
  valuesOf,
  type Element,
  type Identifier,
  type Reference,
} from "./elements";
import type { PreparedLine } from "./request";
import type { Server } from "./settings";
import { dayOf } from "./times";

/** Where a resource is about something else than the line. */
export type Mismatch =
  "type" | "id" | "patient" | "provider" | "prescription" | "fill" | "accession" | "code" | "product" | "date";

const NPI_SYSTEM = "http://hl7.org/fhir/sid/us-npi";
const CLIA_SYSTEM = "urn:oid:2.16.840.1.113883.4.7";
const NDC_SYSTEM = "http://hl7.org/fhir/sid/ndc";

/**
 * Everything about a resource that differs from the line it was said to report: its event identity, its patient, its
 * product. What the event identity holds has to be stated once and alike; a resource that leaves it out does not match.
 */
export function mismatchesOf(line: PreparedLine, resource: Element): Mismatch[] {
  if (resource["resourceType"] !== line.type) return ["type"];
  const { event } = line.opened;
  return [
    ...(resource["id"] === line.id ? [] : (["id"] as const)),
    ...(isSubject(line, resource) ? [] : (["patient"] as const)),
    ...(event.kind === "dispense"
      ? dispenseMismatches(event, line, resource)
      : event.kind === "diagnosticReport"
        ? reportMismatches(event, line.server, resource)
        : itemMismatches(event, line, resource)),
  ];
}

const only = (checks: readonly (readonly [Mismatch, boolean])[]): Mismatch[] =>
  checks.filter(([, matches]) => !matches).map(([name]) => name);

function dispenseMismatches(event: DispenseIdentity, { opened, server }: PreparedLine, resource: Element): Mismatch[] {
  const prescriptions = elementsOf(resource["authorizingPrescription"]).map((entry) => referenceOf(resource, entry));
  const numbers = valuesOf(
    [...identifiersOf(resource["identifier"]), ...prescriptions.flatMap(({ identifiers }) => identifiers)],
    server.prescriptionSystem ?? "",
  );
  return only([
    ["provider", isProvider(NPI_SYSTEM, event.pharmacyNpi, server.npis, resource)],
    ["prescription", isExactly(numbers, event.prescriptionReferenceNumber)],
    ["fill", isExactly(fillsOf(resource, server), String(event.fillNumber))],
    ["product", isProduct(opened.resource, resource)],
    ["date", dayOf(textOf(resource["whenPrepared"]) ?? textOf(resource["whenHandedOver"])) === event.dateOfService],
  ]);
}

function reportMismatches(event: DiagnosticReportIdentity, server: Server, resource: Element): Mismatch[] {
  const specimens = elementsOf(resource["specimen"]).map((entry) => referenceOf(resource, entry));
  const accessions = valuesOf(
    [
      ...identifiersOf(resource["identifier"]),
      ...specimens.flatMap(({ contained }) => identifiersOf(contained?.["accessionIdentifier"])),
    ],
    server.accessionSystem ?? "",
  );
  const codes = codingsOf(resource["code"]).filter(({ system }) => server.procedureSystems.includes(system ?? ""));
  return only([
    ["provider", isProvider(CLIA_SYSTEM, event.clia, server.clias, resource)],
    ["accession", isExactly(accessions, event.accessionNumber)],
    ["code", isExactly([...new Set(codes.map(({ code }) => code))], event.procedureCode)],
    ["date", dayOf(startOf(resource, "effective")) === event.collectionDate],
  ]);
}

function itemMismatches(event: ClaimItemIdentity, { type }: PreparedLine, resource: Element): Mismatch[] {
  const codings =
    type === "MedicationDispense"
      ? medicationCodings(resource)
      : codingsOf(resource[type === "Immunization" ? "vaccineCode" : "code"]);
  const spellings = codings.flatMap(({ system, code }) =>
    system === undefined ? [code] : [`${system}|${code}`, code],
  );
  const day = dayOf(happenedOf(type, resource)[0]);
  return only([
    ["code", spellings.includes(event.productOrService)],
    ["date", day !== undefined && (event.serviced === undefined || day === dayOf(event.serviced))],
  ]);
}

/** The patient is who the claim says: by an identifier with its system, or else by the literal reference. */
function isSubject({ type, subject, server }: PreparedLine, resource: Element): boolean {
  const actual = referenceOf(resource, resource[type === "Immunization" ? "patient" : "subject"]);
  const stated = subject.identifiers.map(({ system, value }) => [valuesOf(actual.identifiers, system), value] as const);
  if (stated.some(([values, value]) => values.length > 0 && !isExactly(values, value))) return false;
  if (stated.some(([values, value]) => isExactly(values, value))) return true;
  if (subject.literal === undefined || actual.literal === undefined) return false;
  return localOf(actual, server) === localOf(subject, server);
}

/** A literal reference as the server itself writes it, without its own address and without a version. */
function localOf({ literal = "" }: Reference, { baseUrl }: Server): string {
  const local = literal.startsWith(`${baseUrl}/`) ? literal.slice(baseUrl.length + 1) : literal;
  return local.replace(/\/_history\/[^/]+$/, "");
}

/**
 * An organization named as performer is the one that bills. Where none is named, the server's word stands for it, if it
 * speaks for nobody else.
 */
function isProvider(system: string, expected: string, all: readonly string[], resource: Element): boolean {
  const identifiers = elementsOf(resource["performer"])
    .map((entry) => referenceOf(resource, isElement(entry["actor"]) ? entry["actor"] : entry))
    .filter(({ type }) => type === "Organization")
    .flatMap(({ identifiers }): Identifier[] => identifiers);
  const values = valuesOf(identifiers, system);
  return values.length === 0 ? all.length === 1 : isExactly(values, expected);
}

/** Fill numbers stated, whatever type of number the extension carries. What is no number matches none. */
function fillsOf(resource: Element, { fillExtension }: Server): string[] {
  const stated = elementsOf(resource["extension"])
    .filter(({ url }) => url === fillExtension)
    .map((extension) => {
      const quantity = extension["valueQuantity"];
      return isElement(quantity)
        ? quantity["value"]
        : (extension["valueInteger"] ?? extension["valueUnsignedInt"] ?? extension["valuePositiveInt"]);
    });
  return [...new Set(stated.map((fill) => (typeof fill === "number" ? String(fill) : "")))];
}

/** What was billed as a National Drug Code and is stated as one has to be the same package. */
function isProduct(claim: unknown, resource: Element): boolean {
  const billed = isElement(claim) ? textOf(claim["productServiceId"]) : undefined;
  const stated = medicationCodings(resource).filter(({ system }) => system === NDC_SYSTEM);
  if (billed === undefined || stated.length === 0) return true;
  return stated.every(({ code }) => elevenDigits(code) === elevenDigits(billed));
}

/** An NDC as NCPDP bills it: 5-4-2 digits without hyphens; the shorter forms get their zero where the hyphens say. */
function elevenDigits(code: string): string {
  const parts = code.split("-");
  if (parts.length !== 3) return code;
  return [5, 4, 2].map((length, i) => (parts[i] ?? "").padStart(length, "0")).join("");
}

function medicationCodings(resource: Element): { system?: string; code: string }[] {
  const medication = isElement(resource["medication"]) ? resource["medication"] : {};
  const reference = referenceOf(resource, resource["medicationReference"] ?? medication["reference"]);
  return [
    ...codingsOf(resource["medicationCodeableConcept"] ?? medication["concept"]),
    ...codingsOf(reference.contained?.["code"]),
  ];
}

/** Start and end of the care that a resource reports, as FHIR wrote them. */
export function happenedOf(type: PreparedLine["type"], resource: Element): (string | undefined)[] {
  switch (type) {
    case "MedicationDispense": {
      const [prepared, handedOver] = [textOf(resource["whenPrepared"]), textOf(resource["whenHandedOver"])];
      return [prepared ?? handedOver, handedOver ?? prepared];
    }
    case "DiagnosticReport":
      return [startOf(resource, "effective"), endOf(resource, "effective")];
    case "Immunization":
      return [textOf(resource["occurrenceDateTime"]), textOf(resource["occurrenceDateTime"])];
    case "Procedure": {
      const name = ["performedDateTime", "performedPeriod"].some((key) => resource[key] !== undefined)
        ? "performed"
        : "occurrence";
      return [startOf(resource, name), endOf(resource, name)];
    }
  }
}

const periodOf = (resource: Element, name: string): Element => {
  const period = resource[`${name}Period`];
  return isElement(period) ? period : {};
};

const startOf = (resource: Element, name: string): string | undefined =>
  textOf(resource[`${name}DateTime`]) ?? textOf(periodOf(resource, name)["start"]);

const endOf = (resource: Element, name: string): string | undefined =>
  textOf(resource[`${name}DateTime`]) ?? textOf(periodOf(resource, name)["end"]) ?? startOf(resource, name);
