import { createRoles } from "@carepact/sdk/roles";

import type { Call, Ending } from "../support/call";
import { table } from "../support/show";
import { siteOf } from "../support/site";

import { callText } from "./operation";

export async function run(call: Call): Promise<Ending> {
  const site = await siteOf(call);
  const operations = await createRoles(site.connection).pending(site.options);
  return {
    lines:
      operations.length === 0
        ? ["Nothing is scheduled."]
        : operations.flatMap((operation) =>
            table(
              ["operation", operation.operationId],
              [
                ["call", callText(operation)],
                ["by", operation.caller],
                ["state", operation.state],
                ["from", operation.ready],
                ["until", operation.expires],
              ],
            ),
          ),
    json: { operations },
  };
}
