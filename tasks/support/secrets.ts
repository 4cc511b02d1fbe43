/** Keys and passwords of this process. Nothing prints them; this is for what a library or node may say of them one day. */
const secrets = new Set<string>();

const SHORTEST = 8;
/** Hex of a key: long enough to be no part of anything else by chance. */
const KEY = /^(0x)?[0-9a-f]{32,}$/i;
/** What a short password of digits may be part of: calldata, amounts, hashes. */
const DIGITS = /^(0x)?[0-9a-f]+$/i;
/** A value that stands for itself: hex, a number, a moment. */
const DATA = /^(0x[0-9a-f]*|[0-9.,:TZ+-]+)$/i;

/** Keeps a secret out of all that commands print. Hex is kept out in either case, with and without 0x. */
export function keepSecret(secret: string): void {
  // Shorter ones would blot out words, and are no secrets.
  for (const form of [secret, secret.trim(), secret.trim().replace(/^0x/i, "")])
    if (form.length >= SHORTEST) secrets.add(form);
}

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

/** A short password of hex digits is one only where it stands alone: within data it is data, which would be cut up. */
const patternOf = (secret: string): string =>
  KEY.test(secret) || !DIGITS.test(secret)
    ? literal(secret)
    : `(?<![0-9a-z]|[0-9][.,])${literal(secret)}(?![0-9a-z]|[.,][0-9])`;

/** All in one pass, the longest first: what takes a secret's place is not looked at again. */
function without(kept: readonly string[], text: string): string {
  if (kept.length === 0) return text;
  const patterns = [...kept].sort((a, b) => b.length - a.length).map(patternOf);
  return text.replace(new RegExp(patterns.join("|"), "giu"), "[secret]");
}

/** A text without secrets. */
export const redacted = (text: string): string => without([...secrets], text);

/** A string in JSON without secrets. Data is searched for keys alone: a password that looks like it is not in it. */
export const redactedValue = (value: string): string =>
  DATA.test(value)
    ? without(
        [...secrets].filter((secret) => KEY.test(secret)),
        value,
      )
    : redacted(value);
