import { getAddress, isAddress } from "ethers";

import {
  codeSystems,
  confidentialityCodes,
  confidentialityRank,
  type ConfidentialityCode,
  type SensitivityCode,
} from "../codes";
import { purposeList, resourceTypeList, sensitivityList } from "../codes/lists";
import { consentActions, dataMeanings, type RecordSelection, type Scope } from "../consents/scope";
import { CarepactError, isCarepactError } from "../errors";

import { ElementReader, type Element } from "./read";

/** Code systems of FHIR R4 that are not of the generated tables. */
export const consentSystems = {
  action: "http://terminology.hl7.org/CodeSystem/consentaction",
  role: "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
  scope: "http://terminology.hl7.org/CodeSystem/consentscope",
  policy: "http://terminology.hl7.org/CodeSystem/v3-ActCode",
} as const;

/** HL7 v3 ParticipationType: how an actor is involved, and what it becomes. */
const ROLES = { PRCP: "recipients", IRCP: "recipients", CST: "custodians", AUT: "authors" } as const;
/** The role that is written for each. */
export const WRITTEN_ROLES = { recipients: "PRCP", custodians: "CST", authors: "AUT" } as const;

/** What a caller has to know to read a consent. */
export interface ScopeContext {
  accountOf: (reference: string) => string | undefined;
  /** Minutes east of UTC of dates that have no time. */
  utcOffsetMinutes: number;
}

export const read = new ElementReader("CONSENT_INVALID");

export const notExpressible = (path: string, problem: string): CarepactError =>
  new CarepactError("CONSENT_NOT_EXPRESSIBLE", `${path} ${problem}.`, { path });

/** An object with no other elements than these: what is not understood is refused, and not passed over. */
export function elementOf(value: unknown, path: string, known: readonly string[]): Element {
  const element = read.element(value, path);
  read.noModifiers(element, path);
  for (const name of Object.keys(element))
    if (!known.includes(name)) throw notExpressible(`${path}.${name}`, "cannot be expressed");
  return element;
}

/** A list that is not empty, or undefined where it is left out. */
export function listOf<Value>(
  value: unknown,
  path: string,
  readEntry: (entry: unknown, path: string) => Value,
): Value[] | undefined {
  if (value === undefined) return undefined;
  const list = read.list(value, path);
  if (list.length === 0) throw read.refuse(path, "is an empty list, which FHIR does not have");
  return list.map((entry, i) => readEntry(entry, `${path}[${i}]`));
}

export interface Coded {
  system: string;
  code: string;
}

export function coding(value: unknown, path: string): Coded {
  const element = elementOf(value, path, ["system", "code", "display"]);
  return { system: read.text(element["system"], `${path}.system`), code: read.text(element["code"], `${path}.code`) };
}

/** The one coding of a CodeableConcept. Its text is for people. */
export function concept(value: unknown, path: string): Coded & { path: string } {
  const element = elementOf(value, path, ["coding", "text"]);
  const codings = listOf(element["coding"], `${path}.coding`, coding) ?? [];
  const [only] = codings;
  if (only === undefined) throw notExpressible(path, "has no code: a text cannot be compared");
  if (codings.length > 1) throw notExpressible(`${path}.coding[1]`, "is a second code for the same");
  return { ...only, path: `${path}.coding[0]` };
}

/** Literal reference, or `system|value` of a logical one. */
export function reference(value: unknown, path: string): string {
  return read.reference(elementOf(value, path, ["reference", "type", "identifier", "display"]), path);
}

export function accountOf(value: unknown, path: string, context: ScopeContext): string {
  const name = reference(value, path);
  const account = context.accountOf(name);
  if (account === undefined || !isAddress(account))
    throw new CarepactError("CONSENT_ACTOR_UNKNOWN", `${path} is ${name}, of whom no account is known.`, {
      path,
      reference: name,
    });
  return getAddress(account);
}

const INSTANT = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d))?)?)?$/;

/**
 * First second of a FHIR dateTime, and the first one after it.
 * @throws CONSENT_INVALID; CONSENT_NOT_EXPRESSIBLE for parts of a second
 */
export function secondsOf(value: unknown, path: string, utcOffsetMinutes: number): { first: number; next: number } {
  const [, year, month, day, hour, minute, second, fraction, zone] =
    (typeof value === "string" ? INSTANT.exec(value) : null) ?? [];
  if (year === undefined) throw read.refuse(path, "is not a FHIR dateTime");
  if (fraction !== undefined && /[1-9]/.test(fraction))
    throw notExpressible(path, "has parts of a second, which grants do not have");
  const [y, m, d] = [Number(year), Number(month ?? 1) - 1, Number(day ?? 1)];
  const utc = (y: number, m: number, d: number): number => new Date(0).setUTCFullYear(y, m, d) / 1_000;
  const start = utc(y, m, d) + Number(hour ?? 0) * 3_600 + Number(minute ?? 0) * 60 + Number(second ?? 0);
  const real = new Date(utc(y, m, d) * 1_000);
  if (real.getUTCMonth() !== m || real.getUTCDate() !== d || Number(hour ?? 0) > 23 || Number(minute ?? 0) > 59)
    throw read.refuse(path, "is no date of the calendar");
  if (Number(second ?? 0) > 59) throw notExpressible(path, "is a leap second, which chains do not have");
  const [, sign, hours, minutes] = /^([+-])(\d\d):(\d\d)$/.exec(zone ?? "") ?? [];
  const offset =
    zone === undefined ? utcOffsetMinutes : (sign === "-" ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0));
  let next = start + 1;
  if (hour === undefined) next = utc(y, m, d + 1);
  if (day === undefined) next = utc(y, m + 1, 1);
  if (month === undefined) next = utc(y + 1, 0, 1);
  return { first: start - offset * 60, next: next - offset * 60 };
}

function period(value: unknown, path: string, context: ScopeContext): { from?: number; until?: number } {
  if (value === undefined) return {};
  const element = elementOf(value, path, ["start", "end"]);
  const at = (name: "start" | "end"): ReturnType<typeof secondsOf> | undefined =>
    element[name] === undefined ? undefined : secondsOf(element[name], `${path}.${name}`, context.utcOffsetMinutes);
  const [start, end] = [at("start"), at("end")];
  // FHIR's end is inclusive, down to the precision it is given in.
  if (start !== undefined && end !== undefined && end.next <= start.first)
    throw read.refuse(`${path}.end`, "lies before the start");
  return {
    ...(start === undefined ? {} : { from: start.first }),
    ...(end === undefined ? {} : { until: end.next }),
  };
}

function actorsOf(value: unknown, path: string, context: ScopeContext): Scope {
  const scope: Scope = {};
  listOf(value, path, (entry, at) => {
    const actor = elementOf(entry, at, ["role", "reference"]);
    const { system, code, path: rolePath } = concept(actor["role"], `${at}.role`);
    const kind = Object.entries(ROLES).find(([role]) => role === code)?.[1];
    if (system !== consentSystems.role || kind === undefined)
      throw notExpressible(rolePath, "is a role other than recipient (PRCP, IRCP), custodian (CST) or author (AUT)");
    scope[kind] = [...(scope[kind] ?? []), accountOf(actor["reference"], `${at}.reference`, context)];
  });
  return scope;
}

/** Code of one system, of one list. */
function codeOf<Code extends string>(
  value: unknown,
  path: string,
  system: string,
  list: { entry(code: unknown, path?: string): { code: Code } },
): Code {
  const coded = coding(value, path);
  if (coded.system !== system) throw notExpressible(`${path}.system`, `is not ${system}`);
  try {
    return list.entry(coded.code).code;
  } catch (thrown) {
    if (isCarepactError(thrown, "CODE_UNKNOWN")) throw notExpressible(`${path}.code`, "is a code that is not known");
    throw thrown;
  }
}

/** FHIR R4: one label of several fields, so that degree and sensitivities have both to hold; a degree means "up to". */
function labelsOf(value: unknown, path: string, type: "permit" | "deny" | undefined): Scope {
  let ceiling: ConfidentialityCode | undefined;
  const sensitivities: SensitivityCode[] = [];
  listOf(value, path, (entry, at) => {
    const { system, code } = coding(entry, at);
    if (system !== codeSystems.confidentiality) {
      sensitivities.push(codeOf(entry, at, codeSystems.sensitivity, sensitivityList));
      return;
    }
    const degree = confidentialityCodes().find((known) => known === code);
    if (degree === undefined) throw notExpressible(`${at}.code`, "is a code that is not known");
    if (type === "deny")
      throw notExpressible(
        at,
        'means this degree "or lower" in FHIR R4, so that a denial would spare what is above it',
      );
    if (ceiling === undefined || confidentialityRank(degree) > confidentialityRank(ceiling)) ceiling = degree;
  });
  return {
    ...(sensitivities.length === 0 ? {} : { sensitivities }),
    ...(ceiling === undefined ? {} : { ceiling }),
  };
}

function recordOf(value: unknown, path: string): RecordSelection {
  const data = elementOf(value, path, ["meaning", "reference"]);
  const meaning = read.code(data["meaning"], dataMeanings, `${path}.meaning`);
  const target = elementOf(data["reference"], `${path}.reference`, ["reference", "type", "display"]);
  return { meaning, reference: read.text(target["reference"], `${path}.reference.reference`) };
}

/** Elements of `Consent.provision` that say what it is about. */
export const SCOPE_ELEMENTS = [
  "period",
  "actor",
  "action",
  "securityLabel",
  "purpose",
  "class",
  "code",
  "dataPeriod",
  "data",
] as const;

/** Reads what a provision is about, as it stands, without what it takes over from the one it is nested in. */
export function readScope(
  provision: Element,
  path: string,
  type: "permit" | "deny" | undefined,
  context: ScopeContext,
): Scope {
  const codes = listOf(provision["code"], `${path}.code`, (entry, at) => {
    const { system, code } = concept(entry, at);
    return `${system}|${code}`;
  });
  const actions = listOf(provision["action"], `${path}.action`, (entry, at) => {
    const { system, code, path: codingPath } = concept(entry, at);
    if (system !== consentSystems.action)
      throw notExpressible(`${codingPath}.system`, `is not ${consentSystems.action}`);
    const action = consentActions.find((known) => known === code);
    if (action === undefined) throw notExpressible(`${codingPath}.code`, "is a code that is not known");
    return action;
  });
  const purposes = listOf(provision["purpose"], `${path}.purpose`, (entry, at) =>
    codeOf(entry, at, codeSystems.purpose, purposeList),
  );
  const resourceTypes = listOf(provision["class"], `${path}.class`, (entry, at) =>
    codeOf(entry, at, codeSystems.resourceType, resourceTypeList),
  );
  const records = listOf(provision["data"], `${path}.data`, recordOf);
  const about = period(provision["dataPeriod"], `${path}.dataPeriod`, context);
  return {
    ...actorsOf(provision["actor"], `${path}.actor`, context),
    ...period(provision["period"], `${path}.period`, context),
    ...labelsOf(provision["securityLabel"], `${path}.securityLabel`, type),
    ...(actions === undefined ? {} : { actions }),
    ...(purposes === undefined ? {} : { purposes }),
    ...(resourceTypes === undefined ? {} : { resourceTypes }),
    ...(codes === undefined ? {} : { codes }),
    ...(about.from === undefined ? {} : { recordsFrom: about.from }),
    ...(about.until === undefined ? {} : { recordsUntil: about.until }),
    ...(records === undefined ? {} : { records }),
  };
}
