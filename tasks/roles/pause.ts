import { createRoles } from "@carepact/sdk/roles";

import type { Call, Ending } from "../support/call";
import { carryOut, endOf } from "../support/sending";
import { isoTime } from "../support/show";
import { signingSiteOf } from "../support/site";

export async function run(call: Call): Promise<Ending> {
  const site = await signingSiteOf(call);
  const roles = createRoles(site.connection);
  if (await roles.paused(site.options))
    return { lines: ["The escrow is paused already."], json: { changed: false, paused: true } };
  return endOf(site, await carryOut(site, roles.pause()), ({ until }) => ({
    lines: [`The escrow is paused, until ${isoTime(until)} at the latest. Withdrawals and payouts go on.`],
    json: { changed: true, paused: true, until: isoTime(until) },
  }));
}
