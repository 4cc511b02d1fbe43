import { createHash, createSign, generateKeyPairSync } from "node:crypto";

import type { CredentialsLike } from "@carepact/sdk/signers";

const sha256 = (data: Uint8Array | string): Buffer => createHash("sha256").update(data).digest();
const arrayBuffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

/** Origin of the page on which patients sign; in a browser the page's own. */
export const PAGE = "https://records.example";
const RP_ID = new URL(PAGE).hostname;
/** User present and verified; the passkey is synchronized between the patient's devices. */
const FLAGS = 0b11101;
const COUNTER_BYTES = 4;

/**
 * A patient's device, which a terminal has none of: it makes one passkey and signs with it as WebAuthn (Level 2, section
 * 6.3.3) says. In a browser `navigator.credentials` takes its place, and nothing else changes.
 */
export function deviceWithPasskey(): CredentialsLike {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ type: "spki", format: "der" });
  const rawId = arrayBuffer(sha256(spki));
  return {
    create: () => Promise.resolve({ type: "public-key", rawId, response: { getPublicKey: () => arrayBuffer(spki) } }),
    get: (options) => {
      const { challenge } = options.publicKey as { challenge: Uint8Array };
      const clientDataJSON = Buffer.from(
        JSON.stringify({
          type: "webauthn.get",
          challenge: Buffer.from(challenge).toString("base64url"),
          origin: PAGE,
          crossOrigin: false,
        }),
      );
      const authenticatorData = Buffer.concat([sha256(RP_ID), Buffer.from([FLAGS]), Buffer.alloc(COUNTER_BYTES)]);
      const signed = Buffer.concat([authenticatorData, sha256(clientDataJSON)]);
      return Promise.resolve({
        type: "public-key",
        rawId,
        response: {
          clientDataJSON: arrayBuffer(clientDataJSON),
          authenticatorData: arrayBuffer(authenticatorData),
          signature: arrayBuffer(createSign("sha256").update(signed).sign(privateKey)),
        },
      });
    },
  };
}
