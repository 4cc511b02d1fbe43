import type { Identifier, Reference } from "fhir/r4.js";

import type { Remittance, RemittanceParty, RemittedClaim } from "../claims/remittance/types";
import type { Json } from "../errors";

/** What a resource about a remittance needs besides it. */
export interface WriteRemittanceOptions {
  parties: { payer: RemittanceParty; payee: RemittanceParty };
}

const ACCOUNT = "urn:carepact:account";
const NPI = "http://hl7.org/fhir/sid/us-npi";
const REMITTANCE = "urn:carepact:remittance";

/** Names a remittance, or with a place in it one claim. */
export const remittanceIdentifier = ({ reference }: Remittance, place?: number): Identifier => ({
  system: REMITTANCE,
  value: place === undefined ? reference : `${reference}-${place + 1}`,
});

/** An organization by its NPI, where it has one, else by its account. */
export function organizationReference(account: string, { npi, name }: RemittanceParty): Reference {
  return {
    identifier: npi === undefined ? { system: ACCOUNT, value: account } : { system: NPI, value: npi },
    ...(name === undefined ? {} : { display: name }),
  };
}

/** An element of the FHIR Claim that a line came in as, where it came in as one. */
export function ofClaim(resource: Json | undefined, element: string): unknown {
  if (typeof resource !== "object" || resource === null || Array.isArray(resource)) return undefined;
  const claim = resource as { readonly [name: string]: Json };
  return claim["resourceType"] === "Claim" ? claim[element] : undefined;
}

/** The claim, by its FHIR id where it has one. */
export function claimReference({ claimId, lines }: RemittedClaim): Reference {
  const id = ofClaim(lines[0]?.resource, "id");
  return typeof id === "string" ? { reference: `Claim/${id}` } : { identifier: { value: claimId } };
}

/** Unix seconds as a FHIR date, UTC. */
export const fhirDate = (seconds: number): string => new Date(seconds * 1_000).toISOString().slice(0, 10);
