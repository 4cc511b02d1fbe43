import type { Composer } from "./composer";
import { composite } from "./elements";
import { wrongElement, type Segment } from "./segment";
import type { Procedure } from "./types";

const MOST_MODIFIERS = 4;
/** Most characters of each component: qualifier, code, modifiers, description. */
const LONGEST = [2, 48, 2, 2, 2, 2, 80];
const DESCRIPTION = LONGEST.length - 1;

/** A medical procedure identifier (composite C003), where there is one. @throws X12_ELEMENT_INVALID */
export function readProcedure(segment: Segment, at: number): Procedure | undefined {
  const components = composite(segment, at);
  if (components.length === 0) return undefined;
  const [qualifier, code] = components;
  if (!qualifier || !code) throw wrongElement(segment, at, "needs a qualifier and a code");
  components.forEach((component, i) => {
    const longest = LONGEST[i];
    if (longest === undefined) throw wrongElement(segment, at, `has more than ${LONGEST.length} components`);
    if (component.length > longest)
      throw wrongElement(segment, at, `has more than ${longest} characters in component ${i + 1}`);
  });
  const modifiers = components.slice(2, DESCRIPTION);
  while (modifiers[modifiers.length - 1] === "") modifiers.pop();
  if (modifiers.includes("")) throw wrongElement(segment, at, "has a gap between its modifiers");
  const description = components[DESCRIPTION];
  return { qualifier, code, modifiers, ...(description === undefined ? {} : { description }) };
}

/** The same as an element; empty where there is none. @throws X12_ELEMENT_INVALID, X12_CHARACTER_INVALID */
export function writeProcedure(
  composer: Composer,
  id: string,
  at: number,
  { qualifier, code, modifiers, description }: Procedure,
): string {
  if (modifiers.length > MOST_MODIFIERS) throw composer.wrong(id, at, `has more than ${MOST_MODIFIERS} modifiers`);
  const gap = new Array<string>(MOST_MODIFIERS - modifiers.length).fill("");
  const components = [qualifier, code, ...modifiers].map((text, i) =>
    composer.text(id, at, text, LONGEST[i] as number),
  );
  const words = description === undefined ? "" : composer.text(id, at, description, LONGEST[DESCRIPTION] as number);
  return composer.composite([...components, ...gap, words]);
}
