import { AbiCoder, concat, dataSlice, getBytes, hexlify, keccak256, sha256 } from "ethers";

import { BACKED_UP, BACKUP_ELIGIBLE, base64Url, USER_PRESENT_AND_VERIFIED } from "../../signers/webAuthn";

import { isP256Signature } from "./p256";

/** What is wrong with a passkey's signature: for `details.reason`. */
export type PasskeyFault = "malformed" | "type" | "challenge" | "origin" | "relyingParty" | "userVerification" | "key";

const AUTH_TYPES = ["bytes32", "bytes32", "uint256", "uint256", "bytes", "bytes"];
const LEAST_AUTHENTICATOR_DATA = 37;
const FLAGS_AT = 32;

// As browsers have to write client data (WebAuthn Level 2, section 5.8.1.1): where its parts begin, in bytes.
const TYPE_AT = 1n;
const CHALLENGE_AT = 23n;
const ORIGIN_AT = 79;
/** Bytes of `","origin":"` and `","crossOrigin":false`. */
const AROUND_ORIGIN = 33;

/** A passkey: x and y, and, where its verifier looks at them, relying party and origin (WebAuthnOriginVerifier.sol). */
export interface PasskeyKey {
  point: readonly [bigint, bigint];
  page?: { relyingParty: string; origin: string; originBytes: number };
}

/** The key behind a verifier's address, of 64 bytes, or 129 with the page that it was made for. */
export function passkeyKeyOf(key: string): PasskeyKey {
  const point = [BigInt(dataSlice(key, 0, 32)), BigInt(dataSlice(key, 32, 64))] as const;
  if (key.length === 2 + 2 * 64) return { point };
  const [relyingParty, origin] = [dataSlice(key, 64, 96), dataSlice(key, 96, 128)];
  return { point, page: { relyingParty, origin, originBytes: Number(dataSlice(key, 128)) } };
}

/** What keeps the contracts from taking an assertion as a passkey's signature over a digest, if anything does. */
export function passkeyFaultOf(
  { point, page }: PasskeyKey,
  digest: string,
  signature: string,
): PasskeyFault | undefined {
  const auth = readAuth(signature);
  if (auth === undefined) return "malformed";
  const { r, s, challengeAt, typeAt, authenticatorData, clientDataJSON } = auth;
  const has = (at: bigint, part: string): boolean =>
    at <= BigInt(clientDataJSON.length) && textAt(clientDataJSON, Number(at), part.length) === part;
  if (authenticatorData.length < LEAST_AUTHENTICATOR_DATA) return "malformed";
  if (!has(typeAt, '"type":"webauthn.get"')) return "type";
  if (!has(challengeAt, `"challenge":"${base64Url(getBytes(digest))}"`)) return "challenge";
  const flags = authenticatorData[FLAGS_AT] as number;
  if ((flags & USER_PRESENT_AND_VERIFIED) !== USER_PRESENT_AND_VERIFIED) return "userVerification";
  if ((flags & BACKED_UP) !== 0 && (flags & BACKUP_ELIGIBLE) === 0) return "malformed";
  if (page !== undefined) {
    if (typeAt !== TYPE_AT || challengeAt !== CHALLENGE_AT) return "malformed";
    if (hexlify(authenticatorData.subarray(0, FLAGS_AT)) !== page.relyingParty) return "relyingParty";
    const end = ORIGIN_AT + AROUND_ORIGIN + page.originBytes;
    if (clientDataJSON.length < end || keccak256(clientDataJSON.subarray(ORIGIN_AT, end)) !== page.origin)
      return "origin";
  }
  const signed = sha256(concat([authenticatorData, sha256(clientDataJSON)]));
  return isP256Signature(point, BigInt(signed), [r, s]) ? undefined : "key";
}

interface Auth {
  r: bigint;
  s: bigint;
  challengeAt: bigint;
  typeAt: bigint;
  authenticatorData: Uint8Array;
  clientDataJSON: Uint8Array;
}

/** `WebAuthnAuth` of OpenZeppelin's WebAuthn library, ABI-encoded. */
function readAuth(signature: string): Auth | undefined {
  try {
    const [r, s, challengeAt, typeAt, authenticatorData, clientDataJSON] = AbiCoder.defaultAbiCoder().decode(
      AUTH_TYPES,
      signature,
    ) as unknown as [string, string, bigint, bigint, string, string];
    return {
      r: BigInt(r),
      s: BigInt(s),
      challengeAt,
      typeAt,
      authenticatorData: getBytes(authenticatorData),
      clientDataJSON: getBytes(clientDataJSON),
    };
  } catch {
    // Whatever it is, no assertion.
    return undefined;
  }
}

const textAt = (bytes: Uint8Array, at: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + length));
