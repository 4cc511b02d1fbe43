import { readFileSync } from "node:fs";
import { join } from "node:path";

import { expect } from "chai";
import { id } from "ethers";
import fc from "fast-check";
import type { AuditEvent } from "fhir/r4";

import { accessActions, accessRefusals, requireEntry, type AccessEntry } from "../../sdk/src/access";
import { confidentialityCodes, purposeCodes, resourceTypeCodes, sensitivityCodes } from "../../sdk/src/codes";
import { permissionReasons } from "../../sdk/src/consents/reasons";
import { isCarepactError, type ErrorCode } from "../../sdk/src/errors";
import { readAuditEvent, writeAuditEvent, type ReadAuditEventOptions } from "../../sdk/src/fhir/auditEvent";
import { SEED } from "../support/arbitraries";
import { auditExamples } from "../support/auditExamples";
import { accountOf } from "../support/consentArbitraries";
import { reasons } from "../support/permissionModel";

import { hl7, hl7Names, pathsOf, withElements } from "./hl7";
import { refused } from "./refused";

const options: ReadAuditEventOptions = { accountOf, patientOf: id, patient: id("somebody"), number: 12 };
const example = (name: string): AuditEvent => hl7<AuditEvent>(`AuditEvent-example-${name}`);
const seconds = (text: string): number => Date.parse(text) / 1_000;

/** What each of the examples that can be mapped says, besides its number. */
const expected: Record<string, Omit<AccessEntry, "original" | "number">> = {
  disclosure: {
    patient: id("Patient/example"),
    gateway: accountOf("Watchers Accounting of Disclosures Application"),
    at: seconds("2013-09-22T00:08:00Z"),
    who: accountOf("SomeIdiot@nowhere"),
    action: "read",
    resourceTypes: ["Patient"],
    sensitivities: ["STD"],
    confidentiality: "V",
    purposes: ["HMARKT"],
    basis: { kind: "policy", policy: "http://consent.com/yes" },
    outcome: { result: "allowed" },
  },
  error: {
    patient: id("somebody"),
    gateway: accountOf("hl7connect.healthintersections.com.au"),
    at: seconds("2017-09-07T23:42:24Z"),
    who: accountOf("95"),
    action: "create",
    resourceTypes: ["OperationOutcome"],
    sensitivities: [],
    purposes: [],
    basis: { kind: "unstated" },
    outcome: { result: "failed", severity: "serious" },
  },
  media: {
    patient: id("e3cdfc81a0d24bd^^^&2.16.840.1.113883.4.2&ISO"),
    gateway: accountOf("hl7connect.healthintersections.com.au"),
    at: seconds("2015-08-27T23:42:24Z"),
    who: accountOf("95"),
    action: "read",
    resourceTypes: ["DocumentManifest"],
    sensitivities: [],
    purposes: [],
    basis: { kind: "unstated" },
    outcome: { result: "allowed" },
  },
  pixQuery: {
    patient: id("e3cdfc81a0d24bd^^^&2.16.840.1.113883.4.2&ISO"),
    gateway: accountOf("hl7connect.healthintersections.com.au"),
    at: seconds("2015-08-26T23:42:24Z"),
    who: accountOf("95"),
    action: "execute",
    resourceTypes: ["Patient"],
    sensitivities: [],
    purposes: [],
    basis: { kind: "unstated" },
    outcome: { result: "allowed" },
  },
  rest: {
    patient: id("Patient/example"),
    gateway: accountOf("hl7connect.healthintersections.com.au"),
    at: seconds("2013-06-20T23:42:24Z"),
    who: accountOf("95"),
    action: "read",
    resourceTypes: ["Patient"],
    sensitivities: [],
    purposes: [],
    basis: { kind: "unstated" },
    outcome: { result: "allowed" },
  },
  search: {
    patient: id("somebody"),
    gateway: accountOf("hl7connect.healthintersections.com.au"),
    at: seconds("2015-08-22T23:42:24Z"),
    who: accountOf("95"),
    action: "execute",
    resourceTypes: ["Encounter"],
    sensitivities: [],
    purposes: [],
    basis: { kind: "unstated" },
    outcome: { result: "allowed" },
  },
};

const entries: fc.Arbitrary<AccessEntry> = fc
  .record(
    {
      patient: fc.nat().map((n) => id(`patient ${n}`)),
      number: fc.nat(),
      gateway: fc.nat().map((n) => accountOf(`gateway ${n}`)),
      at: fc.nat({ max: 4_000_000_000 }),
      who: fc.nat().map((n) => accountOf(`organization ${n}`)),
      action: fc.constantFrom(...accessActions),
      resourceTypes: fc.uniqueArray(fc.constantFrom(...resourceTypeCodes()), { minLength: 1, maxLength: 4 }),
      sensitivities: fc.uniqueArray(fc.constantFrom(...sensitivityCodes()), { maxLength: 3 }),
      confidentiality: fc.constantFrom(...confidentialityCodes()),
      purposes: fc.uniqueArray(fc.constantFrom(...purposeCodes()), { maxLength: 3 }),
      basis: fc.oneof(
        fc.record({
          kind: fc.constant("grant" as const),
          grant: fc.nat().map((n) => id(`grant ${n}`)),
          epoch: fc.maxSafeNat().map((n) => n % 2 ** 48),
        }),
        fc.constant({ kind: "breakGlass" as const }),
        fc.record({ kind: fc.constant("breakGlass" as const), justification: fc.string({ minLength: 1 }) }),
        fc.constantFrom({ kind: "policy" as const, policy: "urn:example:law:1" }),
        fc.constant({ kind: "unstated" as const }),
      ),
      outcome: fc.oneof(
        fc.constant({ result: "allowed" as const }),
        fc.constantFrom(...accessRefusals).map((reason) => ({ result: "refused" as const, reason })),
        fc.constantFrom("minor", "serious", "major").map((severity) => ({ result: "failed" as const, severity })),
      ),
      review: fc.record({
        of: fc.nat().map((n) => id(`entry ${n}`)),
        justified: fc.boolean(),
        text: fc.string({ minLength: 1 }),
        signature: fc.nat().map((n) => id(`signature ${n}`)),
      }),
    },
    {
      requiredKeys: [
        "patient",
        "number",
        "gateway",
        "at",
        "who",
        "action",
        "resourceTypes",
        "sensitivities",
        "purposes",
        "basis",
        "outcome",
      ],
    },
  )
  .map((entry) => requireEntry(entry as AccessEntry));

const refusedAt = (path: string, event: AuditEvent, code: ErrorCode = "AUDIT_EVENT_NOT_EXPRESSIBLE"): void => {
  expect(refused(code, () => readAuditEvent(event, options)).details.path).to.equal(path);
};

describe("FHIR AuditEvent", () => {
  it("is read from six of HL7's nine examples, and refused in the others with the element that is in the way", () => {
    expect(Object.keys(auditExamples)).to.deep.equal(hl7Names("AuditEvent"));
    const read = Object.entries(auditExamples).flatMap(([name, path]) => {
      const event = hl7<AuditEvent>(name);
      if (path !== undefined) {
        refusedAt(path, event);
        return [];
      }
      const { original, number, ...entry } = readAuditEvent(event, options);
      expect(original, name).to.deep.equal(event);
      expect(number).to.equal(12);
      return [[name.replace("AuditEvent-example-", ""), entry]];
    });
    expect(Object.fromEntries(read)).to.deep.equal(expected);
  });

  it("comes back with all that it said, and needs nobody to explain it any more", () => {
    for (const name of Object.keys(expected)) {
      const event = example(name);
      const entry = readAuditEvent(event, options);
      const back = writeAuditEvent(entry);
      expect({ ...back, entity: back.entity?.slice(0, -1) }, name).to.deep.equal(event);
      expect(readAuditEvent(back), name).to.deep.equal(entry);
      expect(writeAuditEvent(readAuditEvent(back)), name).to.deep.equal(back);
    }
  });

  it("is written from any entry, and gives it back", () => {
    fc.assert(
      fc.property(entries, (entry) => {
        const event = writeAuditEvent(entry);
        expect(readAuditEvent(JSON.parse(JSON.stringify(event)) as AuditEvent)).to.deep.equal(entry);
      }),
      { numRuns: 300, seed: SEED },
    );
  });

  it("says in the codes of FHIR who did what, why, by what right, and why not", () => {
    const event = writeAuditEvent(
      requireEntry({
        ...expected.rest!,
        number: 3,
        purposes: ["TREAT"],
        basis: { kind: "grant", grant: id("grant"), epoch: 5 },
        outcome: { result: "refused", reason: "Revoked" },
      }),
    );
    expect(event).to.deep.include({
      action: "R",
      recorded: "2013-06-20T23:42:24Z",
      outcome: "4",
      outcomeDesc: "urn:carepact:reason:Revoked",
    });
    expect(event.agent[0]?.policy).to.deep.equal([`urn:carepact:grant:${id("grant")}:epoch:5`]);
    expect(event.entity?.[0]?.detail).to.deep.equal([{ type: "urn:carepact:number", valueString: "3" }]);
  });

  it("names reasons as the contract numbers them", () => {
    const source = readFileSync(join(__dirname, "../../contracts/interfaces/ConsentTypes.sol"), "utf8");
    const [, body = ""] = /enum Reason \{([^}]*)\}/.exec(source) ?? [];
    const names = body.replace(/\/\/\/.*$/gm, "").match(/\w+/g);
    expect(permissionReasons).to.deep.equal(names);
    expect(reasons).to.deep.equal(names);
  });

  it("is refused with a review that is none", () => {
    const entry: AccessEntry = {
      ...expected["rest"]!,
      number: 1,
      review: { of: id("entry"), justified: true, text: "x", signature: "0x12" },
    };
    const event = writeAuditEvent(entry);
    expect(readAuditEvent(event)).to.deep.equal(requireEntry(entry));
    for (const valueString of ["{", "null", "{}", '{"of":"0x","justified":1,"text":"","signature":""}'])
      refusedAt(
        "AuditEvent.entity[0].detail",
        withElements(event, { "entity[0].detail[1].valueString": valueString }),
        "AUDIT_EVENT_INVALID",
      );
  });

  const disclosure = (changes: Record<string, unknown>): AuditEvent => withElements(example("disclosure"), changes);
  const changes: [string, Record<string, unknown>, string, ErrorCode?][] = [
    ["no action", { action: undefined }, "action"],
    ["an action that is none", { action: "X" }, "action", "AUDIT_EVENT_INVALID"],
    ["no outcome", { outcome: undefined }, "outcome"],
    ["an outcome that is none", { outcome: "1" }, "outcome", "AUDIT_EVENT_INVALID"],
    ["a time that is none", { recorded: "2013-09-22" }, "recorded", "AUDIT_EVENT_INVALID"],
    [
      "an unknown reason",
      { outcome: "4", outcomeDesc: "urn:carepact:reason:None" },
      "outcomeDesc",
      "AUDIT_EVENT_INVALID",
    ],
    ["nobody who asked", { "agent[0].requestor": false }, "agent"],
    ["two who asked", { "agent[1].requestor": true }, "agent[1].requestor"],
    ["two bases", { "agent[0].policy[1]": "urn:x" }, "agent[0].policy[1]"],
    ["an unknown purpose", { "purposeOfEvent[0].coding[0].code": "FUN" }, "purposeOfEvent[0]"],
    ["a purpose in words", { "purposeOfEvent[0]": { text: "fun" } }, "purposeOfEvent[0]"],
    ["no entities", { entity: [] }, "entity"],
    ["another patient", { "entity[1].what.reference": "Patient/other" }, "entity[1].what"],
    [
      "an unknown resource type",
      { "entity[1].type": { system: "http://hl7.org/fhir/resource-types", code: "Prescription" } },
      "entity[1].type.code",
    ],
    ["nothing but a thing without type", { entity: [{ name: "x" }] }, "entity"],
  ];
  for (const [what, change, path, code] of changes)
    it(`is refused with ${what}`, () => refusedAt(`AuditEvent.${path}`, disclosure(change), code));

  it("is refused with a modifier extension, wherever it is", () => {
    const places = ["", ...pathsOf(example("disclosure"))].filter((path) => {
      const names = path.match(/[^.[\]]+/g) ?? [];
      const value = names.reduce<unknown>(
        (node, name) => (node as Record<string, unknown>)[name],
        example("disclosure"),
      );
      return typeof value === "object" && !Array.isArray(value);
    });
    expect(places.length).to.be.above(20);
    for (const place of places) {
      const path = place === "" ? "modifierExtension" : `${place}.modifierExtension`;
      refusedAt(`AuditEvent.${path}`, disclosure({ [path]: [{ url: "urn:x" }] }), "AUDIT_EVENT_INVALID");
    }
  });

  it("is refused where nobody can say who it was, whose record, or its number", () => {
    const event = example("rest");
    const without = (name: keyof ReadAuditEventOptions): ReadAuditEventOptions => {
      const rest = { ...options };
      delete rest[name];
      return rest;
    };
    for (const [name, path] of [
      ["accountOf", "AuditEvent.source.observer"],
      ["patientOf", "AuditEvent.entity[0].what"],
      ["number", "AuditEvent.entity"],
    ] as const) {
      const error = refused("AUDIT_EVENT_NOT_EXPRESSIBLE", () => readAuditEvent(event, without(name)));
      expect(error.details.path).to.equal(path);
    }
    const error = refused("AUDIT_EVENT_NOT_EXPRESSIBLE", () => readAuditEvent(example("search"), without("patient")));
    expect(error.details.path).to.equal("AuditEvent.entity");
  });

  it("is not written from an entry whose original says something else", () => {
    const entry = readAuditEvent(example("rest"), options);
    for (const change of [{ at: entry.at + 1 }, { action: "delete" as const }, { purposes: ["TREAT" as const] }]) {
      const error = refused("ACCESS_ENTRY_MALFORMED", () => writeAuditEvent({ ...entry, ...change }));
      expect(error.details.path).to.equal("$.original");
    }
  });

  const base = { ...expected.rest!, number: 0 };
  const malformed: [string, Partial<AccessEntry>, string][] = [
    ["a patient that is none", { patient: "0x12" }, "patient"],
    ["a number that is none", { number: -1 }, "number"],
    ["a gateway that is none", { gateway: "gateway" }, "gateway"],
    ["a time that is none", { at: 0.5 }, "at"],
    ["nobody", { who: "0x" }, "who"],
    ["an action that is none", { action: "look" as never }, "action"],
    ["no resource type", { resourceTypes: [] }, "resourceTypes"],
    ["a grant that is none", { basis: { kind: "grant", grant: "0x", epoch: 1 } }, "basis"],
    ["a policy that is no URI", { basis: { kind: "policy", policy: "yes" } }, "basis"],
    ["a review that is none", { review: { of: "0x", justified: true, text: "x", signature: "0x" } }, "review"],
    ["a reason that is none", { outcome: { result: "refused", reason: "None" as never } }, "outcome"],
  ];
  for (const [what, change, field] of malformed)
    it(`is not written from an entry with ${what}`, () => {
      const error = refused("ACCESS_ENTRY_MALFORMED", () => writeAuditEvent({ ...base, ...change }));
      expect(error.details.path).to.equal(`$.${field}`);
    });

  it("answers anything at all with an entry or a CarepactError", () => {
    const place = fc.constantFrom(...pathsOf(example("disclosure")));
    fc.assert(
      fc.property(fc.dictionary(place, fc.anything(), { minKeys: 1, maxKeys: 3 }), (changed) => {
        let event: AuditEvent;
        try {
          event = disclosure(changed);
        } catch {
          return; // One change took away the place of another.
        }
        try {
          readAuditEvent(event, options);
        } catch (error) {
          expect(isCarepactError(error), String(error)).to.equal(true);
        }
      }),
      { numRuns: 500, seed: SEED },
    );
  });
});
