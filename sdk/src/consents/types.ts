import { TypedDataEncoder, getAddress, isAddress, isHexString, type TypedDataDomain } from "ethers";

import { schemaReader } from "../claims/schema";
import {
  anyResourceType,
  categoriesOf,
  categoryMask,
  confidentialityAt,
  confidentialityRank,
  purposeList,
  purposesOf,
  type CategoryCode,
  type ConfidentialityCode,
  type PurposeCode,
} from "../codes";
import { CarepactError, isCarepactError } from "../errors";

import grantSchema from "./grant.schema.json";

/**
 * What a patient, or a representative in scope, lets one account see. Signed under EIP-712 and kept by the grantee: on
 * chain there is nothing of it but, later, perhaps the bit that revokes it.
 */
export interface Grant {
  /** Patient id, 32 bytes. */
  patient: string;
  /** The patient's own count, below 2^32: the bit that revokes the grant. */
  number: number;
  grantee: string;
  /** Bit set, see `purposeMask`. */
  purposes: bigint;
  /** Bit set of resource types, and of the sensitivity labels that they may carry, see `categoryMask`. */
  categories: bigint;
  /** Position of the highest confidentiality, U = 0 to V = 5. */
  ceiling: number;
  /** First moment, unix seconds. */
  notBefore: number;
  /** First moment at which it no longer holds, unix seconds. */
  expiry: number;
  /** How many times it may be passed on, each time narrower; 0 to 255. */
  subGrants: number;
  /** The record's epoch in which it counts, below 2^48. */
  epoch: number;
  /** 32 random bytes that keep it from being guessed. */
  salt: string;
  /** Salted hash of the FHIR Consent it comes from, see `instrumentOf`; zero without one. */
  instrument: string;
}

/** A grant as plain JSON (`grant.schema.json`): codes by name. */
export type GrantJson = Omit<Grant, "purposes" | "categories" | "ceiling"> & {
  purposes: PurposeCode[];
  categories: CategoryCode[];
  ceiling: ConfidentialityCode;
};

/** Which registry on which chain a grant is for. */
export interface RegistryRef {
  chainId: number | bigint;
  /** Address of the consent registry's proxy. */
  registry: string;
}

/** `expiry` of a grant without an end. */
export const NO_EXPIRY = 2 ** 40 - 1;

/** `instrument` of a grant that comes from no document. */
export const NO_INSTRUMENT = `0x${"00".repeat(32)}`;

/** EIP-712 types of what is signed for the consent registry. */
export const consentTypes = {
  Grant: [
    { name: "patient", type: "bytes32" },
    { name: "number", type: "uint32" },
    { name: "grantee", type: "address" },
    { name: "purposes", type: "uint256" },
    { name: "categories", type: "uint256" },
    { name: "ceiling", type: "uint8" },
    { name: "notBefore", type: "uint40" },
    { name: "expiry", type: "uint40" },
    { name: "subGrants", type: "uint8" },
    { name: "epoch", type: "uint48" },
    { name: "salt", type: "bytes32" },
    { name: "instrument", type: "bytes32" },
  ],
};

/** EIP-712 domain of a consent registry. */
export function registryDomain(ref: RegistryRef): TypedDataDomain {
  return { name: "Carepact ConsentRegistry", version: "1", chainId: ref.chainId, verifyingContract: ref.registry };
}

/** EIP-712 struct hash of a grant: the same on every chain. @throws GRANT_MALFORMED */
export function grantHashOf(grant: Grant): string {
  return TypedDataEncoder.hashStruct("Grant", consentTypes, requireGrant(grant));
}

/**
 * What the patient signs: EIP-712 digest of a grant under chain and registry. It names the grant, in the registry and in
 * access logs. @throws GRANT_MALFORMED
 */
export function grantDigestOf(grant: Grant, ref: RegistryRef): string {
  return TypedDataEncoder.hash(registryDomain(ref), consentTypes, requireGrant(grant));
}

const wrong = (field: keyof Grant, problem: string): CarepactError =>
  new CarepactError("GRANT_MALFORMED", `${field} of the grant ${problem}.`, { path: `$.${field}` });

const WORDS = ["patient", "salt", "instrument"] as const;
const NUMBERS = { number: 32, epoch: 48, ceiling: 8, subGrants: 8, notBefore: 40, expiry: 40 } as const;
const BIT_SETS = ["purposes", "categories"] as const;

/**
 * The grant with its account checksummed and other hex in lower case.
 * @throws GRANT_MALFORMED for what no registry accepts, or what covers nothing
 */
export function requireGrant(grant: Grant): Grant {
  for (const field of WORDS) if (!isHexString(grant[field], 32)) throw wrong(field, "is not 32 bytes in hex");
  if (!isAddress(grant.grantee) || BigInt(grant.grantee) === 0n) throw wrong("grantee", "is no account");
  for (const [field, bits] of Object.entries(NUMBERS) as [keyof typeof NUMBERS, number][])
    if (!Number.isInteger(grant[field]) || grant[field] < 0 || grant[field] >= 2 ** bits)
      throw wrong(field, `is not a whole number below 2^${bits}`);
  for (const field of BIT_SETS) {
    const bits: unknown = grant[field];
    if (typeof bits !== "bigint" || bits < 0n || bits >> 256n !== 0n) throw wrong(field, "is no set of 256 bits");
  }
  if (grant.purposes === 0n) throw wrong("purposes", "names none, so that it covers nothing");
  if ((grant.categories & anyResourceType) === 0n)
    throw wrong("categories", "names no resource type, so that it covers nothing");
  if (grant.ceiling > confidentialityRank("V")) throw wrong("ceiling", "is above the highest degree, 5");
  if (grant.notBefore >= grant.expiry) throw wrong("expiry", "is not after notBefore");
  return {
    ...grant,
    patient: grant.patient.toLowerCase(),
    grantee: getAddress(grant.grantee),
    salt: grant.salt.toLowerCase(),
    instrument: grant.instrument.toLowerCase(),
  };
}

/**
 * A grant as JSON carries it, with the fewest codes that make up its bit sets.
 * @throws GRANT_MALFORMED, and CODE_UNKNOWN for a bit set that no codes of this version make up
 */
export function grantToJson(grant: Grant): GrantJson {
  const checked = requireGrant(grant);
  return {
    ...checked,
    purposes: purposesOf(checked.purposes),
    categories: categoriesOf(checked.categories),
    ceiling: confidentialityAt(checked.ceiling),
  };
}

const readJson = schemaReader<GrantJson>(grantSchema, "GRANT_MALFORMED", "grant");

/**
 * Reads a grant from JSON of whatever origin. Its signature is another matter.
 * @throws GRANT_MALFORMED, and CODE_UNKNOWN for codes that this version does not have; `details.path` names the field
 */
export function grantFromJson(value: unknown): Grant {
  const json = readJson(value);
  return requireGrant({
    ...json,
    purposes: at("$.purposes", () => purposeList.maskOf(json.purposes)),
    categories: at("$.categories", () => categoryMask(json.categories)),
    ceiling: confidentialityRank(json.ceiling),
  });
}

function at<Value>(path: string, read: () => Value): Value {
  try {
    return read();
  } catch (thrown) {
    throw isCarepactError(thrown)
      ? new CarepactError(thrown.code, thrown.message, { ...thrown.details, path })
      : thrown;
  }
}
