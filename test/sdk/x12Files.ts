import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import {
  parse835,
  usualDelimiters,
  type Claim835,
  type Envelope,
  type Service835,
  type Transaction835,
} from "../../sdk/src/x12";

const folder = join(__dirname, "..", "x12");
/** Public samples beside the project; tests of them are left out where the folder is not there. */
const publicFolder = join(__dirname, "..", "..", "..", "shared", "data", "x12");

export const x12Text = (name: string): string => readFileSync(join(folder, name), "utf8");

/** Texts of the project's files of one kind, by name. */
export const ownFiles = (extension: "835" | "837"): [string, string][] => filesOf(folder, extension);

/** Texts of the public samples of one kind, by name. */
export const publicFiles = (extension: "835" | "837"): [string, string][] =>
  existsSync(publicFolder) ? filesOf(publicFolder, extension) : [];

const filesOf = (path: string, extension: string): [string, string][] =>
  readdirSync(path)
    .filter((name) => name.endsWith(`.${extension}`))
    .map((name) => [name, readFileSync(join(path, name), "utf8")]);

export async function allOf<Entry>(entries: AsyncIterable<Entry>): Promise<Entry[]> {
  const all: Entry[] = [];
  for await (const entry of entries) all.push(entry);
  return all;
}

export async function only835(text: string): Promise<Transaction835> {
  const [transaction] = await allOf(parse835(text));
  return transaction as Transaction835;
}

/** The text in pieces of this many characters. */
export const piecesOf = (text: string, length: number): string[] =>
  Array.from({ length: Math.ceil(text.length / length) }, (_, i) => text.slice(i * length, (i + 1) * length));

export const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

export const envelope: Envelope = {
  interchange: {
    sender: { qualifier: "ZZ", id: "SYNTHETICPAYER" },
    receiver: { qualifier: "ZZ", id: "SYNTHETICPHARM" },
    date: "260131",
    time: "0915",
    controlNumber: "000000001",
    acknowledgment: false,
    usage: "T",
    delimiters: usualDelimiters,
  },
  group: {
    sender: "SYNTHETICPAYER",
    receiver: "SYNTHETICPHARM",
    date: "2026-01-31",
    time: "0915",
    controlNumber: "1",
    version: "005010X221A1",
  },
};

export const serviceOf = (charge: bigint, paid: bigint): Service835 => ({
  procedure: { qualifier: "HC", code: "SYN01", modifiers: [] },
  charge,
  paid,
  dates: [],
  adjustments: charge === paid ? [] : [{ group: "CO", reason: "45", amount: charge - paid }],
  references: [],
  amounts: [],
  quantities: [],
  remarks: [],
});

/** A claim that balances, unless services are put in that do not sum to it. */
export const claimOf = (charge: bigint, paid: bigint, parts: Partial<Claim835> = {}): Claim835 => ({
  claimId: "SYN-CLAIM-1",
  status: "1",
  charge,
  paid,
  filing: "12",
  adjustments:
    parts.services === undefined && charge !== paid ? [{ group: "CO", reason: "45", amount: charge - paid }] : [],
  parties: [],
  references: [],
  dates: [],
  other: [],
  amounts: [],
  quantities: [],
  services: [],
  ...parts,
});

/** A remittance of these claims that balances. */
export const remittanceOf = (claims: readonly Claim835[], parts: Partial<Transaction835> = {}): Transaction835 => ({
  envelope,
  controlNumber: "0001",
  payment: {
    handling: "I",
    amount: claims.reduce((sum, { paid }) => sum + paid, 0n),
    creditOrDebit: "C",
    method: "NON",
    date: "2026-02-02",
  },
  trace: { type: "1", reference: "SYN-TRACE-1", originator: "1999999999" },
  references: [],
  payer: { name: "SYNTHETIC HEALTH PLAN", references: [], other: [] },
  payee: { name: "SYNTHETIC PHARMACY", idQualifier: "XX", id: "1234567893", references: [], other: [] },
  other: [],
  sections: [{ number: "1", summaries: [], claims }],
  providerAdjustments: [],
  ...parts,
});
