import { createECDH, createHash, createPublicKey, verify } from "node:crypto";

import {
  AbiCoder,
  SigningKey,
  type TypedDataDomain,
  TypedDataEncoder,
  type TypedDataField,
  Wallet,
  computeAddress,
  concat,
  getBytes,
  hexlify,
  id,
  keccak256,
  toBeHex,
} from "ethers";
import { ethers } from "hardhat";

/** Whoever can sign, whatever with: an ERC-7913 signer and its signature over a digest. */
export interface Key {
  /** ERC-7913 signer, in hex. */
  signer: string;
  /** keccak256 of the signer, as the contracts keep it. */
  hash: string;
  sign(digest: string): string;
}

const keyOf = (signer: string, sign: Key["sign"]): Key => ({ signer, hash: keccak256(signer), sign });

/** An account of its own, which never holds ether. Equal names are equal keys. */
export function accountKey(name: string): Key & { wallet: Wallet } {
  const wallet = new Wallet(id(`account ${name}`));
  return { ...keyOf(wallet.address.toLowerCase(), (digest) => wallet.signingKey.sign(digest).serialized), wallet };
}

/** A wallet contract (ERC-1271) of an account. */
export async function contractKey(name: string): Promise<Key> {
  const owner = new SigningKey(id(`owner ${name}`));
  const wallet = await ethers.deployContract("Erc1271Wallet", [computeAddress(owner)]);
  return keyOf((await wallet.getAddress()).toLowerCase(), (digest) => owner.sign(digest).serialized);
}

/** A P-256 key, as in a security module, checked by OpenZeppelin's ERC7913P256Verifier at `verifier`. */
export function p256Key(name: string, verifier: string): Key {
  const secret = BigInt(id(`P-256 ${name}`)) % ORDER;
  return keyOf(concat([verifier, publicKeyOf(secret)]), (digest) => concat(signP256(secret, digest)));
}

/** A passkey, checked by OpenZeppelin's ERC7913WebAuthnVerifier at `verifier`. */
export function passkey(name: string, verifier: string): Key {
  const secret = BigInt(id(`passkey ${name}`)) % ORDER;
  return keyOf(concat([verifier, publicKeyOf(secret)]), (digest) => assertionOf(secret, digest));
}

/** Digest of an EIP-712 message. */
export const digestOf = (domain: TypedDataDomain, type: string, message: Record<string, unknown>): string =>
  TypedDataEncoder.hash(domain, typesOf(type), message);

/** `Name(type field,…)`, as contracts write it, as ethers wants it. */
export function typesOf(type: string): Record<string, TypedDataField[]> {
  const [, name, fields] = /^(\w+)\((.*)\)$/.exec(type) as unknown as [string, string, string];
  const split = fields.split(",").map((field) => field.split(" ") as [string, string]);
  return { [name]: split.map(([type, name]) => ({ type, name })) };
}

/**
 * What a browser returns for `navigator.credentials.get` with the digest as challenge (WebAuthn, section 5.8.1 and 6.1), as
 * OpenZeppelin's WebAuthn library takes it.
 */
export function assertionOf(secret: bigint, digest: string, changes: { type?: string; flags?: number } = {}): string {
  const challenge = Buffer.from(getBytes(digest)).toString("base64url");
  const clientData = JSON.stringify({
    type: changes.type ?? "webauthn.get",
    challenge,
    origin: "https://patient.example",
    crossOrigin: false,
  });
  const sha256 = (data: Uint8Array | string): Buffer => createHash("sha256").update(data).digest();
  const userPresentAndVerified = 0x05;
  const authenticatorData = Buffer.concat([
    sha256("patient.example"),
    Buffer.from([changes.flags ?? userPresentAndVerified, 0, 0, 0, 0]),
  ]);
  const signed = Buffer.concat([authenticatorData, sha256(clientData)]);
  const [r, s] = signP256(secret, hexlify(sha256(signed)));
  const check = verify("sha256", signed, { key: jwkOf(secret), dsaEncoding: "ieee-p1363" }, getBytes(concat([r, s])));
  if (!check) throw new Error("node:crypto does not take the assertion.");
  return AbiCoder.defaultAbiCoder().encode(
    ["bytes32", "bytes32", "uint256", "uint256", "bytes", "string"],
    [r, s, clientData.indexOf('"challenge"'), clientData.indexOf('"type"'), authenticatorData, clientData],
  );
}

export const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/**
 * ECDSA over P-256 (FIPS 186-5, 6.4.1) with a nonce that follows from key and digest: node:crypto signs only what it hashed itself,
 * and with a random nonce, which would make gas differ from run to run. Returns r and s, s in the lower half.
 */
export function signP256(secret: bigint, digest: string): [r: string, s: string] {
  const nonce = BigInt(keccak256(concat([toBeHex(secret, 32), digest]))) % ORDER;
  const r = BigInt(`0x${publicPoint(nonce).subarray(1, 33).toString("hex")}`) % ORDER;
  const s = (power(nonce, ORDER - 2n) * (BigInt(digest) + r * secret)) % ORDER;
  return [toBeHex(r, 32), toBeHex(s > ORDER / 2n ? ORDER - s : s, 32)];
}

function publicPoint(secret: bigint): Buffer {
  const ecdh = createECDH("prime256v1");
  ecdh.setPrivateKey(Buffer.from(getBytes(toBeHex(secret, 32))));
  return ecdh.getPublicKey();
}

/** x and y of a P-256 key, without the byte that says so. */
export const publicKeyOf = (secret: bigint): string => hexlify(publicPoint(secret).subarray(1));

function jwkOf(secret: bigint): ReturnType<typeof createPublicKey> {
  const point = publicPoint(secret);
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) => part.toString("base64url"));
  return createPublicKey({ key: { kty: "EC", crv: "P-256", x: x!, y: y! }, format: "jwk" });
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n, square = (square * square) % ORDER)
    if (rest & 1n) result = (result * square) % ORDER;
  return result;
}
