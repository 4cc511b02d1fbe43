/** What moves the cursor, ends a line, or turns the direction of writing around. */
const CONTROLS = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/**
 * Text for one line of a terminal or log, where others' words (names in the directory, symbols of tokens, ids of claims) must not write
 * lines of their own, or over those above. Control characters are shown as JSON spells them, so that JSON stays what it is.
 */
export const printable = (text: string): string =>
  text.replace(CONTROLS, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}`);
