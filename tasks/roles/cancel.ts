import { createRoles } from "@carepact/sdk/roles";

import type { Call, Ending } from "../support/call";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

import { callText, operationIn } from "./operation";

export async function run(call: Call, options: { operation?: string }): Promise<Ending> {
  const site = await signingSiteOf(call);
  const operation = await operationIn(site, options);
  const outcome = await carryOut(site, createRoles(site.connection).cancel(operation, operation.caller));
  return endOf(site, outcome, ({ operationId }) => ({
    lines: [`Cancelled ${callText(operation)}.`],
    json: { operationId },
  }));
}
