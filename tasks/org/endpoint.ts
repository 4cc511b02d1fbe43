import { createOrganizations } from "@carepact/sdk/organizations";

import type { Call, Ending } from "../support/call";
import { usage } from "../support/input";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

import { ownEntry } from "./own";

export async function run(call: Call, { endpoint }: { endpoint?: string }): Promise<Ending> {
  if (endpoint === undefined || (endpoint !== "" && !/^https:\/\/\S+$/.test(endpoint)))
    throw usage("--endpoint is needed: an https URL, or empty to have none.", "--endpoint");
  const site = await signingSiteOf(call);
  const entry = await ownEntry(site);
  if ((entry.endpoint ?? "") === endpoint)
    return { lines: [`${entry.name} has this endpoint already.`], json: { changed: false, endpoint } };
  const outcome = await carryOut(site, createOrganizations(site.connection).setEndpoint(endpoint));
  return endOf(site, outcome, () => ({
    lines: [endpoint === "" ? `${entry.name} has no endpoint any more.` : `${entry.name} answers at ${endpoint}.`],
    json: { changed: true, endpoint },
  }));
}
