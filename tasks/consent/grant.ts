import type { CategoryCode, ConfidentialityCode, PurposeCode } from "@carepact/sdk/codes";
import { createConsents, openSignedGrant, type SignedMandate } from "@carepact/sdk/consents";

import { signatorySiteOf, type ActorOptions, type SignatorySite } from "../support/actor";
import type { Call, Ending } from "../support/call";
import { addressIn, bytes32In, countIn, listIn, needed, usage } from "../support/input";
import { mandateIn } from "../support/mandate";
import { expiryIn, startIn } from "../support/period";

import { grantConsentFile, type FhirOptions } from "./fhirConsent";
import { grantOutputs, writeGrants, type OutputOptions } from "./outputs";
import { grantJson, grantLines } from "./words";

export interface Options extends ActorOptions, OutputOptions, FhirOptions {
  patient?: string;
  grantee?: string;
  purposes?: string;
  categories?: string;
  ceiling?: string;
  from?: string;
  until?: string;
  subGrants?: string;
  number?: string;
  mandate?: string;
}

const terms = ["grantee", "purposes", "categories", "ceiling", "from", "until", "number"] as const;
const ofConsent = ["actors", "untypedRoot", "restrictions"] as const;

export async function run(call: Call, options: Options): Promise<Ending> {
  const patient = bytes32In(needed(options, "patient"), "--patient");
  const subGrants = options.subGrants === undefined ? 0 : countIn(options.subGrants, "--sub-grants");
  if (options.consent !== undefined) {
    const second = terms.find((name) => options[name] !== undefined);
    if (second !== undefined) throw usage(`--consent says all of the terms: leave --${second} out.`, `--${second}`);
    return grantConsentFile(call, options, { patient, subGrants });
  }
  const second = ofConsent.find((name) => options[name] !== undefined);
  if (second !== undefined)
    throw usage("--actors, --untyped-root and --restrictions belong to --consent.", "--consent");
  const input = {
    patient,
    grantee: addressIn(needed(options, "grantee"), "--grantee"),
    purposes: listIn(needed(options, "purposes")) as PurposeCode[],
    categories: listIn(needed(options, "categories")) as CategoryCode[],
    subGrants,
    ...(options.ceiling === undefined ? {} : { ceiling: options.ceiling as ConfidentialityCode }),
    ...(options.number === undefined ? {} : { number: numberIn(options.number) }),
  };
  const until = needed(options, "until");
  const outputs = await grantOutputs(options);
  const site = await signatorySiteOf(call, options);
  const consents = createConsents(site.connection, { signer: site.key });
  const { from } = options;
  const grant = await consents.grant(
    {
      ...input,
      expiry: await expiryIn(until, "--until", site.now),
      ...(from === undefined ? {} : { notBefore: await startIn(from, "--from", site.now) }),
      ...(await mandateBy(site, options)),
    },
    site.options,
  );
  const { lines, files } = await writeGrants(consents, site, [grant], outputs);
  const opened = openSignedGrant(grant);
  return { lines: [...grantLines(opened), ...lines], json: { grant: grantJson(opened), files } };
}

/** A grant's number. @throws INPUT_INVALID */
export function numberIn(value: string): number {
  if (!/^\d{1,10}$/.test(value) || Number(value) >= 2 ** 32)
    throw usage("--number is a whole number below 2^32.", "--number");
  return Number(value);
}

/** The mandate that a representative signs by. */
export async function mandateBy(
  { deployment }: SignatorySite,
  { mandate }: { mandate?: string },
): Promise<{ mandate?: SignedMandate }> {
  return mandate === undefined ? {} : { mandate: await mandateIn(mandate, "--mandate", deployment) };
}
