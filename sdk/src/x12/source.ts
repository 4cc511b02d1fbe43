import { CarepactError } from "../errors";

import type { ReadOptions, X12Source } from "./options";

/** What is looked at in one go: a file handed over at once is read piece by piece just the same. */
const PIECE = 65_536;
/** What String.fromCharCode takes as arguments without exhausting the stack. */
const BLOCK = 8_192;

const notReadable = (what: unknown): CarepactError =>
  new CarepactError(
    "INPUT_INVALID",
    `An X12 file is read from text, bytes (Uint8Array), or an iterable of these; got ${what === null ? "null" : typeof what}.`,
    { path: "source" },
  );

const isBytes = (value: unknown): value is Uint8Array =>
  ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === "[object Uint8Array]";

/** The input as text, in pieces of no more than 65,536 characters. */
export async function* piecesOf(
  source: X12Source,
  encoding: ReadOptions["encoding"] = "utf-8",
): AsyncGenerator<string, void> {
  const decoder = new Decoder(encoding === "latin1");
  if (typeof source === "string" || isBytes(source)) {
    yield* split(source, decoder);
  } else {
    if (typeof source !== "object" || source === null || !(Symbol.asyncIterator in source || Symbol.iterator in source))
      throw notReadable(source);
    for await (const piece of source) {
      if (typeof piece !== "string" && !isBytes(piece)) throw notReadable(piece);
      yield* split(piece, decoder);
    }
  }
  decoder.finish();
}

function* split(piece: string | Uint8Array, decoder: Decoder): Generator<string, void> {
  for (let at = 0; at < piece.length; at += PIECE)
    yield typeof piece === "string" ? piece.slice(at, at + PIECE) : decoder.decode(piece.subarray(at, at + PIECE));
}

/**
 * UTF-8 as far as X12's characters go: ASCII, and what two bytes beginning with C2 or C3 make. All others are refused
 * here, and what is no letter of X12 where segments are read.
 */
class Decoder {
  private before = 0;
  /** First byte of a character whose second is in the next piece. */
  private lead: number | undefined;

  constructor(private readonly oneByteEach: boolean) {}

  decode(bytes: Uint8Array): string {
    let text = "";
    for (let at = 0; at < bytes.length; at += BLOCK) {
      const block = bytes.subarray(at, at + BLOCK);
      text += this.block(block);
      this.before += block.length;
    }
    return text;
  }

  finish(): void {
    if (this.lead !== undefined) throw this.refuse(this.lead, this.before - 1);
  }

  private block(bytes: Uint8Array): string {
    if (this.oneByteEach || (this.lead === undefined && isAscii(bytes))) return fromCodes(bytes);
    const codes: number[] = [];
    bytes.forEach((byte, i) => {
      if (this.lead !== undefined) {
        if (byte < 0x80 || byte > 0xbf) throw this.refuse(this.lead, this.before + i - 1);
        codes.push(((this.lead & 0x1f) << 6) | (byte & 0x3f));
        this.lead = undefined;
      } else if (byte < 0x80) codes.push(byte);
      else if (byte === 0xc2 || byte === 0xc3) this.lead = byte;
      else throw this.refuse(byte, this.before + i);
    });
    return fromCodes(codes);
  }

  private refuse(byte: number, position: number): CarepactError {
    const hex = `0x${byte.toString(16).toUpperCase().padStart(2, "0")}`;
    return new CarepactError(
      "X12_CHARACTER_INVALID",
      `Byte ${hex} at ${position} is no character of X12 in UTF-8. Remove a byte order mark, convert EBCDIC or UTF-16, or say encoding "latin1".`,
      { segment: null, id: null, position, byte: hex },
    );
  }
}

// Spreading would make a number object of each byte.
const fromCodes = (codes: ArrayLike<number>): string =>
  String.fromCharCode.apply(undefined, codes as unknown as number[]);

function isAscii(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i += 1) if ((bytes[i] as number) >= 0x80) return false;
  return true;
}
