/** Sums over all events of one token, and what they lead to. Base units. */
export interface TokenBook {
  token: string;
  deposited: bigint;
  withdrawn: bigint;
  funded: bigint;
  paid: bigint;
  freed: bigint;
  recouped: bigint;
  reversed: bigint;
  reclaimed: bigint;
  refundedFromCredit: bigint;
  refundedInTokens: bigint;
  paidOut: bigint;
  /** Locked by those who dispute lines. */
  bonds: bigint;
}

/** What one account should have in one token. Base units. */
export interface AccountBook {
  token: string;
  account: string;
  free: bigint;
  credit: bigint;
}

/** What became of one claim batch. Base units. */
export interface BatchBook {
  batchId: string;
  token: string;
  payer: string;
  total: bigint;
  paid: bigint;
  freed: bigint;
  reversed: bigint;
  reclaimed: bigint;
  recouped: bigint;
  /** Neither settled nor back: open or, where attestations are presented, waiting for the end of a challenge period. */
  unsettled: bigint;
  /** In dispute. */
  frozen: bigint;
  /** Kept back of payments. */
  retained: bigint;
  /** Attestations that settled something. */
  settlements: number;
  /** What each payee was paid and has refunded. */
  payees: Map<string, { paid: bigint; refunded: bigint }>;
  /** Whether one settlement paid all of it. */
  paidInFull: boolean;
  /** Amounts of GroupSettled events whose settlement's own event has not come yet: all of them, and what of them was paid. */
  unfinished: bigint;
  unfinishedPaid: bigint;
  /** Whether anything of it was ever presented: events do not tell how much. */
  wasPresented: boolean;
}

/** What can be wrong with books. */
export const inequalityNames = {
  EVENT_TWICE: "The same event stands in the input twice.",
  EVENT_UNREADABLE: "An event's data does not decode.",
  EVENT_OF_UNKNOWN_BATCH: "An event names a claim batch that was never funded.",
  BATCH_FUNDED_TWICE: "A claim batch was funded twice.",
  SETTLEMENT_INCOMPLETE: "A settlement's events of groups and of the batch do not belong together.",
  RECLAIM_LEFT_OPEN: "A reclaim did not return all that was open.",
  REFUND_ABOVE_PAID: "A payee refunded more than it was paid from the batch.",
  BELOW_ZERO: "More left an account or batch than was in it.",
  FREE_DIFFERS: "A free balance is not what the events add up to.",
  CREDIT_DIFFERS: "A credit is not what the events add up to.",
  OPEN_DIFFERS: "The open amount of a claim batch is not what the events add up to.",
  STATUS_DIFFERS: "The chain says otherwise whether a claim batch is funded, or paid in full.",
  SUM_DIFFERS: "What came in and did not go out is not what accounts, batches and bonds add up to.",
  TOKENS_MISSING: "The escrow holds fewer tokens than it owes.",
  TOKENS_UNEXPLAINED: "The escrow holds more tokens than its events explain.",
} as const;
export type InequalityName = keyof typeof inequalityNames;

/** One thing that does not hold. Safe to log as JSON: amounts are decimal strings of base units. */
export interface Inequality {
  name: InequalityName;
  message: string;
  /** Token, account, batch or event it is about. */
  about: string;
  /** What the events say. */
  expected: string;
  /** What the chain says, or the other events. */
  found: string;
}

/** What events alone add up to. */
export interface Books {
  events: number;
  tokens: Map<string, TokenBook>;
  accounts: Map<string, AccountBook>;
  batches: Map<string, BatchBook>;
  inequalities: Inequality[];
}

/** What the chain says, read at one block. Keys as in {@link Books}. */
export interface ChainReadings {
  /** Tokens that the escrow holds. */
  held: Map<string, bigint>;
  balances: Map<string, { free: bigint; credit: bigint }>;
  statuses: Map<string, { funded: boolean; paidInFull: boolean; open: bigint }>;
}

/** The books, held against the chain. */
export interface BooksReport extends Books {
  balanced: boolean;
  /** Per token: what the escrow holds. */
  held: Map<string, bigint>;
}
