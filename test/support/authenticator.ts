import { createHash, createSign, generateKeyPairSync, type KeyObject } from "node:crypto";

import type { CredentialsLike } from "@carepact/sdk/signers";

/** What an authenticator that is not as it should be does otherwise. */
export interface Misbehaviour {
  /** Flags of the authenticator data; user present and verified unless given. */
  flags?: number;
  /** Signs for this challenge instead of the one that it was asked for. */
  challenge?: Uint8Array;
  type?: string;
  /** The page's origin; https://patient.example unless given. */
  origin?: string;
  crossOrigin?: boolean;
  /** The domain that the passkey belongs to; patient.example unless given. */
  rpId?: string;
  /** Rewrites client data before they are signed, as another browser would write them. */
  clientData?: (json: string) => string;
  /** Signs with this key instead. */
  key?: KeyObject;
  /** What the browser throws. */
  throws?: Error;
  /** What the browser returns. */
  returns?: unknown;
  /** What is left out of, or put in place in, the response. */
  response?: Record<string, unknown>;
}

/** A device with one passkey, as a browser shows it (WebAuthn Level 2, section 5.1). */
export interface Authenticator extends CredentialsLike {
  asked: { publicKey: Record<string, unknown> }[];
  misbehave(how: Misbehaviour): void;
}

const USER_PRESENT_AND_VERIFIED = 0b101;
const sha256 = (data: Uint8Array | string): Buffer => createHash("sha256").update(data).digest();
const arrayBuffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

/** @param spki What the browser says the public key is, unless it is the key's own. */
export function authenticator(spki?: Uint8Array): Authenticator {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const rawId = sha256(publicKey.export({ type: "spki", format: "der" }));
  const asked: Authenticator["asked"] = [];
  let how: Misbehaviour = {};
  const clientDataOf = (type: string, challenge: Uint8Array): Buffer => {
    const { origin = "https://patient.example", crossOrigin = false, clientData = (json: string) => json } = how;
    const challengeText = Buffer.from(challenge).toString("base64url");
    return Buffer.from(clientData(JSON.stringify({ type, challenge: challengeText, origin, crossOrigin })));
  };
  const answer = (response: Record<string, unknown>): Promise<unknown> => {
    if (how.throws !== undefined) return Promise.reject(how.throws);
    if ("returns" in how) return Promise.resolve(how.returns);
    return Promise.resolve({
      type: "public-key",
      rawId: arrayBuffer(rawId),
      response: { ...response, ...how.response },
    });
  };
  return {
    asked,
    misbehave: (next) => void (how = next),
    create: (options) => {
      asked.push(options as (typeof asked)[number]);
      const key = spki ?? publicKey.export({ type: "spki", format: "der" });
      const { challenge } = options.publicKey as { challenge: Uint8Array };
      const clientDataJSON = arrayBuffer(clientDataOf("webauthn.create", challenge));
      return answer({ clientDataJSON, getPublicKey: () => arrayBuffer(key) });
    },
    get: (options) => {
      asked.push(options as (typeof asked)[number]);
      const { challenge } = options.publicKey as { challenge: Uint8Array };
      const clientDataJSON = clientDataOf(how.type ?? "webauthn.get", how.challenge ?? challenge);
      const authenticatorData = Buffer.concat([
        sha256(how.rpId ?? "patient.example"),
        Buffer.from([how.flags ?? USER_PRESENT_AND_VERIFIED, 0, 0, 0, 7]),
      ]);
      const signature = createSign("sha256")
        .update(Buffer.concat([authenticatorData, sha256(clientDataJSON)]))
        .sign(how.key ?? privateKey);
      return answer({
        clientDataJSON: arrayBuffer(clientDataJSON),
        authenticatorData: arrayBuffer(authenticatorData),
        signature: arrayBuffer(signature),
      });
    },
  };
}
