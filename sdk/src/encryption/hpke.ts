import { Aes256Gcm, CipherSuite, HkdfSha256 } from "@hpke/core";
import { DhkemX25519HkdfSha256 } from "@hpke/dhkem-x25519";
import { getBytes, hexlify, isHexString } from "ethers";

import { CarepactError } from "../errors";

/** An X25519 key pair, each key 32 bytes in hex. */
export interface SealingKeyPair {
  publicKey: string;
  privateKey: string;
}

/** A message sealed for one receiver. */
export interface Sealed {
  /** HPKE's encapsulated key: 32 bytes. */
  enc: Uint8Array;
  ciphertext: Uint8Array;
}

/** What both sides have to agree on, without it being secret. */
export interface SealingContext {
  /** Says what kind of message this is. */
  info: Uint8Array;
  /** Says which message this is. */
  aad: Uint8Array;
}

const KEY_BYTES = 32;

/**
 * The part of @hpke/core used here. Its own declarations name DOM's CryptoKey, which projects for Node do not know;
 * keys pass through here unseen anyhow.
 */
interface Suite {
  kem: {
    generateKeyPair(): Promise<{ publicKey: unknown; privateKey: unknown }>;
    serializePublicKey(key: unknown): Promise<ArrayBuffer>;
    serializePrivateKey(key: unknown): Promise<ArrayBuffer>;
    importKey(format: "raw", key: ArrayBuffer, isPublic: boolean): Promise<unknown>;
  };
  seal(
    to: { recipientPublicKey: unknown; info: ArrayBuffer },
    message: ArrayBuffer,
    aad: ArrayBuffer,
  ): Promise<{ enc: ArrayBuffer; ct: ArrayBuffer }>;
  open(
    from: { recipientKey: unknown; enc: ArrayBuffer; info: ArrayBuffer },
    ciphertext: ArrayBuffer,
    aad: ArrayBuffer,
  ): Promise<ArrayBuffer>;
}

// X25519 comes from a library, not from WebCrypto, which lacks it in browsers still in use. Everything else is
// WebCrypto's.
const newSuite = (): Suite =>
  new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });

function requireKey(key: unknown, name: string): Uint8Array {
  // The key itself stays out of the error: it may be the private one.
  if (!isHexString(key, KEY_BYTES))
    throw new CarepactError("KEY_INVALID", `${name} is not 32 bytes in hex.`, { key: name });
  return getBytes(key);
}

/**
 * A new key pair for sealed parts. The public key goes into the organization registry; the private one stays at home.
 */
export async function generateSealingKeys(): Promise<SealingKeyPair> {
  const { kem } = newSuite();
  const pair = await kem.generateKeyPair();
  return {
    publicKey: hexlify(new Uint8Array(await kem.serializePublicKey(pair.publicKey))),
    privateKey: hexlify(new Uint8Array(await kem.serializePrivateKey(pair.privateKey))),
  };
}

/**
 * Seals a message for the holder of `publicKey`: HPKE (RFC 9180) base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
 * AES-256-GCM. It hides the message and shows tampering; it does not say who sealed it.
 * @throws KEY_INVALID
 */
export async function seal(publicKey: string, message: Uint8Array, context: SealingContext): Promise<Sealed> {
  const suite = newSuite();
  const raw = requireKey(publicKey, "publicKey");
  try {
    const recipientPublicKey = await suite.kem.importKey("raw", toBuffer(raw), true);
    const { enc, ct } = await suite.seal(
      { recipientPublicKey, info: toBuffer(context.info) },
      toBuffer(message),
      toBuffer(context.aad),
    );
    return { enc: new Uint8Array(enc), ciphertext: new Uint8Array(ct) };
  } catch (cause) {
    // A point of small order is 32 bytes too, and would make the shared secret known to everybody.
    throw new CarepactError("KEY_INVALID", "Nothing can be sealed for this public key.", { key: "publicKey" }, cause);
  }
}

/**
 * Opens what {@link seal} made.
 * @throws KEY_INVALID, SEALED_UNREADABLE
 */
export async function unseal(privateKey: string, sealed: Sealed, context: SealingContext): Promise<Uint8Array> {
  const suite = newSuite();
  const raw = requireKey(privateKey, "privateKey");
  try {
    const recipientKey = await suite.kem.importKey("raw", toBuffer(raw), false);
    const opened = await suite.open(
      { recipientKey, enc: toBuffer(sealed.enc), info: toBuffer(context.info) },
      toBuffer(sealed.ciphertext),
      toBuffer(context.aad),
    );
    return new Uint8Array(opened);
  } catch (cause) {
    throw new CarepactError(
      "SEALED_UNREADABLE",
      "The sealed part does not open: it was sealed for another key, or changed on its way. Ask the sender for it again.",
      {},
      cause,
    );
  }
}

const toBuffer = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer;
