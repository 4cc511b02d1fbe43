import { CarepactError, type ErrorCode } from "../errors";

import type { Delimiters, RawElement, RawSegment } from "./types";

/** A segment as it was read. */
export interface Segment {
  id: string;
  /** Its elements as they stand, the id before them: `parts[3]` is CLP03. Empty ones at the end are left out. */
  parts: readonly string[];
  /** Whether a separator of components or repetitions is in it. */
  structured: boolean;
  delimiters: Delimiters;
  /** One for the first segment of the input. */
  number: number;
  /** Characters of the input before it. */
  position: number;
}

/** Where in the input something is wrong. */
export type Place = Pick<Segment, "id" | "number" | "position">;

/** `CLP`, 3 → `CLP03`. */
export const elementName = (id: string, at: number): string => `${id}${String(at).padStart(2, "0")}`;

/** An error about a place in the input. */
export function wrong(
  code: ErrorCode,
  place: Place,
  problem: string,
  details: Record<string, unknown> = {},
): CarepactError {
  const { id, number, position } = place;
  return new CarepactError(code, `Segment ${number} (${id}, at character ${position}): ${problem}.`, {
    segment: number,
    id,
    position,
    ...details,
  });
}

/** An error about one element. */
export function wrongElement(
  segment: Place,
  at: number,
  problem: string,
  code: ErrorCode = "X12_ELEMENT_INVALID",
  details: Record<string, unknown> = {},
): CarepactError {
  const element = elementName(segment.id, at);
  return wrong(code, segment, `${element} ${problem}`, { element, ...details });
}

const withoutEmptyEnd = (texts: string[]): string[] => {
  while (texts.length > 0 && texts[texts.length - 1] === "") texts.pop();
  return texts;
};

/** The components of a composite element. */
export const componentsOf = (text: string, { component }: Delimiters): string[] =>
  withoutEmptyEnd(text.split(component));

function rawElement(text: string, delimiters: Delimiters): RawElement {
  if (text.includes(delimiters.repetition))
    return text.split(delimiters.repetition).map((repetition) => componentsOf(repetition, delimiters));
  if (!text.includes(delimiters.component)) return text;
  const components = componentsOf(text, delimiters);
  return components.length > 1 ? components : (components[0] ?? "");
}

/** The segment as a caller keeps it, free of the separators it came with. */
export function rawSegment({ id, parts, structured, delimiters }: Segment): RawSegment {
  const elements = parts.slice(1);
  return { id, elements: structured ? elements.map((text) => rawElement(text, delimiters)) : elements };
}

/** Keeps a segment as it stands, where it has a place; says whether it has. */
export function keep(segment: Segment, ids: readonly string[], kept: RawSegment[]): boolean {
  if (!ids.includes(segment.id)) return false;
  kept.push(rawSegment(segment));
  return true;
}
