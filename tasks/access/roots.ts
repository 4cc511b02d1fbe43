import { anchoredRoots } from "@carepact/sdk/access";

import type { Call, Ending } from "../support/call";
import { addressIn, needed } from "../support/input";
import { isoTime, table } from "../support/show";
import { siteOf } from "../support/site";

export async function run(call: Call, options: { gateway?: string }): Promise<Ending> {
  const gateway = addressIn(needed(options, "gateway"), "--gateway");
  const { connection, options: within } = await siteOf(call);
  const roots = await anchoredRoots(connection, gateway, within);
  return {
    lines:
      roots.length === 0
        ? [`${gateway} anchored no root.`]
        : table(
            ["number", "root", "at"],
            roots.map(({ sequence, root, at }) => [String(sequence), root, isoTime(at)]),
            ["number"],
          ),
    json: { gateway, roots: roots.map(({ sequence, root, at }) => ({ sequence, root, at: isoTime(at) })) },
  };
}
