import type { Provider } from "ethers";

import type { Deployment } from "../chain/deployment";
import { AccessManager__factory, type AccessManager } from "../generated";

import { contractAt } from "./calls";
import type { ManagerEvent } from "./history";
import { EVERYBODY, roleIds, roleNameOf } from "./names";

/** An account in a role. Times in unix seconds, delays in seconds. */
export interface RoleMember {
  account: string;
  /** From when on it is a member; still to come while a grant waits. */
  since: number;
  /** What it waits between scheduling a call and executing it; zero: calls at once. */
  delay: number;
  /** A delay that was decided, and holds only later. */
  pending?: { delay: number; from: number };
}

/** A function that a role may call. */
export interface RoleFunction {
  /** Name of the contract; absent when it is none of the deployment's. */
  contract?: string;
  target: string;
  /** Signature, such as `pause()`; absent when the contract's interface has none of this selector. */
  function?: string;
  selector: string;
}

/** A role of the AccessManager. */
export interface Role {
  id: bigint;
  name: string;
  members: RoleMember[];
  /** Id of the role that grants and revokes it. */
  admin: bigint;
  /** Id of the role that may cancel what its members scheduled. */
  guardian: bigint;
  /** Seconds until a grant takes effect. */
  grantDelay: number;
  /** What it may call. The admin may call every restricted function that no role has, and none of these is listed. */
  functions: RoleFunction[];
}

/** @internal Every role that has a name here or was ever spoken of, with who is in it now. */
export async function listRoles(
  provider: Provider,
  deployment: Deployment,
  history: readonly ManagerEvent[],
): Promise<Role[]> {
  const manager = AccessManager__factory.connect(deployment.accessManager, provider);
  const mentioned = history.flatMap(({ args }) => (args["roleId"] as bigint | undefined) ?? []);
  const ids = [...new Set<bigint>([...Object.values(roleIds), ...mentioned])].filter((id) => id !== EVERYBODY);
  ids.sort((a, b) => (a < b ? -1 : 1));
  const functions = functionsOf(deployment, history);
  return Promise.all(
    ids.map(async (id): Promise<Role> => {
      const [admin, guardian, grantDelay, members] = await Promise.all([
        manager.getRoleAdmin(id),
        manager.getRoleGuardian(id),
        manager.getRoleGrantDelay(id),
        membersOf(manager, id, history),
      ]);
      return {
        id,
        name: nameOf(id, history),
        members,
        admin,
        guardian,
        grantDelay: Number(grantDelay),
        functions: functions.get(id) ?? [],
      };
    }),
  );
}

/** @internal Who is in a role now. */
export async function membersOf(
  manager: AccessManager,
  role: bigint,
  history: readonly ManagerEvent[],
): Promise<RoleMember[]> {
  const granted = history.filter(({ name, args }) => name === "RoleGranted" && args["roleId"] === role);
  const accounts = [...new Set(granted.map(({ args }) => args["account"] as string))];
  const members = await Promise.all(accounts.map((account) => memberOf(manager, role, account)));
  return members.filter((member) => member !== undefined);
}

/** A role without a name here may have a label on chain. */
function nameOf(id: bigint, history: readonly ManagerEvent[]): string {
  if (Object.values<bigint>(roleIds).includes(id)) return roleNameOf(id);
  const label = history.findLast(({ name, args }) => name === "RoleLabel" && args["roleId"] === id)?.args["label"];
  return typeof label === "string" && label !== "" ? label : roleNameOf(id);
}

async function memberOf(manager: AccessManager, role: bigint, account: string): Promise<RoleMember | undefined> {
  const [since, delay, pendingDelay, effect] = await manager.getAccess(role, account);
  if (since === 0n) return undefined;
  return {
    account,
    since: Number(since),
    delay: Number(delay),
    ...(effect === 0n ? {} : { pending: { delay: Number(pendingDelay), from: Number(effect) } }),
  };
}

function functionsOf(deployment: Deployment, history: readonly ManagerEvent[]): Map<bigint, RoleFunction[]> {
  const latest = new Map<string, { roleId: bigint; target: string; selector: string }>();
  for (const { name, args } of history)
    if (name === "TargetFunctionRoleUpdated") {
      const entry = args as { roleId: bigint; target: string; selector: string };
      latest.set(`${entry.target} ${entry.selector}`, entry);
    }
  const byRole = new Map<bigint, RoleFunction[]>();
  for (const { roleId, target, selector } of latest.values()) {
    const contract = contractAt(deployment, target);
    const signature = contract?.abi.getFunction(selector)?.format();
    byRole.set(roleId, [
      ...(byRole.get(roleId) ?? []),
      {
        ...(contract === undefined ? {} : { contract: contract.name }),
        target,
        ...(signature === undefined ? {} : { function: signature }),
        selector,
      },
    ]);
  }
  return byRole;
}
