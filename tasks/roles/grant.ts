import { createRoles, roleIdOf, roleNameOf } from "@carepact/sdk/roles";

import type { Call, Ending } from "../support/call";
import { carryOut, endOf } from "../support/sending";
import { durationText } from "../support/show";
import { signingSiteOf } from "../support/site";

import { delayIn, membershipIn, type MembershipOptions } from "./wanted";
import { orScheduleFirst } from "./waiting";

export async function run(call: Call, options: MembershipOptions & { delay?: string }): Promise<Ending> {
  const { role, account } = membershipIn(options);
  const delay = delayIn(role, options.delay);
  const site = await signingSiteOf(call);
  const roles = createRoles(site.connection);
  const name = roleNameOf(roleIdOf(role));
  const member = (await roles.list(site.options))
    .find(({ id }) => id === roleIdOf(role))
    ?.members.find((entry) => entry.account === account);
  if (member?.delay === delay && member.pending === undefined)
    return {
      lines: [`${account} is in ${name} already, and waits ${durationText(delay)}.`],
      json: { changed: false, role: name, account, delay },
    };
  const outcome = await orScheduleFirst(() => carryOut(site, roles.grant({ role, account, delay })));
  return endOf(site, outcome, ({ since }) => ({
    lines: [`${account} is in ${name}, and waits ${durationText(delay)} before each call.`],
    json: { changed: true, role: name, account, delay, since },
  }));
}
