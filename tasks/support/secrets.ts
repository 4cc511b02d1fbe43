/** Keys and passwords of this process. Nothing prints them; this is for what a library or node may say of them one day. */
const secrets = new Set<string>();

const SHORTEST = 8;

/** Keeps a secret out of all that commands print. Hex is kept out in either case, with and without 0x. */
export function keepSecret(secret: string): void {
  // Shorter ones would blot out words, and are no secrets.
  for (const form of [secret, secret.replace(/^0x/i, "")]) if (form.length >= SHORTEST) secrets.add(form.toLowerCase());
}

/** A text without secrets. */
export function redacted(text: string): string {
  let shown = text;
  for (const secret of secrets)
    for (let at = shown.toLowerCase().indexOf(secret); at >= 0; at = shown.toLowerCase().indexOf(secret))
      shown = `${shown.slice(0, at)}[secret]${shown.slice(at + secret.length)}`;
  return shown;
}
