/**
 * Writes sdk/src/codes/tables/ from HL7's own package (npm hl7.fhir.r4.examples, CC0), and from sdk/src/fhir/eventMapping.json
 * the SDK's table of events and those of docs/event-mapping.md. `--check` writes nothing, and fails where a file is not what
 * it would be.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { format, resolveConfig } from "prettier";

import {
  confidentialities,
  place,
  purposes,
  resourceTypes,
  sensitivities,
  type BitRange,
  type Code,
  type PlacedCode,
} from "./codeTables";
import { eventPage, eventTables } from "./eventMapping";
import { exitWith, ROOT } from "./processes";

const FOLDER = join("sdk", "src", "codes", "tables");

interface Table {
  name: string;
  doc: string;
  codes: () => Code[];
  /** Absent: the order is what counts, and its first code is 0. */
  range?: BitRange;
}

const TABLES: Table[] = [
  {
    name: "purposes",
    doc: "Purposes of use: HL7 v3 ActReason, value set PurposeOfUse.",
    codes: purposes,
    range: { first: 0, last: 255 },
  },
  {
    name: "resourceTypes",
    doc: "FHIR R4 resource types. Bits 0 to 191 of the categories.",
    codes: resourceTypes,
    range: { first: 0, last: 191 },
  },
  {
    name: "sensitivities",
    doc: "Sensitivity labels: HL7 v3 ActCode, value set InformationSensitivityPolicy. Bits 192 to 255 of the categories.",
    codes: sensitivities,
    range: { first: 192, last: 255 },
  },
  {
    name: "confidentialities",
    doc: "Degrees of HL7 v3 Confidentiality, the least first. The position is the ceiling of a grant.",
    codes: confidentialities,
  },
];

/** The table as it is committed: where its codes already have their bits. */
async function committed({ name }: Table): Promise<PlacedCode[]> {
  const path = join(ROOT, FOLDER, `${name}.ts`);
  if (!existsSync(path)) return [];
  const tables = (await import(path)) as Record<string, PlacedCode[]>;
  return tables[name] ?? [];
}

async function tableText(table: Table): Promise<string> {
  const codes = table.codes();
  const entries = table.range === undefined ? codes : place(codes, await committed(table), table.range);
  return [
    "// Written by `npm run codes` from the npm package hl7.fhir.r4.examples (CC0). Positions never change.",
    "",
    `/** ${table.doc} */`,
    `export const ${table.name} = ${JSON.stringify(entries)} as const;`,
    "",
  ].join("\n");
}

/** Every file that is written, before it is formatted. */
const FILES: { path: string; parser: "typescript" | "markdown"; text: () => string | Promise<string> }[] = [
  ...TABLES.map((table) => ({
    path: join(FOLDER, `${table.name}.ts`),
    parser: "typescript" as const,
    text: () => tableText(table),
  })),
  { path: join("sdk", "src", "fhir", "eventTables.ts"), parser: "typescript", text: eventTables },
  { path: join("docs", "event-mapping.md"), parser: "markdown", text: eventPage },
];

exitWith(async () => {
  const check = process.argv.includes("--check");
  if (!check) mkdirSync(join(ROOT, FOLDER), { recursive: true });
  let stale = 0;
  for (const { path, parser, text } of FILES) {
    const file = join(ROOT, path);
    const options = await resolveConfig(file);
    const wanted = await format(await text(), { ...options, plugins: [], parser });
    if (existsSync(file) && readFileSync(file, "utf8") === wanted) continue;
    if (check) {
      console.error(`${path} is not what it would be: npm run codes`);
      stale++;
    } else writeFileSync(file, wanted);
  }
  return stale === 0;
});
