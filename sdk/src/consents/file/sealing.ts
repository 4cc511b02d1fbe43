import { concat, encodeBase64, getBytes, hexlify, toUtf8Bytes, toUtf8String } from "ethers";

import { base64Bytes } from "../../claims/file/sealing";
import { requireAddress } from "../../claims/types";
import { canonicalJson, seal, unseal, type SealingContext } from "../../encryption";
import { CarepactError } from "../../errors";

import {
  inDocument,
  MAX_CONSENT_FILE_BYTES,
  parseConsentDocument,
  readConsentDocument,
  tamperedWith,
} from "./document";
import { openRestrictions, parseRestrictions, type RestrictionsFile } from "./restrictions";
import { openSignedGrant, parseSignedGrant, type SignedGrant } from "./signedGrant";

/** What only one organization can open (`sealed.schema.json`). JSON as it is. */
export interface SealedDocument<Kind extends string> {
  carepact: Kind;
  version: 1;
  /** Account of the organization. */
  organization: string;
  /** HPKE's encapsulated key, hex. */
  enc: string;
  /** Base64. */
  ciphertext: string;
  /** Version of the organization's key in the organization registry. */
  hpkeKeyVersion: number;
}

/** A signed grant, sealed for who may use it. */
export type SealedGrant = SealedDocument<"sealed-grant">;
/** A document of restrictions, sealed for an organization that holds a grant. */
export type SealedRestrictions = SealedDocument<"sealed-restrictions">;

/** X25519 key, as the organization registry has it (`hpkeKey`, `hpkeKeyVersion`). */
export interface ReceiverKey {
  publicKey: string;
  version: number;
}

type Kind = "sealed-grant" | "sealed-restrictions";

// Filled up to whole blocks, a ciphertext does not tell how much was granted, or whether it was passed on.
const BLOCK_BYTES = 4096;

/** Longest text of what is sealed: base64 is a third longer than what it holds. */
const MAX_SEALED_BYTES = 2 * MAX_CONSENT_FILE_BYTES;

const contextOf = (kind: Kind, organization: string): SealingContext => ({
  info: toUtf8Bytes(`carepact ${kind} v1`),
  aad: getBytes(concat([organization])),
});

async function sealFor(kind: Kind, document: unknown, organization: string, key: ReceiverKey): Promise<unknown> {
  const text = toUtf8Bytes(canonicalJson(document));
  const padded = new Uint8Array(Math.ceil(text.length / BLOCK_BYTES) * BLOCK_BYTES).fill(" ".charCodeAt(0));
  padded.set(text);
  const { enc, ciphertext } = await seal(key.publicKey, padded, contextOf(kind, organization));
  return {
    carepact: kind,
    version: 1,
    organization,
    enc: hexlify(enc),
    ciphertext: encodeBase64(ciphertext),
    hpkeKeyVersion: key.version,
  };
}

async function openFor(
  kind: Kind,
  document: SealedGrant | SealedRestrictions,
  privateKey: string,
): Promise<{ organization: string; text: string }> {
  const organization = inDocument("$.organization", () => requireAddress(document.organization, "organization"));
  const opened = await unseal(
    privateKey,
    { enc: getBytes(document.enc), ciphertext: base64Bytes(document.ciphertext, "$.ciphertext") },
    contextOf(kind, organization),
  );
  try {
    return { organization, text: toUtf8String(opened) };
  } catch (cause) {
    throw new CarepactError("FILE_MALFORMED", "What was sealed opens, but is no text.", { path: "$" }, cause);
  }
}

/**
 * Seals a signed grant for who may use it: the grantee of its last link.
 * @throws KEY_INVALID, and what `openSignedGrant` throws
 */
export async function sealGrant(file: SignedGrant, key: ReceiverKey): Promise<SealedGrant> {
  const { grantee } = openSignedGrant(file).last;
  return readConsentDocument(await sealFor("sealed-grant", file, grantee, key), "sealed-grant");
}

/**
 * Opens a sealed grant with the grantee's key.
 * @throws KEY_INVALID, SEALED_UNREADABLE; FILE_TAMPERED if it is for another grantee than it says; FILE_MALFORMED,
 * FILE_WRONG_DOCUMENT, FILE_VERSION_UNSUPPORTED, FILE_TOO_BIG
 */
export async function openSealedGrant(sealed: SealedGrant, privateKey: string): Promise<SignedGrant> {
  const document = readConsentDocument(sealed, "sealed-grant");
  const { organization, text } = await openFor("sealed-grant", document, privateKey);
  const file = parseSignedGrant(text);
  if (openSignedGrant(file).last.grantee !== organization)
    throw tamperedWith("$.organization", "is not whom the grant is for");
  return file;
}

/** Reads the text of a sealed grant. @throws FILE_TOO_BIG, FILE_MALFORMED, FILE_WRONG_DOCUMENT, FILE_VERSION_UNSUPPORTED */
export const parseSealedGrant = (text: string, options: { maxBytes?: number } = {}): SealedGrant =>
  parseConsentDocument(text, "sealed-grant", options.maxBytes ?? MAX_SEALED_BYTES);

/**
 * Seals a document of restrictions for an organization that holds a grant.
 * @throws KEY_INVALID, IDENTIFIER_INVALID, and what `openRestrictions` throws
 */
export async function sealRestrictions(
  file: RestrictionsFile,
  organization: string,
  key: ReceiverKey,
): Promise<SealedRestrictions> {
  openRestrictions(file);
  const account = requireAddress(organization, "organization");
  return readConsentDocument(await sealFor("sealed-restrictions", file, account, key), "sealed-restrictions");
}

/** Opens a sealed document of restrictions. @throws as {@link openSealedGrant} */
export async function openSealedRestrictions(
  sealed: SealedRestrictions,
  privateKey: string,
): Promise<RestrictionsFile> {
  const document = readConsentDocument(sealed, "sealed-restrictions");
  const { text } = await openFor("sealed-restrictions", document, privateKey);
  return parseRestrictions(text);
}

/** Reads the text of a sealed document of restrictions. @throws as {@link parseSealedGrant} */
export const parseSealedRestrictions = (text: string, options: { maxBytes?: number } = {}): SealedRestrictions =>
  parseConsentDocument(text, "sealed-restrictions", options.maxBytes ?? MAX_SEALED_BYTES);
