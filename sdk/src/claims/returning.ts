import type { Interface } from "ethers";

import { actionOf, type Action } from "../chain/action";
import type { Connection } from "../chain/deployment";
import { amountIn } from "../chain/events";
import { escrowInterface } from "../chain/interfaces";
import { CarepactError } from "../errors";

import { publicPartOf, type BatchSource } from "./batchSource";
import { readBook } from "./disputes/current";
import type { OpenedGroup, PublicPart } from "./file";
import { statusOf } from "./status";
import { packGroup, packGroupLines } from "./types";

/** Money that went back to the payer's free balance, in base units. */
export interface Returned {
  batchId: string;
  amount: bigint;
}

/** @internal Gives up open lines of the signer's own group. */
export function reverse(
  connection: Connection,
  group: OpenedGroup,
  lines: readonly number[],
): Action<Returned, Returned> {
  const { batchId } = group;
  return actionOf(connection, () => {
    const ascending = [...new Set(lines)].sort((a, b) => a - b);
    const outside = ascending.filter((line) => group.lines[line] === undefined);
    if (ascending.length === 0 || outside.length > 0)
      throw new CarepactError("INPUT_INVALID", `Name lines of the group, 0 to ${group.lines.length - 1}.`, {
        lines: [...lines],
      });
    return {
      to: connection.deployment.claimEscrow,
      data: escrowInterface.encodeFunctionData("reverse", [
        group.terms,
        group.groups.map(packGroup),
        group.group,
        ascending,
        packGroupLines(group.groupLines),
        group.linesProof,
      ]),
      preview: (returned: string) => ({ batchId, amount: amountOf("reverse", returned) }),
      result: (receipt) => ({ batchId, amount: amountIn(receipt, connection, "LinesReversed") }),
    };
  });
}

/** @internal Returns what is open to the payer, once the time for attestations has passed. */
export function reclaim(connection: Connection, source: BatchSource): Action<Returned, Returned> {
  return actionOf(connection, () => {
    const { terms, batchId } = publicPartOf(source);
    return {
      to: connection.deployment.claimEscrow,
      data: escrowInterface.encodeFunctionData("reclaim", [terms]),
      preview: (returned: string) => ({ batchId, amount: amountOf("reclaim", returned) }),
      result: (receipt) => ({ batchId, amount: amountIn(receipt, connection, "ClaimBatchReclaimed") }),
    };
  });
}

/** How much the signer pays back, and from where. */
export interface RefundInput {
  /** Base units. */
  amount: bigint;
  /** The signer's credit, or its tokens, approved to the escrow beforehand. */
  from: "credit" | "tokens";
}

/** @internal Pays back what the signer received from a batch. */
export function refund(connection: Connection, source: BatchSource, input: RefundInput): Action<Returned> {
  return actionOf(connection, async () => {
    const batch = publicPartOf(source);
    const { amount, from } = input;
    const payments = await paymentsOf(connection, batch);
    return {
      to: connection.deployment.claimEscrow,
      data: escrowInterface.encodeFunctionData("refund", [
        batch.terms,
        batch.groups.map(packGroup),
        payments,
        amount,
        from === "credit",
      ]),
      preview: () => undefined,
      result: (receipt) => ({ batchId: batch.batchId, amount: amountIn(receipt, connection, "Refunded") }),
    };
  });
}

/** All payments of a batch so far, from its events, as the words that the escrow hashed. */
export async function paymentsOf(connection: Connection, batch: PublicPart): Promise<bigint[]> {
  // What one settlement paid in full follows from the terms: no events need to be looked for.
  const { paidInFull } = await statusOf(connection, batch);
  return paidInFull ? [] : (await readBook(connection, batch)).payments;
}

/** Both functions return one amount. */
const amountOf = (name: "reverse" | "reclaim", returned: string): bigint =>
  (escrowInterface as Interface).decodeFunctionResult(name, returned)[0] as bigint;
