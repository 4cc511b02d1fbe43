import { amountOf, dateOf, isDecimal, nothingBeyond, optional } from "./elements";
import { wrongElement, type Segment } from "./segment";
import type { Currency } from "../money";

/** What an element holds: one line of a segment's layout. Reading and writing go by the same layout. */
export interface Field<Key extends string = string> {
  /** `3` for CLP03. */
  at: number;
  key: Key;
  kind: "text" | "amount" | "decimal" | "date";
  /** Most characters of a text. */
  max: number;
  required: boolean;
}

/** What of a model stands in elements of its segment: all but lists and what has parts of its own. */
export type Simple<Model> = {
  [Key in keyof Model as NonNullable<Model[Key]> extends string | bigint ? Key : never]: Model[Key];
};

type KeyOf<Model> = Extract<keyof Simple<Model>, string>;

/** Elements of a segment in order, for a model with these keys. */
export interface Layout<Model> {
  fields: readonly Field<KeyOf<Model>>[];
  /** Number of the last element that is used, also by what is no field. */
  last: number;
}

type Spec<Model> = readonly [at: number, key: KeyOf<Model>, kind: Field["kind"] | number, required?: "required"];

/** A number instead of a kind is a text of at most so many characters. */
export function layout<Model>(last: number, specs: readonly Spec<Model>[]): Layout<Model> {
  const fields = specs.map(([at, key, kind, required]) => ({
    at,
    key,
    kind: typeof kind === "number" ? ("text" as const) : kind,
    max: typeof kind === "number" ? kind : 0,
    required: required !== undefined,
  }));
  return { fields, last };
}

/**
 * Reads the elements of a segment into a model.
 * @param into What the model has besides; changed, since copies would take more time than all the rest.
 * @throws X12_ELEMENT_INVALID, X12_AMOUNT_INVALID
 */
export function readFields<Model, Rest extends object>(
  segment: Segment,
  { fields, last }: Layout<Model>,
  currency: Currency,
  into: Rest,
): Simple<Model> & Rest {
  nothingBeyond(segment, last);
  const model = into as Record<string, unknown>;
  for (const field of fields) {
    const text = optional(segment, field.at);
    if (text !== undefined) model[field.key] = readField(segment, field, text, currency);
    else if (field.required) throw wrongElement(segment, field.at, "is missing; the guide requires it");
  }
  return model as Simple<Model> & Rest;
}

function readField(segment: Segment, { at, kind, max }: Field, text: string, currency: Currency): string | bigint {
  switch (kind) {
    case "text":
      if (text.length > max) throw wrongElement(segment, at, `has more than ${max} characters`);
      return text;
    case "amount":
      return amountOf(segment, at, text, currency);
    case "decimal":
      if (!isDecimal(text)) throw wrongElement(segment, at, "is not a number such as 2 or 1.5");
      return text;
    case "date":
      return dateOf(segment, at, text);
  }
}
