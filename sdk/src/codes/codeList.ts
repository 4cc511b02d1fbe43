import { CarepactError } from "../errors";

/** One row of a generated table. */
interface PlacedCode<Code extends string> {
  readonly code: Code;
  readonly display: string;
  readonly parent?: Code;
  readonly bit: number;
  readonly withdrawn?: true;
}

const ofBits = (first: number, last: number): bigint => (1n << BigInt(last + 1)) - (1n << BigInt(first));

/** A hierarchy of codes, each of which has a bit of its own. */
export class CodeList<Code extends string> {
  private readonly entries: ReadonlyMap<string, PlacedCode<Code>>;
  private readonly children = new Map<Code, Code[]>();
  private readonly masks = new Map<Code, bigint>();
  /** The code that includes all others. */
  readonly root: Code;
  /** Mask of the root: all bits of the list, also those that no code has yet. */
  readonly all: bigint;

  /** @param range First and last bit that codes of this list can have. */
  constructor(
    readonly name: string,
    table: readonly [PlacedCode<Code>, ...PlacedCode<Code>[]],
    range: readonly [number, number],
  ) {
    this.root = table[0].code;
    this.all = ofBits(...range);
    this.entries = new Map(table.map((entry) => [entry.code, entry]));
    for (const { code, parent } of table)
      if (parent !== undefined) this.children.set(parent, [...(this.children.get(parent) ?? []), code]);
  }

  has(code: unknown): code is Code {
    return typeof code === "string" && this.entries.has(code);
  }

  /** Codes in the order of their bits. */
  codes(): Code[] {
    return [...this.entries.values()].map(({ code }) => code);
  }

  /** @throws CODE_UNKNOWN */
  entry(code: unknown, path?: string): PlacedCode<Code> {
    const entry = typeof code === "string" ? this.entries.get(code) : undefined;
    if (entry === undefined)
      throw new CarepactError("CODE_UNKNOWN", `${this.shown(code)} is no code of ${this.name}.`, {
        list: this.name,
        code: typeof code === "string" ? code.slice(0, 80) : typeof code,
        ...(path === undefined ? {} : { path }),
      });
    return entry;
  }

  private shown(code: unknown): string {
    return typeof code === "string" ? `"${code.slice(0, 80)}"` : `A ${typeof code}`;
  }

  /** The code's own bit. @throws CODE_UNKNOWN */
  bit(code: unknown): bigint {
    return 1n << BigInt(this.entry(code).bit);
  }

  /** The code's bit and those of all codes below it; every bit of the list for its root. @throws CODE_UNKNOWN */
  mask(code: unknown): bigint {
    const { code: known } = this.entry(code);
    const cached = this.masks.get(known);
    if (cached !== undefined) return cached;
    const below = (this.children.get(known) ?? []).map((child) => this.mask(child));
    const mask = known === this.root ? this.all : below.reduce((sum, bits) => sum | bits, this.bit(known));
    this.masks.set(known, mask);
    return mask;
  }

  /** Bits of all these codes with what is below them. @throws CODE_UNKNOWN */
  maskOf(codes: readonly unknown[]): bigint {
    return codes.reduce<bigint>((sum, code) => sum | this.mask(code), 0n);
  }

  /**
   * Bits of all these codes, of what is below them, and of what is above them: a record that carries the general label may
   * be of the special kind. @throws CODE_UNKNOWN
   */
  lineageOf(codes: readonly unknown[]): bigint {
    return codes.reduce<bigint>((sum, code) => {
      let bits = sum | this.mask(code);
      for (let { parent } = this.entry(code); parent !== undefined; { parent } = this.entry(parent))
        bits |= this.bit(parent);
      return bits;
    }, 0n);
  }

  /** Bits that codes have. */
  get assigned(): bigint {
    return this.codes().reduce((sum, code) => sum | this.bit(code), 0n);
  }

  /** The fewest codes whose masks lie within `mask` and make up most of it, in the order of their bits. */
  largestIn(mask: bigint): Code[] {
    const found: Code[] = [];
    const visit = (code: Code): void => {
      const whole = this.mask(code);
      if ((mask & whole) === whole) found.push(code);
      else if ((mask & whole) !== 0n) for (const child of this.children.get(code) ?? []) visit(child);
    };
    visit(this.root);
    return found.sort((a, b) => this.entry(a).bit - this.entry(b).bit);
  }

  /**
   * The fewest codes whose masks together are `mask`, in the order of their bits.
   * @throws CODE_UNKNOWN when no codes have just these bits
   */
  codesOf(mask: bigint): Code[] {
    const found = this.largestIn(mask);
    if (this.maskOf(found) !== mask)
      throw new CarepactError("CODE_UNKNOWN", `A bit set that no codes of ${this.name} make up.`, {
        list: this.name,
        bits: `0x${mask.toString(16)}`,
      });
    return found;
  }
}
