import { isAddress } from "ethers";

import { CarepactError } from "@carepact/sdk";
import type { FhirVersion } from "@carepact/sdk/fhir";

import { isElement, type Element } from "./elements";

/** A FHIR server, and for which providers it speaks. */
export interface Server {
  /** Base of the RESTful API, without a slash at its end. */
  baseUrl: string;
  fhirVersion: FhirVersion;
  /** NPIs of the pharmacies whose dispenses it holds. */
  npis: string[];
  /** CLIA numbers of the laboratories whose reports it holds. */
  clias: string[];
  /** `Claim.provider` of claims whose care it documents: a literal reference, or `system|value`. */
  providers: string[];
  /** `Identifier.system` of prescription numbers (NCPDP 402-D2). */
  prescriptionSystem?: string;
  /** Extension of MedicationDispense with the fill number (NCPDP 403-D3); the one of HL7's Da Vinci PDex unless given. */
  fillExtension: string;
  /** `Identifier.system` of accession numbers. */
  accessionSystem?: string;
  /** Code systems in which the laboratory's procedure codes stand in `DiagnosticReport.code`. */
  procedureSystems: string[];
  /** Name of the secret with the bearer token, where the server asks for one. */
  tokenSecret?: string;
}

/** What is the same for every request, set by whoever runs the workflow. */
export interface Settings {
  chainId: number;
  /** Address of the escrow's proxy. */
  escrow: string;
  servers: Server[];
  /** Whether nothing is due before `whenHandedOver` is stated. */
  handOverRequired: boolean;
  /** How often each resource is read in one run: all once, then all again. */
  readsEach: 1 | 2;
  /** Most lines looked at in one run. */
  mostLines: number;
  /** Largest answer of a server that is read, in bytes. */
  maxBytes: number;
  /** Longest wait for an answer, in milliseconds. */
  timeoutMs: number;
  /** Seconds to which the time of observation is rounded down, so that a run repeated at once says the same. */
  roundTo: number;
}

const PDEX_REFILL = "http://hl7.org/fhir/us/davinci-pdex/StructureDefinition/DispenseRefill";

/** What is not stated in settings. */
const defaults = {
  handOverRequired: true,
  readsEach: 2,
  mostLines: 6,
  maxBytes: 250_000,
  timeoutMs: 10_000,
  roundTo: 60,
} as const;

const invalid = (path: string, problem: string): CarepactError =>
  new CarepactError("INPUT_INVALID", `${path} ${problem}.`, { path });

// Plain HTTP only to the machine itself: a resource that was changed on its way would settle a claim.
const BASE_URL = /^(https:\/\/[^\s/?#@]+|http:\/\/(127\.0\.0\.1|localhost)(:[0-9]+)?)(\/[^\s?#]*[^\s?#/])?$/;

/**
 * Reads settings and fills in what they leave out.
 * @throws INPUT_INVALID
 */
export function readSettings(value: unknown): Settings {
  if (!isElement(value)) throw invalid("settings", "have to be an object");
  const whole = (name: "mostLines" | "maxBytes" | "timeoutMs" | "roundTo"): number =>
    wholeOf(value[name] ?? defaults[name], `settings.${name}`);
  const { escrow, handOverRequired = defaults.handOverRequired, readsEach = defaults.readsEach } = value;
  if (typeof escrow !== "string" || !isAddress(escrow)) throw invalid("settings.escrow", "is not an address");
  if (typeof handOverRequired !== "boolean") throw invalid("settings.handOverRequired", "has to be true or false");
  if (readsEach !== 1 && readsEach !== 2) throw invalid("settings.readsEach", "has to be 1 or 2");
  const servers = listOf(value["servers"], "settings.servers").map((entry, i) =>
    readServer(entry, `settings.servers[${i}]`),
  );
  requireOneServerEach(servers);
  return {
    chainId: wholeOf(value["chainId"], "settings.chainId"),
    escrow,
    servers,
    handOverRequired,
    readsEach,
    mostLines: whole("mostLines"),
    maxBytes: whole("maxBytes"),
    timeoutMs: whole("timeoutMs"),
    roundTo: whole("roundTo"),
  };
}

function readServer(value: unknown, path: string): Server {
  if (!isElement(value)) throw invalid(path, "has to be an object");
  const { baseUrl, fhirVersion = "R4" } = value;
  if (typeof baseUrl !== "string" || !BASE_URL.test(baseUrl))
    throw invalid(`${path}.baseUrl`, "is not an https address without query and without a slash at its end");
  if (fhirVersion !== "R4" && fhirVersion !== "R5") throw invalid(`${path}.fhirVersion`, "has to be R4 or R5");
  const texts = (name: string): string[] =>
    listOf(value[name] ?? [], `${path}.${name}`).map((entry, i) => textOf(entry, `${path}.${name}[${i}]`));
  const optional = (name: "prescriptionSystem" | "accessionSystem" | "tokenSecret"): Element =>
    value[name] === undefined ? {} : { [name]: textOf(value[name], `${path}.${name}`) };
  return {
    baseUrl,
    fhirVersion,
    npis: texts("npis"),
    clias: texts("clias"),
    providers: texts("providers"),
    procedureSystems: texts("procedureSystems"),
    fillExtension: textOf(value["fillExtension"] ?? PDEX_REFILL, `${path}.fillExtension`),
    ...optional("prescriptionSystem"),
    ...optional("accessionSystem"),
    ...optional("tokenSecret"),
  };
}

function requireOneServerEach(servers: readonly Server[]): void {
  for (const name of ["npis", "clias", "providers"] as const) {
    const all = servers.flatMap((server) => server[name]);
    const twice = all.find((entry, i) => all.indexOf(entry) !== i);
    if (twice !== undefined) throw invalid("settings.servers", `name ${twice} twice: whose word counts is not clear`);
  }
}

function wholeOf(value: unknown, path: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 1)
    throw invalid(path, "has to be a whole number above zero");
  return value;
}

function listOf(value: unknown, path: string): unknown[] {
  if (!Array.isArray(value)) throw invalid(path, "has to be a list");
  return value;
}

function textOf(value: unknown, path: string): string {
  if (typeof value !== "string" || value === "") throw invalid(path, "has to be a text");
  return value;
}
