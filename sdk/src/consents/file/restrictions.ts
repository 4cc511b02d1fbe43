import { getAddress, isHexString, toBeHex } from "ethers";

import { requireAddress } from "../../claims/types";
import { type CategoryCode, type PurposeCode, type ResourceTypeCode } from "../../codes";
import { purposeList, resourceTypeList, sensitivityList } from "../../codes/lists";
import { randomSalt, saltedHashOf, systemRandom, toPlainJson, type RandomSource } from "../../encryption";
import { CarepactError } from "../../errors";

import type { Restrictions } from "../grants";
import type { Scope } from "../scope";
import { normalTerms, type ConsentTerms, type Denial } from "../terms";
import type { RegistryRef } from "../types";

import { inDocument, parseConsentDocument, readConsentDocument, tamperedWith } from "./document";
import type { Packed } from "./signedGrant";

/** All that a patient's consent denies, with the salt under which the restrictions commit to it. */
export interface DenialsJson {
  salt: string;
  onlyByGrant: boolean;
  denials: Denial[];
  breakGlass: Scope[];
}

/**
 * What a patient refuses, whatever is granted (`restrictions.schema.json`). JSON as it is. Who asks has to bring the
 * document whose hash is on chain: the patient gives it, sealed, to all who hold a grant.
 */
export interface RestrictionsFile {
  carepact: "restrictions";
  version: 1;
  chainId: number;
  /** Proxy of the consent registry. */
  registry: string;
  patient: string;
  restrictions: Packed<Restrictions>;
  /** What of a consent's denials is left to who releases data, see `decide`; left out where there is no such consent. */
  denials?: DenialsJson;
}

/** Restrictions in the words of codes. */
export interface RestrictionsInput {
  /** Accounts of organizations that never see anything. */
  organizations?: readonly string[];
  /** Never for one of these, nor for what lies below. */
  purposes?: readonly PurposeCode[];
  /** Never one of these: resource types and labels, with what lies below, and labels above, which may stand for them. */
  categories?: readonly CategoryCode[];
  /** Whether an emergency may override all this; not unless it says so. */
  breakGlass?: boolean;
  /** Only tests pass their own. */
  random?: RandomSource;
}

/**
 * How salts of restrictions begin that no Consent stands behind. Others are salted hashes, and begin otherwise but for once
 * in 2^64 times: the hash on chain tells who asks with a document whose denials were taken out.
 */
const WITHOUT_DENIALS = `0x${"00".repeat(8)}`;

/** @internal Whether restrictions commit to denials of a Consent, which have to come with them. */
export const commitsToDenials = ({ salt }: Restrictions): boolean => !salt.startsWith(WITHOUT_DENIALS);

/** Restrictions under a fresh salt that says that they stand for no Consent. @throws IDENTIFIER_INVALID, CODE_UNKNOWN */
export function makeRestrictions(input: RestrictionsInput): Restrictions {
  const { organizations = [], purposes = [], categories = [], breakGlass = false, random = systemRandom } = input;
  const accounts = organizations.map((account, i) => requireAddress(account, `organizations[${i}]`));
  const labels = categories.filter((code) => sensitivityList.has(code));
  const types = categories.filter((code): code is ResourceTypeCode => !sensitivityList.has(code));
  return {
    salt: WITHOUT_DENIALS + randomSalt(random).slice(WITHOUT_DENIALS.length),
    organizations: [...new Set(accounts)].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1)),
    purposes: purposeList.maskOf(purposes),
    categories: resourceTypeList.maskOf(types) | sensitivityList.lineageOf(labels),
    breakGlass,
  };
}

/** Most organizations that restrictions name: the registry goes through them at each request. */
const MOST_ORGANIZATIONS = 256;

/**
 * The restrictions in the one spelling of each field.
 * @throws INPUT_INVALID for what the registry cannot read
 */
export function requireRestrictions(restrictions: Restrictions): Restrictions {
  const wrong = (field: keyof Restrictions, problem: string): CarepactError =>
    new CarepactError("INPUT_INVALID", `${field} of the restrictions ${problem}.`, { path: `$.${field}` });
  if (typeof restrictions !== "object" || (restrictions as unknown) === null)
    throw new CarepactError("INPUT_INVALID", "Restrictions are an object.", { path: "$" });
  const { salt, organizations, purposes, categories, breakGlass } = restrictions;
  if (!isHexString(salt, 32)) throw wrong("salt", "is not 32 bytes in hex");
  if (!Array.isArray(organizations) || organizations.length > MOST_ORGANIZATIONS)
    throw wrong("organizations", `are no list of at most ${MOST_ORGANIZATIONS}`);
  organizations.forEach((account) => {
    if (!isHexString(account, 20)) throw wrong("organizations", "have one that is no account");
  });
  for (const [field, bits] of [
    ["purposes", purposes],
    ["categories", categories],
  ] as const)
    if (typeof bits !== "bigint" || bits < 0n || bits >> 256n !== 0n) throw wrong(field, "is no set of 256 bits");
  if (typeof breakGlass !== "boolean") throw wrong("breakGlass", "is neither true nor false");
  return {
    salt: salt.toLowerCase(),
    organizations: organizations.map((account) => getAddress(account.toLowerCase())),
    purposes,
    categories,
    breakGlass,
  };
}

/**
 * The document of a patient's restrictions, for all who hold a grant.
 * @param consent The terms whose denials the restrictions stand for, and the salt that went into `restrictionsOf`
 * @throws INPUT_INVALID, IDENTIFIER_INVALID, FILE_TAMPERED if the restrictions are not of this consent
 */
export function restrictionsFileOf(
  restrictions: Restrictions,
  where: RegistryRef & { patient: string },
  consent?: { terms: ConsentTerms; salt: string },
): RestrictionsFile {
  const checked = requireRestrictions(restrictions);
  const file = {
    carepact: "restrictions",
    version: 1,
    chainId: Number(where.chainId),
    registry: requireAddress(where.registry, "registry"),
    patient: where.patient,
    restrictions: {
      ...checked,
      purposes: toBeHex(checked.purposes, 32),
      categories: toBeHex(checked.categories, 32),
    },
    ...(consent === undefined ? {} : { denials: denialsOf(consent) }),
  };
  const document = readConsentDocument(file, "restrictions");
  openRestrictions(document);
  return document;
}

function denialsOf({ terms, salt }: { terms: ConsentTerms; salt: string }): DenialsJson {
  const { onlyByGrant, denials, breakGlass } = normalTerms(terms);
  return toPlainJson({ salt, onlyByGrant, denials, breakGlass }) as unknown as DenialsJson;
}

/** Restrictions out of their document. */
export interface OpenedRestrictions extends RegistryRef {
  patient: string;
  restrictions: Restrictions;
  /** Denials for `decide`: terms that permit nothing. */
  denials?: ConsentTerms;
}

/**
 * Takes a document of restrictions apart. Whether it is the current one, only the registry knows.
 * @throws FILE_MALFORMED, FILE_WRONG_DOCUMENT, FILE_VERSION_UNSUPPORTED; FILE_TAMPERED if the restrictions do not commit to
 * the denials
 */
export function openRestrictions(file: RestrictionsFile): OpenedRestrictions {
  const document = readConsentDocument(file, "restrictions");
  const { chainId, patient, denials } = document;
  const registry = inDocument("$.registry", () => requireAddress(document.registry, "registry"));
  const restrictions = inDocument("$.restrictions", () =>
    requireRestrictions({
      ...document.restrictions,
      purposes: BigInt(document.restrictions.purposes),
      categories: BigInt(document.restrictions.categories),
    }),
  );
  if (denials === undefined) return { chainId, registry, patient: patient.toLowerCase(), restrictions };
  const { salt, ...rest } = denials;
  if (saltedHashOf(salt, rest) !== restrictions.salt)
    throw tamperedWith("$.denials", "are not what the restrictions commit to");
  return {
    chainId,
    registry,
    patient: patient.toLowerCase(),
    restrictions,
    denials: { onlyByGrant: rest.onlyByGrant, permits: [], denials: rest.denials, breakGlass: rest.breakGlass },
  };
}

/**
 * Reads the text of a document of restrictions, strictly.
 * @param options.maxBytes Largest text that is read; 1 MiB unless given.
 * @throws FILE_TOO_BIG, and what {@link openRestrictions} throws
 */
export function parseRestrictions(text: string, options: { maxBytes?: number } = {}): RestrictionsFile {
  const file = parseConsentDocument(text, "restrictions", options.maxBytes);
  openRestrictions(file);
  return file;
}
