import { composite } from "./elements";
import { wrongElement, type Segment } from "./segment";
import type { Procedure } from "./types";

export const MOST_MODIFIERS = 4;
/** Where a description stands in the composite, after qualifier, code and modifiers. */
const DESCRIPTION = 2 + MOST_MODIFIERS;

/** A medical procedure identifier (composite C003), where there is one. @throws X12_ELEMENT_INVALID */
export function readProcedure(segment: Segment, at: number): Procedure | undefined {
  const components = composite(segment, at);
  if (components.length === 0) return undefined;
  const [qualifier, code] = components;
  if (!qualifier || !code) throw wrongElement(segment, at, "needs a qualifier and a code");
  if (components.length > DESCRIPTION + 1)
    throw wrongElement(segment, at, `has more than ${DESCRIPTION + 1} components`);
  const modifiers = components.slice(2, DESCRIPTION);
  const description = components[DESCRIPTION];
  if (description !== undefined) while (modifiers[modifiers.length - 1] === "") modifiers.pop();
  if (modifiers.includes("")) throw wrongElement(segment, at, "has a gap between its modifiers");
  return { qualifier, code, modifiers, ...(description === undefined ? {} : { description }) };
}
