import type { Consent } from "fhir/r4.js";

import { createConsents, openSignedGrant } from "@carepact/sdk/consents";
import { grantConsent, readConsent } from "@carepact/sdk/fhir";

import { signatorySiteOf, type ActorOptions } from "../support/actor";
import type { Call, Ending } from "../support/call";
import { fileText, outputTo, PRIVATE, readJson, type Output } from "../support/files";
import { addressIn, needed, oneOf, usage } from "../support/input";

import { mandateBy } from "./grant";
import { grantOutputs, writeGrants, type OutputOptions } from "./outputs";
import { grantJson, grantLines } from "./words";

/** What a FHIR Consent is granted from. */
export interface FhirOptions {
  consent?: string;
  actors?: string;
  untypedRoot?: string;
  restrictions?: string;
}

/** Grants what a FHIR Consent permits, and writes what it denies as restrictions. */
export async function grantConsentFile(
  call: Call,
  options: FhirOptions & ActorOptions & OutputOptions & { mandate?: string },
  terms: { patient: string; subGrants: number },
): Promise<Ending> {
  const consent = (await readJson(needed(options, "consent"), "--consent")) as Consent;
  const { untypedRoot } = options;
  const reading = {
    accountOf: await actorsIn(needed(options, "actors")),
    ...(untypedRoot === undefined
      ? {}
      : { untypedRoot: oneOf(untypedRoot, ["permits", "denies"] as const, "--untyped-root") }),
  };
  // Before anybody signs: how many grants there will be, and whether there is a place for what is denied.
  const { permits, denials } = readConsent(consent, reading);
  const restricted = denials.length === 0 ? undefined : await restrictionsOutput(options);
  const outputs = await grantOutputs(options, permits.length);
  const site = await signatorySiteOf(call, options);
  const consents = createConsents(site.connection, { signer: site.key });
  const granting = { ...reading, ...terms, ...(await mandateBy(site, options)), ...site.options };
  const { grants, restrictions, leftToGateways, breakGlass } = await grantConsent(consents, consent, granting);
  if (restrictions !== undefined) await restricted?.write(fileText(restrictions));
  const { lines, files } = await writeGrants(consents, site, grants, outputs);
  const opened = grants.map(openSignedGrant);
  return {
    lines: [
      ...opened.flatMap(grantLines),
      ...lines,
      ...(grants.length === 0 ? ["The consent permits nobody anything."] : []),
      ...(restricted === undefined
        ? []
        : [
            `What it denies is in ${restricted.path}, and counts once consent:restrict --file puts it on chain.`,
            `Of this, ${leftToGateways.length} of ${denials.length} denials are left to who releases data.`,
          ]),
    ],
    json: {
      grants: opened.map(grantJson),
      files,
      ...(restricted && { restrictions: restricted.path }),
      leftToGateways: leftToGateways.length,
      breakGlass: breakGlass.length,
    },
  };
}

async function restrictionsOutput(options: FhirOptions & { force: boolean }): Promise<Output> {
  if (options.restrictions === undefined)
    throw usage("The consent denies something: say by --restrictions where to write that.", "--restrictions");
  return outputTo(options.restrictions, "--restrictions", { force: options.force, mode: PRIVATE });
}

/** Accounts by the references of a FHIR Consent. @throws INPUT_INVALID */
async function actorsIn(path: string): Promise<(reference: string) => string | undefined> {
  const value = await readJson(path, "--actors");
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw usage("--actors: a JSON object of accounts by reference is needed.", "--actors");
  const accounts = new Map(Object.entries(value).map(([name, account]) => [name, addressIn(account, "--actors")]));
  return (reference) => accounts.get(reference);
}
