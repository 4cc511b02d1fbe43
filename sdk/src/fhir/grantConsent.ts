import type { Consent } from "fhir/r4.js";

import type { CallOptions } from "../chain/options";
import type { Consents, ConsentTerms, GrantedTerms, SignedGrant, TermsInput } from "../consents";
import { openSignedGrant } from "../consents/file/signedGrant";
import { termsOfGrant } from "../consents/grants";

import { readConsent, type ReadConsentOptions } from "./consent";
import { writeConsent, type WriteConsentOptions } from "./consentWrite";

/** What a FHIR Consent does not say. */
export type GrantConsentOptions = ReadConsentOptions & Omit<TermsInput, "terms" | "consent"> & CallOptions;

/**
 * Grants what a FHIR R4 Consent permits: one signature for each of its permits, and no transaction. What it denies comes
 * back as restrictions, which count once `consents.restrict` put them on chain. Each grant carries the Consent, so that who
 * releases data can read what a grant has no field for: its grantees see each other.
 * @throws what `readConsent` and `Consents.grantTerms` throw
 */
export async function grantConsent(
  consents: Pick<Consents, "grantTerms">,
  consent: Consent,
  options: GrantConsentOptions,
): Promise<GrantedTerms & { terms: ConsentTerms }> {
  const { accountOf, untypedRoot, utcOffsetMinutes, signal, timeoutMs, ...granting } = options;
  const terms = readConsent(consent, {
    accountOf,
    ...(untypedRoot === undefined ? {} : { untypedRoot }),
    ...(utcOffsetMinutes === undefined ? {} : { utcOffsetMinutes }),
  });
  const granted = await consents.grantTerms({ ...granting, terms, consent }, { signal, timeoutMs });
  return { ...granted, terms };
}

/**
 * The FHIR Consent of a signed grant: the one that it comes from, or one that says what the grant says. Of what was passed
 * on, what the patient granted.
 * @throws what `openSignedGrant`, `termsOfGrant` and `writeConsent` throw
 */
export function consentOf(file: SignedGrant, options: WriteConsentOptions): Consent {
  const { chain, consent } = openSignedGrant(file);
  return consent === undefined ? writeConsent(termsOfGrant(chain.grant), options) : (consent as unknown as Consent);
}
