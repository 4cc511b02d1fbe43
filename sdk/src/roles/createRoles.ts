import type { Provider, TransactionReceipt } from "ethers";

import { actionOf, type Action } from "../chain/action";
import { accountOf, deploymentOf, type Connection } from "../chain/deployment";
import { escrowEventsIn } from "../chain/events";
import { accessManagerInterface, escrowInterface } from "../chain/interfaces";
import type { CallOptions } from "../chain/options";
import { reading } from "../chain/read";
import { requireAddress } from "../claims/types";
import { CarepactError } from "../errors";
import { AccessManager__factory, ClaimEscrow__factory } from "../generated";

import {
  describeCall,
  grantCall,
  operationIdOf,
  requireCall,
  revokeCall,
  type Grant,
  type Membership,
  type TargetCall,
} from "./calls";
import { historyOf, type ManagerEvent } from "./history";
import { listRoles, membersOf, type Role } from "./list";
import { roleIdOf, roleIds, type RoleRef } from "./names";
import { isoTimeOf, pendingOperations, type PendingOperation } from "./pending";

/** A call that now waits. */
export interface Scheduled {
  operationId: string;
  /** First moment at which it can be executed: unix seconds, and ISO 8601. It expires a week later. */
  readyAt: number;
  ready: string;
}

/**
 * Who may do what, over OpenZeppelin's AccessManager, and the pause of the escrow.
 *
 * A member with a delay (the admin and the upgrader: 14 days) cannot call at once. It schedules the call, waits, and
 * executes it within a week. An action that its member has to schedule first reverts with AccessManagerNotScheduled.
 */
export interface Roles {
  /** Every role, with its members and what it may call. */
  list(options?: CallOptions): Promise<Role[]>;
  /** What was scheduled, and neither executed nor cancelled. */
  pending(options?: CallOptions): Promise<PendingOperation[]>;
  /**
   * Gives an account a role, or a member another delay. The role's admin only; one with a delay schedules
   * {@link grantCall}. A shorter delay takes effect only after the difference. @throws INPUT_INVALID, IDENTIFIER_INVALID
   */
  grant(grant: Grant): Action<{ account: string; since: number; delay: number; newMember: boolean }>;
  /**
   * Takes a role from an account; one that has it not stays without. The role's admin only, as {@link Roles.grant}.
   * @throws INPUT_INVALID when nobody would be left who is admin: as `renounce`, `schedule` and `execute` do
   */
  revoke(membership: Membership): Action<{ account: string; revoked: boolean }>;
  /** Gives up a role of the signer's own, at once. @throws INPUT_INVALID for the last admin */
  renounce(role: RoleRef): Action<{ account: string; revoked: boolean }>;
  /**
   * Announces a call that the signer may do after its delay.
   * @param when First moment at which to execute it, if later than the delay asks; a number is unix seconds.
   * @throws INPUT_INVALID, IDENTIFIER_INVALID; AccessManagerUnauthorizedCall also when the signer needs not wait
   */
  schedule(call: TargetCall, when?: Date | number): Action<Scheduled, { operationId: string }>;
  /** Does what the signer scheduled. @throws AccessManagerNotScheduled, AccessManagerNotReady, AccessManagerExpired */
  execute(call: TargetCall): Action<{ operationId: string }>;
  /** Takes back what `caller` (the signer unless given) scheduled. Its caller, the admin, or the role's guardian. */
  cancel(call: TargetCall, caller?: string): Action<{ operationId: string }>;
  /** Pauses funding and settlement; withdrawals and payouts go on. Pauser only. `until`: unix seconds, when it lapses. */
  pause(): Action<{ until: number }>;
  /** Ends a pause. Pauser only. @throws NotPaused */
  unpause(): Action<object>;
  /** Whether the escrow is paused. */
  paused(options?: CallOptions): Promise<boolean>;
}

export function createRoles(connection: Connection): Roles {
  const { runner } = connection;
  const deployment = deploymentOf(connection);
  const { accessManager, claimEscrow } = deployment;
  const encode = accessManagerInterface.encodeFunctionData.bind(accessManagerInterface);
  const act = <Result extends object>(
    call: () => TargetCall | Promise<TargetCall>,
    result: (receipt: TransactionReceipt) => Result | Promise<Result>,
  ): Action<Result> => actionOf(connection, async () => ({ ...(await call()), preview: () => undefined, result }));
  const happened = (receipt: TransactionReceipt, name: string): Record<string, unknown> | undefined =>
    managerEventsIn(receipt, accessManager).find((event) => event.name === name)?.args;
  const withHistory = <Value>(
    read: (provider: Provider, history: ManagerEvent[]) => Promise<Value>,
    options?: CallOptions,
  ): Promise<Value> =>
    reading(connection, async (provider, signal) => read(provider, await historyOf(connection, signal)), options);

  /** The call, unless it would leave nobody who could grant, revoke or upgrade anything, for ever. */
  const sparingAdmin = async (call: TargetCall): Promise<TargetCall> => {
    const { contract, function: name = "", args = {} } = describeCall(deployment, call);
    const takes = contract === "AccessManager" && ["revokeRole", "renounceRole"].includes(name);
    if (!takes || args["roleId"] !== roleIds.admin) return call;
    // `revokeRole(role, account)` and `renounceRole(role, confirmation)`.
    const account = (args["account"] ?? args["callerConfirmation"]) as string;
    const admins = await withHistory((provider, history) =>
      membersOf(AccessManager__factory.connect(accessManager, provider), roleIds.admin, history),
    );
    if (admins.length === 1 && admins[0]?.account === account)
      throw new CarepactError(
        "INPUT_INVALID",
        `${account} is the only admin: without one nobody could grant or upgrade anything any more.`,
        { path: "account", account },
      );
    return call;
  };

  return {
    list: (options) => withHistory((provider, history) => listRoles(provider, deployment, history), options),
    pending: (options) => withHistory((provider, history) => pendingOperations(provider, deployment, history), options),
    grant: (grant) =>
      act(
        () => grantCall(deployment, grant),
        (receipt) => {
          const { since, newMember } = happened(receipt, "RoleGranted") ?? {};
          return { account: grant.account, since: Number(since), delay: grant.delay, newMember: newMember === true };
        },
      ),
    revoke: (membership) =>
      act(
        () => sparingAdmin(revokeCall(deployment, membership)),
        (receipt) => ({ account: membership.account, revoked: happened(receipt, "RoleRevoked") !== undefined }),
      ),
    renounce: (role) =>
      act(
        async () => {
          const data = encode("renounceRole", [roleIdOf(role), await accountOf(runner)]);
          return sparingAdmin({ to: accessManager, data });
        },
        async (receipt) => ({
          account: await accountOf(runner),
          revoked: happened(receipt, "RoleRevoked") !== undefined,
        }),
      ),
    schedule: (call, when) =>
      actionOf(connection, async () => {
        const { to, data } = await sparingAdmin(requireCall(call));
        return {
          to: accessManager,
          data: encode("schedule", [to, data, secondsOf(when)]),
          preview: (returned: string) => {
            const [operationId] = accessManagerInterface.decodeFunctionResult("schedule", returned);
            return { operationId: operationId as string };
          },
          result: (receipt) => {
            const { operationId, schedule } = happened(receipt, "OperationScheduled") ?? {};
            const readyAt = Number(schedule);
            return { operationId: operationId as string, readyAt, ready: isoTimeOf(readyAt) };
          },
        };
      }),
    execute: (call) =>
      act(
        async () => {
          const { to, data } = await sparingAdmin(requireCall(call));
          return { to: accessManager, data: encode("execute", [to, data]) };
        },
        async () => ({ operationId: operationIdOf(await accountOf(runner), call) }),
      ),
    cancel: (call, caller) => {
      const scheduler = async (): Promise<string> =>
        caller === undefined ? accountOf(runner) : requireAddress(caller, "caller");
      return act(
        async () => {
          const { to, data } = requireCall(call);
          return { to: accessManager, data: encode("cancel", [await scheduler(), to, data]) };
        },
        async () => ({ operationId: operationIdOf(await scheduler(), call) }),
      );
    },
    pause: () =>
      act(
        () => ({ to: claimEscrow, data: escrowInterface.encodeFunctionData("pause") }),
        (receipt) => ({
          until: Number(escrowEventsIn(receipt, connection).find(({ name }) => name === "Paused")?.args["until"]),
        }),
      ),
    unpause: () =>
      act(
        () => ({ to: claimEscrow, data: escrowInterface.encodeFunctionData("unpause") }),
        () => ({}),
      ),
    paused: (options) =>
      reading(connection, (provider) => ClaimEscrow__factory.connect(claimEscrow, provider).paused(), options),
  };
}

function managerEventsIn(receipt: TransactionReceipt, accessManager: string): ManagerEvent[] {
  return receipt.logs
    .filter(({ address }) => address.toLowerCase() === accessManager.toLowerCase())
    .map((log) => accessManagerInterface.parseLog(log))
    .filter((log) => log !== null)
    .map(({ name, args }) => ({ name, args: args.toObject() as Record<string, unknown> }));
}

/** Zero, which means as soon as the delay allows, unless a moment is given. @throws INPUT_INVALID */
function secondsOf(when: Date | number | undefined): number {
  if (when === undefined) return 0;
  const seconds = typeof when === "number" ? when : Math.ceil(when.getTime() / 1_000);
  if (!Number.isSafeInteger(seconds) || seconds < 1 || seconds >= 2 ** 48)
    throw new CarepactError("INPUT_INVALID", "`when` is a moment: a date, or unix seconds.", { path: "when" });
  return seconds;
}
