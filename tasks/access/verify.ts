import { isCarepactError } from "@carepact/sdk";
import { verifyEntry } from "@carepact/sdk/access";

import type { Call, Ending } from "../support/call";
import { exitCodes } from "../support/exitCodes";
import { readJson } from "../support/files";
import { needed } from "../support/input";
import { isoTime } from "../support/show";
import { siteOf } from "../support/site";

import { statementLines } from "./words";

export async function run(call: Call, options: { file?: string }): Promise<Ending> {
  const value = await readJson(needed(options, "file"), "--file");
  const { connection, options: within } = await siteOf(call);
  try {
    const { entry, root } = await verifyEntry(connection, value, within);
    return {
      lines: [
        ...statementLines(entry),
        `OK: the gateway noted this as number ${entry.number}, before its root ${root.sequence} of ${isoTime(root.at)}.`,
      ],
      json: { entry, root: { ...root, at: isoTime(root.at) } },
    };
  } catch (thrown) {
    return refusedAs(thrown, "ACCESS_PROOF_INVALID");
  }
}

/** The ending of a check that says no. @throws what went wrong otherwise */
export function refusedAs(thrown: unknown, code: "ACCESS_PROOF_INVALID" | "ACCESS_RECEIPT_INVALID"): Ending {
  if (!isCarepactError(thrown, code)) throw thrown;
  const { message, details } = thrown;
  return {
    lines: [`NOT OK: ${message} (${code})`],
    json: { reason: { code, message, details } },
    exitCode: exitCodes.notOk,
  };
}
