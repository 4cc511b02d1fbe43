import { decryptKeystoreJson, encryptKeystoreJson, getAddress, isHexString, SigningKey, Wallet } from "ethers";

import { generateSealingKeys, seal, unseal, type SealingKeyPair } from "@carepact/sdk/encryption";

import type { Call } from "./call";
import { fileText, parseJson, readText } from "./files";
import { usage } from "./input";
import { passwordFor, warnIfShared } from "./password";
import { keepSecret } from "./secrets";

// Both kinds of key are kept as web3 secret storage (scrypt, AES-128-CTR), which ethers and other wallets read. That of a sealing key has
// the public key beside it, which is asked for more often, and no address, which such a key has none of.

interface SealingKeystore {
  carepact: "sealing-key";
  version: 1;
  publicKey: string;
  keystore: Record<string, unknown>;
}

/** A new signing key: its address, and its keystore. */
export async function newSigningKeystore(password: string): Promise<{ address: string; text: string }> {
  // Without a mnemonic, which would be a second thing to guard.
  const { address, privateKey } = new Wallet(Wallet.createRandom().privateKey);
  keepSecret(privateKey);
  const keystore = JSON.parse(await encryptKeystoreJson({ address, privateKey }, password)) as unknown;
  return { address, text: fileText(keystore) };
}

/** A new sealing key: its public half, and its keystore. */
export async function newSealingKeystore(password: string): Promise<{ publicKey: string; text: string }> {
  const { publicKey, privateKey } = await generateSealingKeys();
  keepSecret(privateKey);
  const { address } = new Wallet(privateKey);
  const keystore = JSON.parse(await encryptKeystoreJson({ address, privateKey }, password)) as Record<string, unknown>;
  delete keystore["address"];
  const document: SealingKeystore = { carepact: "sealing-key", version: 1, publicKey, keystore };
  return { publicKey, text: fileText(document) };
}

/** What a keystore says of itself without its password. */
export async function describeKeystore(
  path: string,
  option: string,
): Promise<{ address?: string; publicKey?: string; p256Key?: string }> {
  const value = objectIn(await readText(path, option), option);
  if (isSealing(value)) return { publicKey: value.publicKey };
  if (value["carepact"] === "p256-key") {
    const { publicKey } = value;
    if (isHexString(publicKey, 64)) return { p256Key: publicKey };
  }
  const { address } = value;
  if (typeof address !== "string" || !isHexString(`0x${address.replace(/^0x/, "")}`, 20))
    throw usage(`${option}: ${path} is no keystore that says its address.`, option);
  return { address: getAddress(`0x${address.replace(/^0x/, "")}`) };
}

/** The signing key in a keystore. @throws INPUT_INVALID also for a wrong password */
export async function openSigningKeystore(call: Pick<Call, "tell">, path: string, option: string): Promise<string> {
  const text = await readText(path, option);
  const value = objectIn(text, option);
  if (isSealing(value)) throw usage(`${option}: ${path} holds a sealing key; a signing key is needed.`, option);
  return opened(call, path, option, text);
}

const KEYSTORE = "CAREPACT_KEYSTORE";
export const PRIVATE_KEY = "CAREPACT_PRIVATE_KEY";
const setIn = (variable: string): string | undefined => process.env[variable] || undefined;

/** The signing key that --keystore names, or else the environment; undefined where nothing does. @throws INPUT_INVALID */
export async function namedSigningKey(
  call: Pick<Call, "tell">,
  keystore: string | undefined,
): Promise<string | undefined> {
  if (keystore !== undefined) return openSigningKeystore(call, keystore, "--keystore");
  const [file, key] = [setIn(KEYSTORE), setIn(PRIVATE_KEY)];
  if (file !== undefined && key !== undefined)
    throw usage(`${KEYSTORE} and ${PRIVATE_KEY} name two accounts: unset one, or say --keystore.`, KEYSTORE);
  if (file !== undefined) return openSigningKeystore(call, file, KEYSTORE);
  return key === undefined ? undefined : signingKeyIn(key, PRIVATE_KEY);
}

/** The sealing key in a keystore. @throws INPUT_INVALID also for a wrong password */
export async function openSealingKeystore(call: Pick<Call, "tell">, path: string, option: string): Promise<string> {
  const value = objectIn(await readText(path, option), option);
  if (!isSealing(value)) throw usage(`${option}: ${path} is no keystore of a sealing key.`, option);
  const privateKey = await opened(call, path, option, JSON.stringify(value.keystore));
  if (!(await belongTogether({ publicKey: value.publicKey, privateKey })))
    throw usage(`${option}: the public key in ${path} is not that of the private one: the file was changed.`, option);
  return privateKey;
}

/** A private key from the environment. The key itself never gets into an error. */
export function signingKeyIn(text: string, option: string): string {
  const key = text.trim().replace(/^(?!0x)/, "0x");
  keepSecret(key);
  try {
    return new SigningKey(key).privateKey;
  } catch {
    throw usage(`${option} is no private key: 32 bytes in hex.`, option);
  }
}

/** Opens web3 secret storage. @throws INPUT_INVALID also for a wrong password */
export async function opened(call: Pick<Call, "tell">, path: string, option: string, text: string): Promise<string> {
  await warnIfShared(call, path);
  const password = await passwordFor(call, path);
  call.tell(`Opening ${path} ...`);
  try {
    const { privateKey } = await decryptKeystoreJson(text, password);
    keepSecret(privateKey);
    return privateKey;
  } catch {
    throw usage(`${option}: the password does not open ${path}, or it is no keystore.`, option);
  }
}

/** @throws INPUT_INVALID */
export function objectIn(text: string, option: string): Record<string, unknown> {
  const value = parseJson(text, option);
  if (typeof value !== "object" || value === null) throw usage(`${option}: this is no keystore.`, option);
  return value as Record<string, unknown>;
}

const isSealing = (value: object): value is SealingKeystore =>
  "carepact" in value && value.carepact === "sealing-key" && "publicKey" in value && isHexString(value.publicKey, 32);

const PROBE = new Uint8Array([1]);
const CONTEXT = { info: new Uint8Array(), aad: new Uint8Array() };

/** What is sealed to the public key has to open with the private one. */
async function belongTogether({ publicKey, privateKey }: SealingKeyPair): Promise<boolean> {
  try {
    await unseal(privateKey, await seal(publicKey, PROBE, CONTEXT), CONTEXT);
    return true;
  } catch {
    return false;
  }
}
