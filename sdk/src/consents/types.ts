import { TypedDataEncoder, getAddress, isAddress, isHexString, type TypedDataDomain } from "ethers";

import { schemaReader } from "../claims/schema";
import {
  anyResourceType,
  categoriesOf,
  categoryMask,
  confidentialityAt,
  confidentialityRank,
  purposesOf,
  type CategoryCode,
  type ConfidentialityCode,
  type PurposeCode,
} from "../codes";
import { purposeList } from "../codes/lists";
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

/** What a grantee passes on of what it received: the same, or less (`SubGrant` of ConsentTypes.sol). */
export interface SubGrant {
  /** EIP-712 digest of the grant or sub-grant that this one is under. */
  parent: string;
  grantee: string;
  /** Bit set, see `purposeMask`. */
  purposes: bigint;
  /** Bit set, see `categoryMask`. */
  categories: bigint;
  /** Position of the highest confidentiality, U = 0 to V = 5. */
  ceiling: number;
  /** First moment, unix seconds. */
  notBefore: number;
  /** First moment at which it no longer holds, unix seconds. */
  expiry: number;
  /** How many times it may be passed on; less than its parent says. */
  subGrants: number;
  /** 32 random bytes. */
  salt: string;
}

/**
 * What a personal representative (parent, guardian, power of attorney) may grant, and see, in the patient's name
 * (`RepresentativeMandate` of ConsentTypes.sol). Signed by the record's controller, kept off chain.
 */
export interface RepresentativeMandate {
  /** Patient id, 32 bytes. */
  patient: string;
  /** keccak256 of the representative's ERC-7913 signer. */
  representative: string;
  /** Organization that holds a minor's record: without its good standing the mandate does not count. `NO_CUSTODIAN`: none. */
  custodian: string;
  /** Bit set, see `purposeMask`. */
  purposes: bigint;
  /** Bit set, see `categoryMask`. Categories to which a minor may consent alone are left out. */
  categories: bigint;
  /** First moment, unix seconds. */
  notBefore: number;
  /** First moment at which it, and what was granted under it, no longer counts, unix seconds. */
  end: number;
  /** The record's epoch in which it counts, below 2^48. */
  epoch: number;
  /** 32 random bytes. */
  salt: string;
}

/** A mandate with the signature of the record's controller. */
export interface SignedMandate {
  mandate: RepresentativeMandate;
  /** ERC-7913 signer of the controller, in hex. */
  signer: string;
  signature: string;
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

/** `custodian` of a mandate for a record that no organization holds. */
export const NO_CUSTODIAN = `0x${"00".repeat(20)}`;

/** EIP-712 types of all that is signed for the consent registry about grants; take the one that is signed out of them. */
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
  SubGrant: [
    { name: "parent", type: "bytes32" },
    { name: "grantee", type: "address" },
    { name: "purposes", type: "uint256" },
    { name: "categories", type: "uint256" },
    { name: "ceiling", type: "uint8" },
    { name: "notBefore", type: "uint40" },
    { name: "expiry", type: "uint40" },
    { name: "subGrants", type: "uint8" },
    { name: "salt", type: "bytes32" },
  ],
  RepresentativeMandate: [
    { name: "patient", type: "bytes32" },
    { name: "representative", type: "bytes32" },
    { name: "custodian", type: "address" },
    { name: "purposes", type: "uint256" },
    { name: "categories", type: "uint256" },
    { name: "notBefore", type: "uint40" },
    { name: "end", type: "uint40" },
    { name: "epoch", type: "uint48" },
    { name: "salt", type: "bytes32" },
  ],
  RevokeGrant: [
    { name: "patient", type: "bytes32" },
    { name: "number", type: "uint32" },
    { name: "deadline", type: "uint48" },
  ],
  RevokeAll: [
    { name: "patient", type: "bytes32" },
    { name: "epoch", type: "uint48" },
    { name: "deadline", type: "uint48" },
  ],
  RevokeDocument: [
    { name: "patient", type: "bytes32" },
    { name: "document", type: "bytes32" },
    { name: "deadline", type: "uint48" },
  ],
  RevokeOwnDocument: [
    { name: "document", type: "bytes32" },
    { name: "deadline", type: "uint48" },
  ],
  SetRestrictions: [
    { name: "patient", type: "bytes32" },
    { name: "restrictionsVersion", type: "uint32" },
    { name: "restrictionsHash", type: "bytes32" },
    { name: "deadline", type: "uint48" },
  ],
};

/** EIP-712 domain of a consent registry. */
export function registryDomain(ref: RegistryRef): TypedDataDomain {
  return { name: "Carepact ConsentRegistry", version: "1", chainId: ref.chainId, verifyingContract: ref.registry };
}

const { Grant, SubGrant, RepresentativeMandate } = consentTypes;

/** EIP-712 struct hash of a grant: the same on every chain. @throws GRANT_MALFORMED */
export function grantHashOf(grant: Grant): string {
  return TypedDataEncoder.hashStruct("Grant", { Grant }, requireGrant(grant));
}

/**
 * What the patient signs: EIP-712 digest of a grant under chain and registry. It names the grant, in the registry and in
 * access logs. @throws GRANT_MALFORMED
 */
export function grantDigestOf(grant: Grant, ref: RegistryRef): string {
  return TypedDataEncoder.hash(registryDomain(ref), { Grant }, requireGrant(grant));
}

/** What a grantee signs who passes a grant on: EIP-712 digest of the sub-grant. @throws GRANT_MALFORMED */
export function subGrantDigestOf(subGrant: SubGrant, ref: RegistryRef): string {
  return TypedDataEncoder.hash(registryDomain(ref), { SubGrant }, requireSubGrant(subGrant));
}

/** What a record's controller signs for a representative: EIP-712 digest of the mandate. @throws MANDATE_MALFORMED */
export function mandateDigestOf(mandate: RepresentativeMandate, ref: RegistryRef): string {
  return TypedDataEncoder.hash(registryDomain(ref), { RepresentativeMandate }, requireMandate(mandate));
}

/** A document whose fields are checked, by the width of each. */
interface Kind {
  code: "GRANT_MALFORMED" | "MANDATE_MALFORMED";
  name: string;
  words: readonly string[];
  accounts: readonly string[];
  numbers: Readonly<Record<string, number>>;
}

const LINK_NUMBERS = { ceiling: 8, subGrants: 8, notBefore: 40, expiry: 40 };
const GRANT: Kind = {
  code: "GRANT_MALFORMED",
  name: "grant",
  words: ["patient", "salt", "instrument"],
  accounts: ["grantee"],
  numbers: { number: 32, epoch: 48, ...LINK_NUMBERS },
};
const SUB_GRANT: Kind = {
  code: "GRANT_MALFORMED",
  name: "sub-grant",
  words: ["parent", "salt"],
  accounts: ["grantee"],
  numbers: LINK_NUMBERS,
};
const MANDATE: Kind = {
  code: "MANDATE_MALFORMED",
  name: "mandate",
  words: ["patient", "representative", "salt"],
  accounts: ["custodian"],
  numbers: { epoch: 48, notBefore: 40, end: 40 },
};

const wrong = ({ code, name }: Kind, field: string, problem: string): CarepactError =>
  new CarepactError(code, `${field} of the ${name} ${problem}.`, { path: `$.${field}` });

/** The fields of a document, each in its one spelling. Drops what does not belong there. */
function requireFields<Document extends object>(kind: Kind, document: Document): Document {
  if (typeof document !== "object" || (document as unknown) === null)
    throw new CarepactError(kind.code, `A ${kind.name} is an object.`, { path: "$" });
  const fields = document as Readonly<Record<string, unknown>>;
  const checked: Record<string, unknown> = {};
  for (const field of kind.words) {
    const word = fields[field];
    if (!isHexString(word, 32)) throw wrong(kind, field, "is not 32 bytes in hex");
    checked[field] = word.toLowerCase();
  }
  for (const field of kind.accounts) {
    const account = fields[field];
    if (!isHexString(account, 20) || !isAddress(account)) throw wrong(kind, field, "is no account");
    checked[field] = getAddress(account);
  }
  for (const [field, bits] of Object.entries(kind.numbers)) {
    const number = fields[field];
    if (typeof number !== "number" || !Number.isInteger(number) || number < 0 || number >= 2 ** bits)
      throw wrong(kind, field, `is not a whole number below 2^${bits}`);
    checked[field] = number;
  }
  for (const field of ["purposes", "categories"]) {
    const bits = fields[field];
    if (typeof bits !== "bigint" || bits < 0n || bits >> 256n !== 0n) throw wrong(kind, field, "is no set of 256 bits");
    checked[field] = bits;
  }
  if (checked["purposes"] === 0n) throw wrong(kind, "purposes", "names none, so that it covers nothing");
  if (((checked["categories"] as bigint) & anyResourceType) === 0n)
    throw wrong(kind, "categories", "names no resource type, so that it covers nothing");
  return checked as Document;
}

/** What a grant and a sub-grant have in common. */
function requireLink<Link extends Grant | SubGrant>(kind: Kind, link: Link): Link {
  const checked = requireFields(kind, link);
  if (BigInt(checked.grantee) === 0n) throw wrong(kind, "grantee", "is nobody");
  if (checked.ceiling > confidentialityRank("V")) throw wrong(kind, "ceiling", "is above the highest degree, 5");
  if (checked.notBefore >= checked.expiry) throw wrong(kind, "expiry", "is not after notBefore");
  return checked;
}

/**
 * The grant with its account checksummed and other hex in lower case.
 * @throws GRANT_MALFORMED for what no registry accepts, or what covers nothing
 */
export const requireGrant = (grant: Grant): Grant => requireLink(GRANT, grant);

/** The sub-grant, in the same form. @throws GRANT_MALFORMED */
export const requireSubGrant = (subGrant: SubGrant): SubGrant => requireLink(SUB_GRANT, subGrant);

/** The mandate, in the same form. @throws MANDATE_MALFORMED for what no registry accepts, or what covers nothing */
export function requireMandate(mandate: RepresentativeMandate): RepresentativeMandate {
  const checked = requireFields(MANDATE, mandate);
  if (checked.notBefore >= checked.end) throw wrong(MANDATE, "end", "is not after notBefore");
  return checked;
}

const BYTES = /^0x([0-9a-f]{2})*$/i;
const SHORTEST_SIGNER = 2 + 2 * 20;

/** A mandate with its signature, in the same form. @throws MANDATE_MALFORMED */
export function requireSignedMandate(signed: SignedMandate): SignedMandate {
  if (typeof signed !== "object" || (signed as unknown) === null)
    throw new CarepactError("MANDATE_MALFORMED", "A signed mandate is an object.", { path: "$" });
  const { mandate, signer, signature } = signed;
  const isBytes = (value: unknown): boolean => typeof value === "string" && BYTES.test(value);
  if (!isBytes(signer) || signer.length < SHORTEST_SIGNER) throw wrong(MANDATE, "signer", "is no ERC-7913 signer");
  if (!isBytes(signature)) throw wrong(MANDATE, "signature", "is not in hex");
  return {
    mandate: requireMandate(mandate),
    signer: signer.toLowerCase(),
    signature: signature.toLowerCase(),
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
