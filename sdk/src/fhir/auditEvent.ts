import type { AuditEvent } from "fhir/r4.js";
import { decodeBase64, toUtf8String } from "ethers";

import {
  accessRefusals,
  requireEntry,
  type AccessAction,
  type AccessBasis,
  type AccessEntry,
  type AccessOutcome,
  type AccessReview,
} from "../access/types";
import {
  codeSystems,
  confidentialityCodes,
  confidentialityRank,
  type ConfidentialityCode,
  type PurposeCode,
  type ResourceTypeCode,
  type SensitivityCode,
} from "../codes";
import { purposeList, resourceTypeList, sensitivityList } from "../codes/lists";
import { canonicalJson, toPlainJson } from "../encryption";
import { CarepactError, type Json } from "../errors";

import { ElementReader, type Element } from "./read";

/** What an AuditEvent of another system does not say in Carepact's words. */
export interface ReadAuditEventOptions {
  /** Account of whom a reference, an identifier (`system|value`) or, of an observer, a name stands for. */
  accountOf?: (name: string) => string | undefined;
  /** Patient id of whom a reference or an identifier stands for. */
  patientOf?: (name: string) => string | undefined;
  /** Patient id of an event that names no patient. */
  patient?: string;
  /** The entry's number, where the event has none. */
  number?: number;
}

const ACCOUNT = "urn:carepact:account";
const PATIENT = "urn:carepact:patient";
const NUMBER = "urn:carepact:number";
const REASON = "urn:carepact:reason:";
const GRANT = /^urn:carepact:grant:(0x[0-9a-f]{64}):epoch:(\d{1,15})$/;
const BREAK_GLASS = "urn:carepact:break-glass";

const ENTITY_TYPE = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const ENTITY_ROLE = "http://terminology.hl7.org/CodeSystem/object-role";

const ACTIONS = { C: "create", R: "read", U: "update", D: "delete", E: "execute" } as const;
const ACTION_CODES = { create: "C", read: "R", update: "U", delete: "D", execute: "E" } as const;
const INTERACTIONS = {
  create: "create",
  read: "read",
  update: "update",
  delete: "delete",
  execute: "operation",
} as const;
const SEVERITIES = { "4": "minor", "8": "serious", "12": "major" } as const;
const OUTCOME_CODES = { minor: "4", serious: "8", major: "12" } as const;

const read = new ElementReader("AUDIT_EVENT_INVALID");
const notExpressible = (path: string, problem: string): CarepactError =>
  new CarepactError("AUDIT_EVENT_NOT_EXPRESSIBLE", `${path} ${problem}.`, { path });

/**
 * Reads a FHIR R4 AuditEvent as an entry of an access log. What an entry has no field for (other agents, networks, media,
 * queries) stays in `original`, word for word. `docs/consent-fhir.md` says which element becomes which field.
 * @throws AUDIT_EVENT_INVALID; AUDIT_EVENT_NOT_EXPRESSIBLE for what is no access to a patient's record, or lacks what an
 * entry has to say; INPUT_INVALID, ACCESS_ENTRY_MALFORMED. `details.path` names the element.
 */
export function readAuditEvent(event: AuditEvent, options: ReadAuditEventOptions = {}): AccessEntry {
  const plain = toPlainJson(event, "AuditEvent") as { readonly [element: string]: Json };
  const resource = read.resource(plain, "AuditEvent");
  refuseModifiers(plain, "AuditEvent");

  const entities = read.list(resource["entity"], "AuditEvent.entity").map((entry, i): [Element, string] => {
    const path = `AuditEvent.entity[${i}]`;
    return [read.element(entry, path), path];
  });
  if (entities.length === 0) throw notExpressible("AuditEvent.entity", "is missing: nothing of a record was touched");
  const [agent, agentPath] = requestorOf(resource);
  const source = read.element(resource["source"], "AuditEvent.source");
  const own = entities.find(([entity]) => isOwn(entity));

  const labels = labelsOf(entities);
  const entry: AccessEntry = requireEntry({
    patient: patientOf(entities, options),
    number: numberOf(own, options),
    gateway: accountOf(source["observer"], "AuditEvent.source.observer", detailOf(own, "gateway"), options),
    at: secondsOf(resource["recorded"]),
    who: accountOf(agent["who"], `${agentPath}.who`, detailOf(own, "who"), options),
    action: actionOf(resource["action"]),
    resourceTypes: resourceTypesOf(entities),
    ...labels,
    purposes: purposesOf(resource, agent, agentPath),
    basis: basisOf(agent, agentPath, detailOf(own, "justification")),
    outcome: outcomeOf(resource),
    ...reviewOf(own),
  });
  if (canonicalJson(writeAuditEvent(entry)) === canonicalJson(plain)) return entry;
  return { ...entry, original: withoutOwn(plain) };
}

/** The FHIR R4 AuditEvent of an entry. Reading it again gives the entry. @throws ACCESS_ENTRY_MALFORMED, CODE_UNKNOWN */
export function writeAuditEvent(entry: AccessEntry): AuditEvent {
  const { original, ...checked } = requireEntry(entry);
  const { patient, number, gateway, who, action, purposes, outcome } = checked;
  if (original !== undefined) return completed(original, checked);
  const labels = [
    ...checked.sensitivities.map((code) => ({ system: codeSystems.sensitivity, code })),
    ...(checked.confidentiality === undefined
      ? []
      : [{ system: codeSystems.confidentiality, code: checked.confidentiality }]),
  ];
  const policy = policyOf(checked.basis);
  return {
    resourceType: "AuditEvent",
    type: { system: "http://terminology.hl7.org/CodeSystem/audit-event-type", code: "rest" },
    subtype: [{ system: "http://hl7.org/fhir/restful-interaction", code: INTERACTIONS[action] }],
    action: ACTION_CODES[action],
    recorded: new Date(checked.at * 1_000).toISOString().replace(".000Z", "Z"),
    outcome: outcome.result === "allowed" ? "0" : outcome.result === "refused" ? "4" : OUTCOME_CODES[outcome.severity],
    ...(outcome.result === "refused" ? { outcomeDesc: `${REASON}${outcome.reason}` } : {}),
    ...(purposes.length === 0
      ? {}
      : { purposeOfEvent: purposes.map((code) => ({ coding: [{ system: codeSystems.purpose, code }] })) }),
    agent: [
      {
        who: { identifier: { system: ACCOUNT, value: who } },
        requestor: true,
        ...(policy === undefined ? {} : { policy: [policy] }),
      },
    ],
    source: { observer: { identifier: { system: ACCOUNT, value: gateway } } },
    entity: [
      patientEntity(patient, number, notedOf(checked)),
      ...checked.resourceTypes.map((code) => ({
        type: { system: codeSystems.resourceType, code },
        ...(labels.length === 0 ? {} : { securityLabel: labels }),
      })),
    ],
  };
}

/**
 * What another system said, as it was, with an entity of our own that adds what that could not know.
 * @throws ACCESS_ENTRY_MALFORMED if it says something else than the entry
 */
function completed(original: { readonly [element: string]: Json }, entry: AccessEntry): AuditEvent {
  const { patient, number, gateway, who } = entry;
  const entity = [
    ...read.list(original["entity"], "AuditEvent.entity"),
    patientEntity(patient, number, { gateway, who, ...notedOf(entry) }),
  ];
  const event = { ...original, entity } as unknown as AuditEvent;
  const said = readAuditEvent(event);
  delete said.original;
  if (canonicalJson(said) !== canonicalJson(entry))
    throw new CarepactError("ACCESS_ENTRY_MALFORMED", "original of the entry says something else than its fields.", {
      path: "$.original",
    });
  return event;
}

const patientEntity = (patient: string, number: number, more: Record<string, string> = {}) => ({
  what: { identifier: { system: PATIENT, value: patient } },
  type: { system: ENTITY_TYPE, code: "1" },
  role: { system: ENTITY_ROLE, code: "1" },
  detail: [
    { type: NUMBER, valueString: String(number) },
    ...Object.entries(more).map(([name, valueString]) => ({ type: `urn:carepact:${name}`, valueString })),
  ],
});

/** What of an entry FHIR has no element for. */
const notedOf = ({ basis, review }: AccessEntry): Record<string, string> => ({
  ...(basis.kind === "breakGlass" && basis.justification !== undefined ? { justification: basis.justification } : {}),
  ...(review === undefined ? {} : { review: canonicalJson(review) }),
});

/** FHIR R4, 2.4.0.2: who does not understand a modifier extension must not process the element. */
function refuseModifiers(value: Json, path: string): void {
  if (typeof value !== "object" || value === null) return;
  for (const [name, entry] of Object.entries(value)) {
    const below = Array.isArray(value) ? `${path}[${name}]` : `${path}.${name}`;
    if (name === "modifierExtension" || (name === "implicitRules" && !Array.isArray(value)))
      throw read.refuse(below, "changes the meaning in a way that this reader does not know");
    refuseModifiers(entry, below);
  }
}

const identifierOf = (value: unknown): Element => {
  const { identifier } = (typeof value === "object" && value !== null ? value : {}) as { identifier?: unknown };
  return typeof identifier === "object" && identifier !== null ? (identifier as Element) : {};
};

const isOwn = (entity: Element): boolean => identifierOf(entity["what"])["system"] === PATIENT;

function withoutOwn(event: { readonly [element: string]: Json }): { readonly [element: string]: Json } {
  const entities = (event["entity"] as readonly Json[]).filter((entity) => !isOwn(entity as Element));
  return { ...event, entity: entities };
}

function detailOf(own: [Element, string] | undefined, name: string): string | undefined {
  if (own === undefined) return undefined;
  const [entity, path] = own;
  for (const [i, entry] of read.list(entity["detail"], `${path}.detail`).entries()) {
    const detail = read.element(entry, `${path}.detail[${i}]`);
    if (detail["type"] === `urn:carepact:${name}`)
      return read.text(detail["valueString"], `${path}.detail[${i}].valueString`);
  }
  return undefined;
}

/** The one agent who asked. */
function requestorOf(resource: Element): [Element, string] {
  const agents = read.list(resource["agent"], "AuditEvent.agent").map((entry, i): [Element, string] => {
    const path = `AuditEvent.agent[${i}]`;
    return [read.element(entry, path), path];
  });
  const [first, second] = agents.filter(([agent]) => agent["requestor"] === true);
  if (first === undefined) throw notExpressible("AuditEvent.agent", "has no requestor: nobody asked for anything");
  if (second !== undefined)
    throw notExpressible(`${second[1]}.requestor`, "is a second one: an entry has one who asked");
  return first;
}

function accountOf(value: unknown, path: string, noted: string | undefined, options: ReadAuditEventOptions): string {
  const who = read.element(value, path);
  const identifier = identifierOf(who);
  if (identifier["system"] === ACCOUNT) return read.text(identifier["value"], `${path}.identifier.value`);
  if (noted !== undefined) return noted;
  const named = who["reference"] === undefined && who["identifier"] === undefined;
  const name = named ? read.text(who["display"], `${path}.display`) : read.reference(who, path);
  const account = options.accountOf?.(name);
  if (account === undefined) throw notExpressible(path, `is ${name}, of whom no account is known`);
  return account;
}

/** `Patient/example` of `Patient/example/_history/1`, also behind a server's address. */
const patientReference = (reference: unknown): string | undefined =>
  typeof reference === "string"
    ? /^(.*\/)?Patient\/[A-Za-z0-9.-]{1,64}(?=\/_history\/|$)/.exec(reference)?.[0]
    : undefined;

const isCoded = (value: unknown, system: string, code: string): boolean => {
  const coding = (typeof value === "object" && value !== null ? value : {}) as Element;
  return coding["system"] === system && coding["code"] === code;
};

const isPatient = ([entity]: [Element, string]): boolean =>
  isCoded(entity["role"], ENTITY_ROLE, "1") && isCoded(entity["type"], ENTITY_TYPE, "1");

function patientOf(entities: [Element, string][], options: ReadAuditEventOptions): string {
  const own = entities.filter(([entity]) => isOwn(entity));
  const named = own.length > 0 ? own : entities;
  const found = new Map<string, string>();
  for (const [entity, path] of named) {
    const what = entity["what"];
    const identifier = identifierOf(what);
    if (identifier["system"] === PATIENT) {
      found.set(read.text(identifier["value"], `${path}.what.identifier.value`).toLowerCase(), path);
      continue;
    }
    const reference = what === undefined ? undefined : read.element(what, `${path}.what`)["reference"];
    const name =
      patientReference(reference) ??
      (isPatient([entity, path]) && what !== undefined ? read.reference(what, `${path}.what`) : undefined);
    if (name === undefined) continue;
    const id = options.patientOf?.(name);
    if (id === undefined) throw notExpressible(`${path}.what`, `is ${name}, of whom no patient id is known`);
    found.set(id.toLowerCase(), path);
  }
  const [[first] = [], [, second] = []] = [...found];
  if (second !== undefined) throw notExpressible(`${second}.what`, "is another patient: an entry is about one");
  const patient = first ?? options.patient;
  if (patient === undefined) throw notExpressible("AuditEvent.entity", "names no patient: say whose record it was");
  return patient;
}

function numberOf(own: [Element, string] | undefined, options: ReadAuditEventOptions): number {
  const noted = detailOf(own, "number");
  if (noted === undefined && options.number === undefined)
    throw notExpressible("AuditEvent.entity", "has no number of the patient's log: give it one");
  if (noted !== undefined && !/^\d{1,15}$/.test(noted))
    throw read.refuse(`${own?.[1] ?? "AuditEvent.entity"}.detail`, "has a number that is none");
  return noted === undefined ? (options.number ?? 0) : Number(noted);
}

const RECORDED = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** The second in which it was recorded. Parts of it stay in the original. */
function secondsOf(value: unknown): number {
  const millis = typeof value === "string" && RECORDED.test(value) ? Date.parse(value) : NaN;
  if (Number.isNaN(millis)) throw read.refuse("AuditEvent.recorded", "is no FHIR instant");
  return Math.floor(millis / 1_000);
}

function actionOf(value: unknown): AccessAction {
  if (value === undefined) throw notExpressible("AuditEvent.action", "is missing: an entry says what was done");
  return ACTIONS[read.code(value, ["C", "R", "U", "D", "E"] as const, "AuditEvent.action")];
}

function outcomeOf(resource: Element): AccessOutcome {
  if (resource["outcome"] === undefined)
    throw notExpressible("AuditEvent.outcome", "is missing: an entry says whether it was allowed");
  const code = read.code(resource["outcome"], ["0", "4", "8", "12"] as const, "AuditEvent.outcome");
  if (code === "0") return { result: "allowed" };
  const text = resource["outcomeDesc"];
  if (code === "4" && typeof text === "string" && text.startsWith(REASON)) {
    const reason = accessRefusals.find((known) => known === text.slice(REASON.length));
    if (reason === undefined) throw read.refuse("AuditEvent.outcomeDesc", "has a reason that is not known");
    return { result: "refused", reason };
  }
  return { result: "failed", severity: SEVERITIES[code] };
}

function purposesOf(resource: Element, agent: Element, agentPath: string): PurposeCode[] {
  const lists: [unknown, string][] = [
    [resource["purposeOfEvent"], "AuditEvent.purposeOfEvent"],
    [agent["purposeOfUse"], `${agentPath}.purposeOfUse`],
  ];
  const found = lists.flatMap(([value, path]) =>
    read.list(value, path).map((entry, i): PurposeCode => {
      const codings = read.list(read.element(entry, `${path}[${i}]`)["coding"], `${path}[${i}].coding`);
      for (const coding of codings) {
        const { system, code } = read.element(coding, `${path}[${i}].coding`) as { system?: unknown; code?: unknown };
        if (system === codeSystems.purpose && purposeList.has(code)) return code;
      }
      throw notExpressible(`${path}[${i}]`, "is no code of PurposeOfUse that is known");
    }),
  );
  return [...new Set(found)];
}

function policyOf(basis: AccessBasis): string | undefined {
  if (basis.kind === "grant") return `urn:carepact:grant:${basis.grant}:epoch:${basis.epoch}`;
  if (basis.kind === "breakGlass") return BREAK_GLASS;
  return basis.kind === "policy" ? basis.policy : undefined;
}

function basisOf(agent: Element, agentPath: string, justification: string | undefined): AccessBasis {
  const [first, second] = read.list(agent["policy"], `${agentPath}.policy`);
  if (second !== undefined) throw notExpressible(`${agentPath}.policy[1]`, "is a second basis: an entry has one");
  if (first === undefined) return { kind: "unstated" };
  const policy = read.text(first, `${agentPath}.policy[0]`);
  const [, grant, epoch] = GRANT.exec(policy) ?? [];
  if (grant !== undefined) return { kind: "grant", grant, epoch: Number(epoch) };
  if (policy !== BREAK_GLASS) return { kind: "policy", policy };
  return { kind: "breakGlass", ...(justification === undefined ? {} : { justification }) };
}

function reviewOf(own: [Element, string] | undefined): { review?: AccessReview } {
  const noted = detailOf(own, "review");
  if (noted === undefined) return {};
  try {
    const { of, justified, text, signature } = JSON.parse(noted) as { [Name in keyof AccessReview]: unknown };
    if ([of, text, signature].every((value) => typeof value === "string") && typeof justified === "boolean")
      return { review: { of, justified, text, signature } as AccessReview };
  } catch {
    // Refused below, as what is JSON but no review.
  }
  throw read.refuse(`${own?.[1] ?? "AuditEvent.entity"}.detail`, "has a review that is none");
}

/** The resource type that a FHIR search asked for, of the base64 of its address. */
function searchedType(query: unknown): ResourceTypeCode | undefined {
  if (typeof query !== "string") return undefined;
  let address: string;
  try {
    address = toUtf8String(decodeBase64(query));
  } catch {
    return undefined;
  }
  const [, type] = /^https?:\/\/[^?#]*\/([A-Za-z]+)(?:\/_search)?(?:[?#]|$)/.exec(address) ?? [];
  return resourceTypeList.has(type) ? type : undefined;
}

/** The type of resource that an entity is about, if it says. */
function resourceTypeOf(entity: Element, path: string): ResourceTypeCode | undefined {
  if (isOwn(entity)) return undefined;
  const type = entity["type"] === undefined ? {} : read.element(entity["type"], `${path}.type`);
  if (type["system"] === codeSystems.resourceType) {
    if (!resourceTypeList.has(type["code"]))
      throw notExpressible(`${path}.type.code`, "is a resource type that is not known");
    return type["code"];
  }
  const what = entity["what"] === undefined ? {} : read.element(entity["what"], `${path}.what`);
  const { reference } = what as { reference?: unknown };
  const [, name] =
    typeof reference === "string"
      ? (/(?:^|\/)([A-Za-z]+)\/[A-Za-z0-9.-]{1,64}(?:\/_history\/[^/]+)?$/.exec(reference) ?? [])
      : [];
  return resourceTypeList.has(name) ? name : searchedType(entity["query"]);
}

function resourceTypesOf(entities: [Element, string][]): ResourceTypeCode[] {
  const types = entities
    .filter((entry) => !isPatient(entry))
    .flatMap(([entity, path]) => resourceTypeOf(entity, path) ?? []);
  if (types.length > 0) return [...new Set(types)];
  // Nothing but the person is named: who it is, is what was asked.
  if (entities.some((entry) => isPatient(entry))) return ["Patient"];
  throw notExpressible("AuditEvent.entity", "names no resource type: it cannot be told what of a record was touched");
}

function labelsOf(entities: [Element, string][]): {
  sensitivities: SensitivityCode[];
  confidentiality?: ConfidentialityCode;
} {
  const sensitivities = new Set<SensitivityCode>();
  let confidentiality: ConfidentialityCode | undefined;
  for (const [entity, path] of entities)
    for (const [i, entry] of read.list(entity["securityLabel"], `${path}.securityLabel`).entries()) {
      const { system, code } = read.element(entry, `${path}.securityLabel[${i}]`) as {
        system?: unknown;
        code?: unknown;
      };
      const degree = confidentialityCodes().find((known) => system === codeSystems.confidentiality && known === code);
      if (degree !== undefined && confidentialityRank(degree) >= confidentialityRank(confidentiality ?? "U"))
        confidentiality = degree;
      if (system === codeSystems.sensitivity && sensitivityList.has(code)) sensitivities.add(code);
    }
  return { sensitivities: [...sensitivities], ...(confidentiality === undefined ? {} : { confidentiality }) };
}
