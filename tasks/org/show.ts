import { createOrganizations } from "@carepact/sdk/organizations";

import type { Call, Ending } from "../support/call";
import { addressIn, usage } from "../support/input";
import { siteOf } from "../support/site";

import { entryLines } from "./entry";

export async function run(call: Call, { account, npi }: { account?: string; npi?: string }): Promise<Ending> {
  if ((account === undefined) === (npi === undefined))
    throw usage("Give --account or --npi, one of them.", "--account");
  const site = await siteOf(call);
  const organizations = createOrganizations(site.connection);
  const found =
    npi === undefined ? addressIn(account ?? "", "--account") : await organizations.byNpi(npi, site.options);
  const entry = found === undefined ? undefined : await organizations.get(found, site.options);
  if (entry === undefined)
    throw usage(`No organization is registered as ${account ?? npi}.`, npi === undefined ? "--account" : "--npi");
  return { lines: entryLines(entry), json: { entry } };
}
