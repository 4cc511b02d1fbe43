/** What scripts/codes.ts reads and writes: HL7's code lists, and the bits that they have in grants. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A version of FHIR that events come in. */
export type FhirVersion = "R4" | "R5";

/** A code of one of HL7's lists. */
export interface Code {
  code: string;
  display: string;
  /** The code that includes it; absent at the root of a list. */
  parent?: string;
}

/** The same with its place in a bit set. */
export interface PlacedCode extends Code {
  bit: number;
  /** Whether HL7 no longer lists it. Its bit stays its own: grants that were signed may have it set. */
  withdrawn?: true;
}

/** Bits of a list: `first` to `last`, both included. */
export interface BitRange {
  first: number;
  last: number;
}

interface Concept {
  code: string;
  display?: string;
  concept?: Concept[];
  property?: { code: string; valueCode?: string }[];
}

interface CodeSystem {
  url: string;
  content: string;
  concept: Concept[];
}

interface ValueSet {
  url: string;
  version: string;
  compose: { include: { system?: string; concept?: { code: string }[]; filter?: unknown[] }[]; exclude?: unknown[] };
  /** Only in the package of R5. */
  expansion?: { total: number; contains: { code: string }[] };
}

const folders: Record<FhirVersion, string> = {
  R4: dirname(require.resolve("hl7.fhir.r4.examples/package.json")),
  R5: dirname(require.resolve("hl7.fhir.r5.expansions/package.json")),
};

const resource = <Resource>(name: string, version: FhirVersion = "R4"): Resource =>
  JSON.parse(readFileSync(join(folders[version], `${name}.json`), "utf8")) as Resource;

function flatten(concepts: readonly Concept[], parent?: string): (Code & { properties: Concept["property"] })[] {
  return concepts.flatMap(({ code, display, concept, property }) => [
    { code, display: display ?? code, properties: property, ...(parent === undefined ? {} : { parent }) },
    ...flatten(concept ?? [], code),
  ]);
}

/**
 * The concepts of a code system, each after its parent. The package of R4 holds no expansions: a value set is its rule
 * over a code system, which therefore has to be complete.
 */
function codeSystem(id: string): ReturnType<typeof flatten> {
  const system = resource<CodeSystem>(`CodeSystem-${id}`);
  if (system.content !== "complete") throw new Error(`${system.url} is not complete: ${system.content}`);
  const concepts = flatten(system.concept);
  if (new Set(concepts.map(({ code }) => code)).size !== concepts.length)
    throw new Error(`${system.url} lists a code twice`);
  return concepts;
}

/**
 * Codes of a value set by its canonical URL with its version: those it lists, or all of its one code system.
 * @throws when the package has another version, or the value set is made up in any other way
 */
export function valueSetCodes(version: FhirVersion, canonical: string): string[] {
  const name = canonical.slice(canonical.lastIndexOf("/") + 1).replace(/\|.*$/, "");
  const valueSet = resource<ValueSet>(`ValueSet-${name}`, version);
  if (`${valueSet.url}|${valueSet.version}` !== canonical) throw new Error(`${version} does not have ${canonical}`);
  const { compose, expansion } = valueSet;
  if (expansion !== undefined) {
    const codes = expansion.contains.map(({ code }) => code);
    if (codes.length !== expansion.total) throw new Error(`The expansion of ${canonical} is not complete`);
    return codes;
  }
  const [include, ...others] = compose.include;
  if (
    include?.system === undefined ||
    others.length > 0 ||
    include.filter !== undefined ||
    compose.exclude !== undefined
  )
    throw new Error(`${canonical} is more than one code system, or a list of its codes`);
  const codes = codeSystem(include.system.slice(include.system.lastIndexOf("/") + 1)).map(({ code }) => code);
  const listed = include.concept?.map(({ code }) => code) ?? codes;
  if (listed.some((code) => !codes.includes(code))) throw new Error(`${canonical} lists a code that does not exist`);
  return listed;
}

/** Codes of a value set that is "is-a `root`" over a code system, and nothing else; the root comes first. */
function descendants(valueSet: string, system: string, root: string): Code[] {
  const { include, exclude } = resource<ValueSet>(`ValueSet-${valueSet}`).compose;
  const rule = JSON.stringify([{ property: "concept", op: "is-a", value: root }]);
  if (include.length !== 1 || exclude !== undefined || JSON.stringify(include[0]?.filter) !== rule)
    throw new Error(`ValueSet ${valueSet} is no longer what is a ${root}`);

  const inside = new Set([root]);
  const codes: Code[] = [];
  const concepts = codeSystem(system);
  for (const { code, display, parent } of concepts) {
    if (code === root) codes.push({ code, display });
    else if (parent !== undefined && inside.has(parent)) {
      inside.add(code);
      codes.push({ code, display, parent });
    }
  }
  // HL7 notes a second parent as a property "child" of that parent; a bit set built on one parent would miss it.
  for (const { code, properties } of concepts)
    for (const { code: name, valueCode } of properties ?? [])
      if (name === "child" && (inside.has(code) || inside.has(valueCode ?? "")))
        throw new Error(`${code} has ${String(valueCode)} as a second child: the tables know one parent only`);
  return codes;
}

export const purposes = (): Code[] => descendants("v3-PurposeOfUse", "v3-ActReason", "PurposeOfUse");

export const sensitivities = (): Code[] =>
  descendants("v3-InformationSensitivityPolicy", "v3-ActCode", "_InformationSensitivityPolicy");

/** Resource types, each below the type that it specializes: Resource, DomainResource, and the others. */
export function resourceTypes(): Code[] {
  const codes = codeSystem("resource-types").map(({ code, display }): Code => {
    const { baseDefinition } = resource<{ baseDefinition?: string }>(`StructureDefinition-${code}`);
    const parent = baseDefinition?.split("/").at(-1);
    return { code, display, ...(parent === undefined ? {} : { parent }) };
  });
  const rank = ({ code }: Code): number => ["Resource", "DomainResource", code].indexOf(code);
  return codes.sort((a, b) => rank(a) - rank(b));
}

/** Degrees of confidentiality, the least first: the value set lists them in their order. */
export function confidentialities(): Code[] {
  const [include] = resource<ValueSet>("ValueSet-v3-ConfidentialityClassification").compose.include;
  const known = codeSystem("v3-Confidentiality");
  return (include?.concept ?? []).map(({ code }) => {
    const display = known.find((entry) => entry.code === code)?.display;
    if (display === undefined) throw new Error(`v3-Confidentiality does not have ${code}`);
    return { code, display };
  });
}

/**
 * Gives each code its bit. A code that has one keeps it, for ever; new codes get the bits after the highest in use; a
 * code that HL7 took out stays, marked.
 * @throws when the range is full, or a committed bit lies outside of it
 */
export function place(codes: readonly Code[], committed: readonly PlacedCode[], range: BitRange): PlacedCode[] {
  const bits = new Map(committed.map(({ code, bit }) => [code, bit]));
  if (new Set(bits.values()).size !== committed.length) throw new Error("A bit or a code is committed twice");
  let next = Math.max(range.first - 1, ...bits.values()) + 1;
  const placed = codes.map((entry): PlacedCode => ({ ...entry, bit: bits.get(entry.code) ?? next++ }));
  const listed = new Set(codes.map(({ code }) => code));
  const withdrawn = committed
    .filter(({ code }) => !listed.has(code))
    .map((entry): PlacedCode => ({ ...entry, withdrawn: true }));
  const all = [...placed, ...withdrawn].sort((a, b) => a.bit - b.bit);
  if (all.some(({ bit }) => bit < range.first || bit > range.last)) throw new Error("No bit is left for a new code");
  return all;
}
