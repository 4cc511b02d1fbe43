import { dataSlice, id } from "ethers";

/**
 * The latest clock this may run under, so that no value depends on the day: 2098. All four bytes are other than zero, as
 * today's are.
 */
export const START = 0xf1e2d3c4;

const hasZeroByte = (hex: string): boolean => /^0x(?:..)*?00/.test(hex);

/**
 * The first of a fixed series whose `shown` bytes hold no zero. Zero bytes cost a quarter in calldata, so that a result would
 * else depend on the luck of hashes and signatures, and change with any address.
 */
export async function withoutZeroBytes<T>(
  make: (attempt: number) => T | Promise<T>,
  shown: (made: T) => string[],
): Promise<T> {
  for (let attempt = 0; ; ++attempt) {
    const made = await make(attempt);
    if (!shown(made).some(hasZeroByte)) return made;
  }
}

/** Bytes that look random, are the same in every run, and hold no zero. */
export function fixedBytes(label: string, size: number): string {
  for (let attempt = 0; ; ++attempt) {
    const bytes = dataSlice(id(`carepact bench ${label} ${attempt}`), 0, size);
    if (!hasZeroByte(bytes)) return bytes;
  }
}
