/** Mulberry32: the same cases on every machine. */
export class Random {
  constructor(private state: number) {}

  /** A number from 0, below 1. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  of<Value>(values: readonly [Value, ...Value[]]): Value {
    return values[this.below(values.length)] ?? values[0];
  }

  /** The values in an order that any other order is as likely as. */
  shuffled<Value>(values: readonly Value[]): Value[] {
    const list = [...values];
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [list[i], list[j]] = [list[j] as Value, list[i] as Value];
    }
    return list;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256));
  }

  /** Some of the bits of a set, at least one. */
  bits(within: bigint): bigint {
    const all = [...Array(256).keys()].map((bit) => 1n << BigInt(bit)).filter((bit) => (within & bit) !== 0n);
    const chosen = all.filter(() => this.chance(0.6));
    return (chosen.length > 0 ? chosen : all.slice(0, 1)).reduce((sum, bit) => sum | bit, 0n);
  }
}

/** Salts that count up, big endian: lines of a claim batch stand in the order of these, so in the order they were given in. */
export function countingSalts(): (length: number) => Uint8Array {
  let drawn = 0;
  return (length) => {
    const bytes = new Uint8Array(length);
    new DataView(bytes.buffer).setUint32(length - 4, ++drawn);
    return bytes;
  };
}
