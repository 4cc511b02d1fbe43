import { createOrganizations } from "@carepact/sdk/organizations";

import type { Call, Ending } from "../support/call";
import { addressIn, needed, usage } from "../support/input";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

import { differences, entryIn, type EntryOptions } from "./entry";

export async function run(call: Call, options: EntryOptions & { account?: string }): Promise<Ending> {
  const account = addressIn(needed(options, "account"), "--account");
  const wanted = await entryIn(options);
  const site = await signingSiteOf(call);
  const organizations = createOrganizations(site.connection);
  const entry = await organizations.get(account, site.options);
  if (entry === undefined) throw usage(`${account} is not registered: org:register does that.`, "--account");
  const fields = differences(entry, wanted);
  if (fields.length === 0)
    return { lines: [`${entry.name}: everything is so already.`], json: { changed: false, account } };
  if (fields.includes("hpkeKey")) throw usage("Only the organization itself changes its key: org:key.", "--hpke-key");
  const outcome = await carryOut(site, organizations.update(account, { ...entry, ...wanted }));
  return endOf(site, outcome, () => ({
    lines: [`${account} has another ${fields.join(", ")}.`],
    json: { changed: true, account, fields },
  }));
}
