import { deploymentOf, type Connection } from "../chain/deployment";
import type { CallOptions } from "../chain/options";

import { explain, type ExplainedPayout } from "./explain";

export type { CreditKind, CreditPart } from "./credits";
export type { ExplainedPayout } from "./explain";

/** Payouts of payees' credits in one deployment. */
export interface Payouts {
  /**
   * What the payouts of a transaction were made of: each is assigned to the settlements, awards and other credits of that payee
   * and token, first in, first out, exactly. Refunds out of the credit, and bonds that were locked in it, used up the oldest
   * credits, too. Reads all events of the payee up to the payout; where it locked bonds, a node that keeps old states is asked.
   * @returns One entry for each payout, in order. Mostly one.
   * @throws INPUT_INVALID when the transaction paid nothing out, PAYOUT_UNEXPLAINED, and as `Events.read`
   */
  explain(txHash: string, options?: CallOptions): Promise<ExplainedPayout[]>;
}

export function createPayouts(connection: Connection): Payouts {
  deploymentOf(connection);
  return { explain: (txHash, options) => explain(connection, txHash, options) };
}
