import { createECDH, generateKeyPairSync, webcrypto } from "node:crypto";

import { encryptKeystoreJson, getBytes, hexlify, isHexString, Wallet } from "ethers";

import { p256Signer, webCryptoSigner, type KeyPairLike, type PatientSigner } from "@carepact/sdk/signers";

import type { Call } from "./call";
import { fileText } from "./files";
import { usage } from "./input";
import { objectIn, opened } from "./keystore";
import { signP256 } from "./p256Signature";
import { keepSecret } from "./secrets";

// As other keystores: web3 secret storage, with the public key beside it. Numbers of P-256 are among those of ethers' own curve.

/** A P-256 key of somebody who needs no account: a patient, a representative, a recovery contact, a custodian's server, an attester. */
interface P256Keystore {
  carepact: "p256-key";
  version: 1;
  /** x and y, 64 bytes. */
  publicKey: string;
  /**
   * Origin that its signatures show on chain: that of the page on which others use passkeys, so that they look like everybody's. Left
   * out for an attester's, which signs as a key in hardware does.
   */
  origin?: string;
  keystore: Record<string, unknown>;
}

const CURVE = "prime256v1";
const COORDINATES = 64;
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };

const isP256 = (value: object): value is P256Keystore =>
  "carepact" in value &&
  value.carepact === "p256-key" &&
  "publicKey" in value &&
  isHexString(value.publicKey, COORDINATES) &&
  (!("origin" in value) || typeof value.origin === "string");

/** An origin as browsers write it. @throws INPUT_INVALID */
export function originIn(value: string, option: string): string {
  if (!URL.canParse(value) || new URL(value).origin !== value || !value.startsWith("https://"))
    throw usage(`${option} is not an origin such as https://records.example.`, option);
  return value;
}

/** Public key of a P-256 keystore; undefined for what is none. @throws INPUT_INVALID for what is no keystore */
export function p256PublicKey(text: string, option: string): string | undefined {
  const value = objectIn(text, option);
  return isP256(value) ? value.publicKey : undefined;
}

/** A new P-256 key: its public half, and its keystore. */
export async function newP256Keystore(
  password: string,
  origin: string | undefined,
): Promise<{ publicKey: string; text: string }> {
  const { d = "" } = generateKeyPairSync("ec", { namedCurve: CURVE }).privateKey.export({ format: "jwk" });
  const privateKey = hexlify(Buffer.from(d, "base64url"));
  keepSecret(privateKey);
  const publicKey = publicKeyOf(privateKey);
  const { address } = new Wallet(privateKey);
  const keystore = JSON.parse(await encryptKeystoreJson({ address, privateKey }, password)) as Record<string, unknown>;
  // It is that of no account.
  delete keystore["address"];
  const document: P256Keystore = {
    carepact: "p256-key",
    version: 1,
    publicKey,
    ...(origin === undefined ? {} : { origin }),
    keystore,
  };
  return { publicKey, text: fileText(document) };
}

/** A P-256 key, in both forms that contracts know. */
interface OpenedP256 {
  /** x and y. */
  publicKey: string;
  /** As a passkey, whose signatures show the keystore's origin. @throws INPUT_INVALID for a keystore without one */
  asPasskey(verifier: string): Promise<PatientSigner>;
  /** As a key in hardware, which signs digests as they are. */
  asP256(verifier: string): PatientSigner;
  /** Whether it can sign as a passkey. */
  hasOrigin: boolean;
}

/** The key in a P-256 keystore. @throws INPUT_INVALID also for a wrong password */
export async function openP256Keystore(
  call: Pick<Call, "tell">,
  path: string,
  option: string,
  text: string,
): Promise<OpenedP256> {
  const value = objectIn(text, option);
  if (!isP256(value)) throw usage(`${option}: ${path} is no keystore of a P-256 key.`, option);
  const privateKey = await opened(call, path, option, JSON.stringify(value.keystore));
  const publicKey = publicKeyOf(privateKey);
  if (publicKey !== value.publicKey.toLowerCase())
    throw usage(`${option}: the public key in ${path} is not that of the private one: the file was changed.`, option);
  const { origin } = value;
  return {
    publicKey,
    hasOrigin: origin !== undefined,
    asP256: (verifier) =>
      p256Signer({ publicKey, verifier, sign: (digest) => Promise.resolve(signP256(privateKey, digest)) }),
    asPasskey: async (verifier) => {
      if (origin === undefined)
        throw usage(
          `${option}: the key in ${path} was made without --origin, for an attester: whoever acts for a record needs one with it.`,
          option,
        );
      return webCryptoSigner(await webCryptoKeys(privateKey, publicKey), { verifier, origin });
    },
  };
}

/** In the hands of WebCrypto. */
async function webCryptoKeys(privateKey: string, publicKey: string): Promise<KeyPairLike> {
  const point = Buffer.from(getBytes(publicKey));
  const [x, y] = [point.subarray(0, COORDINATES / 2), point.subarray(COORDINATES / 2)].map((half) =>
    half.toString("base64url"),
  );
  const jwk = { kty: "EC", crv: "P-256", x, y } as webcrypto.JsonWebKey;
  const d = Buffer.from(getBytes(privateKey)).toString("base64url");
  const { subtle } = webcrypto;
  return {
    publicKey: await subtle.importKey("jwk", jwk, ALGORITHM, true, ["verify"]),
    privateKey: await subtle.importKey("jwk", { ...jwk, d }, ALGORITHM, false, ["sign"]),
  };
}

/** x and y. */
function publicKeyOf(privateKey: string): string {
  const key = createECDH(CURVE);
  key.setPrivateKey(getBytes(privateKey));
  return hexlify(key.getPublicKey().subarray(1));
}
