import { createRoles, describeCall, operationIdOf } from "@carepact/sdk/roles";

import type { Call, Ending } from "../support/call";
import { momentIn } from "../support/input";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

import { callText } from "./operation";
import { callIn, type CallOptions } from "./wanted";

export async function run(call: Call, options: CallOptions & { when?: string }): Promise<Ending> {
  const site = await signingSiteOf(call);
  const target = await callIn(site, options);
  const when = options.when === undefined ? undefined : await momentIn(options.when, "--when", site.now);
  const roles = createRoles(site.connection);
  const text = callText({ ...target, ...describeCall(site.deployment, target) });
  const id = operationIdOf(site.account, target);
  const waiting = (await roles.pending(site.options)).find(
    ({ operationId, state }) => operationId === id && state !== "expired",
  );
  if (waiting !== undefined)
    return {
      lines: [`${text} is scheduled already: it can be executed from ${waiting.ready} on, until ${waiting.expires}.`],
      json: { changed: false, operation: waiting },
    };
  const outcome = await carryOut(site, roles.schedule(target, when));
  return endOf(site, outcome, ({ operationId, readyAt, ready }) => ({
    lines: [`${text} is scheduled. From ${ready} on, for a week: roles:execute --operation ${operationId}`],
    json: { changed: true, operationId, readyAt, ready, call: { ...target, ...describeCall(site.deployment, target) } },
  }));
}
