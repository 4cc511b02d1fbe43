import type { Procedure } from "../../x12/types";

import type { RemittedLine } from "./types";

/** Code systems of `Claim.item.productOrService` with their qualifier in SVC01. */
const qualifiers: Readonly<Record<string, string>> = {
  "http://www.ama-assn.org/go/cpt": "HC",
  "urn:oid:2.16.840.1.113883.6.285": "HC",
  "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets": "HC",
  "http://www.ada.org/cdt": "AD",
  "http://hl7.org/fhir/sid/ndc": "N4",
};

/** A National Drug Code as claims carry it: 5-4-2 digits without hyphens. */
const NDC = /^[0-9]{11}$/;

/** What was done, as SVC01 names it, where the line's claim says so in a list that X12 knows. */
export function procedureOf({ event, resource }: Pick<RemittedLine, "event" | "resource">): Procedure | undefined {
  const named = (qualifier: string, code: string): Procedure => ({ qualifier, code, modifiers: [] });
  switch (event.kind) {
    case "diagnosticReport":
      return named("HC", event.procedureCode);
    case "dispense": {
      const drug =
        typeof resource === "object" && resource !== null && "productServiceId" in resource
          ? resource.productServiceId
          : undefined;
      return typeof drug === "string" && NDC.test(drug) ? named("N4", drug) : undefined;
    }
    case "claimItem": {
      const [system, code] = event.productOrService.split("|");
      const qualifier = qualifiers[system ?? ""];
      return qualifier === undefined || code === undefined ? undefined : named(qualifier, code);
    }
  }
}

/** The day of the event, as `YYYY-MM-DD`, where it is known to the day. */
export function dayOf({ event }: Pick<RemittedLine, "event">): string | undefined {
  const day =
    event.kind === "dispense"
      ? event.dateOfService
      : event.kind === "diagnosticReport"
        ? event.collectionDate
        : event.serviced?.slice(0, 10);
  return day !== undefined && /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(day) ? day : undefined;
}
