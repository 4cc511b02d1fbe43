import { canonicalJson } from "../encryption";
import { CarepactError, type Json } from "../errors";

import { contains, covers, requireScope, type AccessRequest, type Scope } from "./scope";

/** What is refused, whatever is granted, except within one of the exceptions. */
export interface Denial {
  scope: Scope;
  /** Each lies within the scope, and is permitted by the same terms. */
  except: Scope[];
}

/**
 * What a patient's consent says, in one form: two consents mean the same if their terms, `about` left out, are equal.
 * Of a request the terms say:
 *
 * - denied, if it lies in a denial and in none of its exceptions;
 * - otherwise permitted, if it lies in a permit or in a scope of `breakGlass`;
 * - otherwise denied if `onlyByGrant`, and left open if not: another legal basis than the patient's grant may allow it.
 */
export interface ConsentTerms {
  /** Whether nothing but a grant opens the record (opt-out), or other legal bases do, too (opt-in). */
  onlyByGrant: boolean;
  /** One grant each: exactly one recipient. */
  permits: Scope[];
  denials: Denial[];
  /** What an emergency opens for whoever treats it, without a grant. */
  breakGlass: Scope[];
  /** Elements of the FHIR Consent that say nothing about who may see what, as they were. */
  about?: { readonly [element: string]: Json };
}

export type Decision = "permitted" | "denied" | "open";

/** What terms say of a request. What the request does not tell is taken as it is worse for who asks. */
export function decide(terms: ConsentTerms, request: AccessRequest): Decision {
  const denied = terms.denials.some(
    ({ scope, except }) => covers(scope, request, true) && !except.some((entry) => covers(entry, request, false)),
  );
  if (denied) return "denied";
  if ([...terms.permits, ...terms.breakGlass].some((scope) => covers(scope, request, false))) return "permitted";
  return terms.onlyByGrant ? "denied" : "open";
}

const sameText = (value: unknown): string => canonicalJson(value);

function distinct<Value>(values: readonly Value[]): Value[] {
  const byText = new Map(values.map((value) => [sameText(value), value]));
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

/** The scope once for each of its recipients. */
export const perRecipient = (scope: Scope): Scope[] =>
  scope.recipients === undefined
    ? [scope]
    : scope.recipients.map((recipient) => ({ ...scope, recipients: [recipient] }));

/**
 * Terms in their one form: scopes normal, one permit a recipient, nothing twice, all in order.
 * @throws INPUT_INVALID for a permit without recipient, an exception that nothing permits or that leaves its denial, a
 * list that is empty; CODE_UNKNOWN
 */
export function normalTerms(terms: ConsentTerms): ConsentTerms {
  const refuse = (path: string, problem: string): CarepactError =>
    new CarepactError("INPUT_INVALID", `${path} ${problem}.`, { path });
  const permits = distinct(terms.permits.flatMap((scope, i) => perRecipient(requireScope(scope, `$.permits[${i}]`))));
  permits.forEach((scope, i) => {
    const { sensitivities, withoutSensitivities } = scope;
    if (
      sensitivities !== undefined &&
      withoutSensitivities !== undefined &&
      contains({ sensitivities: withoutSensitivities }, { sensitivities })
    )
      throw refuse(`$.permits[${i}].sensitivities`, "asks for labels that the same permit shuts out");
    if (scope.recipients === undefined) throw refuse(`$.permits[${i}].recipients`, "is missing: a grant has a grantee");
  });
  const breakGlass = distinct(terms.breakGlass.map((scope, i) => requireScope(scope, `$.breakGlass[${i}]`)));
  const permitted = new Set([...permits, ...breakGlass].map(sameText));
  const denials = terms.denials.map((denial, i) => {
    const path = `$.denials[${i}]`;
    const scope = requireScope(denial.scope, `${path}.scope`);
    for (const name of ["ceiling", "withoutSensitivities"] as const)
      if (scope[name] !== undefined)
        throw refuse(`${path}.scope.${name}`, "would leave open what is more sensitive: a denial has none");
    const except = distinct(
      denial.except.flatMap((entry, j) => {
        const normal = requireScope(entry, `${path}.except[${j}]`);
        // What an emergency opens is no grant and keeps its recipients together.
        return permitted.has(sameText(normal)) ? [normal] : perRecipient(normal);
      }),
    );
    except.forEach((entry) => {
      if (!permitted.has(sameText(entry))) throw refuse(`${path}.except`, "has a scope that the terms do not permit");
      if (!contains(scope, entry) || contains(entry, scope))
        throw refuse(`${path}.except`, "has a scope that does not lie within the denial");
    });
    return { scope, except };
  });
  return {
    onlyByGrant: terms.onlyByGrant,
    permits,
    denials: distinct(denials),
    breakGlass,
    ...(terms.about === undefined ? {} : { about: terms.about }),
  };
}

/** Whether two consents mean the same: their terms are equal, whatever else they say. */
export function sameTerms(a: ConsentTerms, b: ConsentTerms): boolean {
  const [first, second] = [a, b].map((terms) => {
    const { onlyByGrant, permits, denials, breakGlass } = normalTerms(terms);
    return sameText({ onlyByGrant, permits, denials, breakGlass });
  });
  return first === second;
}
