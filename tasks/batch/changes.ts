import { formatAmount, type Token } from "@carepact/sdk";
import type { ClaimBatchChange, ClaimBatchUpdate } from "@carepact/sdk/claims";

import { amountText } from "../support/money";
import { isoTime } from "../support/show";

/** What happened, in one line. */
export function changeText(change: ClaimBatchChange, token: Token): string {
  const { event } = change;
  const place = `block ${event.blockNumber}: `;
  if (change.type === "removed") return `${place}${event.name} was taken back, since the chain was reorganized`;
  return place + whatHappened(change, token);
}

function whatHappened({ event }: Extract<ClaimBatchChange, { type: "added" }>, token: Token): string {
  const show = (amount: bigint): string => amountText(amount, token);
  switch (event.name) {
    case "ClaimBatchFunded":
      return "funded";
    case "GroupSettled":
      return `settled for ${event.args.payee}: ${show(event.args.paid)} paid, ${show(event.args.freed)} freed`;
    case "ClaimBatchSettled":
      return `settled by attestation ${event.args.attestation}`;
    case "LinesReversed":
      return `${event.args.lines.length} lines given up by ${event.args.payee}: ${show(event.args.amount)}`;
    case "ClaimBatchReclaimed":
      return `reclaimed: ${show(event.args.amount)}`;
    case "Refunded":
      return `refunded by ${event.args.payee}: ${show(event.args.amount)}`;
  }
}

/** Names of arguments that are amounts. */
const AMOUNTS = ["paid", "freed", "amount", "total"];

/** The same for programs: amounts as decimals. */
export function changeJson({ type, event }: ClaimBatchChange, token: Token): object {
  const { name, blockNumber, blockHash, logIndex } = event;
  const place = { change: type, name, blockNumber, blockHash, logIndex };
  if (!("args" in event)) return place;
  const args = Object.entries(event.args).map(([key, value]): [string, unknown] => [
    key,
    AMOUNTS.includes(key) && typeof value === "bigint" ? formatAmount(value, token) : value,
  ]);
  return { ...place, txHash: event.txHash, args: Object.fromEntries(args) };
}

const stateOf = ({ status: { funded, open, paidInFull } }: ClaimBatchUpdate): string =>
  !funded ? "not funded" : open > 0n ? "open" : paidInFull ? "paid in full" : "closed";

/** How the batch stands, in one line. */
export function statusText(update: ClaimBatchUpdate, token: Token): string {
  const { closedLines, open, attestBy } = update.status;
  const closed = closedLines.filter((isClosed) => isClosed).length;
  const until = attestBy === undefined ? "" : `, attest by ${isoTime(attestBy)}`;
  return `block ${update.blockNumber}: ${stateOf(update)}, ${closed} of ${closedLines.length} lines closed, ${amountText(open, token)} open${until}`;
}

/** The same for programs. */
export function statusJson(update: ClaimBatchUpdate, token: Token): object {
  const { closedLines, open, attestBy, funded, paidInFull } = update.status;
  return {
    change: "status",
    blockNumber: update.blockNumber,
    state: stateOf(update),
    funded,
    paidInFull,
    open: formatAmount(open, token),
    closedLines: closedLines.filter((isClosed) => isClosed).length,
    lines: closedLines.length,
    ...(attestBy === undefined ? {} : { attestBy: isoTime(attestBy) }),
  };
}
