import type { Consent } from "fhir/r4.js";

import type { InstrumentQuestion, Instruments } from "../access/attempt";
import { decideOnGrant } from "../consents/onGrant";
import type { ConsentTerms } from "../consents/terms";
import { isCarepactError } from "../errors";

import { readConsent, type ReadConsentOptions } from "./consent";

/**
 * The `instruments` of a gateway's `consentPermission`: reads the FHIR Consent that a grant carries, and decides by it. A
 * Consent that cannot be read, or names somebody of whom no account is known, lets nothing out.
 * @param how How Consents are read, or each one: as whoever granted it had it read
 */
export function consentInstruments(
  how: ReadConsentOptions | ((question: InstrumentQuestion) => ReadConsentOptions | Promise<ReadConsentOptions>),
): Instruments {
  return async (question) => {
    const options = typeof how === "function" ? await how(question) : how;
    let terms: ConsentTerms;
    try {
      terms = readConsent(question.consent as unknown as Consent, options);
    } catch (thrown) {
      if (isCarepactError(thrown)) return "unread";
      throw thrown;
    }
    return decideOnGrant(terms, question);
  };
}
