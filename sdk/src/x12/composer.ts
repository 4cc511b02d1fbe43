import { CarepactError, type ErrorCode } from "../errors";
import type { Currency } from "../money";

import { notInElement } from "./delimiters";
import { isDecimal, x12Amount } from "./elements";
import type { Field, Layout, Simple } from "./fields";
import { elementName } from "./segment";
import type { Delimiters, RawElement, RawSegment } from "./types";

/** HIPAA's guides allow monetary amounts ten digits, cents included. */
const MOST_WHOLE_DIGITS = 8n;

const ISO_DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;

/** Makes segments out of values, and refuses what would not be read as it is written. */
export class Composer {
  /** What is written, for errors: `claim 123`. */
  where = "";
  private readonly forbidden: RegExp;
  private readonly tooLarge: bigint;

  constructor(
    readonly delimiters: Delimiters,
    readonly currency: Currency,
  ) {
    this.forbidden = notInElement(delimiters);
    this.tooLarge = 10n ** (MOST_WHOLE_DIGITS + BigInt(currency.decimals));
  }

  /** A segment without its terminator; empty elements at the end are left out. */
  segment(id: string, elements: readonly string[]): string {
    let last = elements.length;
    while (last > 0 && elements[last - 1] === "") last -= 1;
    const { element } = this.delimiters;
    return last === 0 ? id : id + element + elements.slice(0, last).join(element);
  }

  /** The elements of a model whose segment has this layout. */
  elements<Model>(id: string, { fields, last }: Layout<Model>, model: Simple<Model>): string[] {
    const elements = new Array<string>(last).fill("");
    for (const field of fields) {
      const value = (model as Readonly<Record<string, unknown>>)[field.key];
      if (value !== undefined) elements[field.at - 1] = this.element(id, field, value);
      else if (field.required) throw this.wrong(id, field.at, "is missing; the guide requires it");
    }
    return elements;
  }

  private element(id: string, { at, kind, max }: Field, value: unknown): string {
    switch (kind) {
      case "text":
        return this.text(id, at, value, max);
      case "amount":
        return this.amount(id, at, value);
      case "decimal":
        return this.decimal(id, at, value);
      case "date":
        return this.date(id, at, value);
    }
  }

  text(id: string, at: number, value: unknown, max: number): string {
    if (typeof value !== "string" || value === "")
      throw this.wrong(id, at, "is no text; leave it out where there is none");
    if (value.length > max) throw this.wrong(id, at, `has more than ${max} characters`);
    const bad = value.search(this.forbidden);
    if (bad >= 0) {
      const code = `U+${value.charCodeAt(bad).toString(16).toUpperCase().padStart(4, "0")}`;
      throw this.wrong(
        id,
        at,
        `holds ${code}, which is a separator or no character of X12; choose other delimiters or other words`,
        "X12_CHARACTER_INVALID",
        { character: code },
      );
    }
    return value;
  }

  amount(id: string, at: number, value: unknown): string {
    if (typeof value !== "bigint") throw this.wrong(id, at, "is no bigint of base units", "X12_AMOUNT_INVALID");
    if (value >= this.tooLarge || value <= -this.tooLarge)
      throw this.wrong(id, at, "has more than the ten digits that the guides allow an amount", "X12_AMOUNT_INVALID");
    return x12Amount(value, this.currency);
  }

  decimal(id: string, at: number, value: unknown): string {
    if (typeof value !== "string" || !isDecimal(value)) throw this.wrong(id, at, "is not a number such as 2 or 1.5");
    return value;
  }

  date(id: string, at: number, value: unknown): string {
    if (typeof value !== "string" || !ISO_DATE.test(value))
      throw this.wrong(id, at, "is not a date such as 2026-01-31");
    return value.replaceAll("-", "");
  }

  composite(components: readonly string[]): string {
    let last = components.length;
    while (last > 0 && components[last - 1] === "") last -= 1;
    return components.slice(0, last).join(this.delimiters.component);
  }

  /** A segment that was kept as it stood. */
  raw({ id, elements }: RawSegment): string {
    return this.segment(
      id,
      elements.map((element, i) => this.rawElement(id, i + 1, element)),
    );
  }

  private rawElement(id: string, at: number, element: RawElement): string {
    const text = (value: string): string => (value === "" ? "" : this.text(id, at, value, Infinity));
    if (typeof element === "string") return text(element);
    if (!isRepeated(element)) return this.composite(element.map(text));
    return element.map((components) => this.composite(components.map(text))).join(this.delimiters.repetition);
  }

  wrong(
    id: string,
    at: number,
    problem: string,
    code: ErrorCode = "X12_ELEMENT_INVALID",
    details: Record<string, unknown> = {},
  ): CarepactError {
    const element = elementName(id, at);
    const where = this.where === "" ? "" : ` of ${this.where}`;
    return new CarepactError(code, `${element}${where} ${problem}.`, { id, element, where: this.where, ...details });
  }

  /** An error about a whole segment. */
  misplaced(id: string): CarepactError {
    return new CarepactError("X12_SEGMENT_UNEXPECTED", `The guide has no place for ${id} in ${this.where}.`, {
      id,
      where: this.where,
    });
  }
}

const isRepeated = (
  element: readonly string[] | readonly (readonly string[])[],
): element is readonly (readonly string[])[] => typeof element[0] === "object";
