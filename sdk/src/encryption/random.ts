import { hexlify } from "ethers";

/** Gives `length` random bytes. Only tests pass their own. */
export type RandomSource = (length: number) => Uint8Array;

/** The platform's cryptographic random source. */
export const systemRandom: RandomSource = (length) => globalThis.crypto.getRandomValues(new Uint8Array(length));

/** A salt of 32 bytes, hex. */
export const randomSalt = (random: RandomSource): string => hexlify(random(32));
