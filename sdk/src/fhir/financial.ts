import type { ClaimKind } from "../claims/input/adjudicated";
import { CarepactError } from "../errors";

import type { Element, ElementReader } from "./read";

/** Whether something may be funded, and else the element that speaks against it. */
export type Fundability = { fundable: true } | { fundable: false; reason: { path: string; value: string } };

/** FHIR's claim types: none of them is for laboratories. */
export type FhirClaimKind = Exclude<ClaimKind, "laboratory">;

const kinds = ["pharmacy", "professional", "institutional", "oral", "vision"] as const;
const uses = ["claim", "preauthorization", "predetermination"] as const;
const statuses = ["active", "cancelled", "draft", "entered-in-error"] as const;

const CLAIM_TYPE_SYSTEM = "http://terminology.hl7.org/CodeSystem/claim-type";

/** Only what is active, and for care that is billed, may be funded. */
export function fundabilityOf(reader: ElementReader, resource: Element, type: string): Fundability {
  const status = reader.code(resource["status"], statuses, `${type}.status`);
  const use = reader.code(resource["use"], uses, `${type}.use`);
  if (status !== "active") return { fundable: false, reason: { path: `${type}.status`, value: status } };
  if (use !== "claim") return { fundable: false, reason: { path: `${type}.use`, value: use } };
  return { fundable: true };
}

/** @throws CLAIM_NOT_FUNDABLE, naming the element that speaks against it */
export function requireFundable(read: Fundability): void {
  if (read.fundable) return;
  const { path, value } = read.reason;
  throw new CarepactError(
    "CLAIM_NOT_FUNDABLE",
    `${path} is ${value}: only what is active, complete and about care that is billed can be funded.`,
    { path, value },
  );
}

/** `type` of a Claim, or of an answer to one. */
export function kindOf(reader: ElementReader, type: unknown, path: string): FhirClaimKind {
  const codings = reader.list(reader.element(type, path)["coding"], `${path}.coding`);
  for (const [i, entry] of codings.entries()) {
    const coding = reader.element(entry, `${path}.coding[${i}]`);
    if (coding["system"] === CLAIM_TYPE_SYSTEM) return reader.code(coding["code"], kinds, `${path}.coding[${i}].code`);
  }
  throw reader.refuse(`${path}.coding`, `has no code of ${CLAIM_TYPE_SYSTEM}`);
}

/** `id`, or else `system|value` of the first identifier. */
export function resourceIdOf(reader: ElementReader, resource: Element, type: string): string {
  if (resource["id"] !== undefined) return reader.text(resource["id"], `${type}.id`);
  const [first] = reader.list(resource["identifier"], `${type}.identifier`);
  return reader.identifier(first, `${type}.identifier[0]`);
}
