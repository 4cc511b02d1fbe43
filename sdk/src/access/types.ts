import { getAddress, isAddress, isHexString } from "ethers";

import {
  confidentialityRank,
  type ConfidentialityCode,
  type PurposeCode,
  type ResourceTypeCode,
  type SensitivityCode,
} from "../codes";
import { purposeList, resourceTypeList, sensitivityList } from "../codes/lists";
import { permissionReasons, type PermissionReason } from "../consents/reasons";
import { CarepactError, type Json } from "../errors";

/** What was done, or tried. */
export const accessActions = ["create", "read", "update", "delete", "execute"] as const;
export type AccessAction = (typeof accessActions)[number];

/** By what right. */
export type AccessBasis =
  /** The patient's grant, by its EIP-712 digest (`grantDigestOf`), in the epoch it was signed for. */
  | { kind: "grant"; grant: string; epoch: number }
  /** An emergency, in the words of who asked. */
  | { kind: "breakGlass"; justification?: string }
  /** A law or policy, by its URI. */
  | { kind: "policy"; policy: string }
  /** Entries that come from other systems may not say. */
  | { kind: "unstated" };

/**
 * Why a gateway itself refuses, besides the reasons of the consent registry: a legal basis that it does not accept; something
 * else than looking, which no grant and no emergency covers; a grant whose FHIR Consent was not brought with it, or that the
 * gateway cannot decide by; a Consent of the patient's that denies what the registry cannot see, or that was taken out of the
 * restrictions.
 */
export const gatewayReasons = [
  "PolicyNotAccepted",
  "ActionNotGranted",
  "InstrumentMissing",
  "InstrumentNotRead",
  "ConsentDenies",
  "DenialsMissing",
] as const;

/** Why a request was refused. */
export type AccessRefusal = Exclude<PermissionReason, "None"> | (typeof gatewayReasons)[number];

/** All of {@link AccessRefusal}. */
export const accessRefusals: readonly AccessRefusal[] = [
  ...permissionReasons.filter((reason) => reason !== "None"),
  ...gatewayReasons,
];

/** What came of it. */
export type AccessOutcome =
  | { result: "allowed" }
  /** The consent registry, or the gateway, said no. */
  | { result: "refused"; reason: AccessRefusal }
  /** It went wrong for another reason: FHIR R4 `AuditEvent.outcome` 4, 8 or 12. */
  | { result: "failed"; severity: "minor" | "serious" | "major" };

/** What somebody of another organization says of an access in an emergency. */
export interface AccessReview {
  /** Entry hash of what is reviewed. */
  of: string;
  justified: boolean;
  text: string;
  /** The reviewer's (ECDSA or ERC-1271), see {@link reviewMessage}. */
  signature: string;
}

/** One attempt to see or change something of a patient's record, as a gateway notes it. */
export interface AccessEntry {
  /** Patient id, 32 bytes. */
  patient: string;
  /** The gateway's count of this patient's entries, from 0, below 2^48: a gap shows. */
  number: number;
  /** Account of the gateway. */
  gateway: string;
  /** Unix seconds. */
  at: number;
  /** Account of who asked. */
  who: string;
  action: AccessAction;
  /** What it was about; at least one. */
  resourceTypes: ResourceTypeCode[];
  /** Labels of what it was about. */
  sensitivities: SensitivityCode[];
  /** Highest confidentiality of what it was about, where known. */
  confidentiality?: ConfidentialityCode;
  /** Why; none only where another system did not say. */
  purposes: PurposeCode[];
  basis: AccessBasis;
  outcome: AccessOutcome;
  /** Of an entry that is a review; `who` is the reviewer. */
  review?: AccessReview;
  /** The FHIR AuditEvent of another system, where it says more than an entry has fields for. */
  original?: { readonly [element: string]: Json };
}

/** An entry as who asked knows it: its number is the patient's business, since it tells how often others asked. */
export type AccessStatement = Omit<AccessEntry, "number">;

const MOST_NUMBERS = 2 ** 48;

/**
 * The entry in its one form: accounts checksummed, other hex in lower case, codes in the order of their bits.
 * @throws ACCESS_ENTRY_MALFORMED; CODE_UNKNOWN
 */
export function requireEntry(entry: AccessEntry): AccessEntry {
  const wrong = (field: string, problem: string): CarepactError =>
    new CarepactError("ACCESS_ENTRY_MALFORMED", `${field} of the entry ${problem}.`, { path: `$.${field}` });
  const whole = (value: number, limit: number): boolean => Number.isInteger(value) && value >= 0 && value < limit;
  const account = (field: "who" | "gateway"): string => {
    if (!isAddress(entry[field])) throw wrong(field, "is no account");
    return getAddress(entry[field]);
  };
  const { basis, outcome, review } = entry;
  if (!isHexString(entry.patient, 32)) throw wrong("patient", "is not 32 bytes in hex");
  if (!whole(entry.number, MOST_NUMBERS)) throw wrong("number", "is not a whole number below 2^48");
  // The last second that FHIR has.
  if (!whole(entry.at, 253_402_300_800)) throw wrong("at", "is no time in unix seconds");
  if (!accessActions.includes(entry.action)) throw wrong("action", `is not one of ${accessActions.join(", ")}`);
  if (entry.resourceTypes.length === 0) throw wrong("resourceTypes", "names none");
  if (basis.kind === "grant" && (!isHexString(basis.grant, 32) || !whole(basis.epoch, MOST_NUMBERS)))
    throw wrong("basis", "is no hash of a grant and epoch");
  if (basis.kind === "policy" && !/^[a-z][a-z0-9+.-]*:\S+$/i.test(basis.policy)) throw wrong("basis", "is no URI");
  if (outcome.result === "refused" && !accessRefusals.includes(outcome.reason))
    throw wrong("outcome", "has an unknown reason");
  if (review !== undefined && (!isHexString(review.of, 32) || !isHexString(review.signature)))
    throw wrong("review", "is of no entry, or not signed");
  if (entry.confidentiality !== undefined) confidentialityRank(entry.confidentiality);
  const ordered = <Code extends string>(
    list: { codes(): Code[]; entry(code: unknown, path?: string): unknown },
    codes: readonly Code[],
    field: string,
  ): Code[] => {
    codes.forEach((code, i) => list.entry(code, `$.${field}[${i}]`));
    return list.codes().filter((code) => codes.includes(code));
  };
  return {
    ...entry,
    patient: entry.patient.toLowerCase(),
    gateway: account("gateway"),
    who: account("who"),
    resourceTypes: ordered(resourceTypeList, entry.resourceTypes, "resourceTypes"),
    sensitivities: ordered(sensitivityList, entry.sensitivities, "sensitivities"),
    purposes: ordered(purposeList, entry.purposes, "purposes"),
    basis: basis.kind === "grant" ? { ...basis, grant: basis.grant.toLowerCase() } : basis,
    ...(review === undefined
      ? {}
      : { review: { ...review, of: review.of.toLowerCase(), signature: review.signature.toLowerCase() } }),
  };
}

/** The same for an entry without its number. @throws ACCESS_ENTRY_MALFORMED; CODE_UNKNOWN */
export function requireStatement(statement: AccessStatement): AccessStatement {
  return statementOf(requireEntry({ ...statement, number: 0 }));
}

/** An entry without its number. */
export function statementOf(entry: AccessEntry): AccessStatement {
  const statement: Partial<AccessEntry> & AccessStatement = { ...entry };
  delete statement.number;
  return statement;
}
