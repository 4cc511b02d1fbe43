import type { Connection } from "../chain/deployment";
import type { CallOptions } from "../chain/options";
import { reading } from "../chain/read";
import { CarepactError } from "../errors";
import { createEvents, type CarepactEvent } from "../events";
import { ClaimEscrow__factory } from "../generated";

import { CreditQueue, type CreditPart } from "./credits";
import { creditEvents, type CreditEvent } from "./reading";

/** A payout with what it was made of. Amounts in base units of the token. */
export interface ExplainedPayout {
  txHash: string;
  blockNumber: number;
  /** Place of the payout's event among all of its block. */
  logIndex: number;
  token: string;
  payee: string;
  /** Who got the tokens. */
  to: string;
  amount: bigint;
  /** What it was made of, oldest first: sums to `amount`. */
  parts: CreditPart[];
  /** Credit that was left behind it, oldest first. */
  left: CreditPart[];
}

type PaidOut = CarepactEvent<"PaidOut", "ClaimEscrow">;

/** @internal What the payouts of a transaction were made of, first in, first out. */
export async function explain(
  connection: Connection,
  txHash: string,
  options: CallOptions = {},
): Promise<ExplainedPayout[]> {
  const blockNumber = await reading(
    connection,
    async (provider) => (await provider.getTransactionReceipt(txHash))?.blockNumber,
    options,
  );
  const payouts: PaidOut[] = [];
  if (blockNumber !== undefined) {
    const query = {
      contracts: ["ClaimEscrow"],
      names: ["PaidOut"],
      fromBlock: blockNumber,
      toBlock: blockNumber,
    } as const;
    for await (const event of createEvents(connection).read(query, options))
      if (event.txHash === txHash.toLowerCase()) payouts.push(event);
  }
  if (payouts.length === 0)
    throw new CarepactError(
      "INPUT_INVALID",
      `Transaction ${txHash} paid nothing out of this escrow, or is not mined.`,
      {
        path: "txHash",
        txHash,
      },
    );
  return Promise.all(payouts.map((payout) => explainOne(connection, payout, options)));
}

async function explainOne(connection: Connection, payout: PaidOut, options: CallOptions): Promise<ExplainedPayout> {
  const { token, payee, to, amount } = payout.args;
  const { txHash, blockNumber, logIndex } = payout;
  const credits = new CreditQueue();
  for await (const block of creditEvents(connection, { payee, token, toBlock: blockNumber }, options)) {
    const locked = await lockedIn(connection, block, { payee, token, before: credits.total }, options);
    for (const event of block) {
      const parts = apply(credits, event, locked);
      if (event.id === payout.id)
        return { txHash, blockNumber, logIndex, token, payee, to, amount, parts, left: credits.left() };
    }
  }
  throw unexplained(payout, "the events read do not hold it");
}

/** @returns What the event used up. */
function apply(credits: CreditQueue, event: CreditEvent, locked: ReadonlyMap<string, bigint>): CreditPart[] {
  const take = (amount: bigint): CreditPart[] => {
    const parts = credits.take(amount);
    if (parts === undefined) throw unexplained(event, "more was taken than the events before it credited");
    return parts;
  };
  switch (event.name) {
    case "GroupSettled":
      credits.add("settled", event, event.args.paid);
      return [];
    case "RetentionReleased":
      credits.add("released", event, event.args.amount);
      return [];
    case "DisputeResolved":
      credits.add("awarded", event, event.args.award);
      if (event.args.bondTo === event.args.payee) credits.add("bond", event, event.args.bond);
      return [];
    case "Refunded":
      return event.args.fromCredit ? take(event.args.amount) : [];
    case "LineDisputed":
      return take(locked.get(event.id) ?? 0n);
    case "PaidOut":
      return take(event.args.amount);
  }
}

/**
 * How much of each bond of a block came out of the payee's credit: no event says so, since a bond takes of the free balance
 * first. The credit at the block's end tells.
 */
async function lockedIn(
  connection: Connection,
  block: readonly CreditEvent[],
  { payee, token, before }: { payee: string; token: string; before: bigint },
  options: CallOptions,
): Promise<Map<string, bigint>> {
  const bonds = block.filter((event) => event.name === "LineDisputed" && event.args.bond > 0n);
  const [first] = bonds;
  if (first === undefined) return new Map();
  const [, credit] = await reading(
    connection,
    (provider) =>
      ClaimEscrow__factory.connect(connection.deployment.claimEscrow, provider).balancesOf(payee, token, {
        blockTag: first.blockNumber,
      }),
    options,
  );
  let missing = before + block.reduce((sum, event) => sum + changeOf(event), 0n) - credit;
  const locked = new Map<string, bigint>();
  // The free balance serves the first of them first.
  for (const event of [...bonds].reverse()) {
    const bond = event.name === "LineDisputed" ? event.args.bond : 0n;
    const part = missing < 0n ? 0n : missing < bond ? missing : bond;
    locked.set(event.id, part);
    missing -= part;
  }
  if (missing !== 0n) throw unexplained(first, "the credit at the block's end is not what the events come to");
  return locked;
}

/** What an event does to the credit, bonds that it locks aside. */
function changeOf(event: CreditEvent): bigint {
  switch (event.name) {
    case "GroupSettled":
      return event.args.paid;
    case "RetentionReleased":
      return event.args.amount;
    case "DisputeResolved":
      return event.args.award + (event.args.bondTo === event.args.payee ? event.args.bond : 0n);
    case "Refunded":
      return event.args.fromCredit ? -event.args.amount : 0n;
    case "PaidOut":
      return -event.args.amount;
    case "LineDisputed":
      return 0n;
  }
}

const unexplained = ({ txHash, blockNumber, logIndex }: CreditEvent, problem: string): CarepactError =>
  new CarepactError(
    "PAYOUT_UNEXPLAINED",
    `Transaction ${txHash} cannot be explained: ${problem}. Ask a node that has all events.`,
    { txHash, blockNumber, logIndex },
    undefined,
    { txHash },
  );
