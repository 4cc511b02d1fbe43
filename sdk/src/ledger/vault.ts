/// <reference types="node" />
import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** What keeps a ledger's rows from whoever steals the file: names that cannot be guessed, and sealed contents. */
export interface Vault {
  /** Tells whether a ledger was made with the same secret. */
  mark: Uint8Array;
  fits(mark: Uint8Array): boolean;
  /** Key of a row: HMAC-SHA-256 of what it is about. */
  nameOf(about: string): Uint8Array;
  /** A row's text, sealed under its name (AES-256-GCM), so that rows cannot be changed or exchanged. */
  seal(name: Uint8Array, text: string): Uint8Array;
  /** @throws when the row was not sealed under this name with this secret */
  open(name: Uint8Array, sealed: Uint8Array): string;
}

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** @param secret 32 bytes. Each use has a key of its own. */
export function vaultOf(secret: Uint8Array): Vault {
  const derive = (use: string): Uint8Array =>
    createHmac("sha256", secret).update(`Carepact attestation ledger: ${use}`).digest();
  const [mark, names, contents] = [derive("mark"), derive("names"), derive("contents")];
  return {
    mark,
    fits: (other) => other.length === mark.length && timingSafeEqual(other, mark),
    nameOf: (about) => createHmac("sha256", names).update(about, "utf8").digest(),
    seal: (name, text) => {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", contents, nonce).setAAD(name);
      return joined(nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag());
    },
    open: (name, sealed) => {
      const end = sealed.length - TAG_BYTES;
      const decipher = createDecipheriv("aes-256-gcm", contents, sealed.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(name).setAuthTag(sealed.subarray(end));
      const opened = joined(decipher.update(sealed.subarray(NONCE_BYTES, end)), decipher.final());
      return new TextDecoder().decode(opened);
    },
  };
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}
