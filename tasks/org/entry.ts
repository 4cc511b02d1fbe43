import {
  organizationKinds,
  type Organization,
  type OrganizationEntry,
  type OrganizationKind,
} from "@carepact/sdk/organizations";

import { readJson } from "../support/files";
import { bytes32In, listIn, oneOf, usage } from "../support/input";
import { list } from "../support/show";

/** An entry as options give it. */
export interface EntryOptions {
  file?: string;
  name?: string;
  kinds?: string;
  hpkeKey?: string;
  npi?: string;
  ncpdpId?: string;
  clia?: string;
  endpoint?: string;
}

const kindNames = Object.keys(organizationKinds) as OrganizationKind[];
const texts = ["name", "npi", "ncpdpId", "clia", "endpoint"] as const;

/** What the options, or the file they name, say of an organization. @throws INPUT_INVALID */
export async function entryIn(options: EntryOptions): Promise<Partial<Organization>> {
  const { file, kinds, hpkeKey } = options;
  if (file !== undefined) {
    if (kinds !== undefined || hpkeKey !== undefined || texts.some((name) => options[name] !== undefined))
      throw usage("--file says all of an entry: leave the other options out.", "--file");
    return entryOf(await readJson(file, "--file"));
  }
  const given: Record<string, unknown> = { hpkeKey, ...(kinds === undefined ? {} : { kinds: listIn(kinds) }) };
  for (const name of texts) given[name] = options[name];
  return entryOf(given);
}

function entryOf(value: unknown): Partial<Organization> {
  if (typeof value !== "object" || value === null) throw usage("--file: this is no organization's entry.", "--file");
  const given = value as Record<string, unknown>;
  const entry: Partial<Organization> = {};
  for (const name of texts) {
    const text = given[name];
    if (text === undefined) continue;
    if (typeof text !== "string") throw usage(`${name} is a text.`, name);
    entry[name] = text;
  }
  if (given["hpkeKey"] !== undefined) entry.hpkeKey = bytes32In(given["hpkeKey"], "--hpke-key");
  if (given["kinds"] !== undefined) {
    if (!Array.isArray(given["kinds"]) || given["kinds"].length === 0) throw usage("kinds is a list.", "--kinds");
    entry.kinds = given["kinds"].map((kind) => oneOf(kind, kindNames, "--kinds"));
  }
  return entry;
}

/** An entry that lacks nothing that every organization has. */
export function wholeEntry({ name, kinds, hpkeKey, ...rest }: Partial<Organization>): Organization {
  const missing = Object.entries({ name, kinds, hpkeKey }).filter(([, value]) => value === undefined);
  if (name === undefined || kinds === undefined || hpkeKey === undefined)
    throw usage(`An entry needs ${missing.map(([field]) => field).join(", ")}.`, missing[0]?.[0] ?? "name");
  return { name, kinds, hpkeKey, ...rest };
}

/** Fields in which what is wanted differs from what stands there. */
export function differences(entry: OrganizationEntry, wanted: Partial<Organization>): string[] {
  const text = (value: string | readonly string[] | undefined): string =>
    typeof value === "object" ? [...value].sort().join() : (value ?? "");
  return (Object.keys(wanted) as (keyof Organization)[]).filter((field) => text(wanted[field]) !== text(entry[field]));
}

/** An entry for people. */
export const entryLines = (entry: OrganizationEntry): string[] =>
  list({
    account: entry.account,
    status: entry.status,
    name: entry.name,
    kinds: entry.kinds.join(", "),
    npi: entry.npi,
    ncpdpId: entry.ncpdpId,
    clia: entry.clia,
    hpkeKey: `${entry.hpkeKey} (version ${entry.hpkeKeyVersion})`,
    endpoint: entry.endpoint,
  });
