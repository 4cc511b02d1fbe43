import { expect } from "chai";
import fc from "fast-check";
import type { Consent } from "fhir/r4";

import { decide, sameTerms, type ConsentTerms } from "../../sdk/src/consents/terms";
import type { AccessRequest } from "../../sdk/src/consents/scope";
import { isCarepactError, type CarepactError, type ErrorCode } from "../../sdk/src/errors";
import { readConsent, type ReadConsentOptions } from "../../sdk/src/fhir/consent";
import { writeConsent } from "../../sdk/src/fhir/consentWrite";
import { SEED } from "../support/arbitraries";
import { accountOf } from "../support/consentArbitraries";
import { consentExamples, type ConsentReading } from "../support/consentExamples";

import { hl7, hl7Names, pathsOf, withElements } from "./hl7";
import { refused } from "./refused";

const f001 = accountOf("Organization/f001");
const nurse = accountOf("Practitioner/f204");

const names = new Map<string, string>();
const remember = (reference: string): string => {
  names.set(accountOf(reference), reference);
  return accountOf(reference);
};

const optionsOf = ({ untypedRoot }: ConsentReading): ReadConsentOptions => ({
  accountOf: remember,
  ...(untypedRoot === undefined ? {} : { untypedRoot }),
});

const example = (name: string): Consent => hl7<Consent>(`Consent-consent-example-${name}`);

const meaningOf = ({ onlyByGrant, permits, denials, breakGlass }: ConsentTerms): Omit<ConsentTerms, "about"> => ({
  onlyByGrant,
  permits,
  denials,
  breakGlass,
});

const seconds = (text: string): number => Date.parse(text) / 1_000;

/** What each of the examples that can be mapped says, by its narrative. */
const expected: Record<string, Omit<ConsentTerms, "about">> = {
  Emergency: {
    onlyByGrant: true,
    permits: [],
    denials: [{ scope: { custodians: [f001] }, except: [{ custodians: [f001], purposes: ["ETREAT"] }] }],
    breakGlass: [{ custodians: [f001], purposes: ["ETREAT"] }],
  },
  Out: { onlyByGrant: true, permits: [], denials: [{ scope: { custodians: [f001] }, except: [] }], breakGlass: [] },
  basic: {
    onlyByGrant: false,
    permits: [{ recipients: [f001], until: seconds("2016-01-02") }],
    denials: [],
    breakGlass: [],
  },
  grantor: {
    onlyByGrant: true,
    permits: [{ recipients: [accountOf("Patient/example")], custodians: [f001], actions: ["access"] }],
    denials: [],
    breakGlass: [],
  },
  notAuthor: {
    onlyByGrant: false,
    permits: [],
    denials: [{ scope: { custodians: [f001] }, except: [] }],
    breakGlass: [],
  },
  notOrg: {
    onlyByGrant: false,
    permits: [],
    denials: [{ scope: { recipients: [f001], actions: ["access", "correct"] }, except: [] }],
    breakGlass: [],
  },
  notThem: {
    onlyByGrant: false,
    permits: [],
    denials: [{ scope: { recipients: [nurse], actions: ["access", "correct"] }, except: [] }],
    breakGlass: [],
  },
  notThis: {
    onlyByGrant: false,
    permits: [],
    denials: [{ scope: { records: [{ meaning: "related", reference: "Task/example3" }] }, except: [] }],
    breakGlass: [],
  },
  notTime: {
    onlyByGrant: false,
    permits: [],
    denials: [{ scope: { from: seconds("2015-01-01"), until: seconds("2015-02-02") }, except: [] }],
    breakGlass: [],
  },
  smartonfhir: {
    onlyByGrant: false,
    permits: [
      {
        recipients: [f001],
        resourceTypes: ["MedicationRequest"],
        from: seconds("2016-06-23T07:02:33Z"),
        until: seconds("2016-06-23T07:32:34Z"),
        actions: ["access"],
      },
    ],
    denials: [],
    breakGlass: [],
  },
};

const refusals: Record<string, [ErrorCode, string]> = {
  pkb: ["CONSENT_INVALID", "Consent.provision.provision[0].type"],
  signature: ["CONSENT_NOT_EXPRESSIBLE", "Consent.provision.provision[0].class[0].system"],
};

const hl7Coding = (system: string, code: string) => ({
  system: `http://terminology.hl7.org/CodeSystem/${system}`,
  code,
});
const concept = (system: string, code: string) => ({ coding: [hl7Coding(system, code)] });
const actor = (role: string, reference: string) => ({
  role: concept("v3-ParticipationType", role),
  reference: { reference },
});

/** A consent in which every element that can be read occurs. */
const full: Consent = {
  ...example("notOrg"),
  provision: {
    period: { start: "2025-01-01", end: "2025-12-31T23:59:59Z" },
    provision: [
      {
        type: "permit",
        period: { start: "2025-02-01", end: "2025-03-01" },
        actor: [
          actor("PRCP", "Organization/f001"),
          actor("CST", "Organization/f002"),
          actor("AUT", "Practitioner/f204"),
        ],
        action: [concept("consentaction", "access")],
        securityLabel: [hl7Coding("v3-ActCode", "PSY"), hl7Coding("v3-Confidentiality", "R")],
        purpose: [hl7Coding("v3-ActReason", "TREAT")],
        class: [{ system: "http://hl7.org/fhir/resource-types", code: "Observation" }],
        code: [{ coding: [{ system: "urn:example:codes", code: "a" }], text: "a" }],
        dataPeriod: { start: "2020-01-01", end: "2024-12-31" },
        data: [{ meaning: "related", reference: { reference: "Task/1", display: "a task" } }],
        provision: [{ type: "deny", purpose: [hl7Coding("v3-ActReason", "BTG")] }],
      },
    ],
  },
};

const changed = (changes: Record<string, unknown>): Consent => withElements(full, changes);
const read = (consent: Consent, options: Partial<ReadConsentOptions> = {}): ConsentTerms =>
  readConsent(consent, { accountOf, ...options });
const refusedAt = (path: string, consent: Consent, code: ErrorCode = "CONSENT_NOT_EXPRESSIBLE"): CarepactError => {
  const error = refused(code, () => read(consent));
  expect(error.details.path).to.equal(path);
  return error;
};

describe("FHIR Consent", () => {
  it("is read from ten of HL7's twelve examples, with the meaning that their narratives give them", () => {
    const mapped = Object.entries(consentExamples).filter(([, reading]) => reading.refusedAt === undefined);
    const terms = mapped.map(([name, reading]) => [name, meaningOf(readConsent(example(name), optionsOf(reading)))]);
    expect(Object.fromEntries(terms)).to.deep.equal(expected);
    expect(Object.keys(consentExamples).map((name) => `Consent-consent-example-${name}`)).to.have.members(
      hl7Names("Consent").filter((name) => name.startsWith("Consent-")),
    );
  });

  it("is refused in the other two, with the element that cannot be expressed", () => {
    for (const [name, [code, path]] of Object.entries(refusals)) {
      const error = refused(code, () => read(example(name)));
      expect(error.details.path).to.equal(path);
      expect(error.message).to.contain(path);
      expect(consentExamples[name]?.refusedAt).to.equal(path);
    }
  });

  it("comes back from its terms with the same meaning and all that it said besides", () => {
    for (const [name, reading] of Object.entries(consentExamples)) {
      if (reading.refusedAt !== undefined) continue;
      const source = example(name);
      const terms = readConsent(source, optionsOf(reading));
      const back = writeConsent(terms, { referenceOf: (account) => names.get(account) });
      expect(sameTerms(readConsent(back, { accountOf }), terms), name).to.equal(true);
      const besides = (consent: Consent): Consent => withElements(consent, { provision: undefined });
      expect(besides(back), name).to.deep.equal(besides(source));
    }
  });

  it("asks what an untyped root does, since basic and notTime differ in their dates and narratives only", () => {
    for (const name of ["basic", "notTime", "notThis", "notThem", "notAuthor", "Out", "grantor", "Emergency"]) {
      const error = refused("CONSENT_NOT_EXPRESSIBLE", () => read(example(name)));
      expect(error.details.path).to.equal("Consent.provision.type");
    }
    const [basic, notTime] = ["basic", "notTime"].map((name) => {
      const shape = pathsOf(example(name)).filter((path) => !path.startsWith("text"));
      return shape;
    });
    expect(basic).to.deep.equal(notTime);
  });

  it("reads every element of a provision", () => {
    const period = { from: seconds("2025-02-01"), until: seconds("2025-03-02") };
    const scope = {
      recipients: [f001],
      purposes: ["TREAT" as const],
      resourceTypes: ["Observation" as const],
      sensitivities: ["PSY" as const],
      ...period,
      actions: ["access" as const],
      custodians: [accountOf("Organization/f002")],
      authors: [nurse],
      codes: ["urn:example:codes|a"],
      recordsFrom: seconds("2020-01-01"),
      recordsUntil: seconds("2025-01-01"),
      records: [{ meaning: "related" as const, reference: "Task/1" }],
    };
    expect(meaningOf(read(full))).to.deep.equal({
      onlyByGrant: false,
      permits: [{ ...scope, ceiling: "R" }],
      // Without the ceiling: what is refused when restricted is refused when very restricted, too.
      denials: [{ scope: { ...scope, purposes: ["BTG"] }, except: [] }],
      breakGlass: [],
    });
  });

  describe("refuses what it does not understand", () => {
    const structure = hl7<{ snapshot: { element: { path: string; type?: { code: string }[] }[] } }>(
      "StructureDefinition-Consent",
    );
    const objects = ["", ...pathsOf(full)].filter((path) => {
      const value = path === "" ? full : at(full, path);
      return typeof value === "object" && value !== null && !Array.isArray(value);
    });
    // Whatever these hold is kept as it is, and permits nothing.
    const descriptive = /^(id|meta|language|text|identifier|category|patient|dateTime|performer|organization|source)/;

    for (const path of objects.filter((entry) => !descriptive.test(entry)))
      for (const name of ["extension", "modifierExtension", "_type", "unknown"])
        it(`${name} of Consent${path === "" ? "" : `.${path}`}`, () => {
          const place = path === "" ? name : `${path}.${name}`;
          const value = name === "unknown" ? 1 : [{ url: "urn:example:extension", valueCode: "x" }];
          const error = refused(name === "modifierExtension" ? "CONSENT_INVALID" : "CONSENT_NOT_EXPRESSIBLE", () =>
            read(changed({ [place]: value })),
          );
          expect(error.details.path).to.equal(`Consent.${place}`);
        });

    it("any element of HL7's definition that is neither expressed nor kept", () => {
      const own = structure.snapshot.element.map(({ path }) =>
        path.replace("Consent.", "").replace("[x]", "Reference"),
      );
      const top = own.filter((path) => path !== "Consent" && !path.includes("."));
      const expressed = ["implicitRules", "status", "scope", "policyRule", "provision", "modifierExtension"];
      const kept = top.filter((name) => descriptive.test(name) || name === "verification");
      const others = top.filter((name) => !expressed.includes(name) && !kept.includes(name));
      expect(others).to.have.members(["contained", "extension", "policy"]);
      for (const name of others) refusedAt(`Consent.${name}`, changed({ [name]: [{ uri: "urn:example" }] }));
      refusedAt("Consent.implicitRules", changed({ implicitRules: "urn:example" }), "CONSENT_INVALID");
    });
  });

  const permit = "provision.provision[0]";
  const refusedChanges: [string, Record<string, unknown>, string, ErrorCode?][] = [
    ["a status other than active", { status: "inactive" }, "status"],
    ["a status that is none", { status: "on" }, "status", "CONSENT_INVALID"],
    ["another scope", { scope: concept("consentscope", "research") }, "scope.coding[0]"],
    ["no base policy", { policyRule: undefined }, "policyRule", "CONSENT_INVALID"],
    ["another base policy", { policyRule: concept("v3-ActCode", "OPTINR") }, "policyRule.coding[0]"],
    ["a base policy in words", { policyRule: { text: "opt in" } }, "policyRule"],
    [
      "a second code for the base policy",
      { "policyRule.coding[1]": hl7Coding("v3-ActCode", "OPTOUT") },
      "policyRule.coding[1]",
    ],
    ["no category", { category: undefined }, "category", "CONSENT_INVALID"],
    ["no patient", { patient: undefined }, "patient", "CONSENT_INVALID"],
    ["a verification that failed", { verification: [{ verified: false }] }, "verification[0].verified"],
    ["a type that is none", { [`${permit}.type`]: "allow" }, `${permit}.type`, "CONSENT_INVALID"],
    ["a nested provision without type", { [`${permit}.type`]: undefined }, `${permit}.type`, "CONSENT_INVALID"],
    [
      "a nested provision of the same type",
      { [`${permit}.provision[0].type`]: "permit" },
      `${permit}.provision[0].type`,
    ],
    [
      "another role",
      { [`${permit}.actor[0].role`]: concept("v3-RoleClass", "PRCP") },
      `${permit}.actor[0].role.coding[0]`,
    ],
    [
      "a role it does not know",
      { [`${permit}.actor[0].role.coding[0].code`]: "WIT" },
      `${permit}.actor[0].role.coding[0]`,
    ],
    ["an unknown action", { [`${permit}.action[0].coding[0].code`]: "sell" }, `${permit}.action[0].coding[0].code`],
    ["an unknown purpose", { [`${permit}.purpose[0].code`]: "FUN" }, `${permit}.purpose[0].code`],
    ["a purpose of another system", { [`${permit}.purpose[0].system`]: "urn:x" }, `${permit}.purpose[0].system`],
    ["a document type as class", { [`${permit}.class[0].system`]: "urn:ietf:bcp:13" }, `${permit}.class[0].system`],
    ["an unknown resource type", { [`${permit}.class[0].code`]: "Prescription" }, `${permit}.class[0].code`],
    ["an unknown label", { [`${permit}.securityLabel[0].code`]: "DELAU" }, `${permit}.securityLabel[0].code`],
    ["an unknown degree", { [`${permit}.securityLabel[1].code`]: "X" }, `${permit}.securityLabel[1].code`],
    ["a code in words", { [`${permit}.code[0].coding`]: undefined }, `${permit}.code[0]`],
    ["an empty list", { [`${permit}.purpose`]: [] }, `${permit}.purpose`, "CONSENT_INVALID"],
    ["a list that is none", { [`${permit}.purpose`]: {} }, `${permit}.purpose`, "CONSENT_INVALID"],
    [
      "a meaning that is none",
      { [`${permit}.data[0].meaning`]: "all" },
      `${permit}.data[0].meaning`,
      "CONSENT_INVALID",
    ],
    [
      "a period that ends before it starts",
      { [`${permit}.period.end`]: "2025-01-31" },
      `${permit}.period.end`,
      "CONSENT_INVALID",
    ],
    ["a date that is none", { [`${permit}.period.end`]: "2025-02-30" }, `${permit}.period.end`, "CONSENT_INVALID"],
    [
      "a time without zone",
      { [`${permit}.period.end`]: "2025-02-03T10:00:00" },
      `${permit}.period.end`,
      "CONSENT_INVALID",
    ],
    ["parts of a second", { [`${permit}.period.end`]: "2025-02-03T10:00:00.5Z" }, `${permit}.period.end`],
    ["a period outside of the frame's", { [`${permit}.period`]: { start: "2026-01-01" } }, `${permit}.period`],
    [
      "a degree in a denial, which would spare what is above it",
      { [`${permit}.provision[0].securityLabel`]: [hl7Coding("v3-Confidentiality", "R")] },
      `${permit}.provision[0].securityLabel[0]`,
    ],
    [
      "an exception that has nothing in common with what it is nested in",
      { [`${permit}.provision[0].purpose[0].code`]: "HPAYMT" },
      `${permit}.provision[0].purpose`,
    ],
  ];
  for (const [what, changes, path, code] of refusedChanges)
    it(`refuses ${what}`, () => void refusedAt(`Consent.${path}`, changed(changes), code));

  it("refuses an exception that says the opposite of the very same, and one nested in what is left besides", () => {
    const rule = { purpose: [hl7Coding("v3-ActReason", "TREAT")] };
    const nested = (inner: object): Consent => ({ ...full, provision: { type: "deny", ...rule, provision: [inner] } });
    refusedAt("Consent.provision.provision[0]", nested({ type: "permit", ...rule }));
    refusedAt(
      "Consent.provision.provision[0].provision",
      nested({ type: "permit", provision: [{ type: "deny", purpose: [hl7Coding("v3-ActReason", "HMARKT")] }] }),
    );
  });

  it("names the actor of whom no account is known", () => {
    const unknown = (reference: string): string | undefined =>
      reference === "Practitioner/f204" ? undefined : accountOf(reference);
    const error = refused("CONSENT_ACTOR_UNKNOWN", () => read(full, { accountOf: unknown }));
    expect(error.details).to.deep.equal({
      path: "Consent.provision.provision[0].actor[2].reference",
      reference: "Practitioner/f204",
    });
    expect(
      refused("CONSENT_ACTOR_UNKNOWN", () => writeConsent(read(full), { referenceOf: () => undefined })).details
        .account,
    ).to.equal(f001);
  });

  it("gives a permit without recipient to Consent.organization, and is refused where there is none", () => {
    const noActor = { [`${permit}.actor`]: undefined };
    expect(read(changed(noActor)).permits.map(({ recipients }) => recipients)).to.deep.equal([[f001]]);
    refusedAt(`Consent.${permit}.actor`, changed({ ...noActor, organization: undefined }));
  });

  it("takes a permit to break the glass as what an emergency opens, and no grant", () => {
    const terms = read(changed({ [`${permit}.purpose[0].code`]: "BTG", [`${permit}.provision`]: undefined }));
    expect(terms.permits).to.deep.equal([]);
    expect(terms.breakGlass.map(({ purposes }) => purposes)).to.deep.equal([["BTG"]]);
  });

  it("reads dates as a whole day, month or year, in UTC or where the caller says", () => {
    const until = (end: string, utcOffsetMinutes = 0): number | undefined =>
      read(changed({ "provision.period": undefined, [`${permit}.period`]: { end } }), { utcOffsetMinutes }).permits[0]
        ?.until;
    expect(until("2025")).to.equal(seconds("2026-01-01"));
    expect(until("2024-02")).to.equal(seconds("2024-03-01"));
    expect(until("2024-02-29")).to.equal(seconds("2024-03-01"));
    expect(until("2024-02-29", -300)).to.equal(seconds("2024-03-01T05:00:00Z"));
    expect(until("2024-02-29T23:59:59+01:00", -300)).to.equal(seconds("2024-02-29T23:00:00Z"));
    expect(until("2024-02-29T23:59:59.000Z")).to.equal(seconds("2024-03-01"));
  });

  it("decides against who asks where the request does not tell", () => {
    const terms = read(full);
    const request: AccessRequest = {
      recipient: f001,
      purpose: "TREAT",
      at: seconds("2025-02-02"),
      action: "access",
      resourceType: "Observation",
      sensitivities: ["PSY"],
      confidentiality: "R",
      custodian: accountOf("Organization/f002"),
      author: nurse,
      codes: ["urn:example:codes|a"],
      recordAt: seconds("2024-05-05"),
      record: { reference: "Task/1", refersTo: [], referredToBy: [], authoredBy: [] },
    };
    expect(decide(terms, request)).to.equal("permitted");
    expect(decide(terms, { ...request, purpose: "BTG" })).to.equal("denied");
    for (const fact of ["custodian", "author", "codes", "recordAt", "record"] as const) {
      const untold = withElements(request, { [fact]: undefined });
      expect(decide(terms, untold), fact).to.equal("open");
      expect(decide(terms, { ...untold, purpose: "BTG" }), fact).to.equal("denied");
    }
  });

  it("answers anything at all with terms or a CarepactError", () => {
    const place = fc.constantFrom(...pathsOf(full));
    fc.assert(
      fc.property(fc.dictionary(place, fc.anything(), { minKeys: 1, maxKeys: 3 }), (changes) => {
        let consent: Consent;
        try {
          consent = changed(changes);
        } catch {
          return; // One change took away the place of another.
        }
        try {
          read(consent);
        } catch (error) {
          expect(isCarepactError(error), String(error)).to.equal(true);
        }
      }),
      { numRuns: 500, seed: SEED },
    );
  });
});

/** What stands at a path as pathsOf gives it. */
function at(value: unknown, path: string): unknown {
  return (path.match(/[^.[\]]+/g) ?? []).reduce<unknown>(
    (node, name) => (node as Record<string, unknown>)[name],
    value,
  );
}
