import { delimitersProblem, notInSegment } from "./delimiters";
import { defaultLimits, type ReadOptions } from "./options";
import { wrong, type Place, type Segment } from "./segment";
import type { Delimiters } from "./types";

/** Every ISA has this many characters, its terminator included. */
const ISA_LENGTH = 106;
const ISA_TERMINATOR = ISA_LENGTH - 1;
const ISA_COMPONENT = ISA_LENGTH - 2;
const ISA_REPETITION = 82;
/** Where the sixteen element separators of an ISA stand. */
const ISA_SEPARATORS = [3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103];

const SEGMENT_ID = /^[A-Z][A-Z0-9]{1,2}$/;
const CR = 13;
const LF = 10;

type Limits = Pick<ReadOptions, "maxLength" | "maxSegmentLength" | "maxElements">;

/** Cuts text, as it comes, into segments. Of what a segment means it knows ISA and IEA only. */
export class Tokenizer {
  private readonly limits: Required<Limits>;
  private rest = "";
  /** Characters before `rest`. */
  private position = 0;
  private number = 0;
  /** Of the interchange that is open. */
  private delimiters: Delimiters | undefined;
  private forbidden = /^$/;

  constructor({ maxLength, maxSegmentLength, maxElements }: Limits = {}) {
    this.limits = {
      maxLength: maxLength ?? defaultLimits.maxLength,
      maxSegmentLength: maxSegmentLength ?? defaultLimits.maxSegmentLength,
      maxElements: maxElements ?? defaultLimits.maxElements,
    };
  }

  /** The segments that are complete with this piece. */
  *feed(piece: string): Generator<Segment, void> {
    const text = this.rest + piece;
    if (this.position + text.length > this.limits.maxLength)
      throw wrong(
        "X12_TOO_LARGE",
        this.place("-", 0),
        `the input is longer than the ${this.limits.maxLength} characters of maxLength; allow more, or split the file`,
        { limit: this.limits.maxLength },
      );

    let at = 0;
    for (;;) {
      at = this.skip(text, at);
      const end =
        this.delimiters === undefined ? this.endOfIsa(text, at) : this.endOfSegment(text, at, this.delimiters);
      if (end === undefined) break;
      this.number += 1;
      yield this.segment(text.slice(at, end), this.delimiters as Delimiters, at);
      at = end + 1;
    }
    this.position += at;
    this.rest = text.slice(at);
  }

  /** @throws X12_TRUNCATED, X12_ENVELOPE_INVALID when the input ends here and must not. */
  finish(): void {
    const last = this.place(this.delimiters === undefined ? "ISA" : "-", 0);
    if (this.rest !== "")
      throw wrong("X12_TRUNCATED", last, "the input ends in the middle of a segment; get the whole file");
    if (this.number === 0) throw wrong("X12_ENVELOPE_INVALID", last, "the input is empty; an X12 file begins with ISA");
  }

  private place(id: string, at: number): Place {
    return { id, number: this.number + 1, position: this.position + at };
  }

  /** Line breaks after a segment say nothing; between interchanges no white space does. */
  private skip(text: string, from: number): number {
    let at = from;
    for (; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      const blank = code === CR || code === LF || (this.delimiters === undefined && (code === 32 || code === 9));
      if (!blank) break;
    }
    return at;
  }

  private endOfIsa(text: string, at: number): number | undefined {
    const isa = text.slice(at, at + ISA_LENGTH);
    if (isa === "") return undefined;
    const place = this.place("ISA", at);
    if (!isa.startsWith("ISA".slice(0, isa.length)))
      throw wrong(
        "X12_ENVELOPE_INVALID",
        place,
        this.number === 0
          ? "the input does not begin with ISA; it is no X12 file, or something stands before it"
          : "something other than white space or another ISA follows IEA",
      );
    const element = isa[3];
    if (element !== undefined && ISA_SEPARATORS.some((index) => index < isa.length && isa[index] !== element))
      throw wrong(
        "X12_ENVELOPE_INVALID",
        place,
        `an ISA has ${ISA_LENGTH} characters and a separator before each of its sixteen elements of fixed length; these have other lengths`,
      );
    if (isa.length < ISA_LENGTH) return undefined;

    const delimiters = {
      element: element as string,
      repetition: isa.charAt(ISA_REPETITION),
      component: isa.charAt(ISA_COMPONENT),
      segment: isa.charAt(ISA_TERMINATOR),
    };
    const problem = delimitersProblem(delimiters);
    if (problem !== undefined) throw wrong("X12_DELIMITERS_INVALID", place, problem);
    this.delimiters = delimiters;
    this.forbidden = notInSegment(delimiters);
    return at + ISA_TERMINATOR;
  }

  private endOfSegment(text: string, at: number, { segment }: Delimiters): number | undefined {
    const end = text.indexOf(segment, at);
    const { maxSegmentLength } = this.limits;
    if ((end < 0 ? text.length : end) - at > maxSegmentLength)
      throw wrong(
        "X12_TOO_LARGE",
        this.place("-", at),
        `no end within the ${maxSegmentLength} characters of maxSegmentLength; a terminator is missing, or more has to be allowed`,
        { limit: maxSegmentLength },
      );
    return end < 0 ? undefined : end;
  }

  private segment(text: string, delimiters: Delimiters, at: number): Segment {
    const place = { id: "-", number: this.number, position: this.position + at };
    const { parts, structured, plain } = this.cut(text, delimiters);
    if (!plain) this.requireX12(text, place);

    const id = parts[0] as string;
    if (!SEGMENT_ID.test(id))
      throw wrong("X12_SEGMENT_UNEXPECTED", place, "a segment begins with two or three capital letters or digits");
    if (parts.length - 1 > this.limits.maxElements)
      throw wrong(
        "X12_TOO_LARGE",
        { ...place, id },
        `more than the ${this.limits.maxElements} elements of maxElements`,
        {
          limit: this.limits.maxElements,
        },
      );
    while (parts[parts.length - 1] === "") parts.pop();
    if (id === "IEA") this.delimiters = undefined;
    const { number, position } = place;
    return { id, parts, structured: structured && id !== "ISA", delimiters, number, position };
  }

  /** In one pass, since all the time of reading goes by here: cuts elements, and looks what kinds of characters there are. */
  private cut(text: string, delimiters: Delimiters): { parts: string[]; structured: boolean; plain: boolean } {
    const [element, component, repetition] = [
      delimiters.element.charCodeAt(0),
      delimiters.component.charCodeAt(0),
      delimiters.repetition.charCodeAt(0),
    ];
    const parts: string[] = [];
    let [structured, plain, from] = [false, true, 0];
    for (let i = 0; i < text.length; i += 1) {
      const code = text.charCodeAt(i);
      if (code === element) {
        parts.push(text.slice(from, i));
        from = i + 1;
      } else if (code === component || code === repetition) structured = true;
      else if (code < 32 || code > 126) plain = false;
    }
    parts.push(text.slice(from));
    return { parts, structured, plain };
  }

  private requireX12(text: string, place: Place): void {
    const bad = text.search(this.forbidden);
    if (bad < 0) return;
    const character = `U+${text.charCodeAt(bad).toString(16).toUpperCase().padStart(4, "0")}`;
    throw wrong(
      "X12_CHARACTER_INVALID",
      { ...place, position: place.position + bad },
      `${character} is no character of X12; a segment is on one line and holds printable characters only`,
      { character },
    );
  }
}
