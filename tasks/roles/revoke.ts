import { createRoles, roleIdOf, roleNameOf } from "@carepact/sdk/roles";

import type { Call, Ending } from "../support/call";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

import { membershipIn, type MembershipOptions } from "./wanted";
import { orScheduleFirst } from "./waiting";

export async function run(call: Call, options: MembershipOptions): Promise<Ending> {
  const membership = membershipIn(options);
  const { role, account } = membership;
  const site = await signingSiteOf(call);
  const roles = createRoles(site.connection);
  const name = roleNameOf(roleIdOf(role));
  const members = (await roles.list(site.options)).find(({ id }) => id === roleIdOf(role))?.members ?? [];
  if (!members.some((member) => member.account === account))
    return { lines: [`${account} is not in ${name}.`], json: { changed: false, role: name, account } };
  // Giving up one's own role needs no admin, and no delay.
  const action = site.account === account ? roles.renounce(role) : roles.revoke(membership);
  const outcome = await orScheduleFirst(() => carryOut(site, action));
  return endOf(site, outcome, ({ revoked }) => ({
    lines: [`${account} is not in ${name} any more.`],
    json: { changed: revoked, role: name, account },
  }));
}
