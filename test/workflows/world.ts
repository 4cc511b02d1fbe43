import {
  buildClaimBatch,
  readLaboratoryClaim,
  readPharmacyClaim,
  type AdjudicatedClaim,
  type BuiltClaimBatch,
  type ClaimBatchInput,
  type ClaimBatchPart,
  type PharmacyClaim,
} from "../../sdk/src/claims";
import { generateSealingKeys } from "../../sdk/src/encryption";
import { workflowNameOf } from "../../sdk/src/oracles";
import type { ClaimEventsRequest, RequestedLine } from "../../workflows/claim-events/core";
import { escrow, laboratory, payer, pharmacy, rulebook, token } from "../sdk/claimBatchFixture";
import { hl7, withElements } from "../sdk/hl7";
import { pharmacyClaim } from "../support/pharmacyClaim";

import type { Resource } from "./fhirServer";

export const npi = pharmacyClaim.pharmacyNpi;
export const clia = "99D9999999";
export const salt = `0x${"5a".repeat(32)}`;

/** Systems under which the provider of these tests writes its numbers. */
export const systems = {
  prescriptionSystem: "https://pharmacy.example/rx",
  accessionSystem: "https://laboratory.example/accession",
  procedureSystems: ["http://loinc.org"],
};
export const fillExtension = "http://hl7.org/fhir/us/davinci-pdex/StructureDefinition/DispenseRefill";

/** Later than all that HL7's dispenses tell. */
export const observedAt = Date.UTC(2016, 5, 1, 12, 0, 0) / 1000;

export const workflowRulebook = {
  ...rulebook,
  workflow: { id: `0x${"11".repeat(32)}`, owner: payer, name: workflowNameOf("claim-events") },
  eventKinds: 15,
};

/** A prescription number for one of HL7's dispenses: the digits of its id. */
export const rxOf = ({ id }: Resource): string => id.replace(/^[^1-9]+/, "");

/** The National Drug Code that one of HL7's dispenses states, in NCPDP's eleven digits. */
function ndcOf(dispense: Resource): string {
  const stated = /"http:\/\/hl7.org\/fhir\/sid\/ndc","code":"([0-9-]+)"/.exec(JSON.stringify(dispense))?.[1];
  const [labeler, product, pack] = (stated ?? "0-0-0").split("-") as [string, string, string];
  return labeler.padStart(5, "0") + product.padStart(4, "0") + pack.padStart(2, "0");
}

/** The claim for one of HL7's dispenses. */
export function fillOf(dispense: Resource, changes: Partial<PharmacyClaim> = {}): AdjudicatedClaim {
  const prepared = dispense["whenPrepared"] as string | undefined;
  return readPharmacyClaim(
    {
      ...pharmacyClaim,
      claimId: `A-${dispense.id}`,
      prescriptionReferenceNumber: rxOf(dispense),
      dateOfService: (prepared ?? "2015-01-15").slice(0, 10),
      productServiceId: ndcOf(dispense),
      quantityDispensed: String((dispense["quantity"] as { value?: number } | undefined)?.value ?? 30),
      ...changes,
    },
    { payee: pharmacy },
  );
}

export const testOf = (procedureCode: string, collectionDate: string): AdjudicatedClaim =>
  readLaboratoryClaim(
    {
      kind: "laboratory",
      claimId: "L-1",
      currency: "USD",
      claimStatusCode: "1",
      laboratoryNpi: "1234567893",
      clia,
      accessionNumber: "ACC-1",
      collectionDate,
      lines: [{ lineNumber: 1, procedureCode, charge: 75, allowed: 75, patientResponsibility: 0, planPays: 75 }],
    },
    { payee: laboratory },
  );

/** One of HL7's dispenses with what a pharmacy adds: the numbers by which it is billed. */
export const dispenseOf = (name: string, changes: Record<string, unknown> = {}): Resource => {
  const dispense = hl7<Resource>(`MedicationDispense-${name}`);
  return withElements(dispense, {
    identifier: [{ system: systems.prescriptionSystem, value: rxOf(dispense) }],
    extension: [{ url: fillExtension, valueQuantity: { value: 0 } }],
    ...changes,
  });
};

/** One of HL7's reports with its accession number. */
export const reportOf = (name: string, changes: Record<string, unknown> = {}): Resource =>
  withElements(hl7<Resource>(`DiagnosticReport-${name}`), {
    identifier: [{ system: systems.accessionSystem, value: "ACC-1" }],
    ...changes,
  });

/** A batch of these claims. */
export async function batchOf(
  claims: AdjudicatedClaim[],
  changes: Partial<ClaimBatchInput> = {},
): Promise<BuiltClaimBatch> {
  const { publicKey } = await generateSealingKeys();
  return buildClaimBatch({
    chainId: 31337,
    escrow,
    payer,
    token,
    rulebook: workflowRulebook,
    eventBy: new Date("2016-12-31T23:59:59Z"),
    claims,
    payeeKeys: { [laboratory]: { publicKey, version: 1 }, [pharmacy]: { publicKey, version: 1 } },
    ...changes,
  });
}

/** Index in the batch of the line that was billed under a claim's number. */
export const lineOf = (parts: readonly ClaimBatchPart[], claimId: string): number => {
  const part = parts.find(({ lines }) => lines.some(({ detail }) => detail.claimId === claimId));
  return part === undefined ? -1 : part.firstLine + part.lines.findIndex(({ detail }) => detail.claimId === claimId);
};

/** A request about some payees' parts: `lines` by claim number. */
export function requestOf(
  built: BuiltClaimBatch,
  payees: string | readonly string[],
  lines: Record<string, Omit<RequestedLine, "line">>,
): ClaimEventsRequest {
  const parts = built.record.parts.filter(({ payee }) => [payees].flat().includes(payee));
  return {
    carepact: "claim-events-request",
    version: 1,
    file: { ...built.file, sealed: [] },
    parts,
    salt,
    lines: Object.entries(lines).map(([claimId, line]) => ({ line: lineOf(parts, claimId), ...line })),
  };
}

/** Settings as a pharmacy and a laboratory on one server need them. */
export const settingsOf = (baseUrl: string, changes: object = {}, server: object = {}): object => ({
  chainId: 31337,
  escrow,
  servers: [{ baseUrl, npis: [npi], clias: [clia], ...systems, ...server }],
  ...changes,
});
