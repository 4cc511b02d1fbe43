import type { TransactionReceipt } from "ethers";

import type { Connection } from "./deployment";
import { escrowInterface } from "./interfaces";

/** An event of the escrow. */
export interface EscrowEvent {
  name: string;
  args: Record<string, unknown>;
}

/** What the escrow reported in a transaction, in order. */
export function escrowEventsIn(receipt: TransactionReceipt, { deployment }: Connection): EscrowEvent[] {
  return receipt.logs
    .filter((log) => log.address.toLowerCase() === deployment.claimEscrow.toLowerCase())
    .map((log) => escrowInterface.parseLog(log))
    .filter((log) => log !== null)
    .map(({ name, args }) => ({ name, args: args.toObject() as Record<string, unknown> }));
}

/** Sum of `amount` over the escrow's events of one name in a transaction, in base units. */
export function amountIn(receipt: TransactionReceipt, connection: Connection, name: string): bigint {
  return escrowEventsIn(receipt, connection)
    .filter((event) => event.name === name)
    .reduce((sum, { args }) => sum + (args["amount"] as bigint), 0n);
}
