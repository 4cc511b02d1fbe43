import { createECDH } from "node:crypto";

import { concat, hexlify, toBeHex } from "ethers";

// SEC 2, 2.4.2: order of secp256r1.
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/**
 * r and s of a P-256 key over 32 bytes as they are (FIPS 186-5, 6.4.1): node:crypto and WebCrypto hash whatever they sign, which the
 * verifier of keys in hardware does not. OpenSSL draws the nonce, and multiplies with it.
 * @param privateKey 32 bytes in hex
 */
export function signP256(privateKey: string, digest: Uint8Array): string {
  const nonce = createECDH("prime256v1");
  const point = nonce.generateKeys();
  const r = BigInt(hexlify(point.subarray(1, 33))) % ORDER;
  const inverse = power(BigInt(hexlify(nonce.getPrivateKey())), ORDER - 2n);
  const s = (inverse * (BigInt(hexlify(digest)) + r * BigInt(privateKey))) % ORDER;
  return concat([toBeHex(r, 32), toBeHex(s, 32)]);
}

/** By Fermat's little theorem, a power is an inverse. */
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base, rest = exponent; rest > 0n; rest >>= 1n, square = (square * square) % ORDER)
    if ((rest & 1n) === 1n) result = (result * square) % ORDER;
  return result;
}
