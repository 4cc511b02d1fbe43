import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const folder = dirname(require.resolve("hl7.fhir.r4.examples/package.json"));
const r5Folder = dirname(require.resolve("hl7.fhir.r5.expansions/package.json"));

/** A resource of HL7's own examples (npm, CC0), by file name without `.json`. */
export const hl7 = <Resource>(name: string): Resource =>
  JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as Resource;

/** Names of all examples of one resource type. */
export const hl7Names = (type: string): string[] =>
  readdirSync(folder)
    .filter((file) => file.startsWith(`${type}-`) && file.endsWith(".json"))
    .map((file) => file.slice(0, -".json".length))
    .sort();

interface Concept {
  code: string;
  concept?: Concept[];
}

/** Every code of one of HL7's code systems, the nested ones too. */
export const hl7Codes = (codeSystem: string): string[] => {
  const codes = (concepts: Concept[]): string[] =>
    concepts.flatMap(({ code, concept }) => [code, ...codes(concept ?? [])]);
  return codes(hl7<{ concept: Concept[] }>(`CodeSystem-${codeSystem}`).concept).sort();
};

interface ValueSet {
  url: string;
  version: string;
  compose: { include: { system: string; concept?: Concept[] }[] };
  expansion?: { contains: Concept[] };
}

/** Every code of one of HL7's value sets, by its canonical URL, from R4's definitions or R5's expansions. */
export const hl7ValueSet = (canonical: string): string[] => {
  const [url = "", version = ""] = canonical.split("|");
  const file = `ValueSet-${url.split("/").at(-1)}`;
  const found = version.startsWith("5.")
    ? (JSON.parse(readFileSync(join(r5Folder, `${file}.json`), "utf8")) as ValueSet)
    : hl7<ValueSet>(file);
  if (`${found.url}|${found.version}` !== canonical) throw new Error(`${file} is another value set: ${found.url}`);
  const { include } = found.compose;
  const concepts = found.expansion?.contains ?? include.flatMap(({ concept }) => concept ?? []);
  if (concepts.length > 0) return concepts.map(({ code }) => code).sort();
  return include.flatMap(({ system }) => hl7Codes(system.split("/").at(-1) ?? "")).sort();
};

/**
 * A copy of JSON with some elements replaced, each named by its path (`item[0].net.value`); undefined takes the element
 * out.
 */
export function withElements<Resource>(resource: Resource, changes: Record<string, unknown>): Resource {
  const copy = structuredClone(resource);
  for (const [path, value] of Object.entries(changes)) {
    const names = path.match(/[^.[\]]+/g) ?? [];
    let node = copy as Record<string, unknown>;
    for (const name of names.slice(0, -1)) node = node[name] as Record<string, unknown>;
    const last = names.at(-1) ?? "";
    if (value === undefined) delete node[last];
    else node[last] = value;
  }
  return copy;
}

/** Path of every element below a JSON value, as {@link withElements} takes it. */
export function pathsOf(value: unknown, path = ""): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, entry]) => {
    const below = Array.isArray(value) ? `${path}[${name}]` : path === "" ? name : `${path}.${name}`;
    return [below, ...pathsOf(entry, below)];
  });
}
