/** What scripts/codes.ts makes of sdk/src/fhir/eventMapping.json: the SDK's table and those of docs/event-mapping.md. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { valueSetCodes, type FhirVersion } from "./codeTables";
import { ROOT } from "./processes";

const DATA = "sdk/src/fhir/eventMapping.json";
const PAGE = "docs/event-mapping.md";

/** What a status leads to, in the words of the page: before the line is settled, and after something was paid for it. */
const outcomes = {
  pending: { before: "pending", after: "pending" },
  met: { before: "met", after: "met" },
  byQuantity: { before: "by hand-over and quantity", after: "by hand-over and quantity" },
  notMet: { before: "not met", after: "correction" },
} as const;

interface Status {
  leadsTo: keyof typeof outcomes;
  reason: string;
  corrects?: true;
  /** The one version of FHIR that has it; absent: all have. */
  only?: FhirVersion;
  means: string;
}

interface Resource {
  /** Absent where the resource is no event itself. */
  eventKind?: { name: string; bit: number };
  valueSet: string;
  statuses: Record<string, Status>;
  /** Reasons why one whose status leads to payment is still pending, in the order in which they are looked for. */
  waits: string[];
}

interface EventMapping {
  versions: Record<FhirVersion, string>;
  resources: Record<string, Resource>;
  reasons: Record<string, string>;
}

const versions: readonly FhirVersion[] = ["R4", "R5"];

const isOf = (version: FhirVersion, { only = version }: Status): boolean => only === version;

/**
 * The mapping as it is written down.
 * @throws where a status of one of HL7's value sets is not in it, or one in it is in none, or it contradicts itself
 */
function readMapping(): EventMapping {
  const mapping = JSON.parse(readFileSync(join(ROOT, DATA), "utf8")) as EventMapping;
  const known = (reason: string): void => {
    if (!Object.hasOwn(mapping.reasons, reason)) throw new Error(`${DATA} has no words for the reason ${reason}`);
  };
  for (const [type, { valueSet, statuses, waits }] of Object.entries(mapping.resources)) {
    for (const version of versions) {
      const codes = valueSetCodes(version, `${valueSet}|${mapping.versions[version]}`);
      const mapped = Object.keys(statuses).filter((code) => isOf(version, statuses[code] as Status));
      const apart = [
        ...codes.filter((code) => !mapped.includes(code)),
        ...mapped.filter((code) => !codes.includes(code)),
      ];
      if (apart.length > 0) throw new Error(`${DATA} and HL7 differ about ${type} in ${version}: ${apart.join(", ")}`);
    }
    for (const [code, { leadsTo, reason }] of Object.entries(statuses)) {
      if (!Object.hasOwn(outcomes, leadsTo)) throw new Error(`${type} ${code} leads to nothing that there is`);
      known(reason);
    }
    waits.forEach(known);
  }
  return mapping;
}

const ruleOf = ({ leadsTo, reason, corrects }: Status): object => ({ leadsTo, reason, ...(corrects && { corrects }) });

const rulesIn = (statuses: Record<string, Status>, belongs: (status: Status) => boolean): string =>
  Object.entries(statuses)
    .filter(([, status]) => belongs(status))
    .map(([code, status]) => `${JSON.stringify(code)}: ${JSON.stringify(ruleOf(status))}`)
    .join();

/** sdk/src/fhir/eventTables.ts, before it is formatted. */
export function eventTables(): string {
  const { versions: numbers, resources, reasons } = readMapping();
  const types = Object.entries(resources);
  const inAll = types.map(
    ([type, { statuses }]) => `${type}: {${rulesIn(statuses, ({ only }) => only === undefined)}}`,
  );
  const inOne = (version: FhirVersion): string[] =>
    types.map(([type, { valueSet, statuses }]) => {
      const own = rulesIn(statuses, ({ only }) => only === version);
      const rules = own === "" ? `statuses.${type}` : `{ ...statuses.${type}, ${own} }`;
      return `${type}: { valueSet: "${valueSet}|${numbers[version]}", statuses: ${rules} }`;
    });
  const bits = types.flatMap(([type, { eventKind }]) => (eventKind === undefined ? [] : [`${type}: ${eventKind.bit}`]));
  return [
    `// Written by \`npm run codes\` from ${DATA}, which is held against HL7's value sets (npm packages, CC0).`,
    "",
    "/** Why an event leads to its result, in words. */",
    `export const eventReasons = ${JSON.stringify(reasons)} as const;`,
    "",
    "/** Statuses that all versions have. */",
    `const statuses = {${inAll.join()}} as const;`,
    "",
    "/** By version of FHIR and resource type, what each code of the value set of `status` leads to. */",
    `export const eventRules = {${versions.map((version) => `${version}: {${inOne(version).join()}}`).join()}} as const;`,
    "",
    "/** Bit of a rulebook's event kinds by resource type. A Task is no kind of event: what it was about is. */",
    `export const eventKindBits = {${bits.join()}} as const;`,
    "",
  ].join("\n");
}

const code = (text: string): string => `\`${text}\``;

const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

function statusTable({ statuses }: Resource): string {
  const rows = Object.entries(statuses).map(([name, { leadsTo, reason, corrects, only, means }]) => {
    const { before, after } = outcomes[leadsTo];
    return [code(name), only ?? versions.join(", "), before, corrects ? "correction" : after, code(reason), means];
  });
  return table(["status", "FHIR", "result", "after payment", "reason", "what it says"], rows);
}

/** The tables of the page, by the name that its marks give them. */
function pageTables({ versions: numbers, resources, reasons }: EventMapping): Record<string, string> {
  const types = Object.entries(resources);
  const sets = types.map(([type, { valueSet, eventKind }]) => {
    const kind = eventKind === undefined ? ["", ""] : [code(eventKind.name), `${eventKind.bit}`];
    return [code(type), code(valueSet), ...versions.map((version) => numbers[version]), ...kind];
  });
  const waits = types.flatMap(([type, { waits: list }]) => list.map((reason) => [code(type), code(reason)]));
  return {
    "value sets": table(["resource", "value set of `status`", ...versions, "event kind", "bit"], sets),
    ...Object.fromEntries(types.map(([type, resource]) => [type, statusTable(resource)])),
    waits: table(["resource", "reason to wait"], waits),
    reasons: table(
      ["reason", "in words"],
      Object.entries(reasons).map(([reason, words]) => [code(reason), words]),
    ),
  };
}

/**
 * docs/event-mapping.md with its tables as they would be, before it is formatted. The words around them stay.
 * @throws where a table has no place on the page, or a place no table
 */
export function eventPage(): string {
  const tables = pageTables(readMapping());
  const placed: string[] = [];
  const page = readFileSync(join(ROOT, PAGE), "utf8").replace(
    /(<!-- table by npm run codes, ([\w ]+) -->\n)[^]*?(<!-- end -->)/g,
    (_, start: string, name: string, end: string) => {
      placed.push(name);
      return `${start}\n${tables[name] ?? ""}\n\n${end}`;
    },
  );
  if (placed.join() !== Object.keys(tables).join())
    throw new Error(`${PAGE} has places for ${placed.join(", ")}, and there are ${Object.keys(tables).join(", ")}`);
  return page;
}
