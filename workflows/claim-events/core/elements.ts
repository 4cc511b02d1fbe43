/** An object of a FHIR resource or request, of which nothing is known yet. */
export type Element = { readonly [name: string]: unknown };

/** An Identifier with what compares: its system and value. */
export interface Identifier {
  system: string;
  value: string;
}

/** A Reference, with the contained resource it points to. */
export interface Reference {
  /** Literal reference; absent where it points into the resource itself. */
  literal?: string;
  /** Identifiers of the reference and of the contained resource. */
  identifiers: Identifier[];
  /** Type of the resource referred to, where it is told. */
  type?: string;
  contained?: Element;
}

export const isElement = (value: unknown): value is Element =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The objects of a list; nothing for what is no list. */
export const elementsOf = (value: unknown): Element[] => (Array.isArray(value) ? value.filter(isElement) : []);

export const textOf = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

/** Identifiers that state a system and a value. Others say nothing that could be compared. */
export function identifiersOf(value: unknown): Identifier[] {
  const all = Array.isArray(value) ? elementsOf(value) : isElement(value) ? [value] : [];
  return all.flatMap((identifier) => {
    const system = textOf(identifier["system"]);
    const text = textOf(identifier["value"]);
    return system === undefined || text === undefined ? [] : [{ system, value: text }];
  });
}

/** A reference in a resource, together with what a contained resource says about the same thing. */
export function referenceOf(resource: Element, value: unknown): Reference {
  if (!isElement(value)) return { identifiers: [] };
  const literal = textOf(value["reference"]);
  const identifiers = identifiersOf(value["identifier"]);
  const stated = textOf(value["type"]);
  if (literal?.startsWith("#") !== true) {
    const type = stated ?? (literal === undefined ? undefined : typeOfLiteral(literal));
    return {
      ...(literal === undefined ? {} : { literal }),
      identifiers,
      ...(type === undefined ? {} : { type }),
    };
  }
  const contained = elementsOf(resource["contained"]).find(({ id }) => id === literal.slice(1));
  const type = stated ?? textOf(contained?.["resourceType"]);
  return {
    identifiers: [...identifiers, ...identifiersOf(contained?.["identifier"])],
    ...(type === undefined ? {} : { type }),
    ...(contained === undefined ? {} : { contained }),
  };
}

const typeOfLiteral = (literal: string): string | undefined =>
  /(?:^|\/)([A-Z][A-Za-z]*)\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[^/]+)?$/.exec(literal)?.[1];

/** The distinct values that identifiers state under one system. */
export const valuesOf = (identifiers: readonly Identifier[], system: string): string[] => [
  ...new Set(identifiers.filter((entry) => entry.system === system).map(({ value }) => value)),
];

/** Whether one value is stated, and it is this one: two different ones are no answer. */
export const isExactly = (values: readonly string[], expected: string): boolean =>
  values.length === 1 && values[0] === expected;

/** The codings of a CodeableConcept that state a code. */
export function codingsOf(concept: unknown): { system?: string; code: string }[] {
  if (!isElement(concept)) return [];
  return elementsOf(concept["coding"]).flatMap((coding) => {
    const code = textOf(coding["code"]);
    const system = textOf(coding["system"]);
    return code === undefined ? [] : [{ code, ...(system === undefined ? {} : { system }) }];
  });
}
