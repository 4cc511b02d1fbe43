import fc from "fast-check";
import type { Consent, ConsentProvision } from "fhir/r4";
import { getAddress, id } from "ethers";

import type { AccessRequest } from "../../sdk/src/consents/scope";

/** An account for any reference, the same each time. */
export const accountOf = (reference: string): string => getAddress(`0x${id(reference).slice(26)}`);

const ACTORS = ["Organization/f001", "Organization/f002", "Practitioner/f204"];
const references = new Map([...ACTORS, "Patient/example"].map((reference) => [accountOf(reference), reference]));

/** The way back, for whom {@link consents} name. */
export const referenceOf = (account: string): string | undefined => references.get(account);

const PURPOSES = ["PurposeOfUse", "TREAT", "ETREAT", "BTG", "ERTREAT", "HPAYMT", "CLMATTCH"];
const TYPES = ["Resource", "Observation", "MedicationRequest"];
const LABELS = ["SPI", "PSY", "SUD", "ETHUD", "HIV"];
const DEGREES = ["U", "L", "M", "N", "R", "V"];
const ACTIONS = ["collect", "access", "use", "disclose", "correct"];
const CODES = ["a", "b", "c"];
const RECORDS = ["Task/1", "Observation/2", "Practitioner/3"];
const MEANINGS = ["instance", "related", "dependents", "authoredby"];
const DATES = ["2025-01-01", "2025-02-01T00:00:00Z", "2025-03-01T12:00:00+02:00", "2025-04-01"];

const concept = (system: string) => (code: string) => ({ coding: [{ system, code }] });
const coding = (system: string) => (code: string) => ({ system, code });
const hl7 = "http://terminology.hl7.org/CodeSystem";

const some = <Value, Made>(values: readonly Value[], make: (value: Value) => Made, most = 2): fc.Arbitrary<Made[]> =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: most }).map((chosen) => chosen.map(make));

const actor = fc
  .record({ role: fc.constantFrom("PRCP", "PRCP", "IRCP", "CST", "AUT"), reference: fc.constantFrom(...ACTORS) })
  .map(({ role, reference }) => ({ role: concept(`${hl7}/v3-ParticipationType`)(role), reference: { reference } }));

const period = fc
  .tuple(fc.constantFrom(...DATES), fc.constantFrom(...DATES), fc.integer({ min: 0, max: 2 }))
  .map(([a, b, kind]) => {
    const [start = a, end = b] = [a, b].sort();
    if (kind === 0) return { start, end };
    return kind === 1 ? { start } : { end };
  });

const sensitivities = some(LABELS, coding(`${hl7}/v3-ActCode`));
const degrees = some(DEGREES, coding(`${hl7}/v3-Confidentiality`));

/** What a provision can be about: now and then one of the many elements. */
const about = (type: "permit" | "deny" | undefined): fc.Arbitrary<ConsentProvision> => {
  const label = type === "deny" ? sensitivities : fc.oneof(sensitivities, degrees);
  const elements = {
    actor: fc.array(actor, { minLength: 1, maxLength: 2 }),
    period,
    action: some(ACTIONS, concept(`${hl7}/consentaction`), 3),
    securityLabel: label,
    purpose: some(PURPOSES, coding(`${hl7}/v3-ActReason`)),
    class: some(TYPES, coding("http://hl7.org/fhir/resource-types")),
    code: some(CODES, concept("urn:example:codes")),
    dataPeriod: period,
    data: some(
      MEANINGS.flatMap((meaning) => RECORDS.map((reference) => ({ meaning, reference }))),
      ({ meaning, reference }) => ({ meaning, reference: { reference } }),
    ),
  };
  const names = Object.keys(elements) as (keyof typeof elements)[];
  return fc
    .uniqueArray(fc.constantFrom(...names, "actor" as const, "purpose" as const), { maxLength: 3 })
    .chain((chosen) =>
      fc.record(Object.fromEntries(chosen.map((name) => [name, elements[name] as fc.Arbitrary<unknown>]))),
    )
    .map((provision) => provision as ConsentProvision);
};

const other = { permit: "deny", deny: "permit" } as const;

const rule = (type: "permit" | "deny", depth: number): fc.Arbitrary<ConsentProvision> =>
  fc
    .tuple(
      about(type),
      depth === 0 ? fc.constant<ConsentProvision[]>([]) : fc.array(rule(other[type], depth - 1), { maxLength: 2 }),
    )
    .map(([own, provision]) => ({ type, ...own, ...(provision.length === 0 ? {} : { provision }) }));

const anyRule = (depth: number): fc.Arbitrary<ConsentProvision> =>
  fc.constantFrom("permit" as const, "deny" as const).chain((type) => rule(type, depth));

const root: fc.Arbitrary<ConsentProvision> = fc.oneof(
  { weight: 3, arbitrary: anyRule(2) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, about(undefined)),
        fc.array(anyRule(2), { minLength: 1, maxLength: 3 }),
      )
      .map(([frame, provision]): ConsentProvision => ({ ...frame, provision })),
  },
  { weight: 1, arbitrary: about(undefined) },
);

/** Consents of the subset that can be read; some of them contradict themselves. */
export const consents: fc.Arbitrary<Consent> = fc
  .record({ base: fc.constantFrom("OPTIN", "OPTOUT"), provision: fc.option(root, { nil: undefined, freq: 12 }) })
  .map(({ base, provision }) => ({
    resourceType: "Consent" as const,
    status: "active" as const,
    scope: concept(`${hl7}/consentscope`)("patient-privacy"),
    category: [concept(`${hl7}/v3-ActCode`)("IDSCL")],
    patient: { reference: "Patient/example" },
    organization: [{ reference: "Organization/f001" }],
    policyRule: concept(`${hl7}/v3-ActCode`)(base),
    ...(provision === undefined || Object.keys(provision).length === 0 ? {} : { provision }),
  }));

const INSTANTS = DATES.flatMap((date) => {
  const first = Date.parse(date) / 1_000;
  return [first - 1, first, first + 1, first + 86_399, first + 86_400];
}).concat(1_800_000_000, 1);

const request = (record: {
  [Name in keyof AccessRequest]-?: fc.Arbitrary<AccessRequest[Name]>;
}): fc.Arbitrary<AccessRequest> => fc.record(record);

const accounts = [...ACTORS, "Organization/other"].map(accountOf);

/** Requests of which everything is known, over the values that {@link consents} are made of, and others. */
export const requests: fc.Arbitrary<AccessRequest> = request({
  recipient: fc.constantFrom(...accounts),
  purpose: fc.constantFrom("TREAT", "ETREAT", "BTG", "ERTREAT", "HPAYMT", "CLMATTCH", "HRESCH"),
  at: fc.constantFrom(...INSTANTS),
  action: fc.constantFrom("collect", "access", "use", "disclose", "correct"),
  resourceType: fc.constantFrom("Observation", "MedicationRequest", "Patient"),
  sensitivities: fc.subarray(["SPI", "PSY", "SUD", "ETHUD", "HIV", "DOB"]),
  sensitivitiesTogether: fc.constant(false),
  confidentiality: fc.constantFrom("U", "L", "M", "N", "R", "V"),
  custodian: fc.constantFrom(...accounts),
  author: fc.constantFrom(...accounts),
  codes: fc.subarray([...CODES, "d"]).map((codes) => codes.map((code) => `urn:example:codes|${code}`)),
  recordAt: fc.constantFrom(...INSTANTS),
  record: fc.record({
    reference: fc.constantFrom(...RECORDS, "Observation/9"),
    refersTo: fc.subarray(RECORDS),
    referredToBy: fc.subarray(RECORDS),
    authoredBy: fc.subarray(RECORDS),
  }),
});

/** Requests in which each value of {@link requests} occurs. */
export const universe = (seed: number): AccessRequest[] => fc.sample(requests, { numRuns: 600, seed });
