import type { Delimiters } from "./types";

/** The separators that most payers write. */
export const usualDelimiters: Delimiters = Object.freeze({
  element: "*",
  repetition: "^",
  component: ":",
  segment: "~",
});

const names = {
  element: "the character after ISA",
  repetition: "ISA11",
  component: "ISA16",
  segment: "the character after ISA16",
} as const;

/** Punctuation, and the four information separators; neither what numbers are written with nor line breaks. */
const POSSIBLE = /^[!-,/:-@[-`{-~\x1c-\x1f]$/; // eslint-disable-line no-control-regex -- X12 allows these four

/** Letters of X12's extended character set beyond ASCII. */
const BEYOND_ASCII = "\\xa1\\xbf-\\xd6\\xd8-\\xf6\\xf8-\\xff";

/** Why these cannot be separators; nothing where they can. */
export function delimitersProblem(delimiters: Delimiters): string | undefined {
  const roles = ["element", "repetition", "component", "segment"] as const;
  const impossible = roles.find((role) => !POSSIBLE.test(delimiters[role]));
  if (impossible !== undefined)
    return `${names[impossible]} cannot separate ${impossible}s: take punctuation other than . and -, no letter, digit, space or line break`;
  for (const [i, role] of roles.entries())
    for (const other of roles.slice(i + 1))
      if (delimiters[role] === delimiters[other])
        return `${names[role]} and ${names[other]} are the same character: take four different ones`;
  return undefined;
}

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** Finds what cannot stand in a segment that is read. */
export const notInSegment = ({ element, repetition, component }: Delimiters): RegExp =>
  new RegExp(`[^ -~${BEYOND_ASCII}${[element, repetition, component].map(escaped).join("")}]`);

/** Finds what cannot stand in a simple element that is written. */
export const notInElement = ({ element, repetition, component, segment }: Delimiters): RegExp =>
  new RegExp(`[^ -~${BEYOND_ASCII}]|[${[element, repetition, component, segment].map(escaped).join("")}]`);
