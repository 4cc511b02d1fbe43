import { concat, decodeBase64, encodeBase64, getBytes, hexlify, toUtf8Bytes, toUtf8String } from "ethers";

import { seal, unseal, type SealingContext } from "../../encryption";
import { CarepactError } from "../../errors";

import { readDocument, type ClaimBatchPart, type SealedPartJson } from "./document";

const INFO = toUtf8Bytes("carepact claim-batch v1");

// A ciphertext is as long as its message. Filled up to whole blocks, it no longer tells one claim's size from
// another's.
const BLOCK_BYTES = 4096;

const contextOf = (batchId: string, payee: string): SealingContext => ({
  info: INFO,
  aad: getBytes(concat([batchId, payee])),
});

/** Seals a part for its payee; bound to batch and payee, so that it opens nowhere else. @throws KEY_INVALID */
export async function sealPart(part: ClaimBatchPart, publicKey: string): Promise<SealedPartJson> {
  const { batchId, payee, hpkeKeyVersion } = part;
  const text = toUtf8Bytes(JSON.stringify(part));
  const padded = new Uint8Array(Math.ceil(text.length / BLOCK_BYTES) * BLOCK_BYTES).fill(" ".charCodeAt(0));
  padded.set(text);
  const { enc, ciphertext } = await seal(publicKey, padded, contextOf(batchId, payee));
  return { payee, enc: hexlify(enc), ciphertext: encodeBase64(ciphertext), hpkeKeyVersion };
}

/** Opens a sealed part. @throws KEY_INVALID, SEALED_UNREADABLE, FILE_TAMPERED, and what {@link readDocument} throws */
export async function openPart(
  sealed: SealedPartJson,
  batchId: string,
  privateKey: string,
  path: string,
): Promise<ClaimBatchPart> {
  const opened = await unseal(
    privateKey,
    { enc: getBytes(sealed.enc), ciphertext: base64Bytes(sealed.ciphertext, `${path}.ciphertext`) },
    contextOf(batchId, sealed.payee),
  );
  let value: unknown;
  try {
    value = JSON.parse(toUtf8String(opened));
  } catch (cause) {
    throw new CarepactError("FILE_MALFORMED", "The sealed part opens, but is not JSON.", { path }, cause);
  }
  return readDocument(value, "claim-batch-part");
}

/** @internal Base64 has several spellings of the same bytes; only the one that is written here is read. */
export function base64Bytes(text: string, path: string): Uint8Array {
  let bytes: Uint8Array | undefined;
  try {
    bytes = decodeBase64(text);
  } catch {
    // Refused below, together with what decodes but is spelt otherwise.
  }
  if (bytes === undefined || encodeBase64(bytes) !== text)
    throw new CarepactError("FILE_MALFORMED", `${path} is not base64.`, { path });
  return bytes;
}
