import { canonicalJson, saltedHashOf } from "../../encryption";

/** A prescription fill: what NCPDP tells fills apart by (201-B1, 402-D2, 403-D3, 401-D1). */
export interface DispenseIdentity {
  kind: "dispense";
  pharmacyNpi: string;
  prescriptionReferenceNumber: string;
  fillNumber: number;
  /**
   * Which part of the fill it is, where the pharmacy could not give all at once: absent for the first, from 2 for those that
   * complete it (NCPDP 343-HD), each a line of its own.
   */
  partialFillNumber?: number;
  /** ISO 8601 date. */
  dateOfService: string;
}

/** A laboratory test. */
export interface DiagnosticReportIdentity {
  kind: "diagnosticReport";
  clia: string;
  accessionNumber: string;
  procedureCode: string;
  /** ISO 8601 date. */
  collectionDate: string;
}

/** An item of a FHIR Claim, which names neither a fill nor an accession. */
export interface ClaimItemIdentity {
  kind: "claimItem";
  /** `Claim.provider`. */
  provider: string;
  claimId: string;
  /** `Claim.item.sequence`. */
  itemSequence: number;
  /** `Claim.item.productOrService`, as `system|code`. */
  productOrService: string;
  /** `Claim.item.servicedDate`, or the start of `servicedPeriod`. */
  serviced?: string;
}

/** The event a line is paid for. Two lines with equal identities bill the same event twice. */
export type EventIdentity = DispenseIdentity | DiagnosticReportIdentity | ClaimItemIdentity;

/** Text that is equal for equal events. Not for the chain: it is not salted. */
export function eventKeyOf(event: EventIdentity): string {
  return canonicalJson(event);
}

/** Event key of a manifest leaf: keccak256(salt ‖ canonical JSON of the identity). */
export function saltedEventKeyOf(salt: string, event: EventIdentity): string {
  return saltedHashOf(salt, event);
}
