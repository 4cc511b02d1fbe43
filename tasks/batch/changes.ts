import { formatAmount, type Token } from "@carepact/sdk";
import type { ClaimBatchChange, ClaimBatchUpdate } from "@carepact/sdk/claims";

import { amountText } from "../support/money";
import { isoTime } from "../support/show";

import { heldJson, stateOf } from "./held";

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
    case "ResultsPresented":
      return `presented attestation ${event.args.attestation}, from line ${event.args.firstLine} of the batch on`;
    case "LinesPresented":
      return `what is presented from line ${event.args.firstLine} of the batch on is told line by line`;
    case "PresentationSettled":
      return `settled what was presented from line ${event.args.firstLine} of the batch on`;
    case "LineDisputed":
      return `line ${event.args.line} of the batch disputed by ${event.args.by}: ${show(event.args.amount)}, ${show(event.args.bond)} as bond`;
    case "DisputeAttested":
      return `a result of disputed line ${event.args.line} of the batch is attested: ${show(event.args.attestedAmount)}`;
    case "DisputeResolved":
      return (
        `dispute of line ${event.args.line} of the batch resolved ${event.args.byArbiter ? "by the arbiter" : "by default"}: ` +
        `${show(event.args.award)} to ${event.args.payee}, ${show(event.args.returned)} back to the payer`
      );
    case "PaymentsRetained":
      return `retained of ${event.args.amounts.length} payments from line ${event.args.firstLine} of the batch on`;
    case "Recouped":
      return `recouped of what is retained of ${event.args.payee}: ${show(event.args.amount)}`;
    case "RetentionReleased":
      return `released to ${event.args.payee}: ${show(event.args.amount)}`;
    case "Refunded":
      return `refunded by ${event.args.payee}: ${show(event.args.amount)}`;
  }
}

/** Names of arguments that are amounts. */
const AMOUNTS = ["paid", "freed", "amount", "total", "attestedAmount", "bond", "award", "returned"];

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

/** How the batch stands, in one line. */
export function statusText(update: ClaimBatchUpdate, token: Token): string {
  const { closedLines, open, attestBy } = update.status;
  const closed = closedLines.filter((isClosed) => isClosed).length;
  const until = attestBy === undefined ? "" : `, attest by ${isoTime(attestBy)}`;
  return `block ${update.blockNumber}: ${stateOf(update.status)}, ${closed} of ${closedLines.length} lines closed, ${amountText(open, token)} open${until}`;
}

/** The same for programs. */
export function statusJson(update: ClaimBatchUpdate, token: Token): object {
  const { closedLines, open, attestBy, funded, paidInFull } = update.status;
  return {
    change: "status",
    blockNumber: update.blockNumber,
    state: stateOf(update.status),
    funded,
    paidInFull,
    open: formatAmount(open, token),
    ...heldJson(update.status, token),
    closedLines: closedLines.filter((isClosed) => isClosed).length,
    lines: closedLines.length,
    ...(attestBy === undefined ? {} : { attestBy: isoTime(attestBy) }),
  };
}
