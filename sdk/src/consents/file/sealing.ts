import { concat, encodeBase64, getBytes, hexlify, toUtf8Bytes, toUtf8String } from "ethers";

import { base64Bytes } from "../../claims/file/sealing";
import { seal, unseal, type SealingContext } from "../../encryption";
import { CarepactError } from "../../errors";
import { requireAddress } from "../../claims/types";

import { inDocument, parseConsentDocument, readConsentDocument, tamperedWith } from "./document";
import { openSignedGrant, parseSignedGrant, signedGrantText, type SignedGrant } from "./signedGrant";

/** A signed grant that only its grantee can open (`sealed-grant.schema.json`). JSON as it is. */
export interface SealedGrant {
  carepact: "sealed-grant";
  version: 1;
  grantee: string;
  /** HPKE's encapsulated key, hex. */
  enc: string;
  /** Base64. */
  ciphertext: string;
  /** Version of the grantee's key in the organization registry. */
  hpkeKeyVersion: number;
}

const INFO = toUtf8Bytes("carepact grant v1");

// Filled up to whole blocks, a ciphertext does not tell how much was granted, or whether it was passed on.
const BLOCK_BYTES = 4096;

const contextOf = (grantee: string): SealingContext => ({ info: INFO, aad: getBytes(concat([grantee])) });

/**
 * Seals a signed grant for who may use it: the grantee of its last link.
 * @param key X25519 key, as the organization registry has it (`hpkeKey`, `hpkeKeyVersion`).
 * @throws KEY_INVALID, and what `openSignedGrant` throws
 */
export async function sealGrant(file: SignedGrant, key: { publicKey: string; version: number }): Promise<SealedGrant> {
  const { grantee } = openSignedGrant(file).last;
  const text = toUtf8Bytes(signedGrantText(file));
  const padded = new Uint8Array(Math.ceil(text.length / BLOCK_BYTES) * BLOCK_BYTES).fill(" ".charCodeAt(0));
  padded.set(text);
  const { enc, ciphertext } = await seal(key.publicKey, padded, contextOf(grantee));
  return readConsentDocument(
    {
      carepact: "sealed-grant",
      version: 1,
      grantee,
      enc: hexlify(enc),
      ciphertext: encodeBase64(ciphertext),
      hpkeKeyVersion: key.version,
    },
    "sealed-grant",
  );
}

/**
 * Opens a sealed grant with the grantee's key.
 * @throws KEY_INVALID, SEALED_UNREADABLE; FILE_TAMPERED if it is for another grantee than it says; FILE_MALFORMED,
 * FILE_WRONG_DOCUMENT, FILE_VERSION_UNSUPPORTED, FILE_TOO_BIG
 */
export async function openSealedGrant(sealed: SealedGrant, privateKey: string): Promise<SignedGrant> {
  const document = readConsentDocument(sealed, "sealed-grant");
  const grantee = inDocument("$.grantee", () => requireAddress(document.grantee, "grantee"));
  const opened = await unseal(
    privateKey,
    { enc: getBytes(document.enc), ciphertext: base64Bytes(document.ciphertext, "$.ciphertext") },
    contextOf(grantee),
  );
  let text: string;
  try {
    text = toUtf8String(opened);
  } catch (cause) {
    throw new CarepactError("FILE_MALFORMED", "The sealed grant opens, but is no text.", { path: "$" }, cause);
  }
  const file = parseSignedGrant(text);
  if (openSignedGrant(file).last.grantee !== grantee) throw tamperedWith("$.grantee", "is not whom the grant is for");
  return file;
}

/** Reads the text of a sealed grant. @throws FILE_TOO_BIG, FILE_MALFORMED, FILE_WRONG_DOCUMENT, FILE_VERSION_UNSUPPORTED */
export const parseSealedGrant = (text: string, options: { maxBytes?: number } = {}): SealedGrant =>
  parseConsentDocument(text, "sealed-grant", options.maxBytes);
