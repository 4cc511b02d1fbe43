import { ORDER as N, FIELD as P } from "../../signers/p256";

/** A point in Jacobian coordinates; z is zero at infinity. */
type Point = readonly [x: bigint, y: bigint, z: bigint];

// SEC 2, 2.4.2: secp256r1.
const BASE: Point = [
  0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
  1n,
];
const INFINITY: Point = [0n, 1n, 0n];
const BITS = 256;

const reduce = (value: bigint, by = P): bigint => ((value % by) + by) % by;

function double([x, y, z]: Point): Point {
  const delta = reduce(z * z);
  const gamma = reduce(y * y);
  const beta = reduce(x * gamma);
  const alpha = reduce(3n * (x - delta) * (x + delta));
  const x3 = reduce(alpha * alpha - 8n * beta);
  return [x3, reduce(alpha * (4n * beta - x3) - 8n * gamma * gamma), reduce((y + z) * (y + z) - gamma - delta)];
}

function add(a: Point, b: Point): Point {
  if (a[2] === 0n) return b;
  if (b[2] === 0n) return a;
  const [za, zb] = [reduce(a[2] * a[2]), reduce(b[2] * b[2])];
  const [u, s] = [reduce(a[0] * zb), reduce(a[1] * b[2] * zb)];
  const h = reduce(b[0] * za - u);
  const r = reduce(b[1] * a[2] * za - s);
  if (h === 0n) return r === 0n ? double(a) : INFINITY;
  const hh = reduce(h * h);
  const [hhh, v] = [reduce(h * hh), reduce(u * hh)];
  const x = reduce(r * r - hhh - 2n * v);
  return [x, reduce(r * (v - x) - s * hhh), reduce(h * a[2] * b[2])];
}

/** Inverse by Euclid's extended algorithm. */
function invert(value: bigint, by: bigint): bigint {
  let [a, b, u, v] = [by, reduce(value, by), 0n, 1n];
  while (b !== 0n) {
    const quotient = a / b;
    [a, b, u, v] = [b, a - quotient * b, v, u - quotient * v];
  }
  return reduce(u, by);
}

/**
 * Whether r and s are the signature of a P-256 key over a digest (FIPS 186-5, 6.4.2), with s in the lower half of the order, as the
 * contracts want it. WebCrypto cannot say: it hashes whatever it checks. Nothing in it is secret, so that it may take its time.
 * @param point x and y of the key, which lies on the curve
 */
export function isP256Signature(
  point: readonly [bigint, bigint],
  digest: bigint,
  [r, s]: readonly [bigint, bigint],
): boolean {
  if (r <= 0n || r >= N || s <= 0n || s > N / 2n) return false;
  const key: Point = [...point, 1n];
  const both = add(BASE, key);
  const w = invert(s, N);
  const [ofBase, ofKey] = [reduce(digest * w, N), reduce(r * w, N)];
  let sum = INFINITY;
  for (let bit = BigInt(BITS - 1); bit >= 0n; bit--) {
    sum = double(sum);
    const [one, other] = [(ofBase >> bit) & 1n, (ofKey >> bit) & 1n];
    if (one === 1n) sum = add(sum, other === 1n ? both : BASE);
    else if (other === 1n) sum = add(sum, key);
  }
  const [x, , z] = sum;
  return z !== 0n && reduce(reduce(x * invert(z * z, P)), N) === r;
}
