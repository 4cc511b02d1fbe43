import type { CategoryCode, ConfidentialityCode, PurposeCode } from "@carepact/sdk/codes";
import { createConsents, openSignedGrant, type PassOnInput } from "@carepact/sdk/consents";

import { signatorySiteOf, type ActorOptions } from "../support/actor";
import type { Call, Ending } from "../support/call";
import { addressIn, countIn, listIn, needed } from "../support/input";
import { expiryIn, startIn } from "../support/period";
import type { Site } from "../support/site";

import { grantIn, restrictionsIn, type GrantOptions } from "./documents";
import { grantOutputs, writeGrants, type OutputOptions } from "./outputs";
import { grantJson, grantLines } from "./words";

interface Options extends ActorOptions, GrantOptions, OutputOptions {
  grantee?: string;
  purposes?: string;
  categories?: string;
  ceiling?: string;
  from?: string;
  until?: string;
  subGrants?: string;
  restrictions?: string;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  const grantee = addressIn(needed(options, "grantee"), "--grantee");
  const outputs = await grantOutputs(options);
  const grant = await grantIn(call, options);
  const restrictions = await restrictionsIn(call, options);
  const site = await signatorySiteOf(call, options);
  const consents = createConsents(site.connection, { signer: site.key });
  const input = { grantee, ...(await narrowingIn(site, options)), ...(restrictions && { restrictions }) };
  const sub = await consents.passOn(grant, input, site.options);
  const { lines, files } = await writeGrants(consents, site, [sub], outputs);
  const opened = openSignedGrant(sub);
  return { lines: [...grantLines(opened), ...lines], json: { grant: grantJson(opened), files } };
}

async function narrowingIn(
  { now }: Site,
  { purposes, categories, ceiling, from, until, subGrants }: Options,
): Promise<Partial<PassOnInput>> {
  return {
    ...(purposes === undefined ? {} : { purposes: listIn(purposes) as PurposeCode[] }),
    ...(categories === undefined ? {} : { categories: listIn(categories) as CategoryCode[] }),
    ...(ceiling === undefined ? {} : { ceiling: ceiling as ConfidentialityCode }),
    ...(from === undefined ? {} : { notBefore: await startIn(from, "--from", now) }),
    ...(until === undefined ? {} : { expiry: await expiryIn(until, "--until", now) }),
    ...(subGrants === undefined ? {} : { subGrants: countIn(subGrants, "--sub-grants") }),
  };
}
