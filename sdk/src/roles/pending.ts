import type { Provider } from "ethers";

import { chainTimeOf, type Deployment } from "../chain/deployment";
import { AccessManager__factory } from "../generated";

import { describeCall, type DescribedCall } from "./calls";
import type { ManagerEvent } from "./history";

/** A call that was scheduled, and neither executed nor cancelled. Times in unix seconds, and as ISO 8601 for people. */
export interface PendingOperation extends DescribedCall {
  operationId: string;
  /** Who scheduled it, and alone may execute it. */
  caller: string;
  to: string;
  data: string;
  /** First moment at which it can be executed. */
  readyAt: number;
  ready: string;
  /** First moment at which it no longer can. */
  expiresAt: number;
  expires: string;
  /** By the chain's clock. */
  state: "waiting" | "ready" | "expired";
}

/** ISO 8601 without milliseconds. @internal */
export const isoTimeOf = (seconds: number): string => new Date(seconds * 1_000).toISOString().replace(".000Z", "Z");

/** @internal What waits, in the order in which it was scheduled. */
export async function pendingOperations(
  provider: Provider,
  deployment: Deployment,
  history: readonly ManagerEvent[],
): Promise<PendingOperation[]> {
  const open = new Map<string, { caller: string; target: string; data: string; schedule: bigint }>();
  for (const { name, args } of history) {
    const operationId = args["operationId"] as string;
    // Under the same id a call can be scheduled again, once it was executed or cancelled, or has expired.
    open.delete(operationId);
    if (name === "OperationScheduled")
      open.set(operationId, args as { caller: string; target: string; data: string; schedule: bigint });
  }
  if (open.size === 0) return [];
  const manager = AccessManager__factory.connect(deployment.accessManager, provider);
  const [lifetime, now] = await Promise.all([manager.expiration(), chainTimeOf(provider)]);
  return [...open].map(([operationId, { caller, target, data, schedule }]): PendingOperation => {
    const readyAt = Number(schedule);
    const expiresAt = readyAt + Number(lifetime);
    return {
      operationId,
      caller,
      to: target,
      data,
      ...describeCall(deployment, { to: target, data }),
      readyAt,
      ready: isoTimeOf(readyAt),
      expiresAt,
      expires: isoTimeOf(expiresAt),
      state: now < readyAt ? "waiting" : now < expiresAt ? "ready" : "expired",
    };
  });
}
