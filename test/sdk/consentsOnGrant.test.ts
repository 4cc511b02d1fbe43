import { expect } from "chai";
import fc from "fast-check";

import { grantsOf, permitsBehind } from "../../sdk/src/consents/grants";
import { decideOnGrant, isDenied } from "../../sdk/src/consents/onGrant";
import { covers, type AccessRequest, type Scope } from "../../sdk/src/consents/scope";
import { decide, normalTerms, type ConsentTerms, type Denial } from "../../sdk/src/consents/terms";
import type { Grant } from "../../sdk/src/consents/types";
import { isCarepactError } from "../../sdk/src/errors";
import { readConsent } from "../../sdk/src/fhir/consent";
import { SEED } from "../support/arbitraries";
import { accountOf, consents, requests } from "../support/consentArbitraries";

const [clinic, specialist, laboratory] = ["Organization/f001", "Organization/f002", "Practitioner/f204"].map(
  accountOf,
) as [string, string, string];

const termsWith = (terms: Partial<ConsentTerms>): ConsentTerms =>
  normalTerms({ onlyByGrant: true, permits: [], denials: [], breakGlass: [], ...terms });
const toClinic = (scope: Scope = {}): Scope => ({ recipients: [clinic], actions: ["access"], ...scope });
const denying = (scope: Scope, ...except: Scope[]): Denial => ({ scope, except });

const grantsFor = (terms: ConsentTerms): Grant[] =>
  grantsOf(terms, { patient: `0x${"11".repeat(32)}`, epoch: 0, firstNumber: 5, consent: { any: "document" } });
/** The grant of a permit. */
const grantFor = (scope: Scope): Grant => grantsFor(termsWith({ permits: [scope] }))[0]!;

const request = (changes: Partial<AccessRequest> = {}): AccessRequest => ({
  recipient: clinic,
  purpose: "TREAT",
  at: 1_750_000_000,
  action: "access",
  resourceType: "Observation",
  sensitivities: [],
  confidentiality: "N",
  ...changes,
});
const on = (
  terms: ConsentTerms,
  grant: Grant,
  changes: Partial<AccessRequest> = {},
  passedOnTo: string[] = [],
): string => decideOnGrant(terms, { grant, passedOnTo, requests: [request(changes)] });

describe("SDK: a consent behind a grant", () => {
  it("lets out what the grant's own permit covers, and nothing that is not known to be it", () => {
    const scopes: [Scope, Partial<AccessRequest>, Partial<AccessRequest>][] = [
      [{ custodians: [specialist] }, { custodian: specialist }, { custodian: laboratory }],
      [{ authors: [specialist] }, { author: specialist.toLowerCase() }, { author: clinic }],
      [{ codes: ["urn:x|a"] }, { codes: ["urn:x|b", "urn:x|a"] }, { codes: [] }],
      [{ recordsFrom: 10, recordsUntil: 20 }, { recordAt: 19 }, { recordAt: 20 }],
      [{ sensitivities: ["PSY"] }, { sensitivities: ["PSY"] }, { sensitivities: ["HIV"] }],
      [
        { records: [{ meaning: "instance", reference: "Task/1" }] },
        { record: { reference: "Task/1", refersTo: [], referredToBy: [], authoredBy: [] } },
        { record: { reference: "Task/2", refersTo: ["Task/1"], referredToBy: [], authoredBy: [] } },
      ],
    ];
    for (const [scope, inside, outside] of scopes) {
      const permit = toClinic(scope);
      for (const onlyByGrant of [true, false]) {
        const terms = termsWith({ onlyByGrant, permits: [permit] });
        const label = `${Object.keys(scope)[0]} ${onlyByGrant}`;
        expect(on(terms, grantFor(permit), inside), label).to.equal("permitted");
        expect(on(terms, grantFor(permit), outside), label).to.equal("denied");
        expect(on(terms, grantFor(permit)), label).to.equal("denied");
      }
      const denial = termsWith({ onlyByGrant: false, denials: [denying(scope)] });
      expect(on(denial, grantFor(toClinic()), inside)).to.equal("denied");
      expect(on(denial, grantFor(toClinic()), outside)).to.equal("permitted");
      // Labels are always known.
      expect(on(denial, grantFor(toClinic()))).to.equal("sensitivities" in scope ? "permitted" : "denied");
    }
  });

  it("takes the labels of several records for none that a certain one carries", () => {
    const permit = toClinic({ sensitivities: ["PSY"] });
    const terms = termsWith({ permits: [permit] });
    const labelled = { sensitivities: ["PSY"] } satisfies Partial<AccessRequest>;
    expect(on(terms, grantFor(permit), labelled)).to.equal("permitted");
    expect(on(terms, grantFor(permit), { ...labelled, sensitivitiesTogether: true })).to.equal("denied");
    const denial = termsWith({ onlyByGrant: false, denials: [denying({ sensitivities: ["PSY"] })] });
    expect(on(denial, grantFor(toClinic()), { ...labelled, sensitivitiesTogether: true })).to.equal("denied");
  });

  it("does not stand for another permit, whose grant may be taken back", () => {
    const narrow = toClinic({ codes: ["urn:x|a"] });
    const wide = toClinic({ purposes: ["TREAT", "HRESCH"] });
    const terms = termsWith({ permits: [narrow, { ...wide, custodians: [specialist] }] });
    const asked = { codes: ["urn:x|b"], custodian: specialist };
    expect(on(terms, grantFor({ ...wide, custodians: [specialist] }), asked)).to.equal("permitted");
    expect(on(terms, grantFor(narrow), asked)).to.equal("denied");
    // Two that a grant cannot tell apart: both.
    const twins = termsWith({ permits: [narrow, toClinic({ custodians: [specialist] })] });
    expect(on(twins, grantFor(narrow), asked)).to.equal("denied");
    expect(on(twins, grantFor(narrow), { ...asked, codes: ["urn:x|a"] })).to.equal("permitted");
  });

  it("limits a narrower grant that was signed by itself, and shuts out one that is wider, or another's", () => {
    const permit = toClinic({ purposes: ["TREAT"], custodians: [specialist] });
    const terms = termsWith({ permits: [permit] });
    const grant = grantFor(permit);
    const asked = { custodian: specialist };
    expect(on(terms, { ...grant, ceiling: 2, notBefore: 7, expiry: 2_000_000_000 }, asked)).to.equal("permitted");
    for (const wider of [{ purposes: grant.purposes | (1n << 200n) }, { grantee: laboratory }])
      expect(on(terms, { ...grant, ...wider }, asked)).to.equal("denied");
  });

  it("that permits nothing only denies under opt-in, and everything under opt-out", () => {
    const denials = [denying({ custodians: [specialist] })];
    const grant = grantFor(toClinic());
    const asked = { custodian: laboratory };
    expect(on(termsWith({ onlyByGrant: false, denials }), grant, asked)).to.equal("permitted");
    expect(on(termsWith({ onlyByGrant: true, denials }), grant, asked)).to.equal("denied");
  });

  it("opens by a grant nothing that it opens in an emergency", () => {
    const permit = toClinic({ custodians: [specialist] });
    const terms = termsWith({ permits: [permit], breakGlass: [{ purposes: ["ETREAT"] }] });
    const asked = { purpose: "ETREAT", custodian: laboratory } as const;
    expect(decide(terms, request(asked))).to.equal("permitted");
    expect(on(terms, grantFor(permit), asked)).to.equal("denied");
  });

  it("denies access to whom it forbids to disclose", () => {
    const permit = toClinic();
    for (const [actions, expected] of [
      [["disclose"], "denied"],
      [["access"], "denied"],
      [["correct"], "permitted"],
    ] as const)
      expect(
        on(termsWith({ permits: [permit], denials: [denying({ actions: [...actions] })] }), grantFor(permit)),
      ).to.equal(expected);
    // Whom it excepts for access, it excepts.
    const except = toClinic();
    const terms = termsWith({ permits: [except], denials: [denying({ actions: ["access", "disclose"] }, except)] });
    expect(on(terms, grantFor(except))).to.equal("permitted");
  });

  it("holds for all to whom a grant was passed on", () => {
    const permit = toClinic({ custodians: [specialist] });
    const asked = { custodian: specialist };
    const except = termsWith({ permits: [permit], denials: [denying({}, permit)] });
    expect(on(except, grantFor(permit), asked, [laboratory])).to.equal("permitted");
    const named = termsWith({ permits: [permit], denials: [denying({ recipients: [laboratory] })] });
    expect(on(named, grantFor(permit), asked)).to.equal("permitted");
    expect(on(named, grantFor(permit), asked, [laboratory])).to.equal("denied");
    expect(on(named, grantFor(permit), asked, [laboratory, specialist])).to.equal("denied");
  });

  it("says no to nothing, and to all if one is denied", () => {
    const permit = toClinic({ codes: ["urn:x|a"] });
    const question = { grant: grantFor(permit), passedOnTo: [] };
    const terms = termsWith({ permits: [permit] });
    expect(decideOnGrant(terms, { ...question, requests: [] })).to.equal("denied");
    const good = request({ codes: ["urn:x|a"] });
    expect(decideOnGrant(terms, { ...question, requests: [good, good] })).to.equal("permitted");
    expect(decideOnGrant(terms, { ...question, requests: [good, request()] })).to.equal("denied");
  });

  it("never lets out more than `decide`, and no more the less is known", () => {
    const facts = ["custodian", "author", "codes", "recordAt", "record"] as const;
    fc.assert(
      fc.property(consents, fc.array(requests, { minLength: 20, maxLength: 20 }), (consent, asked) => {
        let terms: ConsentTerms;
        let grants: Grant[];
        try {
          terms = readConsent(consent, { accountOf, untypedRoot: "permits" });
          grants = grantsFor(terms);
        } catch (error) {
          expect(isCarepactError(error), String(error)).to.equal(true);
          return;
        }
        for (const grant of grants) {
          const behind = permitsBehind(terms, grant);
          expect(behind.length).to.be.greaterThan(0);
          for (const one of asked) {
            const own = { ...one, action: "access" as const, recipient: grant.grantee };
            const answer = decideOnGrant(terms, { grant, passedOnTo: [], requests: [own] });
            if (answer === "permitted") {
              expect(decide(terms, own)).to.equal("permitted");
              expect(behind.every((permit) => covers(permit, own, false))).to.equal(true);
            } else {
              const whys = [isDenied(terms, own), !behind.every((permit) => covers(permit, own, false))];
              expect(whys).to.include(true);
              for (const fact of facts) {
                const less = { ...own };
                delete less[fact];
                expect(decideOnGrant(terms, { grant, passedOnTo: [], requests: [less] })).to.equal("denied");
              }
            }
          }
        }
      }),
      { numRuns: 100, seed: SEED },
    );
  });
});
