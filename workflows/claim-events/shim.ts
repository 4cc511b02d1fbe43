/**
 * As much of URL as the SDK's reader of JSON Schemas needs to tell schemas apart: absolute addresses, and references to
 * one of them. Chainlink's engine has no URL of its own.
 */
class SchemaAddress {
  private readonly place: string;
  private fragment: string;

  constructor(reference: string | URL, base?: string | URL) {
    const [place = "", fragment] = String(reference).split("#");
    this.place = /^[a-z][a-z0-9+.-]*:/i.test(place) ? place : joined(place, String(base ?? "").split("#")[0] ?? "");
    this.fragment = fragment === undefined ? "" : `#${fragment}`;
  }

  get hash(): string {
    return this.fragment;
  }

  set hash(value: string) {
    this.fragment = value === "" || value.startsWith("#") ? value : `#${value}`;
  }

  get href(): string {
    return this.place + this.fragment;
  }

  toString(): string {
    return this.href;
  }
}

function joined(reference: string, base: string): string {
  if (base === "") throw new TypeError("Invalid URL");
  return reference === "" ? base : base.slice(0, base.lastIndexOf("/") + 1) + reference;
}

const runtime = globalThis as { URL?: unknown };
runtime.URL ??= SchemaAddress;

export {};
