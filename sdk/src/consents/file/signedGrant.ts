import { toBeHex } from "ethers";

import { canonicalJson, toPlainJson } from "../../encryption";
import { CarepactError, type Json } from "../../errors";
import { requireAddress } from "../../claims/types";

import { instrumentOf } from "../grants";
import {
  grantDigestOf,
  mandateDigestOf,
  NO_CUSTODIAN,
  NO_INSTRUMENT,
  requireGrant,
  requireMandate,
  requireSubGrant,
  subGrantDigestOf,
  type Grant,
  type RegistryRef,
  type RepresentativeMandate,
  type SignedMandate,
  type SubGrant,
} from "../types";

import { inDocument, parseConsentDocument, readConsentDocument, tamperedWith } from "./document";

/** A document with its bit sets in hex, 32 bytes each. */
export type Packed<Document extends { purposes: bigint; categories: bigint }> = Omit<
  Document,
  "purposes" | "categories"
> & { purposes: string; categories: string };

/**
 * What a grantee keeps and brings whenever it asks (`signed-grant.schema.json`): a grant, who signed it and by what right,
 * and how it was passed on. JSON as it is. It tells what a patient allows whom: send it sealed (`sealGrant`).
 */
export interface SignedGrant {
  carepact: "grant";
  version: 1;
  chainId: number;
  /** Proxy of the consent registry. */
  registry: string;
  grant: Packed<Grant>;
  /** ERC-7913 signer of the grant, in hex. */
  signer: string;
  signature: string;
  /** Mandate of the representative who signed the grant; left out where the patient did. */
  mandate?: { mandate: Packed<RepresentativeMandate>; signer: string; signature: string };
  /** What was passed on, in order: to begin with by the grant's grantee. */
  subGrants: { subGrant: Packed<SubGrant>; signature: string }[];
  /** The FHIR Consent of which the grant's `instrument` is the salted hash. */
  consent?: { readonly [element: string]: Json };
}

/** A grant and all it rests on, as the consent registry takes it (`GrantChain` of ConsentTypes.sol). */
export interface GrantChain {
  grant: Grant;
  signer: string;
  signature: string;
  /** With an empty signer (`0x`) where there is none. */
  mandate: SignedMandate;
  subGrants: { subGrant: SubGrant; signature: string }[];
}

/** A signed grant whose parts fit each other. Whether it is signed rightly and counts, only the registry knows. */
export interface OpenedGrant extends RegistryRef {
  chainId: number;
  chain: GrantChain;
  /** EIP-712 digests of the grant and of each sub-grant, by which they are revoked and logged. */
  documents: [grant: string, ...subGrants: string[]];
  /** What who holds it may do: the last sub-grant, or the grant. */
  last: Grant | SubGrant;
  consent?: { readonly [element: string]: Json };
}

/** `mandate` of a chain without one. */
export const NO_MANDATE: SignedMandate = {
  mandate: {
    patient: NO_INSTRUMENT,
    representative: NO_INSTRUMENT,
    custodian: NO_CUSTODIAN,
    purposes: 0n,
    categories: 0n,
    notBefore: 0,
    end: 0,
    epoch: 0,
    salt: NO_INSTRUMENT,
  },
  signer: "0x",
  signature: "0x",
};

const WORD = 32;

/** @internal A document as JSON carries it. */
export const packed = <Document extends { purposes: bigint; categories: bigint }>(
  document: Document,
): Packed<Document> => ({
  ...document,
  purposes: toBeHex(document.purposes, WORD),
  categories: toBeHex(document.categories, WORD),
});

/** @internal What {@link packed} made. */
export const unpacked = <Document extends { purposes: bigint; categories: bigint }>(
  document: Packed<Document>,
): Document =>
  ({
    ...document,
    purposes: BigInt(document.purposes),
    categories: BigInt(document.categories),
  }) as unknown as Document;

/**
 * The file of a chain.
 * @throws GRANT_MALFORMED, MANDATE_MALFORMED, IDENTIFIER_INVALID
 */
export function signedGrantOf(chain: GrantChain, ref: RegistryRef, consent?: unknown): SignedGrant {
  const { mandate } = chain;
  const file = {
    carepact: "grant",
    version: 1,
    chainId: Number(ref.chainId),
    registry: requireAddress(ref.registry, "registry"),
    grant: packed(requireGrant(chain.grant)),
    signer: chain.signer,
    signature: chain.signature,
    ...(mandate.signer === NO_MANDATE.signer
      ? {}
      : { mandate: { ...mandate, mandate: packed(requireMandate(mandate.mandate)) } }),
    subGrants: chain.subGrants.map(({ subGrant, signature }) => ({
      subGrant: packed(requireSubGrant(subGrant)),
      signature,
    })),
    ...(consent === undefined ? {} : { consent: toPlainJson(consent, "consent") }),
  };
  // Read once more as its grantee will, so that nothing leaves that it could not read.
  const document = readConsentDocument(file, "grant");
  openSignedGrant(document);
  return document;
}

/**
 * Takes a signed grant apart: each field in range, and the FHIR Consent, if there is one, that which the grant names.
 * Signatures are not looked at: the registry does that, at the moment of asking.
 * @throws FILE_MALFORMED, FILE_WRONG_DOCUMENT, FILE_VERSION_UNSUPPORTED, FILE_TAMPERED; `details.path` names the field
 */
export function openSignedGrant(file: SignedGrant): OpenedGrant {
  const document = readConsentDocument(file, "grant");
  const { chainId, signer, signature, mandate, consent } = document;
  const registry = inDocument("$.registry", () => requireAddress(document.registry, "registry"));
  const ref = { chainId, registry };
  const grant = inDocument("$.grant", () => requireGrant(unpacked<Grant>(document.grant)));
  const subGrants = document.subGrants.map((link, i) => ({
    subGrant: inDocument(`$.subGrants[${i}].subGrant`, () => requireSubGrant(unpacked<SubGrant>(link.subGrant))),
    signature: link.signature.toLowerCase(),
  }));
  const chain: GrantChain = {
    grant,
    signer: signer.toLowerCase(),
    signature: signature.toLowerCase(),
    mandate:
      mandate === undefined
        ? NO_MANDATE
        : {
            mandate: inDocument("$.mandate.mandate", () =>
              requireMandate(unpacked<RepresentativeMandate>(mandate.mandate)),
            ),
            signer: mandate.signer.toLowerCase(),
            signature: mandate.signature.toLowerCase(),
          },
    subGrants,
  };
  if (consent !== undefined && instrumentOf(grant.salt, consent) !== grant.instrument)
    throw tamperedWith("$.consent", "is not the document that the grant names");
  return {
    ...ref,
    chain,
    documents: [grantDigestOf(grant, ref), ...subGrants.map(({ subGrant }) => subGrantDigestOf(subGrant, ref))],
    last: subGrants.at(-1)?.subGrant ?? grant,
    ...(consent === undefined ? {} : { consent }),
  };
}

/**
 * Reads the text of a signed grant, strictly.
 * @param options.maxBytes Largest text that is read; 1 MiB unless given.
 * @throws FILE_TOO_BIG, and what {@link openSignedGrant} throws
 */
export function parseSignedGrant(text: string, options: { maxBytes?: number } = {}): SignedGrant {
  const file = parseConsentDocument(text, "grant", options.maxBytes);
  openSignedGrant(file);
  return file;
}

/** The text of a signed grant: the same for the same grant (RFC 8785). @throws what {@link openSignedGrant} throws */
export function signedGrantText(file: SignedGrant): string {
  openSignedGrant(file);
  return canonicalJson(file);
}

/** EIP-712 digest of what a record's controller signed: of the mandate, where there is one, and else of the grant. */
export function controllersDocumentOf({ chain, documents, ...ref }: OpenedGrant): {
  document: string;
  signature: string;
} {
  const { mandate } = chain;
  return mandate.signer === NO_MANDATE.signer
    ? { document: documents[0], signature: chain.signature }
    : { document: mandateDigestOf(mandate.mandate, ref), signature: mandate.signature };
}

/** Refuses a grant of another chain or registry. @throws GRANT_WRONG_REGISTRY */
export function requireRegistry(opened: OpenedGrant, ref: RegistryRef): OpenedGrant {
  if (opened.chainId !== Number(ref.chainId) || opened.registry.toLowerCase() !== ref.registry.toLowerCase())
    throw new CarepactError("GRANT_WRONG_REGISTRY", "The grant was signed for another chain or consent registry.", {
      chainId: opened.chainId,
      registry: opened.registry,
    });
  return opened;
}
