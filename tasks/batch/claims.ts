import type { Claim } from "fhir/r4";

import { CarepactError, decodeError } from "@carepact/sdk";
import {
  adjudicate,
  readLaboratoryClaim,
  readPharmacyClaim,
  type AdjudicatedClaim,
  type ClaimDecision,
  type LaboratoryClaim,
  type PharmacyClaim,
} from "@carepact/sdk/claims";
import { readClaim } from "@carepact/sdk/fhir";
import { createOrganizations } from "@carepact/sdk/organizations";

import { readEntries, readJson } from "../support/files";
import { addressIn, needed, usage } from "../support/input";
import type { Site } from "../support/site";

/** Claims as options name them. */
export interface ClaimOptions {
  claims?: string;
  decisions?: string;
  payee?: string;
}

type Decision = Partial<ClaimDecision> & { claimId?: string };
type Entry = Record<string, unknown>;

/** HL7's name for the system of NPIs. */
const NPI_SYSTEM = "http://hl7.org/fhir/sid/us-npi|";

/**
 * The claims of a file with the payer's answers. Who is paid stands in the directory, by NPI, unless it is said.
 * @throws INPUT_INVALID, and what the SDK throws for claims; `details.claim` counts from 1
 */
export async function claimsIn(site: Site, options: ClaimOptions): Promise<AdjudicatedClaim[]> {
  const payee = options.payee === undefined ? undefined : addressIn(options.payee, "--payee");
  const organizations = createOrganizations(site.connection);
  const payeeOf = async (npi: unknown): Promise<string | undefined> =>
    payee ?? (typeof npi === "string" ? organizations.byNpi(npi, site.options) : undefined);

  const entries = await readEntries(needed(options, "claims"), "--claims");
  if (options.claims === "-" && options.decisions === "-")
    throw usage("Only one of --claims and --decisions can be stdin.", "--decisions");
  const decisions =
    options.decisions === undefined ? [] : ((await readEntries(options.decisions, "--decisions")) as Decision[]);
  const read: AdjudicatedClaim[] = [];
  for (const [i, entry] of entries.entries())
    try {
      read.push(await claimIn(entry as Entry, decisions, entries.length === 1, payeeOf));
    } catch (thrown) {
      const { code, message, details, cause } = decodeError(thrown);
      throw new CarepactError(
        code,
        `Claim ${i + 1} of ${entries.length}: ${message}`,
        { ...details, claim: i + 1 },
        cause,
      );
    }
  return read;
}

async function claimIn(
  entry: Entry,
  decisions: readonly Decision[],
  isOnly: boolean,
  payeeOf: (npi: unknown) => Promise<string | undefined>,
): Promise<AdjudicatedClaim> {
  if (entry?.["kind"] === "pharmacy")
    return readPharmacyClaim(entry as unknown as PharmacyClaim, { payee: await payeeOf(entry["pharmacyNpi"]) });
  if (entry?.["kind"] === "laboratory")
    return readLaboratoryClaim(entry as unknown as LaboratoryClaim, { payee: await payeeOf(entry["laboratoryNpi"]) });

  const isBare = entry?.["resourceType"] === "Claim";
  const claim = isBare ? entry : entry?.["claim"];
  if ((claim as Entry | undefined)?.["resourceType"] !== "Claim")
    throw usage('It is no PharmacyClaim, LaboratoryClaim, FHIR Claim, or {"claim", "decision"}.', "--claims");
  const charged = readClaim(claim as Claim);
  const decision = isBare
    ? decisionOn(charged.claimId, decisions, isOnly)
    : (entry["decision"] as Decision | undefined);
  if (!Array.isArray(decision?.lines)) throw usage(`There is no decision on claim ${charged.claimId}.`, "--decisions");
  const npi = charged.provider.startsWith(NPI_SYSTEM) ? charged.provider.slice(NPI_SYSTEM.length) : undefined;
  return adjudicate(charged, { ...decision, lines: decision.lines, payee: decision.payee ?? (await payeeOf(npi)) });
}

/** By claim id; where there is one of each, they belong together. */
function decisionOn(claimId: string, decisions: readonly Decision[], isOnly: boolean): Decision | undefined {
  const [first] = decisions;
  if (isOnly && decisions.length === 1 && first?.claimId === undefined) return first;
  const found = decisions.filter((decision) => decision?.claimId === claimId);
  if (found.length > 1) throw usage(`There are ${found.length} decisions on claim ${claimId}.`, "--decisions");
  return found[0];
}

/** Patients' keys by claim id, of a file. What is no key, and no claim of these, the SDK refuses. @throws INPUT_INVALID */
export async function patientKeysIn(path: string | undefined): Promise<Record<string, string[]> | undefined> {
  if (path === undefined) return undefined;
  const value = await readJson(path, "--patient-keys");
  const isList = (keys: unknown): boolean => Array.isArray(keys) && keys.every((key) => typeof key === "string");
  if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.values(value).every(isList))
    throw usage('--patient-keys is an object such as {"A-1": ["0x..."]}: lists of keys by claim id.', "--patient-keys");
  return value as Record<string, string[]>;
}
