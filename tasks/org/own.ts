import { createOrganizations, type OrganizationEntry } from "@carepact/sdk/organizations";

import { usage } from "../support/input";
import type { SigningSite } from "../support/site";

/** The signer's own entry. @throws INPUT_INVALID when it has none */
export async function ownEntry({ connection, account, options }: SigningSite): Promise<OrganizationEntry> {
  const entry = await createOrganizations(connection).get(account, options);
  if (entry === undefined)
    throw usage(`The signer, ${account}, is not registered: org:register does that.`, "--keystore");
  return entry;
}
