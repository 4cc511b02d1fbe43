import { expect } from "chai";
import fc from "fast-check";

import { anyResourceType, anySensitivity, categoryBits, categoryMask, type CategoryCode } from "@carepact/sdk/codes";
import { minorScope, requireMinorRules, type MinorRules, type MinorScope } from "@carepact/sdk/patients";

import { birthdayOf, dayIn, firstSecondOf } from "../../sdk/src/patients/calendar";

import { SEED } from "../support/arbitraries";
import { runs } from "../support/consents";

import { refused } from "./refused";

/** Made up; no jurisdiction's. */
const rules: MinorRules = {
  jurisdiction: "nowhere",
  majorityAge: 18,
  ownConsent: [
    { age: 12, categories: ["HIV"] },
    { age: 14, categories: ["MH", "FamilyMemberHistory"] },
  ],
  timeZone: "UTC",
};
const at = (instant: string): number => Date.parse(instant) / 1000;
const scopeAt = (instant: string, birthDate = "2010-05-17", changes: Partial<MinorRules> = {}): MinorScope =>
  minorScope({ ...rules, ...changes }, birthDate, at(instant))!;

describe("Minors: what a representative may have", () => {
  it("is everything, until something may be consented to alone", () => {
    const scope = scopeAt("2020-01-01T00:00:00Z");

    expect(scope).to.deep.equal({
      age: 9,
      categories: anyResourceType | anySensitivity,
      hidden: 0n,
      until: at("2022-05-17T00:00:00Z"),
    });
  });

  it("is less from the first second of the birthday of a threshold on", () => {
    const [before, since] = [scopeAt("2022-05-16T23:59:59Z"), scopeAt("2022-05-17T00:00:00Z")];

    expect([before.age, since.age]).to.deep.equal([11, 12]);
    expect(before.until).to.equal(at("2022-05-17T00:00:00Z"));
    expect(since.until).to.equal(at("2024-05-17T00:00:00Z"));
    expect(before.hidden).to.equal(0n);
    expect(since.categories & categoryBits(["HIV"])).to.equal(0n);
    expect(since.categories & categoryBits(["Observation"])).not.to.equal(0n);
  });

  it("adds up what thresholds hide", () => {
    const scope = scopeAt("2026-01-01T00:00:00Z");
    const hides = (code: CategoryCode): boolean => (scope.hidden & categoryBits([code])) !== 0n;

    expect(scope.age).to.equal(15);
    expect((["HIV", "MH", "FamilyMemberHistory"] as const).map(hides)).to.deep.equal([true, true, true]);
    expect((["Observation", "GDIS"] as const).map(hides)).to.deep.equal([false, false]);
    expect(scope.categories & scope.hidden).to.equal(0n);
    expect(scope.until).to.equal(at("2028-05-17T00:00:00Z"));
  });

  it("leaves out what is above a hidden category, as it may be of this kind, and what is below it", () => {
    const { hidden } = scopeAt("2026-01-01T00:00:00Z", "2010-05-17", {
      ownConsent: [{ age: 12, categories: ["SUD"] }],
    });

    for (const code of ["SUD", "OPIOIDUD", "ETHUD", "SPI"] as const)
      expect(hidden & categoryBits([code]), code).not.to.equal(0n);
    expect(hidden & categoryBits(["BH"])).to.equal(0n);
  });

  it("leaves out labels that HL7 may add later, where some are hidden", () => {
    const [before, since] = [scopeAt("2022-05-16T00:00:00Z"), scopeAt("2022-05-17T00:00:00Z")];
    const notAssigned = 1n << 255n;

    expect(before.categories & notAssigned).to.equal(notAssigned);
    expect(since.categories & notAssigned).to.equal(0n);
  });

  it("hides every resource type, where it is all that a minor may consent to alone", () => {
    const scope = scopeAt("2026-01-01T00:00:00Z", "2010-05-17", {
      ownConsent: [{ age: 15, categories: ["Resource"] }],
    });

    expect(scope.categories & categoryMask(["Resource"])).to.equal(0n);
  });

  it("is nothing from majority on", () => {
    expect(scopeAt("2028-05-16T23:59:59Z").until).to.equal(at("2028-05-17T00:00:00Z"));
    expect(minorScope(rules, "2010-05-17", at("2028-05-17T00:00:00Z"))).to.equal(undefined);
    expect(minorScope(rules, "1950-05-17", at("2028-05-17T00:00:00Z"))).to.equal(undefined);
  });

  it("holds on the day of birth", () => {
    expect(scopeAt("2010-05-17T00:00:00Z").age).to.equal(0);
  });

  describe("born on 29 February", () => {
    it("has birthday on 28 February, unless the rules say otherwise: a day less is open to the parent", () => {
      expect(scopeAt("2021-02-27T23:59:59Z", "2008-02-29").age).to.equal(12);
      expect(scopeAt("2022-02-27T23:59:59Z", "2008-02-29").until).to.equal(at("2022-02-28T00:00:00Z"));
      expect(scopeAt("2022-02-28T00:00:00Z", "2008-02-29").age).to.equal(14);
    });

    it("has it on 1 March where the rules say so", () => {
      const changes = { leapDayBirthday: "03-01" } as const;

      expect(scopeAt("2022-02-28T23:59:59Z", "2008-02-29", changes).age).to.equal(13);
      expect(scopeAt("2022-02-28T23:59:59Z", "2008-02-29", changes).until).to.equal(at("2022-03-01T00:00:00Z"));
      expect(scopeAt("2022-03-01T00:00:00Z", "2008-02-29", changes).age).to.equal(14);
    });

    it("has it on the day itself in leap years", () => {
      for (const leapDayBirthday of ["02-28", "03-01"] as const)
        expect(birthdayOf("2008-02-29", 12, leapDayBirthday)).to.equal("2020-02-29");
      expect(birthdayOf("2008-02-28", 13, "03-01")).to.equal("2021-02-28");
    });

    it("knows which centuries are leap years", () => {
      expect(birthdayOf("1996-02-29", 4, "03-01")).to.equal("2000-02-29");
      expect(birthdayOf("2096-02-29", 4, "03-01")).to.equal("2100-03-01");
    });
  });

  describe("where days begin", () => {
    it("goes by the zone of the rules", () => {
      const toronto = { timeZone: "America/Toronto" };

      expect(scopeAt("2022-05-17T03:59:59Z", "2010-05-17", toronto).age).to.equal(11);
      expect(scopeAt("2022-05-17T04:00:00Z", "2010-05-17", toronto).age).to.equal(12);
      expect(scopeAt("2020-01-01T00:00:00Z", "2010-12-17", toronto).until).to.equal(at("2022-12-17T05:00:00Z"));
    });

    for (const [zone, day, first] of [
      ["Pacific/Kiritimati", "2022-05-17", "2022-05-16T10:00:00Z"],
      ["Pacific/Niue", "2022-05-17", "2022-05-17T11:00:00Z"],
      ["Asia/Kathmandu", "2022-05-17", "2022-05-16T18:15:00Z"],
      // Clocks went from 00:00 to 01:00, so that the day had no midnight.
      ["America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"],
      ["UTC", "2024-02-29", "2024-02-29T00:00:00Z"],
    ] as const)
      it(`finds the first second of ${day} in ${zone}`, () => {
        expect(firstSecondOf(day, zone)).to.equal(at(first));
        expect(dayIn(zone, at(first))).to.equal(day);
        expect(dayIn(zone, at(first) - 1) < day).to.equal(true);
      });
  });

  describe("refuses", () => {
    for (const birthDate of ["", "2010-5-17", "2010-13-01", "2010-00-10", "2010-04-31", "2011-02-29", "17.05.2010", 5])
      it(`${JSON.stringify(birthDate)} as a day of birth`, () => {
        refused("INPUT_INVALID", () => minorScope(rules, birthDate as string, at("2026-01-01T00:00:00Z")));
      });

    it("a birth to come, or one that nobody lives to remember", () => {
      refused("INPUT_INVALID", () => minorScope(rules, "2026-01-02", at("2026-01-01T00:00:00Z")));
      refused("INPUT_INVALID", () => minorScope(rules, "1726-01-02", at("2026-01-01T00:00:00Z")));
    });

    it("a moment that is none", () => {
      refused("INPUT_INVALID", () => minorScope(rules, "2010-05-17", NaN));
    });

    const bad: Record<string, [unknown, string]> = {
      "no rules": [undefined, "jurisdiction"],
      "rules of nowhere": [{ ...rules, jurisdiction: "" }, "jurisdiction"],
      "an age in text": [{ ...rules, majorityAge: "18" }, "majorityAge"],
      "an age of zero": [{ ...rules, majorityAge: 0 }, "majorityAge"],
      "half years": [{ ...rules, majorityAge: 17.5 }, "majorityAge"],
      "no list of what may be consented to alone": [{ ...rules, ownConsent: undefined }, "ownConsent"],
      "a threshold at majority": [{ ...rules, ownConsent: [{ age: 18, categories: ["HIV"] }] }, "ownConsent[0].age"],
      "a threshold that is none": [{ ...rules, ownConsent: [null] }, "ownConsent[0].age"],
      "a threshold for nothing": [{ ...rules, ownConsent: [{ age: 12, categories: [] }] }, "ownConsent[0].categories"],
      "a category that is none": [
        { ...rules, ownConsent: [{ age: 12, categories: ["HIV", "Secrets"] }] },
        "ownConsent[0].categories",
      ],
      "a zone that nobody knows": [{ ...rules, timeZone: "Nowhere/Town" }, "timeZone"],
      "no zone": [{ ...rules, timeZone: undefined }, "timeZone"],
      "a leap day's birthday that is none": [{ ...rules, leapDayBirthday: "02-27" }, "leapDayBirthday"],
    };
    for (const [name, [value, path]] of Object.entries(bad))
      it(name, () => {
        const error = refused("MINOR_RULES_INVALID", () => requireMinorRules(value as MinorRules));
        expect(error.details).to.deep.equal({ path });
      });
  });

  it("holds until it says, for every birth, rule and zone, and never covers what is hidden", () => {
    const categories: CategoryCode[] = ["HIV", "MH", "SUD", "OPIOIDUD", "Condition", "FamilyMemberHistory"];
    const zones = ["UTC", "America/Toronto", "Pacific/Kiritimati", "Pacific/Niue", "Australia/Lord_Howe"];
    const made = fc.record({
      majorityAge: fc.integer({ min: 15, max: 21 }),
      ownConsent: fc.array(
        fc.record({
          age: fc.integer({ min: 1, max: 14 }),
          categories: fc.subarray(categories, { minLength: 1 }),
        }),
        { maxLength: 4 },
      ),
      timeZone: fc.constantFrom(...zones),
      leapDayBirthday: fc.constantFrom("02-28" as const, "03-01" as const),
    });
    const births = fc.oneof(
      fc.constantFrom("2004-02-29", "2008-02-29", "2008-02-28", "2009-03-01", "2010-12-31"),
      fc
        .integer({ min: 0, max: 5_000 })
        .map((days) => new Date(Date.UTC(2004, 0, 1 + days)).toISOString().slice(0, 10)),
    );
    const seconds = fc.integer({ min: at("2018-01-01T00:00:00Z"), max: at("2030-01-01T00:00:00Z") });
    fc.assert(
      fc.property(made, births, seconds, (changes, birthDate, moment) => {
        const configured = { ...rules, ...changes };
        const scope = minorScope(configured, birthDate, moment);
        if (scope === undefined) return;

        expect(scope.until).to.be.greaterThan(moment);
        expect(scope.categories & scope.hidden).to.equal(0n);
        const last = minorScope(configured, birthDate, scope.until - 1)!;
        expect([last.categories, last.hidden, last.until]).to.deep.equal([scope.categories, scope.hidden, scope.until]);
        const next = minorScope(configured, birthDate, scope.until);
        // What is a minor's own stays its own.
        if (next !== undefined) expect(next.hidden & scope.hidden).to.equal(scope.hidden);
        expect(next?.age ?? configured.majorityAge).to.be.greaterThan(scope.age);
      }),
      { seed: SEED, numRuns: runs(300) },
    );
  });

  it("reads rules from JSON", () => {
    const configured = JSON.parse(JSON.stringify(rules)) as MinorRules;

    expect(requireMinorRules(configured)).to.deep.equal(rules);
  });
});
