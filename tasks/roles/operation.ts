import {
  createRoles,
  roleNameOf,
  type DescribedCall,
  type PendingOperation,
  type TargetCall,
} from "@carepact/sdk/roles";

import { bytes32In, needed, usage } from "../support/input";
import { durationText } from "../support/show";
import type { SigningSite } from "../support/site";

/** A call in words: `ClaimEscrow.pause()`, `AccessManager.grantRole(pauser, 0x..., 0s)`. */
export function callText(call: DescribedCall & TargetCall): string {
  const { contract, function: name, args, to, data } = call;
  if (contract === undefined || name === undefined || args === undefined) return `${contract ?? to} ${data}`;
  const values = Object.entries(args).map(([arg, value]) => {
    if (arg === "roleId") return roleNameOf(value as bigint);
    return arg === "executionDelay" ? durationText(Number(value)) : String(value);
  });
  return `${contract}.${name}(${values.join(", ")})`;
}

/** What was scheduled under an id. @throws INPUT_INVALID when nothing is */
export async function operationIn(
  { connection, options: callOptions }: SigningSite,
  options: { operation?: string },
): Promise<PendingOperation> {
  const id = bytes32In(needed(options, "operation"), "--operation");
  const pending = await createRoles(connection).pending(callOptions);
  const found = pending.find(({ operationId }) => operationId === id);
  if (found === undefined)
    throw usage(
      "Nothing is scheduled under this id: it was executed or cancelled, or never was. See roles:pending.",
      "--operation",
    );
  return found;
}
