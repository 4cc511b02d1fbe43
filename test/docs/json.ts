import { writeFile } from "node:fs/promises";

import { isAddress } from "ethers";

import { readLaboratoryClaim, readPharmacyClaim, type LaboratoryClaim, type PharmacyClaim } from "@carepact/sdk/claims";
import { diagnosticReportResult, dispenseResult, readAuditEvent, readClaim, readConsent } from "@carepact/sdk/fhir";
import { requireMinorRules, type MinorRules } from "@carepact/sdk/patients";
import { rulebookFromJson, rulebookIdOf, type RulebookJson } from "@carepact/sdk/rulebooks";

import { rulebookIn } from "../../tasks/rulebook/document";

import type { Block } from "./page";

const SOMEBODY = `0x${"11".repeat(20)}`;
const PATIENT = `0x${"22".repeat(32)}`;

/** The SDK's readers, by what a document says that it is. An organization's entry and results by payee have
 * none: the commands that they are for read them. */
const readers: { is: (json: Record<string, unknown>) => boolean; read: (json: unknown) => unknown }[] = [
  {
    is: ({ kind }) => kind === "pharmacy",
    read: (json) => readPharmacyClaim(json as PharmacyClaim, { payee: SOMEBODY }),
  },
  {
    is: ({ kind }) => kind === "laboratory",
    read: (json) => readLaboratoryClaim(json as LaboratoryClaim, { payee: SOMEBODY }),
  },
  {
    is: ({ resourceType }) => resourceType === "Claim",
    read: (json) => readClaim(json as Parameters<typeof readClaim>[0]),
  },
  {
    is: ({ resourceType }) => resourceType === "MedicationDispense",
    read: (json) => dispenseResult(json as Parameters<typeof dispenseResult>[0], { amount: 1_000_000n }),
  },
  {
    is: ({ resourceType }) => resourceType === "DiagnosticReport",
    read: (json) =>
      diagnosticReportResult(json as Parameters<typeof diagnosticReportResult>[0], { amount: 1_000_000n }),
  },
  {
    is: ({ resourceType }) => resourceType === "Consent",
    read: (json) => readConsent(json as Parameters<typeof readConsent>[0], { accountOf: () => SOMEBODY }),
  },
  {
    is: ({ resourceType }) => resourceType === "AuditEvent",
    read: (json) =>
      readAuditEvent(json as Parameters<typeof readAuditEvent>[0], {
        accountOf: () => SOMEBODY,
        patientOf: () => PATIENT,
        number: 0,
      }),
  },
  { is: ({ majorityAge }) => majorityAge !== undefined, read: (json) => requireMinorRules(json as MinorRules) },
  { is: (json) => Object.keys(json).every((key) => isAddress(key)), read: (json) => json },
  { is: ({ hpkeKey }) => typeof hpkeKey === "string", read: (json) => json },
  {
    is: ({ attesters }) => attesters !== undefined,
    read: (json) => rulebookIn(json, "rulebook", { p256Verifier: SOMEBODY }),
  },
  {
    is: ({ attesterGroups }) => attesterGroups !== undefined,
    read: (json) => rulebookIdOf(rulebookFromJson(json as RulebookJson)),
  },
];

/** Has the SDK read a block of JSON, and puts it into the current folder under the name that the words before it end with. */
export async function readJson({ text, line, paragraph }: Block): Promise<void> {
  const json = JSON.parse(text) as Record<string, unknown>;
  const reader = readers.find(({ is }) => is(json));
  if (reader === undefined) throw new Error(`Line ${line + 1}: nothing of the SDK reads this JSON.`);
  reader.read(json);
  const [, file] = /`([\w.-]+\.json)`:$/.exec(paragraph) ?? [];
  if (file === undefined) throw new Error(`Line ${line + 1}: the words before the block end with no name of a file.`);
  await writeFile(file, text);
}
