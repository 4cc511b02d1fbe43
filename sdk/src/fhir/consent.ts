import type { Consent } from "fhir/r4.js";

import { purposeList } from "../codes/lists";
import { contains, intersect, normalScope, type Scope } from "../consents/scope";
import { normalTerms, perRecipient, type ConsentTerms, type Denial } from "../consents/terms";
import { toPlainJson } from "../encryption";
import type { Json } from "../errors";

import {
  accountOf,
  concept,
  consentSystems,
  elementOf,
  listOf,
  notExpressible,
  read,
  readScope,
  reference,
  SCOPE_ELEMENTS,
  type ScopeContext,
} from "./consentScope";
import type { Element } from "./read";

/** What somebody has to say who has a FHIR Consent read. */
export interface ReadConsentOptions {
  /**
   * Account of whom a reference (`Organization/f001`, or `system|value` of an identifier) names; undefined if none is
   * known.
   */
  accountOf: (reference: string) => string | undefined;
  /**
   * What the root provision does. FHIR R4 forbids it a type, and HL7's own examples use it both to limit an opt-in and to
   * except from one, so that only who can read the consent's text can tell. Not asked where the root has a type, or
   * only frames the provisions nested in it.
   */
  untypedRoot?: "permits" | "denies";
  /** Minutes east of UTC of dates without a time; 0 unless given. */
  utcOffsetMinutes?: number;
}

/** Elements that say nothing about who may see what. They are kept as they are. */
const DESCRIPTIVE = [
  "id",
  "meta",
  "language",
  "text",
  "identifier",
  "category",
  "patient",
  "dateTime",
  "performer",
  "organization",
  "sourceAttachment",
  "sourceReference",
  "verification",
] as const;

const EMERGENCY = purposeList.maskOf(["ETREAT"]);
const BREAK_THE_GLASS = purposeList.maskOf(["BTG"]);

type Effect = "permit" | "deny";

interface Reading {
  context: ScopeContext;
  /** Accounts of `Consent.organization`. */
  organizations: () => string[];
  onlyByGrant: boolean;
  permits: Scope[];
  denials: Denial[];
  breakGlass: Scope[];
}

/** A provision with the scope that it has by itself. */
interface Rule {
  effect: Effect;
  scope: Scope;
  nested: Rule[];
  path: string;
  /** What a denial of all the rest spares. */
  excepted?: Scope[];
}

/**
 * Reads a FHIR R4 Consent: every element is either expressed in the terms, kept in `about` because it permits nothing, or
 * refused by its path. `docs/consent-fhir.md` says how each is read.
 *
 * - The base policy (`policyRule`) is opt-in (other legal bases stay open) or opt-out (nothing but a grant opens).
 * - A provision is about all that its elements say at once, and of a list about one entry; a nested one takes over what it
 *   does not say itself, and excepts from the one it is nested in. Where siblings contradict each other, deny wins.
 * - A nested provision that is about more than its parent cannot be an exception to it: the parent is the exception.
 * - A permit without recipient is given to `Consent.organization`; one for an emergency, to nobody: it is what
 *   break-glass may open.
 * @throws CONSENT_INVALID, CONSENT_NOT_EXPRESSIBLE, CONSENT_ACTOR_UNKNOWN, INPUT_INVALID (what JSON does not have)
 */
export function readConsent(consent: Consent, options: ReadConsentOptions): ConsentTerms {
  const plain = toPlainJson(consent, "Consent");
  const resource = read.resource(plain, "Consent");
  elementOf(resource, "Consent", ["resourceType", "status", "scope", "policyRule", "provision", ...DESCRIPTIVE]);
  requireActive(resource);

  const context = { accountOf: options.accountOf, utcOffsetMinutes: options.utcOffsetMinutes ?? 0 };
  const reading: Reading = {
    context,
    organizations: () =>
      listOf(resource["organization"], "Consent.organization", (entry, path) => accountOf(entry, path, context)) ?? [],
    onlyByGrant: baseOf(resource) === "OPTOUT",
    permits: [],
    denials: [],
    breakGlass: [],
  };
  const { frame, rules } = rulesOf(resource, options, reading);
  for (const rule of rules) expand(rule, frame, reading, rules.length === 1);

  const { onlyByGrant, permits, denials, breakGlass } = reading;
  const about = Object.fromEntries(
    DESCRIPTIVE.filter((name) => resource[name] !== undefined).map((name) => [name, resource[name] as Json]),
  );
  return normalTerms({ onlyByGrant, permits, denials, breakGlass, about });
}

const STATUSES = ["draft", "proposed", "active", "rejected", "inactive", "entered-in-error"] as const;

function requireActive(resource: Element): void {
  const status = read.code(resource["status"], STATUSES, "Consent.status");
  if (status !== "active") throw notExpressible("Consent.status", `is ${status}: only an active consent is in force`);
  const { system, code, path } = concept(resource["scope"], "Consent.scope");
  if (system !== consentSystems.scope || code !== "patient-privacy")
    throw notExpressible(path, "is another scope than patient-privacy");
  if (resource["category"] === undefined) throw read.refuse("Consent.category", "is missing");
  reference(resource["patient"], "Consent.patient");
  read.list(resource["verification"], "Consent.verification").forEach((entry, i) => {
    const path = `Consent.verification[${i}].verified`;
    if (read.element(entry, `Consent.verification[${i}]`)["verified"] !== true)
      throw notExpressible(path, "is not true: nobody stands for this consent");
  });
}

function baseOf(resource: Element): string {
  const { system, code, path } = concept(resource["policyRule"], "Consent.policyRule");
  if (system !== consentSystems.policy || !["OPTIN", "OPTOUT"].includes(code))
    throw notExpressible(path, "is a base policy other than OPTIN and OPTOUT of v3 ActCode");
  return code;
}

const PROVISION_ELEMENTS = ["type", "provision", ...SCOPE_ELEMENTS];

/** The rules at the top: the root provision, or those nested in it where it only frames them. */
function rulesOf(resource: Element, options: ReadConsentOptions, reading: Reading): { frame: Scope; rules: Rule[] } {
  const path = "Consent.provision";
  if (resource["provision"] === undefined) return { frame: {}, rules: [] };
  const root = elementOf(resource["provision"], path, PROVISION_ELEMENTS);
  const nested = listOf(root["provision"], `${path}.provision`, (entry, at) => ruleOf(entry, at, reading)) ?? [];
  const type = root["type"] === undefined ? undefined : effectOf(root["type"], `${path}.type`);
  const says = Object.keys(readScope(root, path, type, reading.context)).length > 0;

  // Nothing is said by a root that frames permits, or that is empty.
  if (type === undefined && (nested.some(({ effect }) => effect === "permit") || (!says && nested.length > 0))) {
    return { frame: normalScope(readScope(root, path, undefined, reading.context)), rules: nested };
  }
  if (type === undefined && !says) return { frame: {}, rules: [] };
  const effect =
    type ?? { permits: "permit" as const, denies: "deny" as const, unsaid: undefined }[options.untypedRoot ?? "unsaid"];
  if (effect === undefined)
    throw notExpressible(
      `${path}.type`,
      "is missing, as FHIR R4 has it, and HL7's examples use such a provision both to permit and to deny: say which it is" +
        " in untypedRoot",
    );
  const scope = normalScope(readScope(root, path, effect, reading.context));
  return { frame: {}, rules: [{ effect, scope, nested, path }] };
}

const effectOf = (value: unknown, path: string): Effect => read.code(value, ["permit", "deny"] as const, path);

function ruleOf(value: unknown, path: string, reading: Reading): Rule {
  const provision = elementOf(value, path, PROVISION_ELEMENTS);
  const effect = effectOf(provision["type"], `${path}.type`);
  const nested = listOf(provision["provision"], `${path}.provision`, (entry, at) => ruleOf(entry, at, reading)) ?? [];
  return { effect, scope: normalScope(readScope(provision, path, effect, reading.context)), nested, path };
}

/** Where each element of a scope comes from. */
const ELEMENT_OF: Partial<Record<keyof Scope, string>> = {
  recipients: "actor",
  custodians: "actor",
  authors: "actor",
  purposes: "purpose",
  resourceTypes: "class",
  sensitivities: "securityLabel",
  from: "period",
  actions: "action",
  codes: "code",
  recordsFrom: "dataPeriod",
  records: "data",
};

/** The scope of a nested rule with what it takes over. */
function within(scope: Scope, { scope: own, path }: Rule): Scope {
  const both = intersect(scope, own);
  if (typeof both === "string")
    throw notExpressible(
      `${path}.${ELEMENT_OF[both] ?? both}`,
      "has nothing in common with the provision it is nested in, or cannot be told apart from it",
    );
  return both;
}

/**
 * Writes a rule, and those nested in it, into denials and permits that stand for themselves.
 * @param outer What the rule is nested in.
 * @returns what the rule permits
 */
function expand(rule: Rule, outer: Scope, reading: Reading, alone = false): Scope[] {
  const scope = within(outer, rule);
  const [exceptions, rest]: [Rule[], Rule[]] = [[], []];
  for (const nested of rule.nested) {
    if (nested.effect === rule.effect)
      throw notExpressible(
        `${nested.path}.type`,
        "is that of the provision it is nested in, from which it excepts nothing",
      );
    const wider = contains(nested.scope, scope);
    if (wider && contains(scope, within(outer, nested)))
      throw notExpressible(nested.path, "says the opposite of the provision it is nested in, of the very same");
    if (wider && nested.nested.length > 0)
      throw notExpressible(
        `${nested.path}.provision`,
        "excepts from a provision about all the rest: put it beside the one that that is nested in",
      );
    (wider ? rest : exceptions).push(nested);
  }

  const [grants, emergencies] = [reading.permits.length, reading.breakGlass.length];
  let permitted: Scope[] = [];
  const narrows = alone && reading.onlyByGrant && rule.effect === "permit" && rest.length === 0;
  if (narrows && exceptions.every(onlyLabels)) {
    const without = exceptions.flatMap(({ scope: { sensitivities } }) => sensitivities ?? []);
    permitted = permit(without.length === 0 ? scope : { ...scope, withoutSensitivities: without }, rule.path, reading);
  } else {
    const excepted = exceptions.flatMap((nested) => expand(nested, scope, reading));
    if (rule.effect === "permit") permitted = permit(scope, rule.path, reading);
    else deny(scope, [...excepted, ...(rule.excepted ?? [])], reading);
  }
  // All that was permitted in here is no rest, at whatever depth.
  const excepted = [...reading.permits.slice(grants), ...reading.breakGlass.slice(emergencies)];
  for (const nested of rest) expand({ ...nested, excepted }, outer, reading);
  return permitted;
}

/** Whether a rule denies just sensitivity labels. Under opt-out that narrows the one permit it is nested in. */
const onlyLabels = ({ scope, nested }: Rule): boolean =>
  nested.length === 0 && Object.keys(scope).join() === "sensitivities";

function deny(scope: Scope, except: Scope[], reading: Reading): void {
  // What is refused at one degree is refused at all above it, too.
  const all: Scope = { ...scope };
  delete all.ceiling;
  reading.denials.push({ scope: all, except });
}

function permit(scope: Scope, path: string, reading: Reading): Scope[] {
  const purposes = scope.purposes === undefined ? undefined : purposeList.maskOf(scope.purposes);
  const only = (mask: bigint): boolean => purposes !== undefined && (purposes & ~mask) === 0n;
  if (only(BREAK_THE_GLASS) || (scope.recipients === undefined && only(EMERGENCY))) {
    reading.breakGlass.push(normalScope(scope));
    return [normalScope(scope)];
  }
  const recipients = scope.recipients ?? reading.organizations();
  if (recipients.length === 0)
    throw notExpressible(`${path}.actor`, "names no recipient, and Consent.organization nobody in its place");
  const permits = perRecipient(normalScope({ ...scope, recipients }));
  reading.permits.push(...permits);
  return permits;
}
