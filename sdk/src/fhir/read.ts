import { CarepactError, type ErrorCode } from "../errors";
import { formatDecimal, parseDecimal, type Decimal } from "../money";

/** An object of a FHIR resource, of which nothing is known yet. */
export type Element = { readonly [name: string]: unknown };

/** A quantity, its value as an exact decimal. */
export interface ExactQuantity {
  /** Decimal, as in `30` or `2.5`. */
  value: string;
  /** Code of the unit, or else its name. */
  unit?: string;
}

const FHIR_DATE = /^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])(T[0-9:.]{8,}(Z|[+-][0-9]{2}:[0-9]{2}))?)?)?$/;

/** Reads elements of a resource by path; what does not fit is refused under one error code. */
export class ElementReader {
  constructor(private readonly errorCode: ErrorCode) {}

  refuse(path: string, problem: string, details: Record<string, unknown> = {}): CarepactError {
    return new CarepactError(this.errorCode, `${path} ${problem}.`, { path, ...details });
  }

  element(value: unknown, path: string): Element {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw this.refuse(path, value === undefined ? "is missing" : "has to be an object");
    return value as Element;
  }

  /** The resource itself, which must be of `type` and carry nothing that changes the meaning of what is read. */
  resource(value: unknown, type: string): Element {
    const resource = this.element(value, type);
    if (resource["resourceType"] !== type) throw this.refuse(`${type}.resourceType`, `has to be ${type}`);
    if (resource["implicitRules"] !== undefined)
      throw this.refuse(`${type}.implicitRules`, "names rules that this reader does not know");
    this.noModifiers(resource, type);
    return resource;
  }

  /** FHIR R4, 2.4.0.2: who does not understand a modifier extension must not process the element. */
  noModifiers(element: Element, path: string): void {
    if (element["modifierExtension"] !== undefined)
      throw this.refuse(`${path}.modifierExtension`, "changes the meaning in a way that this reader does not know");
  }

  list(value: unknown, path: string): unknown[] {
    if (value === undefined) return [];
    if (!Array.isArray(value)) throw this.refuse(path, "has to be a list");
    return value;
  }

  text(value: unknown, path: string): string {
    if (typeof value !== "string" || value.trim() === "")
      throw this.refuse(path, value === undefined ? "is missing" : "has to be a text");
    return value;
  }

  optionalText(value: unknown, path: string): string | undefined {
    return value === undefined ? undefined : this.text(value, path);
  }

  /** A FHIR date or dateTime. */
  date(value: unknown, path: string): string | undefined {
    if (value === undefined) return undefined;
    if (typeof value !== "string" || !FHIR_DATE.test(value)) throw this.refuse(path, "is not a FHIR date");
    return value;
  }

  flag(value: unknown, path: string): boolean | undefined {
    if (value !== undefined && typeof value !== "boolean") throw this.refuse(path, "has to be true or false");
    return value;
  }

  code<Code extends string>(value: unknown, codes: readonly Code[], path: string): Code {
    const known = codes.find((code) => code === value);
    if (known === undefined)
      throw this.refuse(path, value === undefined ? "is missing" : `has to be one of ${codes.join(", ")}`);
    return known;
  }

  sequence(value: unknown, path: string): number {
    if (typeof value !== "number" || !Number.isInteger(value) || value < 1)
      throw this.refuse(path, "has to be a whole number from 1");
    return value;
  }

  /** `system|code` of the first coding, or the text, of a CodeableConcept. */
  concept(value: unknown, path: string): string {
    const concept = this.element(value, path);
    for (const [i, entry] of this.list(concept["coding"], `${path}.coding`).entries()) {
      const coding = this.element(entry, `${path}.coding[${i}]`);
      const code = this.optionalText(coding["code"], `${path}.coding[${i}].code`);
      const system = this.optionalText(coding["system"], `${path}.coding[${i}].system`);
      if (code !== undefined) return system === undefined ? code : `${system}|${code}`;
    }
    return this.text(concept["text"], path);
  }

  /** Literal reference, or `system|value` of the logical one. */
  reference(value: unknown, path: string): string {
    const reference = this.element(value, path);
    const literal = this.optionalText(reference["reference"], `${path}.reference`);
    return literal ?? this.identifier(reference["identifier"], `${path}.identifier`);
  }

  /** `system|value` of an Identifier. */
  identifier(value: unknown, path: string): string {
    const identifier = this.element(value, path);
    const system = this.optionalText(identifier["system"], `${path}.system`);
    const text = this.text(identifier["value"], `${path}.value`);
    return system === undefined ? text : `${system}|${text}`;
  }

  /** A SimpleQuantity. @returns undefined when it is not stated, or states no value. */
  quantity(value: unknown, path: string): (ExactQuantity & { exact: Decimal }) | undefined {
    if (value === undefined) return undefined;
    const quantity = this.element(value, path);
    if (quantity["comparator"] !== undefined) throw this.refuse(`${path}.comparator`, "is not allowed here");
    if (quantity["value"] === undefined) return undefined;
    const exact = parseDecimal(quantity["value"], `${path}.value`);
    const unit =
      this.optionalText(quantity["code"], `${path}.code`) ?? this.optionalText(quantity["unit"], `${path}.unit`);
    return { value: formatDecimal(exact), ...(unit === undefined ? {} : { unit }), exact };
  }
}
