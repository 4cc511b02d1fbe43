import type { Interface } from "ethers";

import { actionOf, type Action } from "../../chain/action";
import type { Connection } from "../../chain/deployment";
import { amountIn, escrowEventsIn } from "../../chain/events";
import { escrowExtensionInterface } from "../../chain/interfaces";
import { CarepactError } from "../../errors";
import { publicPartOf, type BatchSource } from "../batchSource";
import type { PublicPart } from "../file";
import type { Returned } from "../returning";
import { requireAddress } from "../types";

import { currentOf } from "./current";
import { paymentOf, type Retention } from "./structs";

/** What the arbiter takes back of what is retained. */
export interface RecoupInput {
  /** The retention, or the first line of the presentation that was settled, which names it. */
  retention: number | Retention;
  /** Whose payment. */
  payee: string;
  /** Base units. */
  amount: bigint;
}

/** What payees got of what was retained, in base units. */
export interface Released {
  batchId: string;
  amount: bigint;
  payments: { payee: string; amount: bigint }[];
}

const abi: Interface = escrowExtensionInterface;

/** @internal Returns a part of what is retained to the payer, as the arbiter. */
export function recoup(
  connection: Connection,
  source: BatchSource,
  { retention: which, payee, amount }: RecoupInput,
): Action<Returned> {
  return actionOf(connection, async () => {
    const batch = publicPartOf(source);
    const { terms, batchId } = batch;
    const retention = await retentionOf(connection, batch, which);
    const account = requireAddress(payee, "payee");
    const index = retention.amounts.findIndex((word) => paymentOf(word).payee === account);
    if (index < 0)
      throw new CarepactError("RETENTION_UNKNOWN", `Nothing is retained of a payment to ${account} there.`, {
        batchId,
        firstLine: retention.firstLine,
        payee: account,
      });
    return {
      to: connection.deployment.claimEscrow,
      data: abi.encodeFunctionData("recoup", [terms, retention, index, amount]),
      preview: () => undefined,
      result: (receipt) => ({ batchId, amount: amountIn(receipt, connection, "Recouped") }),
    };
  });
}

/** @internal Credits payees with what is left of what was retained, once the look-back is over. */
export function release(
  connection: Connection,
  source: BatchSource,
  which: number | Retention,
): Action<Released, { amount: bigint }> {
  return actionOf(connection, async () => {
    const batch = publicPartOf(source);
    const { terms, batchId } = batch;
    const retention = await retentionOf(connection, batch, which);
    return {
      to: connection.deployment.claimEscrow,
      data: abi.encodeFunctionData("release", [terms, retention]),
      preview: (returned: string) => ({ amount: abi.decodeFunctionResult("release", returned)[0] as bigint }),
      result: (receipt) => ({
        batchId,
        amount: amountIn(receipt, connection, "RetentionReleased"),
        payments: escrowEventsIn(receipt, connection)
          .filter(({ name }) => name === "RetentionReleased")
          .map(({ args }) => ({ payee: args["payee"] as string, amount: args["amount"] as bigint })),
      }),
    };
  });
}

/** The retention that a line names. @throws RETENTION_UNKNOWN */
async function retentionOf(connection: Connection, batch: PublicPart, which: number | Retention): Promise<Retention> {
  if (typeof which !== "number") return which;
  const { retentions } = await currentOf(connection, batch);
  const found = retentions.find(({ firstLine }) => firstLine === which);
  if (found !== undefined) return found;
  throw new CarepactError(
    "RETENTION_UNKNOWN",
    "Nothing is retained by this first line: nothing settled by it, or it was released.",
    { batchId: batch.batchId, firstLine: which, retained: retentions.map(({ firstLine }) => firstLine) },
  );
}
