import { expect } from "chai";
import fc from "fast-check";
import type { Consent } from "fhir/r4";

import { decide, normalTerms, sameTerms } from "../../sdk/src/consents/terms";
import { isCarepactError } from "../../sdk/src/errors";
import { readConsent } from "../../sdk/src/fhir/consent";
import { writeConsent } from "../../sdk/src/fhir/consentWrite";
import { SEED } from "../support/arbitraries";
import { accountOf, consents, referenceOf, requests, universe } from "../support/consentArbitraries";
import { consentOracle } from "../support/consentOracle";

const untypedRoot = fc.constantFrom("permits" as const, "denies" as const);
const options = (root: "permits" | "denies") => ({ accountOf, untypedRoot: root });

/** The terms of a consent, or undefined where it is refused for what it says. */
function termsOf(consent: Consent, root: "permits" | "denies"): ReturnType<typeof readConsent> | undefined {
  try {
    return readConsent(consent, options(root));
  } catch (error) {
    if (!isCarepactError(error, "CONSENT_NOT_EXPRESSIBLE") && !isCarepactError(error, "CONSENT_INVALID")) throw error;
    expect(error.details.path).to.match(/^Consent\.provision/);
    return undefined;
  }
}

describe("any FHIR Consent of the subset that can be read", () => {
  it("says of a request what its tree of provisions says", () => {
    const all = universe(SEED);
    let read = 0;
    const seen = { permitted: 0, denied: 0, open: 0 };
    fc.assert(
      fc.property(consents, untypedRoot, fc.integer(), (consent, root, seed) => {
        const terms = termsOf(consent, root);
        if (terms === undefined) return;
        read++;
        const oracle = consentOracle(consent, all, options(root));
        for (const request of fc.sample(requests, { numRuns: 30, seed })) {
          const decision = decide(terms, request);
          expect(decision, JSON.stringify({ request, terms }, null, 1)).to.equal(oracle(request));
          seen[decision]++;
        }
      }),
      { numRuns: 1_000, seed: SEED },
    );
    expect(read).to.be.above(600);
    for (const [decision, count] of Object.entries(seen)) expect(count, decision).to.be.above(1_000);
  });

  it("means the same after it was mapped to terms and back, needs no more to be told, and stays as it is from then on", () => {
    let mapped = 0;
    fc.assert(
      fc.property(consents, untypedRoot, (consent, root) => {
        const terms = termsOf(consent, root);
        if (terms === undefined) return;
        const back = writeConsent(terms, { referenceOf });
        const again = readConsent(back, { accountOf });
        expect(again).to.deep.equal(terms);
        expect(sameTerms(again, terms)).to.equal(true);
        expect(normalTerms(terms)).to.deep.equal(terms);
        expect(writeConsent(again, { referenceOf })).to.deep.equal(back);
        mapped++;
      }),
      { numRuns: 1_000, seed: SEED },
    );
    expect(mapped).to.be.above(600);
  });
});
