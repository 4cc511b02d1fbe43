import { isHexString } from "ethers";

import { CarepactError } from "@carepact/sdk";
import {
  openClaimBatchPart,
  type ClaimBatchFile,
  type ClaimBatchPart,
  type OpenedGroup,
  type OpenedLine,
  type PublicPart,
} from "@carepact/sdk/claims";
import { eventKindBits } from "@carepact/sdk/fhir";

import { isElement, referenceOf, textOf, type Element, type Reference } from "./elements";
import type { Server, Settings } from "./settings";

/** Which resource on the provider's server reports the event of a line. */
export interface RequestedLine {
  /** Index of the line in the batch: its part's `firstLine` plus its place in the part. */
  line: number;
  /** `MedicationDispense/123`: type and id, never an address. */
  resource: string;
  /** The patient on that server, `Patient/7`, where the claim itself names none (NCPDP and laboratory claims). */
  subject?: string;
}

/** What is asked of the workflow: to look at some lines of a claim batch. */
export interface ClaimEventsRequest {
  carepact: "claim-events-request";
  version: 1;
  /** The batch's public part; sealed parts are not needed. */
  file: ClaimBatchFile;
  /** Parts of the payees that are asked about, in the clear, see `unsealClaimBatchPart`. */
  parts: ClaimBatchPart[];
  /** 32 random bytes in hex for the evidence commitment: all nodes use the same. */
  salt: string;
  lines: RequestedLine[];
  /** Last moment at which the attestation may settle, in unix seconds; unless given, as late as the batch can settle. */
  validUntil?: number;
}

export type EventType = keyof typeof eventKindBits;

/** A line with all that its resource is held against. */
export interface PreparedLine {
  opened: OpenedLine;
  type: EventType;
  id: string;
  server: Server;
  /** The patient the resource has to be about. */
  subject: Reference;
}

/** A resource to be read: `GET url`, with the server's bearer token where it names one. */
export interface Read {
  /** Index of the line in the batch. */
  line: number;
  url: string;
  tokenSecret?: string;
}

/** A request that was checked, and what has to be read for it. */
export interface Prepared {
  /** What all may know of the batch. */
  batch: PublicPart;
  /** The groups that are asked about. */
  groups: OpenedGroup[];
  lines: PreparedLine[];
  salt: string;
  validUntil: number;
  settings: Settings;
  reads: Read[];
}

/** Most seconds by which pauses and suspensions move a batch's deadline (`ClaimEscrow.MAX_STOPPED`). */
const MAX_STOPPED = 60 * 24 * 60 * 60;
const LAST_TIME = 2 ** 40 - 1;

const invalid = (path: string, problem: string): CarepactError =>
  new CarepactError("INPUT_INVALID", `${path} ${problem}.`, { path });

const FIELDS = ["carepact", "version", "file", "parts", "salt", "lines", "validUntil"];
const LINE_FIELDS = ["line", "resource", "subject"];
const RESOURCE = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})$/;

/**
 * Checks a request: the parts against the batch's manifest, the batch against the escrow, every line against what the
 * settings say about its provider. The request never says where to read: the settings do.
 * @throws INPUT_INVALID, and what `openClaimBatchPart` throws
 */
export function prepare(request: unknown, settings: Settings): Prepared {
  if (!isElement(request) || request["carepact"] !== "claim-events-request" || request["version"] !== 1)
    throw invalid("request", "is no claim-events-request of version 1");
  requireOnly(request, FIELDS, "request");
  const { file, salt, lines } = request;
  if (!isHexString(salt, 32)) throw invalid("request.salt", "is not 32 bytes in hex");
  const groups = openedOf(file, request["parts"]);
  const batch = groups[0] as PublicPart;
  requireOurs(batch, settings);
  if (!Array.isArray(lines) || lines.length === 0 || lines.length > settings.mostLines)
    throw invalid("request.lines", `has to name 1 to ${settings.mostLines} lines`);
  const prepared = lines.map((line, i) => prepareLine(line, groups, settings, `request.lines[${i}]`));
  requireDistinct(prepared);
  return {
    batch,
    groups,
    lines: prepared,
    salt: salt.toLowerCase(),
    validUntil: validUntilOf(request["validUntil"], batch),
    settings,
    reads: prepared.map(({ opened, type, id, server }) => ({
      line: opened.leaf.line,
      url: `${server.baseUrl}/${type}/${id}`,
      ...(server.tokenSecret === undefined ? {} : { tokenSecret: server.tokenSecret }),
    })),
  };
}

function openedOf(file: unknown, parts: unknown): OpenedGroup[] {
  if (!Array.isArray(parts) || parts.length === 0) throw invalid("request.parts", "has to hold at least one part");
  const groups = parts.map((part) => openClaimBatchPart(file as ClaimBatchFile, part as ClaimBatchPart));
  if (new Set(groups.map(({ group }) => group)).size !== groups.length)
    throw invalid("request.parts", "hold a payee's part twice");
  return groups;
}

function requireOurs({ chainId, escrow, rulebook }: PublicPart, settings: Settings): void {
  if (chainId !== settings.chainId || escrow.toLowerCase() !== settings.escrow.toLowerCase())
    throw invalid("request.file", "is of another chain or escrow than the workflow reports to");
  if (BigInt(rulebook.workflow.id) === 0n) throw invalid("request.file.rulebook", "names no workflow");
}

function prepareLine(value: unknown, groups: readonly OpenedGroup[], settings: Settings, path: string): PreparedLine {
  if (!isElement(value)) throw invalid(path, "has to be an object");
  requireOnly(value, LINE_FIELDS, path);
  const group = groups.find(({ lines }) => lines.some(({ leaf }) => leaf.line === value["line"]));
  const opened = group?.lines.find(({ leaf }) => leaf.line === value["line"]);
  if (group === undefined || opened === undefined) throw invalid(`${path}.line`, "is no line of the parts");
  const [, type = "", id = ""] = RESOURCE.exec(textOf(value["resource"]) ?? "") ?? [];
  if (!typesOf(opened).includes(type)) throw invalid(`${path}.resource`, `is not a ${typesOf(opened).join(" or ")}/id`);
  if ((group.rulebook.eventKinds & eventKindBits[type as EventType]) === 0)
    throw invalid(`${path}.resource`, `is a ${type}, which the rulebook does not pay for`);
  const server = serverOf(opened, settings);
  if (server === undefined) throw invalid(`${path}.line`, "is of a provider that no server in the settings speaks for");
  requireSystems(opened, server, `${path}.line`);
  return { opened, type: type as EventType, id, server, subject: subjectOf(opened, value["subject"], path) };
}

/** The types of resource that can report a line's event. */
function typesOf({ event }: OpenedLine): readonly string[] {
  if (event.kind === "dispense") return ["MedicationDispense"];
  if (event.kind === "diagnosticReport") return ["DiagnosticReport"];
  return Object.keys(eventKindBits).sort();
}

function serverOf({ event }: OpenedLine, { servers }: Settings): Server | undefined {
  return servers.find(({ npis, clias, providers }) =>
    event.kind === "dispense"
      ? npis.includes(event.pharmacyNpi)
      : event.kind === "diagnosticReport"
        ? clias.includes(event.clia)
        : providers.includes(event.provider),
  );
}

/** Without the systems no identifier could match, and every line of this provider would be refused. */
function requireSystems({ event }: OpenedLine, server: Server, path: string): void {
  if (event.kind === "dispense" && server.prescriptionSystem === undefined)
    throw invalid(path, "is a fill, but its server's settings name no prescriptionSystem");
  if (
    event.kind === "diagnosticReport" &&
    (server.accessionSystem === undefined || server.procedureSystems.length === 0)
  )
    throw invalid(path, "is a test, but its server's settings name no accessionSystem and procedureSystems");
}

function subjectOf({ resource }: OpenedLine, stated: unknown, path: string): Reference {
  const claim = isElement(resource) && resource["resourceType"] === "Claim" ? resource : undefined;
  if (claim === undefined) {
    if (typeof stated !== "string" || !RESOURCE.test(stated))
      throw invalid(`${path}.subject`, "has to name the patient, as Patient/7: the claim does not");
    return { literal: stated, identifiers: [] };
  }
  if (stated !== undefined) throw invalid(`${path}.subject`, "is not asked for: the claim names its patient");
  const patient = referenceOf(claim, claim["patient"]);
  if (patient.literal === undefined && patient.identifiers.length === 0)
    throw invalid(`${path}.line`, "is of a claim that does not say whom it is about");
  return patient;
}

/** One resource pays one line. */
function requireDistinct(lines: readonly PreparedLine[]): void {
  const indices = new Set(lines.map(({ opened }) => opened.leaf.line));
  const resources = new Set(lines.map(({ server, type, id }) => `${server.baseUrl}/${type}/${id}`));
  if (indices.size !== lines.length || resources.size !== lines.length)
    throw invalid("request.lines", "name a line or a resource twice");
}

function validUntilOf(value: unknown, { terms, rulebook }: PublicPart): number {
  if (value === undefined) return terms.eventBy + rulebook.grace + MAX_STOPPED;
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > LAST_TIME)
    throw invalid("request.validUntil", "is not a time in unix seconds");
  return value;
}

function requireOnly(element: Element, names: readonly string[], path: string): void {
  const other = Object.keys(element)
    .sort()
    .find((name) => !names.includes(name));
  if (other !== undefined) throw invalid(path, `has a property that does not belong there, ${other.slice(0, 40)}`);
}
