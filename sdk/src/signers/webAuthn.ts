import {
  AbiCoder,
  concat,
  decodeBase64,
  encodeBase64,
  getBytes,
  hexlify,
  keccak256,
  sha256,
  toBeHex,
  toUtf8Bytes,
} from "ethers";

import { CarepactError } from "../errors";

import { p256Signature, requirePoint } from "./p256";

/** What WebCrypto has, as far as it is used here; its own types are DOM's, which projects for Node do not know. */
export interface SubtleLike {
  importKey(
    format: string,
    key: Uint8Array,
    algorithm: object,
    extractable: boolean,
    usages: string[],
  ): Promise<unknown>;
  exportKey(format: string, key: unknown): Promise<unknown>;
  sign(algorithm: object, key: unknown, data: Uint8Array): Promise<ArrayBuffer>;
  verify(algorithm: object, key: unknown, signature: Uint8Array, data: Uint8Array): Promise<boolean>;
}

/** @internal The platform's WebCrypto. @throws PASSKEY_UNAVAILABLE on a page that is not secure */
export function subtleCrypto(): SubtleLike {
  const { subtle } = (globalThis as unknown as { crypto?: { subtle?: SubtleLike } }).crypto ?? {};
  if (subtle === undefined)
    throw new CarepactError("PASSKEY_UNAVAILABLE", "There is no WebCrypto here: open the page by https.");
  return subtle;
}

export const ECDSA = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** What an authenticator signs, and its signature (WebAuthn Level 2, section 5.2.2). */
export interface Assertion {
  authenticatorData: Uint8Array;
  clientDataJSON: Uint8Array;
  /** DER, or r and s. */
  signature: Uint8Array;
}

export const base64Url = (bytes: Uint8Array): string =>
  encodeBase64(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

/** @throws IDENTIFIER_INVALID */
export function fromBase64Url(text: string, name: string): Uint8Array {
  if (typeof text !== "string" || !/^[\w-]+$/.test(text) || text.length % 4 === 1)
    throw new CarepactError("IDENTIFIER_INVALID", `${name} is not in base64url.`, { path: name });
  const padded = text.replace(/-/g, "+").replace(/_/g, "/");
  return decodeBase64(padded + "=".repeat((4 - (padded.length % 4)) % 4));
}

/** Over what an authenticator makes its signature. */
export const signedBytes = ({ authenticatorData, clientDataJSON }: Omit<Assertion, "signature">): Uint8Array =>
  getBytes(concat([authenticatorData, sha256(clientDataJSON)]));

const FLAGS_AT = 32;
const LEAST_AUTHENTICATOR_DATA = 37;
export const USER_PRESENT_AND_VERIFIED = 0b101;
export const BACKUP_ELIGIBLE = 0b1000;
export const BACKED_UP = 0b1_0000;

/**
 * An assertion as OpenZeppelin's ERC7913WebAuthnVerifier takes it.
 * @param publicKey x and y
 * @throws SIGNATURE_INVALID for all that this verifier would not take: another challenge or key, no user verification
 */
export async function webAuthnSignature(digest: string, publicKey: string, assertion: Assertion): Promise<string> {
  const { authenticatorData, clientDataJSON } = assertion;
  const [r, s] = p256Signature(assertion.signature);
  const text = hexlify(clientDataJSON);
  const indexOf = (part: string): number => {
    // In hex, since the verifier counts bytes.
    const at = text.indexOf(hexlify(toUtf8Bytes(part)).slice(2), 2);
    return at < 0 ? at : at / 2 - 1;
  };
  const challengeIndex = indexOf(`"challenge":"${base64Url(getBytes(digest))}"`);
  const typeIndex = indexOf('"type":"webauthn.get"');
  if (challengeIndex < 0 || typeIndex < 0) throw invalid("The authenticator signed something else than this message.");
  if (authenticatorData.length < LEAST_AUTHENTICATOR_DATA)
    throw invalid("What the authenticator says of itself cannot be read.");
  const flags = authenticatorData[FLAGS_AT]!;
  if ((flags & USER_PRESENT_AND_VERIFIED) !== USER_PRESENT_AND_VERIFIED)
    throw invalid("The authenticator did not verify the user, by PIN, finger or face.");
  if ((flags & BACKED_UP) !== 0 && (flags & BACKUP_ELIGIBLE) === 0)
    throw invalid("The authenticator says of a key that it is backed up and cannot be.");
  const subtle = subtleCrypto();
  const key = await subtle.importKey("raw", getBytes(concat(["0x04", publicKey])), ECDSA, true, ["verify"]);
  if (!(await subtle.verify(ECDSA, key, getBytes(concat([r, s])), signedBytes(assertion))))
    throw invalid("This is another key than the one that was asked for.");
  return AbiCoder.defaultAbiCoder().encode(
    ["bytes32", "bytes32", "uint256", "uint256", "bytes", "bytes"],
    [r, s, challengeIndex, typeIndex, authenticatorData, clientDataJSON],
  );
}

/** The domain that passkeys of an origin belong to. @throws INPUT_INVALID */
export function hostOf(origin: unknown): string {
  const [, host] = /^https?:\/\/([\w.-]+)(:\d+)?$/.exec(typeof origin === "string" ? origin : "") ?? [];
  if (host === undefined || (origin as string).length > MOST_ORIGIN_BYTES)
    throw new CarepactError("INPUT_INVALID", "An origin is as in https://records.example, without a path.", {
      path: "origin",
    });
  return host;
}

const MOST_ORIGIN_BYTES = 255;

/** The page that a passkey is bound to. */
export interface BoundTo {
  /** As in https://records.example. */
  origin: string;
  /** The domain that the passkey belongs to: the origin's own unless given. */
  rpId?: string | undefined;
}

/** Client data from the challenge's end on: browsers write origin and crossOrigin next (WebAuthn Level 2, section 5.8.1.1). */
const originPart = (origin: string): string => `","origin":"${origin}","crossOrigin":false`;

/** A public key as WebAuthnOriginVerifier.sol reads it, with the page that it is bound to. @throws INPUT_INVALID */
export function boundKeyOf(publicKey: string, { origin, rpId = hostOf(origin) }: BoundTo): string {
  hostOf(origin);
  const part = keccak256(toUtf8Bytes(originPart(origin)));
  return concat([publicKey, sha256(toUtf8Bytes(rpId)), part, toBeHex(origin.length, 1)]);
}

/** Refuses an assertion that WebAuthnOriginVerifier.sol would not take. @throws SIGNATURE_INVALID */
export function requireBoundTo(
  { origin, rpId = hostOf(origin) }: BoundTo,
  digest: string,
  { authenticatorData, clientDataJSON }: Omit<Assertion, "signature">,
): void {
  const start = `{"type":"webauthn.get","challenge":"${base64Url(getBytes(digest))}${originPart(origin)}`;
  if (!hexlify(clientDataJSON).startsWith(hexlify(toUtf8Bytes(start))))
    throw invalid(`The browser signed for another page than ${origin}, in another page's frame, or in another order.`);
  if (!hexlify(authenticatorData).startsWith(sha256(toUtf8Bytes(rpId))))
    throw invalid(`The passkey is not one of ${rpId}.`);
}

/**
 * Refuses a browser that writes client data otherwise than the verifier of bound passkeys reads them, when the key is made
 * rather than when it is needed.
 * @throws PASSKEY_UNAVAILABLE
 */
export function requireReadableOrigin(origin: string, clientDataJSON: Uint8Array): void {
  hostOf(origin);
  if (!hexlify(clientDataJSON).includes(hexlify(toUtf8Bytes(originPart(origin))).slice(2)))
    throw new CarepactError(
      "PASSKEY_UNAVAILABLE",
      `This browser does not say that a passkey is used at ${origin} in the way that the contracts read: take another one.`,
      { origin },
    );
}

const invalid = (message: string): CarepactError => new CarepactError("SIGNATURE_INVALID", message);

/** DER of a P-256 public key (RFC 5480) up to x: what `getPublicKey()` and WebCrypto's "spki" begin with. */
const SPKI_PREFIX = "0x3059301306072a8648ce3d020106082a8648ce3d03010703420004";
const SPKI_BYTES = 91;

/** x and y of a P-256 key in SubjectPublicKeyInfo. @throws PASSKEY_UNAVAILABLE for keys of other kinds */
export function pointOfSpki(spki: Uint8Array): string {
  const text = hexlify(spki);
  if (spki.length !== SPKI_BYTES || !text.startsWith(SPKI_PREFIX))
    throw new CarepactError("PASSKEY_UNAVAILABLE", "The key is not of P-256, which alone the contracts check.");
  return requirePoint(`0x${text.slice(SPKI_PREFIX.length)}`);
}
