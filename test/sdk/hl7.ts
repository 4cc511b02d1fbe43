import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const folder = dirname(require.resolve("hl7.fhir.r4.examples/package.json"));

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
