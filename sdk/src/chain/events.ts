import type { Interface, TransactionReceipt } from "ethers";

import { CarepactError } from "../errors";

import type { Connection } from "./deployment";
import { escrowExtensionInterface, escrowInterface } from "./interfaces";

/** An event of the escrow. */
export interface EscrowEvent {
  name: string;
  args: Record<string, unknown>;
}

/** What the escrow reported in a transaction, in order. */
export function escrowEventsIn(receipt: TransactionReceipt, { deployment }: Connection): EscrowEvent[] {
  return receipt.logs
    .filter((log) => log.address.toLowerCase() === deployment.claimEscrow.toLowerCase())
    .map((log) => escrowInterface.parseLog(log) ?? escrowExtensionInterface.parseLog(log))
    .filter((log) => log !== null)
    .map(({ name, args }) => ({ name, args: args.toObject() as Record<string, unknown> }));
}

/** Sum of `amount` over the escrow's events of one name in a transaction, in base units. */
export function amountIn(receipt: TransactionReceipt, connection: Connection, name: string): bigint {
  return escrowEventsIn(receipt, connection)
    .filter((event) => event.name === name)
    .reduce((sum, { args }) => sum + (args["amount"] as bigint), 0n);
}

/** Arguments of a contract's first event of one name in a transaction. @throws TRANSACTION_FAILED when there is none */
export function eventIn(
  receipt: TransactionReceipt,
  { to, abi }: { to: string; abi: Interface },
  name: string,
): Record<string, unknown> {
  for (const log of receipt.logs) {
    const event = log.address.toLowerCase() === to.toLowerCase() ? abi.parseLog(log) : null;
    if (event?.name === name) return event.args.toObject() as Record<string, unknown>;
  }
  const message = `The transaction was mined, but did not say ${name}: is the deployment the right one?`;
  throw new CarepactError("TRANSACTION_FAILED", message, { event: name }, undefined, { txHash: receipt.hash });
}
