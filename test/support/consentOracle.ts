import type { Consent, ConsentProvision, Coding } from "fhir/r4";

import type { AccessRequest } from "../../sdk/src/consents/scope";
import type { Decision } from "../../sdk/src/consents/terms";
import { hl7 } from "../sdk/hl7";

/**
 * What a FHIR Consent says of a request, read off its tree of provisions as docs/consent-fhir.md tells it: slowly, and
 * without anything that the SDK has to say about scopes and terms.
 */
export interface OracleOptions {
  accountOf: (reference: string) => string;
  untypedRoot?: "permits" | "denies";
}

interface Concept {
  code: string;
  concept?: Concept[];
}

const ancestors = new Map<string, string[]>();
for (const system of ["v3-ActReason", "v3-ActCode"]) {
  const note = (concepts: Concept[], above: string[]): void => {
    for (const { code, concept } of concepts) {
      ancestors.set(code, [code, ...above]);
      note(concept ?? [], [code, ...above]);
    }
  };
  note(hl7<{ concept: Concept[] }>(`CodeSystem-${system}`).concept, []);
}
const isA = (code: string, above: string): boolean => (ancestors.get(code) ?? [code]).includes(above);

const DEGREES = ["U", "L", "M", "N", "R", "V"];

/** One question about a request for each thing that a provision can say. */
type Facet = (provision: ConsentProvision, request: AccessRequest, options: OracleOptions) => boolean;

const actors =
  (roles: string[], of: (request: AccessRequest) => string | undefined): Facet =>
  ({ actor = [] }, request, { accountOf }) => {
    const named = actor.filter(({ role }) => roles.includes(role.coding?.[0]?.code ?? ""));
    return named.length === 0 || named.some(({ reference }) => accountOf(reference.reference ?? "") === of(request));
  };

const during = (period: { start?: string; end?: string } | undefined, at: number | undefined): boolean => {
  if (period === undefined) return true;
  if (at === undefined) return false;
  const day = (text: string, time: string): number =>
    Date.parse(text.length === 10 ? `${text}T${time}Z` : text) / 1_000;
  const { start, end } = period;
  return (start === undefined || at >= day(start, "00:00:00")) && (end === undefined || at <= day(end, "23:59:59"));
};

const labels = (provision: ConsentProvision, system: string): Coding[] =>
  (provision.securityLabel ?? []).filter((label) => label.system?.endsWith(system));

const degree: Facet = (provision, { confidentiality }) => {
  const degrees = labels(provision, "v3-Confidentiality").map(({ code }) => DEGREES.indexOf(code ?? ""));
  return degrees.length === 0 || Math.max(...degrees) >= DEGREES.indexOf(confidentiality);
};

const facets = {
  recipient: actors(["PRCP", "IRCP"], ({ recipient }) => recipient),
  custodian: actors(["CST"], ({ custodian }) => custodian),
  author: actors(["AUT"], ({ author }) => author),
  period: ({ period }, { at }) => during(period, at),
  action: ({ action }, request) => action?.some(({ coding }) => coding?.[0]?.code === request.action) ?? true,
  purpose: ({ purpose }, request) => purpose?.some(({ code }) => isA(request.purpose, code ?? "")) ?? true,
  resourceType: (provision, { resourceType }) =>
    provision.class?.some(({ code }) => code === "Resource" || code === resourceType) ?? true,
  sensitivity: (provision, { sensitivities }) => {
    const asked = labels(provision, "v3-ActCode");
    return asked.length === 0 || asked.some(({ code }) => sensitivities.some((label) => isA(label, code ?? "")));
  },
  degree,
  code: ({ code }, request) =>
    code?.some(({ coding }) => request.codes?.includes(`${coding?.[0]?.system}|${coding?.[0]?.code}`)) ?? true,
  dataPeriod: ({ dataPeriod }, { recordAt }) => during(dataPeriod, recordAt),
  data: ({ data }, { record }) =>
    data?.some(({ meaning, reference: { reference = "" } }) => {
      if (record === undefined) return false;
      const itself = record.reference === reference;
      if (meaning === "related") return itself || record.referredToBy.includes(reference);
      if (meaning === "dependents") return itself || record.refersTo.includes(reference);
      return meaning === "authoredby" ? record.authoredBy.includes(reference) : itself;
    }) ?? true,
} as const satisfies Record<string, Facet>;

/** For a denial, a label that is more general than the one it names may stand for it. */
const sensitivityOfDenial: Facet = (provision, request, options) =>
  (facets.sensitivity as Facet)(provision, request, options) ||
  labels(provision, "v3-ActCode").some(({ code }) => request.sensitivities.some((label) => isA(code ?? "", label)));

const facetNames = Object.keys(facets) as (keyof typeof facets)[];

/**
 * @param universe Requests of which every value that matters occurs: what a provision contains is found by trying.
 */
export function consentOracle(
  consent: Consent,
  universe: readonly AccessRequest[],
  options: OracleOptions,
): (request: AccessRequest) => Decision {
  const optOut = consent.policyRule?.coding?.[0]?.code === "OPTOUT";
  const organizations = (consent.organization ?? []).map(({ reference }) => options.accountOf(reference ?? ""));

  const holds = (chain: ConsentProvision[], request: AccessRequest): boolean =>
    chain.every((provision) => facetNames.every((name) => facets[name](provision, request, options)));
  const denies = (chain: ConsentProvision[], request: AccessRequest): boolean => {
    const asked = { ...facets, degree: () => true, sensitivity: sensitivityOfDenial };
    return chain.every((provision) => facetNames.every((name) => asked[name](provision, request, options)));
  };
  const facetHolds = (chain: ConsentProvision[], name: keyof typeof facets, request: AccessRequest): boolean =>
    chain.every((provision) => facets[name](provision, request, options));

  const wider = new Map<ConsentProvision, boolean>();
  const isWider = (provision: ConsentProvision, chain: ConsentProvision[]): boolean => {
    const known =
      wider.get(provision) ??
      facetNames.every((name) =>
        universe.every((request) => !facetHolds(chain, name, request) || facetHolds([provision], name, request)),
      );
    wider.set(provision, known);
    return known;
  };

  /** Whether all purposes that a chain allows are below this one. */
  const onlyFor = (chain: ConsentProvision[], above: string): boolean =>
    chain.some(({ purpose }) => purpose !== undefined) &&
    universe.every((request) => !facetHolds(chain, "purpose", request) || isA(request.purpose, above));

  const permits = (chain: ConsentProvision[], request: AccessRequest): boolean => {
    if (!holds(chain, request)) return false;
    const named = chain.some(({ actor }) => actor?.some(({ role }) => role.coding?.[0]?.code?.endsWith("RCP")));
    return named || onlyFor(chain, "ETREAT") || organizations.includes(request.recipient);
  };

  type Answer = "permitted" | "denied" | undefined;
  const joined = (answers: Answer[]): Answer =>
    answers.includes("denied") ? "denied" : answers.find((answer) => answer !== undefined);

  const answer = (
    provision: ConsentProvision,
    above: ConsentProvision[],
    effect: string | undefined,
    request: AccessRequest,
  ): Answer => {
    const chain = [...above, provision];
    const nested = provision.provision ?? [];
    const rest = nested.filter((entry) => isWider(entry, chain));
    const inner = joined(
      nested.filter((entry) => !rest.includes(entry)).map((entry) => answer(entry, chain, entry.type, request)),
    );
    if (inner !== undefined) return inner;
    if (effect === "permit" && permits(chain, request)) return "permitted";
    if (effect === "deny" && denies(chain, request)) return "denied";
    return joined(rest.map((entry) => answer(entry, above, entry.type, request)));
  };

  const { provision: root } = consent;
  const silent: Decision = optOut ? "denied" : "open";
  if (root === undefined) return () => silent;
  const { provision: nested = [], ...own } = root;
  const frames =
    root.type === undefined &&
    (nested.some(({ type }) => type === "permit") || (nested.length > 0 && Object.keys(own).length === 0));
  const said =
    options.untypedRoot === undefined ? undefined : { permits: "permit", denies: "deny" }[options.untypedRoot];
  const top: (request: AccessRequest) => Answer = frames
    ? (request) => joined(nested.map((entry) => answer(entry, [own], entry.type, request)))
    : (request) => answer(root, [], root.type ?? said, request);
  return (request) => top(request) ?? silent;
}
