import { isTime, isoDate, nothingBeyond, optional, required } from "./elements";
import { wrong, wrongElement, type Segment } from "./segment";
import type { Envelope, GroupHead, InterchangeHead } from "./types";

/** The one version of interchanges that the 5010 guides are sent in. */
export const INTERCHANGE_VERSION = "00501";

/** What elements of envelopes look like. */
export const forms = {
  qualifier: /^[A-Z0-9]{2}$/,
  /** ISA09. */
  day: /^[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])$/,
  /** ISA10. */
  minute: /^([01][0-9]|2[0-3])[0-5][0-9]$/,
  usage: /^[PTI]$/,
  /** Control numbers of interchange, group and transaction set. */
  interchange: /^[0-9]{9}$/,
  group: /^(0|[1-9][0-9]{0,8})$/,
  set: /^[A-Za-z0-9-]{4,9}$/,
} as const;

/** A field of an ISA without the spaces that fill it. */
const unfilled = (segment: Segment, at: number): string => (segment.parts[at] ?? "").replace(/ +$/, "");

const matching = (segment: Segment, at: number, form: RegExp, what: string): string => {
  const text = segment.parts[at] ?? "";
  if (!form.test(text)) throw wrongElement(segment, at, `is not ${what}`, "X12_ENVELOPE_INVALID");
  return text;
};

function interchangeHead(isa: Segment): InterchangeHead {
  const pair = (at: number): { qualifier: string; information: string } | undefined => {
    const qualifier = matching(isa, at, forms.qualifier, "two capital letters or digits");
    const information = unfilled(isa, at + 1);
    return qualifier === "00" && information === "" ? undefined : { qualifier, information };
  };
  const party = (at: number): { qualifier: string; id: string } => ({
    qualifier: matching(isa, at, forms.qualifier, "two capital letters or digits"),
    id: unfilled(isa, at + 1),
  });
  const [authorization, security] = [pair(1), pair(3)];
  const [sender, receiver] = [party(5), party(7)];
  const date = matching(isa, 9, forms.day, "a date such as 260131");
  const time = matching(isa, 10, forms.minute, "a time such as 2359");
  if (isa.parts[12] !== INTERCHANGE_VERSION)
    throw wrongElement(
      isa,
      12,
      `is not ${INTERCHANGE_VERSION}, the version that 5010 transaction sets are sent in`,
      "X12_VERSION_UNSUPPORTED",
      { version: isa.parts[12] ?? null },
    );
  return {
    ...(authorization === undefined ? {} : { authorization }),
    ...(security === undefined ? {} : { security }),
    sender,
    receiver,
    date,
    time,
    controlNumber: matching(isa, 13, forms.interchange, "nine digits"),
    acknowledgment: matching(isa, 14, /^[01]$/, "0 or 1") === "1",
    usage: matching(isa, 15, forms.usage, "P, T or I") as "P" | "T" | "I",
    delimiters: isa.delimiters,
  };
}

function groupHead(gs: Segment, kind: SetKind | undefined): GroupHead {
  nothingBeyond(gs, 8);
  const [id, agency, version] = [required(gs, 1), required(gs, 7), required(gs, 8)];
  if (kind !== undefined && (id !== kind.functionalId || agency !== "X" || !kind.versions.includes(version)))
    throw wrongElement(
      gs,
      8,
      `is ${version.slice(0, 12)} (${id.slice(0, 2)} of ${agency.slice(0, 2)}); of ${kind.set} this reads ${kind.versions.join(", ")}`,
      "X12_VERSION_UNSUPPORTED",
      { version: version.slice(0, 12) },
    );
  const date = isoDate(required(gs, 4));
  if (date === undefined) throw wrongElement(gs, 4, "is not a date such as 20260131", "X12_ENVELOPE_INVALID");
  const time = required(gs, 5);
  if (!isTime(time)) throw wrongElement(gs, 5, "is not a time such as 2359", "X12_ENVELOPE_INVALID");
  const controlNumber = matching(gs, 6, forms.group, "a number of up to nine digits without leading zeros");
  return { sender: required(gs, 2), receiver: required(gs, 3), date, time, controlNumber, version };
}

/** One level that is open: what it is counted by, and the numbers used in it. */
class Level {
  inside = 0;
  private readonly used = new Set<string>();

  constructor(
    private readonly head: Segment,
    readonly controlNumber: string,
  ) {}

  /** @throws X12_CONTROL_NUMBER_INVALID where a number inside is used twice. */
  open(head: Segment, at: number, controlNumber: string): Level {
    this.inside += 1;
    once(this.used, head, at, controlNumber);
    return new Level(head, controlNumber);
  }

  /** @throws X12_COUNT_MISMATCH, X12_CONTROL_NUMBER_INVALID where the trailer does not fit. */
  close(trailer: Segment, counted: string): void {
    nothingBeyond(trailer, 2);
    const stated = required(trailer, 1);
    if (!/^[0-9]{1,10}$/.test(stated) || BigInt(stated) !== BigInt(this.inside))
      throw wrongElement(
        trailer,
        1,
        `is ${stated.slice(0, 12)}, but ${this.inside} ${counted} were counted`,
        "X12_COUNT_MISMATCH",
        { stated: stated.slice(0, 12), counted: this.inside },
      );
    if (required(trailer, 2) !== this.controlNumber)
      throw wrongElement(
        trailer,
        2,
        `is not the control number of ${this.head.id} in segment ${this.head.number}, which it has to repeat`,
        "X12_CONTROL_NUMBER_INVALID",
        { head: this.head.number },
      );
  }
}

const once = (used: Set<string>, head: Segment, at: number, controlNumber: string): void => {
  if (used.has(controlNumber))
    throw wrongElement(head, at, "was used before: a control number is used once", "X12_CONTROL_NUMBER_INVALID");
  used.add(controlNumber);
};

/** What a kind of file has to say of itself. */
export interface SetKind {
  /** GS01: `HP` for claim payments, `HC` for claims. */
  functionalId: string;
  /** ST01. */
  set: string;
  /** GS08 that are read. */
  versions: readonly string[];
}

/** What ST says, and what it stands in. */
export interface SetHead {
  envelope: Envelope;
  controlNumber: string;
  implementation?: string;
}

/** Follows ISA, GS, ST and their trailers: they have to nest, count and number what is in them. */
export class Envelopes {
  private readonly interchangesUsed = new Set<string>();
  private interchange: { head: InterchangeHead; level: Level } | undefined;
  private group: { envelope: Envelope; level: Level } | undefined;
  private set: (SetHead & { level: Level }) | undefined;

  /** @param kind Left out, transaction sets of any kind are let through. */
  constructor(private readonly kind?: SetKind) {}

  /** Of the transaction set that is open. */
  get head(): SetHead {
    const { envelope, controlNumber, implementation } = this.set as SetHead;
    return { envelope, controlNumber, ...(implementation === undefined ? {} : { implementation }) };
  }

  /** Takes the next segment; says whether it is of a transaction set, ST and SE included. */
  take(segment: Segment): boolean {
    switch (segment.id) {
      case "ISA":
        this.openInterchange(segment);
        return false;
      case "GS":
        this.openGroup(segment);
        return false;
      case "ST":
        this.openSet(segment);
        return true;
      case "SE":
        this.closeSet(segment);
        return true;
      case "GE":
        this.closeGroup(segment);
        return false;
      case "IEA":
        this.closeInterchange(segment);
        return false;
      default:
        if (this.set === undefined) throw this.misplaced(segment);
        this.set.level.inside += 1;
        return true;
    }
  }

  /** @throws X12_TRUNCATED where the input ends inside something. */
  finish(last: Segment | undefined): void {
    const open = this.set ? "SE" : this.group ? "GE" : this.interchange ? "IEA" : undefined;
    if (open !== undefined && last !== undefined)
      throw wrong("X12_TRUNCATED", last, `the input ends after this segment, before ${open}; get the whole file`, {
        missing: open,
      });
  }

  private misplaced(segment: Segment): Error {
    const open = this.set
      ? "a transaction set"
      : this.group
        ? "a group"
        : this.interchange
          ? "an interchange"
          : "nothing";
    return wrong("X12_ENVELOPE_INVALID", segment, `${segment.id} cannot stand where ${open} is open`);
  }

  private openInterchange(isa: Segment): void {
    if (this.interchange !== undefined) throw this.misplaced(isa);
    const head = interchangeHead(isa);
    const { sender, receiver, controlNumber } = head;
    once(this.interchangesUsed, isa, 13, JSON.stringify([sender, receiver, controlNumber]));
    this.interchange = { head, level: new Level(isa, controlNumber) };
  }

  private openGroup(gs: Segment): void {
    if (this.interchange === undefined || this.group !== undefined) throw this.misplaced(gs);
    const head = groupHead(gs, this.kind);
    this.group = {
      envelope: { interchange: this.interchange.head, group: head },
      level: this.interchange.level.open(gs, 6, head.controlNumber),
    };
  }

  private openSet(st: Segment): void {
    if (this.group === undefined || this.set !== undefined) throw this.misplaced(st);
    nothingBeyond(st, 3);
    const { envelope } = this.group;
    const { version } = envelope.group;
    const set = required(st, 1);
    if (this.kind !== undefined && set !== this.kind.set)
      throw wrongElement(st, 1, `is not ${this.kind.set}`, "X12_VERSION_UNSUPPORTED", { version });
    const controlNumber = matching(st, 2, forms.set, "a control number of four to nine letters or digits");
    const implementation = optional(st, 3);
    if (implementation !== undefined && implementation !== version)
      throw wrongElement(st, 3, "is another version than GS08", "X12_VERSION_UNSUPPORTED", { version });
    const level = this.group.level.open(st, 2, controlNumber);
    level.inside = 1;
    this.set = { envelope, controlNumber, ...(implementation === undefined ? {} : { implementation }), level };
  }

  private closeSet(se: Segment): void {
    if (this.set === undefined) throw this.misplaced(se);
    this.set.level.inside += 1;
    this.set.level.close(se, "segments");
    this.set = undefined;
  }

  private closeGroup(ge: Segment): void {
    if (this.group === undefined || this.set !== undefined) throw this.misplaced(ge);
    this.group.level.close(ge, "transaction sets");
    this.requireSome(ge, this.group.level);
    this.group = undefined;
  }

  private closeInterchange(iea: Segment): void {
    if (this.interchange === undefined || this.group !== undefined) throw this.misplaced(iea);
    this.interchange.level.close(iea, "groups");
    this.requireSome(iea, this.interchange.level);
    this.interchange = undefined;
  }

  private requireSome(trailer: Segment, level: Level): void {
    if (level.inside === 0) throw wrong("X12_ENVELOPE_INVALID", trailer, "it ends what holds nothing");
  }
}
