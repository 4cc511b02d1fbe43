import { CarepactError } from "@carepact/sdk";
import { createOrganizations } from "@carepact/sdk/organizations";

import type { Call, Ending } from "../support/call";
import { addressIn, needed } from "../support/input";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

import { differences, entryIn, wholeEntry, type EntryOptions } from "./entry";

export async function run(call: Call, options: EntryOptions & { account?: string }): Promise<Ending> {
  const account = addressIn(needed(options, "account"), "--account");
  const wanted = wholeEntry(await entryIn(options));
  const site = await signingSiteOf(call);
  const organizations = createOrganizations(site.connection);
  const entry = await organizations.get(account, site.options);
  if (entry !== undefined) {
    const fields = differences(entry, wanted);
    if (fields.length > 0)
      throw new CarepactError(
        "INPUT_INVALID",
        `${account} is registered already, with another ${fields.join(", ")}: org:update changes an entry.`,
        { account, fields },
      );
    return {
      lines: [`${account} was registered before, exactly so.`],
      json: { registered: true, changed: false, entry },
    };
  }
  const outcome = await carryOut(site, organizations.register(account, wanted));
  return endOf(site, outcome, () => ({
    lines: [`${wanted.name} is registered as ${wanted.kinds.join(", ")}: ${account}.`],
    json: { registered: true, changed: true, account },
  }));
}
