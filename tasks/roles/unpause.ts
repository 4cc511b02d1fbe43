import { createRoles } from "@carepact/sdk/roles";

import type { Call, Ending } from "../support/call";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

export async function run(call: Call): Promise<Ending> {
  const site = await signingSiteOf(call);
  const roles = createRoles(site.connection);
  if (!(await roles.paused(site.options)))
    return { lines: ["The escrow is not paused."], json: { changed: false, paused: false } };
  return endOf(site, await carryOut(site, roles.unpause()), () => ({
    lines: ["The pause is over: funding and settlement go on."],
    json: { changed: true, paused: false },
  }));
}
