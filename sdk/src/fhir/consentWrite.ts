import type { Consent, ConsentProvision } from "fhir/r4.js";

import { codeSystems } from "../codes";
import { consentActions, normalScope, type Scope } from "../consents/scope";
import { normalTerms, type ConsentTerms } from "../consents/terms";
import { canonicalJson, toPlainJson } from "../encryption";
import { CarepactError, type Json } from "../errors";

import { consentSystems, WRITTEN_ROLES } from "./consentScope";

/** What a FHIR Consent needs besides the terms. */
export interface WriteConsentOptions {
  /** Reference of an account (`Organization/f001`); undefined if none is known. */
  referenceOf: (account: string) => string | undefined;
  /**
   * Elements that say nothing about who may see what (`patient`, `category`, `dateTime`, `organization` …). Each replaces
   * the terms' own. `patient` and `category` have to be in one or the other.
   */
  about?: { readonly [element: string]: Json };
}

/** Last second of the year 9999, beyond which FHIR has no dates. */
const LAST_SECOND = 253_402_300_799;
/** First second of the year 1. */
const FIRST_SECOND = -62_135_596_800;

/**
 * The FHIR R4 Consent of terms: a root provision that only frames, and in it one provision for each rule. Reading it again
 * gives terms that mean the same.
 * @throws INPUT_INVALID, CONSENT_ACTOR_UNKNOWN; CONSENT_NOT_EXPRESSIBLE for what no such consent can say, `details.path`
 * names it in the terms
 */
export function writeConsent(terms: ConsentTerms, options: WriteConsentOptions): Consent {
  const normal = normalTerms(terms);
  const about = toPlainJson({ ...normal.about, ...options.about }) as { readonly [element: string]: Json };
  for (const name of ["patient", "category"])
    if (about[name] === undefined)
      throw new CarepactError("INPUT_INVALID", `A FHIR Consent needs ${name}: pass it in about.`, {
        path: `about.${name}`,
      });
  requireLabelsAlone(normal);

  const excepted = new Set(normal.denials.flatMap(({ except }) => except.map((scope) => canonicalJson(scope))));
  const permits = [...normal.permits, ...normal.breakGlass].filter((scope) => !excepted.has(canonicalJson(scope)));
  const provisions = [
    ...permitsOf(permits, options),
    ...normal.denials.map(({ scope, except }): ConsentProvision => {
      const nested = permitsOf(except, options);
      return { type: "deny", ...elementsOf(scope, options), ...(nested.length === 0 ? {} : { provision: nested }) };
    }),
  ];
  return {
    resourceType: "Consent",
    status: "active",
    scope: { coding: [{ system: consentSystems.scope, code: "patient-privacy" }] },
    ...about,
    policyRule: { coding: [{ system: consentSystems.policy, code: normal.onlyByGrant ? "OPTOUT" : "OPTIN" }] },
    ...(provisions.length === 0 ? {} : { provision: { provision: provisions } }),
  } as unknown as Consent;
}

/** "Without this label" is written as the one exception of the one permit: beside other rules it would deny more. */
function requireLabelsAlone({ onlyByGrant, permits, denials, breakGlass }: ConsentTerms): void {
  const at = permits.findIndex(({ withoutSensitivities }) => withoutSensitivities !== undefined);
  const rules = grouped([...permits, ...breakGlass]).length + denials.length;
  if (at < 0 || (onlyByGrant && rules === 1)) return;
  const path = `$.permits[${at}].withoutSensitivities`;
  throw new CarepactError(
    "CONSENT_NOT_EXPRESSIBLE",
    `${path} can be written in a consent of its own only: write one for each grant, or deny the labels.`,
    { path },
  );
}

/** Scopes that differ in their recipients only, put together. */
function grouped(scopes: readonly Scope[]): Scope[] {
  const groups = new Map<string, Scope>();
  for (const scope of scopes) {
    const { recipients, ...rest } = scope;
    const key = canonicalJson({ ...rest, named: recipients !== undefined });
    const group = groups.get(key);
    groups.set(
      key,
      normalScope(
        recipients === undefined ? rest : { ...rest, recipients: [...(group?.recipients ?? []), ...recipients] },
      ),
    );
  }
  return [...groups.values()];
}

const permitsOf = (scopes: readonly Scope[], options: WriteConsentOptions): ConsentProvision[] =>
  grouped(scopes).map((scope) => {
    const { withoutSensitivities, ...rest } = scope;
    const labels = withoutSensitivities?.map((code) => ({ system: codeSystems.sensitivity, code }));
    return {
      type: "permit",
      ...elementsOf(rest, options),
      ...(labels === undefined ? {} : { provision: [{ type: "deny", securityLabel: labels }] }),
    };
  });

/** The elements of a provision that say what it is about. */
function elementsOf(scope: Scope, { referenceOf }: WriteConsentOptions): ConsentProvision {
  const actor = (Object.keys(WRITTEN_ROLES) as (keyof typeof WRITTEN_ROLES)[]).flatMap((kind) =>
    (scope[kind] ?? []).map((account) => {
      const reference = referenceOf(account);
      if (reference === undefined)
        throw new CarepactError("CONSENT_ACTOR_UNKNOWN", `No reference is known for ${account}.`, { account });
      return {
        role: { coding: [{ system: consentSystems.role, code: WRITTEN_ROLES[kind] }] },
        reference: { reference },
      };
    }),
  );
  const labels = [
    ...(scope.sensitivities ?? []).map((code) => ({ system: codeSystems.sensitivity, code })),
    ...(scope.ceiling === undefined ? [] : [{ system: codeSystems.confidentiality, code: scope.ceiling }]),
  ];
  const period = periodOf(scope.from, scope.until, "period");
  const dataPeriod = periodOf(scope.recordsFrom, scope.recordsUntil, "dataPeriod");
  const actions = scope.actions ?? consentActions;
  return {
    ...(period === undefined ? {} : { period }),
    ...(actor.length === 0 ? {} : { actor }),
    ...(actions.length === consentActions.length
      ? {}
      : { action: actions.map((code) => ({ coding: [{ system: consentSystems.action, code }] })) }),
    ...(labels.length === 0 ? {} : { securityLabel: labels }),
    ...(scope.purposes === undefined
      ? {}
      : { purpose: scope.purposes.map((code) => ({ system: codeSystems.purpose, code })) }),
    ...(scope.resourceTypes === undefined
      ? {}
      : { class: scope.resourceTypes.map((code) => ({ system: codeSystems.resourceType, code })) }),
    ...(scope.codes === undefined ? {} : { code: scope.codes.map((code) => ({ coding: [codingOf(code)] })) }),
    ...(dataPeriod === undefined ? {} : { dataPeriod }),
    ...(scope.records === undefined
      ? {}
      : { data: scope.records.map(({ meaning, reference }) => ({ meaning, reference: { reference } })) }),
  };
}

/** `system|code`: a system is a URI, in which there is no `|`. */
function codingOf(text: string): { system: string; code: string } {
  const at = text.indexOf("|");
  if (at < 1 || at === text.length - 1)
    throw new CarepactError("INPUT_INVALID", `${text} is no system|code.`, { path: "codes" });
  return { system: text.slice(0, at), code: text.slice(at + 1) };
}

function periodOf(
  from: number | undefined,
  until: number | undefined,
  name: string,
): { start?: string; end?: string } | undefined {
  if (from === undefined && until === undefined) return undefined;
  const instant = (seconds: number): string => {
    if (seconds < FIRST_SECOND || seconds > LAST_SECOND)
      throw new CarepactError("CONSENT_NOT_EXPRESSIBLE", `${seconds} lies outside of the years that FHIR has.`, {
        path: name,
        seconds,
      });
    return new Date(seconds * 1_000).toISOString().replace(".000Z", "Z");
  };
  return {
    ...(from === undefined ? {} : { start: instant(from) }),
    // FHIR's end is the last moment, and not the first one after it.
    ...(until === undefined ? {} : { end: instant(until - 1) }),
  };
}
