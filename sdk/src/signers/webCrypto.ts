import { concat, getBytes, sha256, toUtf8Bytes } from "ethers";

import { CarepactError } from "../errors";

import { p256SignerBytes } from "./p256";
import { digestOf, type PatientSigner } from "./types";
import {
  base64Url,
  ECDSA,
  pointOfSpki,
  signedBytes,
  subtleCrypto,
  USER_PRESENT_AND_VERIFIED,
  webAuthnSignature,
} from "./webAuthn";

/** A P-256 key pair of WebCrypto for ECDSA: a DOM `CryptoKeyPair`. The private key does not have to be extractable. */
export interface KeyPairLike {
  publicKey: unknown;
  privateKey: unknown;
}

/** Says that no browser asked and nobody stood before an authenticator. */
const ORIGIN = "urn:carepact:webcrypto";

/**
 * A P-256 key that WebCrypto holds: on a custodian's server, or in a browser's IndexedDB. WebCrypto hashes whatever it
 * signs, so it signs what an authenticator would, and the verifier of passkeys checks it. Nobody is asked at each
 * signature: for people there are passkeys.
 * @param verifier OpenZeppelin's ERC7913WebAuthnVerifier: `deployment.webAuthnVerifier`
 * @throws IDENTIFIER_INVALID, KEY_INVALID, PASSKEY_UNAVAILABLE
 */
export async function webCryptoSigner(keys: KeyPairLike, verifier: string): Promise<PatientSigner> {
  const subtle = subtleCrypto();
  const publicKey = pointOfSpki(await exported(keys));
  const authenticatorData = getBytes(
    concat([sha256(toUtf8Bytes(ORIGIN)), new Uint8Array([USER_PRESENT_AND_VERIFIED, 0, 0, 0, 0])]),
  );
  return {
    signer: p256SignerBytes(verifier, publicKey),
    sign: async (message) => {
      const digest = digestOf(message);
      const challenge = base64Url(getBytes(digest));
      const clientDataJSON = toUtf8Bytes(
        JSON.stringify({ type: "webauthn.get", challenge, origin: ORIGIN, crossOrigin: false }),
      );
      const unsigned = { authenticatorData, clientDataJSON };
      const signature = await signed(subtle.sign(ECDSA, keys.privateKey, signedBytes(unsigned)));
      return webAuthnSignature(digest, publicKey, { ...unsigned, signature });
    },
  };
}

async function exported({ publicKey }: KeyPairLike): Promise<Uint8Array> {
  try {
    return new Uint8Array((await subtleCrypto().exportKey("spki", publicKey)) as ArrayBuffer);
  } catch (thrown) {
    throw new CarepactError("KEY_INVALID", "The public key is not one of WebCrypto.", { path: "publicKey" }, thrown);
  }
}

async function signed(signing: Promise<ArrayBuffer>): Promise<Uint8Array> {
  try {
    return new Uint8Array(await signing);
  } catch (thrown) {
    throw new CarepactError("SIGNATURE_INVALID", "WebCrypto does not sign with this private key.", {}, thrown);
  }
}
