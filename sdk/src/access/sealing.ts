import { concat, decodeBase64, encodeBase64, getBytes, hexlify, toUtf8Bytes, toUtf8String } from "ethers";

import { schemaReader } from "../claims/schema";
import { seal, unseal, type SealingContext } from "../encryption";
import { CarepactError } from "../errors";

import sealedSchema from "./access-sealed.schema.json";
import { readHistory, type AccessHistory } from "./history";
import { readReceipt, type AccessReceipt } from "./receipt";

/** What is sealed. */
export type SealedContent = "history" | "notice";

/** Something for one reader (`access-sealed.schema.json`): HPKE, RFC 9180, bound to content, gateway and patient. */
export interface SealedAccess {
  carepact: "sealed-access";
  version: 1;
  content: SealedContent;
  gateway: string;
  patient: string;
  /** HPKE's encapsulated key, hex. */
  enc: string;
  /** Base64. */
  ciphertext: string;
}

/** What tells one sealed document from another. */
export type SealedLabel = Pick<SealedAccess, "content" | "gateway" | "patient">;

// A ciphertext is as long as its message. Filled up to whole blocks, it tells less of how much there is.
const BLOCK_BYTES = 4096;

const contextOf = ({ content, gateway, patient }: SealedLabel): SealingContext => ({
  info: toUtf8Bytes(`carepact access ${content} v1`),
  aad: getBytes(concat([gateway, patient])),
});

const readJson = schemaReader<SealedAccess>(sealedSchema, "ACCESS_HISTORY_MALFORMED", "sealed document");

/** @internal Seals a document. @throws KEY_INVALID */
export async function sealAccess(label: SealedLabel, document: object, hpkeKey: string): Promise<SealedAccess> {
  const text = toUtf8Bytes(JSON.stringify(document));
  const padded = new Uint8Array(Math.ceil(text.length / BLOCK_BYTES) * BLOCK_BYTES).fill(" ".charCodeAt(0));
  padded.set(text);
  const { enc, ciphertext } = await seal(hpkeKey, padded, contextOf(label));
  const { content, gateway, patient } = label;
  return {
    carepact: "sealed-access",
    version: 1,
    content,
    gateway,
    patient,
    enc: hexlify(enc),
    ciphertext: encodeBase64(ciphertext),
  };
}

async function open(value: unknown, content: SealedContent, privateKey: string): Promise<unknown> {
  const sealed = readJson(value);
  if (sealed.content !== content)
    throw new CarepactError("ACCESS_HISTORY_MALFORMED", `There is no ${content} in it.`, { path: "$.content" });
  let bytes: Uint8Array | undefined;
  try {
    bytes = decodeBase64(sealed.ciphertext);
  } catch {
    // Refused below, with what decodes but is spelt otherwise.
  }
  if (bytes === undefined || encodeBase64(bytes) !== sealed.ciphertext)
    throw new CarepactError("ACCESS_HISTORY_MALFORMED", "It is not base64.", { path: "$.ciphertext" });
  const opened = await unseal(privateKey, { enc: getBytes(sealed.enc), ciphertext: bytes }, contextOf(sealed));
  try {
    return JSON.parse(toUtf8String(opened));
  } catch (cause) {
    throw new CarepactError("ACCESS_HISTORY_MALFORMED", "It opens, but is not JSON.", { path: "$" }, cause);
  }
}

/**
 * Opens a history.
 * @throws KEY_INVALID, SEALED_UNREADABLE, and what {@link readHistory} throws
 */
export async function openHistory(sealed: unknown, privateKey: string): Promise<AccessHistory> {
  return readHistory(await open(sealed, "history", privateKey));
}

/**
 * Opens the notice of an access in an emergency: its receipt, to be kept.
 * @throws KEY_INVALID, SEALED_UNREADABLE, ACCESS_HISTORY_MALFORMED, ACCESS_RECEIPT_INVALID, CODE_UNKNOWN
 */
export async function openNotice(sealed: unknown, privateKey: string): Promise<AccessReceipt> {
  return readReceipt(await open(sealed, "notice", privateKey));
}
