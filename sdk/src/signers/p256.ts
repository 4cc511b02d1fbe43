import { concat, getBytes, hexlify, toBeHex, toBigInt } from "ethers";

import { CarepactError } from "../errors";

import { digestOf, requireBytes, type PatientSigner } from "./types";

/** A P-256 key that signs digests: in a security module (PKCS#11's CKM_ECDSA), a key service, a smart card. */
export interface P256Key {
  /** x and y of the public key, 32 bytes each, or 0x04 and these. */
  publicKey: string | Uint8Array;
  /** OpenZeppelin's ERC7913P256Verifier: `deployment.p256Verifier`. */
  verifier: string;
  /**
   * Signs 32 bytes as they are, without another hash. (WebCrypto always hashes: for its keys there is
   * {@link webCryptoSigner}.) Gives r and s, 32 bytes each, or a DER sequence of both.
   */
  sign(digest: Uint8Array): Promise<string | Uint8Array>;
}

// SEC 2, 2.4.2: secp256r1.
/** @internal */
export const FIELD = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
/** @internal */
export const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

const COORDINATES = 64;
const ADDRESS_BYTES = 20;

/** A P-256 key in hardware or a key service. @throws IDENTIFIER_INVALID */
export function p256Signer(key: P256Key): PatientSigner {
  const signer = p256SignerBytes(key.verifier, key.publicKey);
  return {
    signer,
    sign: async (message) => {
      const digest = getBytes(digestOf(message));
      return concat(p256Signature(await answerOf(key.sign(digest))));
    },
  };
}

async function answerOf(signing: Promise<string | Uint8Array>): Promise<string | Uint8Array> {
  try {
    return await signing;
  } catch (thrown) {
    throw new CarepactError("SIGNATURE_INVALID", "What keeps the key did not sign.", {}, thrown);
  }
}

/** @internal ERC-7913 signer of a P-256 key. @throws IDENTIFIER_INVALID */
export const p256SignerBytes = (verifier: string, publicKey: string | Uint8Array): string =>
  concat([requireBytes(verifier, "verifier", ADDRESS_BYTES), requirePoint(publicKey)]);

/** @internal x and y of a public key that lies on the curve, in hex. @throws IDENTIFIER_INVALID */
export function requirePoint(publicKey: string | Uint8Array): string {
  const bytes = requireBytes(asHex(publicKey), "publicKey", COORDINATES, COORDINATES + 1);
  const uncompressed = bytes.length === 2 + 2 * (COORDINATES + 1);
  const point = uncompressed && bytes.startsWith("0x04") ? `0x${bytes.slice(4)}` : bytes;
  const [x, y] = [toBigInt(point.slice(0, 66)), toBigInt(`0x${point.slice(66)}`)];
  // A point that is not on it would control nothing: the verifier refuses each signature.
  if (point.length !== 2 + 2 * COORDINATES || x >= FIELD || y >= FIELD || !isOnCurve(x, y))
    throw new CarepactError("IDENTIFIER_INVALID", "publicKey is no point of P-256: x and y, 32 bytes each.", {
      path: "publicKey",
      value: bytes,
    });
  return point;
}

const isOnCurve = (x: bigint, y: bigint): boolean => (y * y - (x * x * x - 3n * x + B)) % FIELD === 0n;

/**
 * @internal r and s of a signature, s in the lower half of the order, where the verifiers want it: of s and -s both sign.
 * @throws SIGNATURE_INVALID
 */
export function p256Signature(signature: unknown): [r: string, s: string] {
  const bytes = bytesOf(signature);
  const [r, s] = bytes.length === COORDINATES ? [bytes.slice(0, 32), bytes.slice(32)] : derIntegers(bytes);
  const [first, second] = [toBigInt(r), toBigInt(s)];
  if (first === 0n || second === 0n || first >= ORDER || second >= ORDER) throw malformed();
  return [toBeHex(first, 32), toBeHex(second > ORDER / 2n ? ORDER - second : second, 32)];
}

const SEQUENCE = 0x30;
const INTEGER = 0x02;

/** Both integers of `SEQUENCE { r INTEGER, s INTEGER }` (RFC 3279, 2.2.3), of at most 32 bytes each. @throws SIGNATURE_INVALID */
function derIntegers(der: Uint8Array): [Uint8Array, Uint8Array] {
  const integerAt = (at: number): Uint8Array => {
    const length = der[at + 1];
    if (der[at] !== INTEGER || length === undefined || length === 0 || at + 2 + length > der.length) throw malformed();
    const value = der.slice(at + 2, at + 2 + length);
    // One zero in front keeps a number with a high first bit from being negative.
    const isPadded = value[0] === 0 && length > 1;
    if (value[0]! >= 0x80 || (isPadded && value[1]! < 0x80) || length > (isPadded ? 33 : 32)) throw malformed();
    return value;
  };
  if (der[0] !== SEQUENCE || der[1] !== der.length - 2) throw malformed();
  const r = integerAt(2);
  const s = integerAt(2 + 2 + r.length);
  if (2 + 2 + r.length + 2 + s.length !== der.length) throw malformed();
  return [r, s];
}

const asHex = (value: unknown): string => (isBytes(value) ? hexlify(value) : (value as string));

// By what it is, not by class: it may come from another realm, such as a frame.
const isBytes = (value: unknown): value is Uint8Array =>
  Object.prototype.toString.call(value) === "[object Uint8Array]";

function bytesOf(signature: unknown): Uint8Array {
  if (isBytes(signature)) return getBytes(hexlify(signature));
  if (typeof signature === "string" && /^0x([0-9a-f]{2})+$/i.test(signature)) return getBytes(signature);
  throw malformed();
}

const malformed = (): CarepactError =>
  new CarepactError("SIGNATURE_INVALID", "This is no P-256 signature: neither r and s nor a DER sequence of both.");
