import { isHexString } from "ethers";

import type { Deployment } from "@carepact/sdk";
import {
  createRoles,
  forwarderCall,
  grantCall,
  revokeCall,
  roleIdOf,
  roleIds,
  type RoleRef,
  type TargetCall,
} from "@carepact/sdk/roles";

import { addressIn, durationIn, needed, oneOf, usage } from "../support/input";
import type { SigningSite } from "../support/site";

/** A membership as options give it. */
export interface MembershipOptions {
  role?: string;
  account?: string;
}

/** A call as options give it. */
export interface CallOptions extends MembershipOptions {
  call?: string;
  delay?: string;
  target?: string;
  data?: string;
}

/** A role by name or number. @throws INPUT_INVALID */
export function roleIn(value: string): RoleRef {
  if (/^\d{1,20}$/.test(value)) return BigInt(value);
  return oneOf(value, Object.keys(roleIds) as (keyof typeof roleIds)[], "--role");
}

export const membershipIn = (options: MembershipOptions): { role: RoleRef; account: string } => ({
  role: roleIn(needed(options, "role")),
  account: addressIn(needed(options, "account"), "--account"),
});

/** Those whose delay keeps everybody else safe. */
const WAITING: readonly bigint[] = [roleIds.admin, roleIds.upgrader];

/** Seconds a new member waits; who upgrades or grants does not get around it by a forgotten option. @throws INPUT_INVALID */
export function delayIn(role: RoleRef, delay: string | undefined): number {
  if (delay !== undefined) return durationIn(delay, "--delay");
  if (WAITING.includes(roleIdOf(role))) throw usage("--delay is needed for this role, such as 14d.", "--delay");
  return 0;
}

/** The call to schedule. @throws INPUT_INVALID */
export async function callIn(
  { deployment, connection, options: callOptions }: SigningSite,
  options: CallOptions,
): Promise<TargetCall> {
  const { call, target, data } = options;
  if (call === undefined) return rawCall(target, data);
  if (target !== undefined || data !== undefined)
    throw usage("--call says what to call: leave --target and --data out.", "--call");
  const roles = createRoles(connection);
  switch (oneOf(call, ["grant", "revoke", "forwarder", "pause", "unpause"], "--call")) {
    case "grant":
      return grantOf(deployment, options);
    case "revoke":
      return revokeCall(deployment, membershipIn(options));
    case "forwarder":
      return forwarderCall(deployment, forwarderIn(needed(options, "account")));
    case "pause":
      return targetOf(await roles.pause().populate(callOptions));
    case "unpause":
      return targetOf(await roles.unpause().populate(callOptions));
  }
}

/** Who shall hand on reports of workflows; undefined: nobody. @throws INPUT_INVALID */
const forwarderIn = (account: string): string | undefined =>
  account === "none" ? undefined : addressIn(account, "--account");

function grantOf(deployment: Deployment, options: CallOptions): TargetCall {
  const membership = membershipIn(options);
  return grantCall(deployment, { ...membership, delay: delayIn(membership.role, options.delay) });
}

const targetOf = ({ to, data }: { to?: unknown; data?: string | null }): TargetCall => ({
  to: to as string,
  data: data ?? "0x",
});

function rawCall(target: string | undefined, data: string | undefined): TargetCall {
  if (target === undefined || data === undefined)
    throw usage("--call is needed: grant, revoke, forwarder, pause, unpause; or give --target and --data.", "--call");
  if (!isHexString(data)) throw usage("--data is hex, 0x first.", "--data");
  return { to: addressIn(target, "--target"), data };
}
