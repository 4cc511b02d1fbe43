import { createRoles } from "@carepact/sdk/roles";

import type { Call, Ending } from "../support/call";
import { usage } from "../support/input";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

import { callText, operationIn } from "./operation";

export async function run(call: Call, options: { operation?: string }): Promise<Ending> {
  const site = await signingSiteOf(call);
  const operation = await operationIn(site, options);
  if (operation.caller !== site.account)
    throw usage(`Only ${operation.caller} can execute this: it scheduled it.`, "--keystore");
  const outcome = await carryOut(site, createRoles(site.connection).execute(operation));
  return endOf(site, outcome, ({ operationId }) => ({
    lines: [`Executed ${callText(operation)}.`],
    json: { operationId },
  }));
}
