import { CarepactError, type ErrorCode } from "../errors";

import { Composer } from "./composer";
import { delimitersProblem } from "./delimiters";
import { isTime } from "./elements";
import { forms, INTERCHANGE_VERSION } from "./envelope";
import type { Currency } from "../money";
import type { Envelope, GroupHead, InterchangeHead } from "./types";

const refuse = (code: ErrorCode, problem: string, details: Record<string, unknown> = {}): CarepactError =>
  new CarepactError(code, problem, details);

/** Writes heads and trailers around transaction sets: consecutive ones of one envelope go into one group. */
export class EnvelopeWriter {
  private interchange: { head: InterchangeHead; same: string; groups: Set<string> } | undefined;
  private group: { head: GroupHead; same: string; sets: Set<string> } | undefined;
  private readonly interchanges = new Set<string>();
  private writer: Composer | undefined;

  constructor(
    private readonly functionalId: string,
    private readonly version: string,
    private readonly currency: Currency,
  ) {}

  /** Of the interchange that is open. */
  get composer(): Composer {
    return this.writer as Composer;
  }

  /** Opens what the next transaction set has to stand in, and closes what it does not stand in. */
  *enter({ interchange, group }: Envelope, controlNumber: string): Generator<string, void> {
    const [sameInterchange, sameGroup] = [JSON.stringify(interchange), JSON.stringify(group)];
    if (this.interchange?.same !== sameInterchange) {
      yield* this.finish();
      yield this.isa(interchange);
      this.interchange = { head: interchange, same: sameInterchange, groups: new Set() };
    }
    if (this.group?.same !== sameGroup) {
      yield* this.closeGroup();
      yield this.gs(group);
      this.group = { head: group, same: sameGroup, sets: new Set() };
    }
    if (!forms.set.test(controlNumber)) throw this.wrong("ST02", "is not four to nine letters or digits");
    once((this.group as { sets: Set<string> }).sets, controlNumber, "ST02");
  }

  /** Closes what is open. */
  *finish(): Generator<string, void> {
    yield* this.closeGroup();
    if (this.interchange === undefined) return;
    const { head, groups } = this.interchange;
    yield this.composer.segment("IEA", [String(groups.size), head.controlNumber]);
    this.interchange = undefined;
  }

  private *closeGroup(): Generator<string, void> {
    if (this.group === undefined) return;
    const { head, sets } = this.group;
    yield this.composer.segment("GE", [String(sets.size), head.controlNumber]);
    this.group = undefined;
  }

  private isa(head: InterchangeHead): string {
    const { authorization, security, sender, receiver, date, time, controlNumber, usage, delimiters } = head;
    const problem = delimitersProblem(delimiters);
    if (problem !== undefined) throw refuse("X12_DELIMITERS_INVALID", `${problem}.`, { delimiters });
    this.writer = new Composer(delimiters, this.currency);
    this.writer.where = "the interchange";
    once(this.interchanges, JSON.stringify([sender, receiver, controlNumber]), "ISA13");
    const blank = { qualifier: "00", information: "" };
    const [allowed, secured] = [authorization ?? blank, security ?? blank];
    return this.composer.segment("ISA", [
      this.matching("ISA01", allowed.qualifier, forms.qualifier),
      this.filled(2, allowed.information, 10),
      this.matching("ISA03", secured.qualifier, forms.qualifier),
      this.filled(4, secured.information, 10),
      this.matching("ISA05", sender.qualifier, forms.qualifier),
      this.filled(6, sender.id, 15),
      this.matching("ISA07", receiver.qualifier, forms.qualifier),
      this.filled(8, receiver.id, 15),
      this.matching("ISA09", date, forms.day),
      this.matching("ISA10", time, forms.minute),
      delimiters.repetition,
      INTERCHANGE_VERSION,
      this.matching("ISA13", controlNumber, forms.interchange),
      head.acknowledgment ? "1" : "0",
      this.matching("ISA15", usage, forms.usage),
      delimiters.component,
    ]);
  }

  private gs({ sender, receiver, date, time, controlNumber, version }: GroupHead): string {
    if (version !== this.version)
      throw refuse("X12_VERSION_UNSUPPORTED", `GS08 has to be ${this.version}.`, { version });
    if (typeof time !== "string" || !isTime(time)) throw this.wrong("GS05", "is not a time such as 2359");
    once((this.interchange as { groups: Set<string> }).groups, controlNumber, "GS06");
    const { composer } = this;
    composer.where = "the group";
    return composer.segment("GS", [
      this.functionalId,
      composer.text("GS", 2, sender, 15),
      composer.text("GS", 3, receiver, 15),
      composer.date("GS", 4, date),
      time,
      this.matching("GS06", controlNumber, forms.group),
      "X",
      version,
    ]);
  }

  private matching(element: string, text: string, form: RegExp): string {
    if (typeof text !== "string" || !form.test(text)) throw this.wrong(element, "is not of its form");
    return text;
  }

  private filled(at: number, text: string, length: number): string {
    if (text === "") return " ".repeat(length);
    if (text.endsWith(" ")) throw this.composer.wrong("ISA", at, "ends in a space, which would be lost");
    return this.composer.text("ISA", at, text, length).padEnd(length);
  }

  private wrong(element: string, problem: string): CarepactError {
    return refuse("X12_ENVELOPE_INVALID", `${element} ${problem}.`, { element });
  }
}

const once = (used: Set<string>, controlNumber: string, element: string): void => {
  if (used.has(controlNumber))
    throw refuse(
      "X12_CONTROL_NUMBER_INVALID",
      `${element} is used twice; number anew, and put what shares an envelope next to each other.`,
      { element },
    );
  used.add(controlNumber);
};
