import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import type { Medication, MedicationDispense } from "fhir/r4";

/** HL7's own examples of FHIR R4 (npm `hl7.fhir.r4.examples`, CC0). */
const folder = dirname(require.resolve("hl7.fhir.r4.examples/package.json"));

/** One example, by file name without `.json`. */
export const hl7 = <Resource>(name: string): Resource =>
  JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as Resource;

/** Every MedicationDispense among the examples, in order of their ids. */
export const allDispenses = (): MedicationDispense[] =>
  readdirSync(folder)
    .filter((file) => /^MedicationDispense-.*\.json$/.test(file))
    .sort()
    .map((file) => hl7<MedicationDispense>(file.slice(0, -".json".length)));

/** What a dispense says that it dispensed, as a person reads it. */
export function medicineOf(dispense: MedicationDispense): string {
  const contained = dispense.contained?.find((entry): entry is Medication => entry.resourceType === "Medication");
  const concept = dispense.medicationCodeableConcept ?? contained?.code;
  return (
    concept?.coding?.[0]?.display ??
    concept?.text ??
    dispense.medicationReference?.display ??
    "a medicine without a name"
  );
}
