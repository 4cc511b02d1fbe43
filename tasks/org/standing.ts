import { createOrganizations, type OrganizationStatus } from "@carepact/sdk/organizations";

import type { Call, Ending } from "../support/call";
import { addressIn, needed, usage } from "../support/input";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

/** Gives an organization the standing that a verb stands for, unless it has it. */
export async function bringTo(
  verb: "suspend" | "reinstate",
  status: OrganizationStatus,
  call: Call,
  options: { account?: string },
): Promise<Ending> {
  const account = addressIn(needed(options, "account"), "--account");
  const site = await signingSiteOf(call);
  const organizations = createOrganizations(site.connection);
  const entry = await organizations.get(account, site.options);
  if (entry === undefined) throw usage(`${account} is not registered.`, "--account");
  if (entry.status === status)
    return { lines: [`${entry.name} is ${status} already.`], json: { changed: false, account, status } };
  const outcome = await carryOut(site, organizations[verb](account));
  return endOf(site, outcome, () => ({
    lines: [`${entry.name} is ${status}.`],
    json: { changed: true, account, status },
  }));
}
