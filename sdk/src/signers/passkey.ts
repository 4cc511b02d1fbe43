import { concat, dataSlice, getBytes, hexlify } from "ethers";

import { systemRandom, type RandomSource } from "../encryption";
import { CarepactError } from "../errors";

import { p256SignerBytes, requirePoint } from "./p256";
import { digestOf, type PatientSigner } from "./types";
import {
  base64Url,
  boundKeyOf,
  fromBase64Url,
  pointOfSpki,
  requireBoundTo,
  requireReadableOrigin,
  webAuthnSignature,
} from "./webAuthn";

/** `navigator.credentials`, as far as it is used here. */
export interface CredentialsLike {
  create(options: { publicKey: object }): Promise<unknown>;
  get(options: { publicKey: object }): Promise<unknown>;
}

/** What has to be known of a passkey to ask for its signature. JSON as it is; no secret, but keep it: no browser tells the public key again. */
export interface Passkey {
  /** Credential id, in base64url. */
  id: string;
  /** x and y, 64 bytes in hex. */
  publicKey: string;
  /** The domain that it belongs to; the page's own unless given. */
  rpId?: string;
}

/** How a passkey is made. */
export interface PasskeyOptions {
  /** The application, as the authenticator shows it. */
  application: string;
  /** Whose key it is, as the authenticator shows it. Goes nowhere else. */
  user: string;
  /** The domain that it belongs to, if it is not the page's own: one above it. */
  rpId?: string;
  /**
   * The page's origin, for a key that {@link passkeySigner} is to bind to it: a browser whose signatures the contracts would not
   * take is refused now.
   */
  origin?: string;
  /** Unless given, the browser's `navigator.credentials`. */
  credentials?: CredentialsLike;
  /** Only tests pass their own. */
  random?: RandomSource;
}

const ES256 = -7;
const HANDLE_BYTES = 32;
const ADDRESS_BYTES = 20;

/**
 * Makes a passkey: the user's device asks for finger, face or PIN. No attestation is asked for, so that nothing tells
 * which device it is.
 * @throws PASSKEY_UNAVAILABLE, USER_REJECTED
 */
export async function createPasskey(options: PasskeyOptions): Promise<Passkey> {
  const random = options.random ?? systemRandom;
  const created = await asking(options.credentials, (credentials) =>
    credentials.create({
      publicKey: {
        rp: { name: options.application, ...(options.rpId === undefined ? {} : { id: options.rpId }) },
        user: { id: random(HANDLE_BYTES), name: options.user, displayName: options.user },
        challenge: random(HANDLE_BYTES),
        pubKeyCredParams: [{ type: "public-key", alg: ES256 }],
        authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
        attestation: "none",
      },
    }),
  );
  const { rawId, response } = created as { rawId?: ArrayBuffer; response?: CreatedLike };
  const key = typeof response?.getPublicKey === "function" ? response.getPublicKey() : null;
  if (rawId === undefined || key === null || key === undefined)
    throw new CarepactError("PASSKEY_UNAVAILABLE", "The browser does not tell the public key of the passkey it made.");
  if (options.origin !== undefined)
    requireReadableOrigin(options.origin, new Uint8Array(response?.clientDataJSON ?? new ArrayBuffer(0)));
  return {
    id: base64Url(new Uint8Array(rawId)),
    publicKey: pointOfSpki(new Uint8Array(key)),
    ...(options.rpId === undefined ? {} : { rpId: options.rpId }),
  };
}

interface CreatedLike {
  clientDataJSON?: ArrayBuffer;
  getPublicKey?: () => ArrayBuffer | null;
}

/** Where a passkey's signatures are checked, and who is asked for them. */
export interface PasskeySignerOptions {
  /** OpenZeppelin's ERC7913WebAuthnVerifier, `deployment.webAuthnVerifier`; with `origin`, `deployment.webAuthnOriginVerifier`. */
  verifier: string;
  /**
   * Binds the key to the page of this origin, as in "https://records.example": the signer names it, and the chain takes no signature
   * that was asked for on another page, or in a frame of one.
   */
  origin?: string;
  /** Unless given, the browser's `navigator.credentials`. */
  credentials?: CredentialsLike;
}

/**
 * A passkey (WebAuthn): its challenge is the message's EIP-712 digest. Each signature is checked before it is given out.
 * Brought to the chain, it shows the page's origin and what the authenticator says of itself (flags, a counter).
 * @throws IDENTIFIER_INVALID, INPUT_INVALID. Signing throws USER_REJECTED, SIGNATURE_INVALID, PASSKEY_UNAVAILABLE
 */
export function passkeySigner(
  passkey: Passkey,
  { verifier, origin, credentials }: PasskeySignerOptions,
): PatientSigner {
  const id = fromBase64Url(passkey.id, "id");
  const publicKey = requirePoint(passkey.publicKey);
  const bound = origin === undefined ? undefined : { origin, rpId: passkey.rpId };
  const plain = p256SignerBytes(verifier, publicKey);
  return {
    signer: bound === undefined ? plain : concat([dataSlice(plain, 0, ADDRESS_BYTES), boundKeyOf(publicKey, bound)]),
    sign: async (message) => {
      const digest = digestOf(message);
      const asserted = await asking(credentials, (container) =>
        container.get({
          publicKey: {
            challenge: getBytes(digest),
            allowCredentials: [{ type: "public-key", id }],
            userVerification: "required",
            ...(passkey.rpId === undefined ? {} : { rpId: passkey.rpId }),
          },
        }),
      );
      const assertion = assertionOf(asserted);
      if (bound !== undefined) requireBoundTo(bound, digest, assertion);
      return webAuthnSignature(digest, publicKey, assertion);
    },
  };
}

function assertionOf(asserted: unknown): Record<"authenticatorData" | "clientDataJSON" | "signature", Uint8Array> {
  const { response } = asserted as { response?: Record<string, ArrayBuffer | undefined> };
  const part = (name: string): Uint8Array => {
    const bytes = response?.[name];
    if (bytes === undefined)
      throw new CarepactError("SIGNATURE_INVALID", `The authenticator's answer has no ${name}.`, { path: name });
    return getBytes(hexlify(new Uint8Array(bytes)));
  };
  return {
    authenticatorData: part("authenticatorData"),
    clientDataJSON: part("clientDataJSON"),
    signature: part("signature"),
  };
}

/** Asks the browser, and says its exceptions (DOM's, known by name) in the SDK's own words. */
async function asking(
  given: CredentialsLike | undefined,
  ask: (credentials: CredentialsLike) => Promise<unknown>,
): Promise<unknown> {
  const credentials =
    given ?? (globalThis as unknown as { navigator?: { credentials?: CredentialsLike } }).navigator?.credentials;
  if (credentials === undefined)
    throw new CarepactError("PASSKEY_UNAVAILABLE", "There are no passkeys here: open the page by https, in a browser.");
  let answer: unknown;
  try {
    answer = await ask(credentials);
  } catch (thrown) {
    const { name } = thrown as { name?: unknown };
    // Browsers say NotAllowedError for a refusal, for no answer in time, and for a key that the device does not have alike.
    if (name === "NotAllowedError" || name === "AbortError")
      throw new CarepactError("USER_REJECTED", "The passkey was not used: refused, or not on this device.", {}, thrown);
    const reason = typeof name === "string" ? name : "unknown";
    throw new CarepactError("PASSKEY_UNAVAILABLE", `The browser gives no passkey (${reason}).`, { reason }, thrown);
  }
  if (typeof answer !== "object" || answer === null)
    throw new CarepactError("USER_REJECTED", "The passkey was not used: the browser gave none.");
  return answer;
}
