import { createHash } from "node:crypto";

import { AbiCoder, concat, getBytes, hexlify, id, keccak256, sha256, toBeHex, toUtf8Bytes } from "ethers";

import { ORDER, publicKeyOf, signP256, type Key } from "../../support/keys";

/** A page at which a passkey was made, and the relying party that it belongs to. */
export interface Page {
  rpId: string;
  origin: string;
}

export const PAGE: Page = { rpId: "patient.example", origin: "https://patient.example" };

/** What browser or authenticator do otherwise than they should, and what is changed after they signed. */
export interface Changes {
  type?: string;
  /** Digest that is signed in place of the one that was asked for. */
  challenge?: string;
  origin?: string;
  crossOrigin?: boolean;
  /** Rewrites client data before they are signed. */
  clientData?: (json: string) => string;
  rpId?: string;
  flags?: number;
  /** Rewrites authenticator data before they are signed. */
  authenticatorData?: (data: Buffer) => Buffer;
  challengeIndex?: bigint;
  typeIndex?: bigint;
  /** Changes the signature afterwards. */
  signature?: (r: string, s: string) => [r: string, s: string];
  /** Changes authenticator data, or client data, after they were signed. */
  after?: { authenticatorData?: Buffer; clientData?: string };
}

const USER_PRESENT_AND_VERIFIED = 0x05;
const hashOf = (data: Uint8Array | string): Buffer => createHash("sha256").update(data).digest();
const base64Url = (digest: string): string => Buffer.from(getBytes(digest)).toString("base64url");

/** What `navigator.credentials.get` returns for a digest at a page, as OpenZeppelin's WebAuthn library takes it. */
export function assertionAt(page: Page, secret: bigint, digest: string, changes: Changes = {}): string {
  const written = JSON.stringify({
    type: changes.type ?? "webauthn.get",
    challenge: base64Url(changes.challenge ?? digest),
    origin: changes.origin ?? page.origin,
    crossOrigin: changes.crossOrigin ?? false,
  });
  const clientData = changes.clientData?.(written) ?? written;
  const flags = changes.flags ?? USER_PRESENT_AND_VERIFIED;
  const whole = Buffer.concat([hashOf(changes.rpId ?? page.rpId), Buffer.from([flags, 0, 0, 0, 0])]);
  const authenticatorData = changes.authenticatorData?.(whole) ?? whole;
  const signed = hexlify(hashOf(Buffer.concat([authenticatorData, hashOf(clientData)])));
  const [r, s] = signP256(secret, signed);
  return AbiCoder.defaultAbiCoder().encode(
    ["bytes32", "bytes32", "uint256", "uint256", "bytes", "string"],
    [
      ...(changes.signature?.(r, s) ?? [r, s]),
      changes.challengeIndex ?? clientData.indexOf('"challenge"'),
      changes.typeIndex ?? clientData.indexOf('"type"'),
      changes.after?.authenticatorData ?? authenticatorData,
      changes.after?.clientData ?? clientData,
    ],
  );
}

/** A key as WebAuthnOriginVerifier reads it. */
export const originKeyOf = (publicKey: string, { rpId, origin }: Page): string =>
  concat([
    publicKey,
    sha256(toUtf8Bytes(rpId)),
    keccak256(toUtf8Bytes(`","origin":"${origin}","crossOrigin":false`)),
    toBeHex(toUtf8Bytes(origin).length, 1),
  ]);

/** A passkey of a page, with what is needed to misuse it. */
export interface OriginPasskey extends Key {
  secret: bigint;
  key: string;
}

export function originPasskey(name: string, verifier: string, page: Page = PAGE): OriginPasskey {
  const secret = BigInt(id(`origin passkey ${name}`)) % ORDER;
  const key = originKeyOf(publicKeyOf(secret), page);
  const signer = concat([verifier, key]);
  return { secret, key, signer, hash: keccak256(signer), sign: (digest) => assertionAt(page, secret, digest) };
}

/** The other signature that the same key, message and r have: s in the upper half of the curve's order. */
export const otherS = (r: string, s: string): [r: string, s: string] => [r, toBeHex(ORDER - BigInt(s), 32)];
