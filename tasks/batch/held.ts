import { formatAmount, type Token } from "@carepact/sdk";
import type { ClaimBatchStatus, DisputeStatus, PresentationStatus, RetentionStatus } from "@carepact/sdk/claims";

import { amountText } from "../support/money";
import { isoTime } from "../support/show";

/** What of a batch is neither open nor paid nor back. */
export interface HeldParts {
  presentations: readonly PresentationStatus[];
  disputes: readonly DisputeStatus[];
  retentions: readonly RetentionStatus[];
}

/** How a batch stands, in a word or three. */
export function stateOf({ funded, open, paidInFull, presented, frozen, retained }: ClaimBatchStatus): string {
  if (!funded) return "not funded";
  if (open > 0n) return "open";
  if (paidInFull) return "paid in full";
  if ((presented ?? 0n) + (frozen ?? 0n) > 0n) return "undecided";
  return (retained ?? 0n) > 0n ? "retained" : "closed";
}

/** Amounts that are neither open, paid nor back, where there are any, as decimals. */
export const heldJson = ({ presented, frozen, retained }: ClaimBatchStatus, token: Token): Record<string, string> =>
  Object.fromEntries(
    Object.entries({ presented, frozen, retained }).flatMap(([name, amount]) =>
      amount === undefined || amount === 0n ? [] : [[name, formatAmount(amount, token)]],
    ),
  );

/** A line for each part, for people. */
export const partLines = ({ presentations, disputes, retentions }: HeldParts, token: Token): string[] => [
  ...presentations.map(
    ({ firstLine, held, paid, freed, challengeUntil }) =>
      `presented from line ${firstLine} of the batch on, ${held.length} lines: ${amountText(paid, token)} to pay, ` +
      `${amountText(freed, token)} to free; can be disputed until ${isoTime(challengeUntil)}`,
  ),
  ...disputes.map(
    ({ payee, line, by, amount, attested, attestedAmount, resolveBy }) =>
      `line ${line} of ${payee} is in dispute by the ${by}: ${amountText(amount, token)}, ` +
      `${attested ? `${amountText(attestedAmount, token)} attested` : "nothing attested"}; the arbiter has until ${isoTime(resolveBy)}`,
  ),
  ...retentions.map(
    ({ firstLine, amount, recoupUntil }) =>
      `retained from line ${firstLine} of the batch on: ${amountText(amount, token)}; can be recouped until ${isoTime(recoupUntil)}`,
  ),
];

/** The same for programs. */
export const partsJson = ({ presentations, disputes, retentions }: HeldParts, token: Token): object => ({
  presentations: presentations.map(({ firstLine, held, paid, freed, challengeUntil }) => ({
    firstLine,
    lines: held.length,
    paid: formatAmount(paid, token),
    freed: formatAmount(freed, token),
    challengeUntil: isoTime(challengeUntil),
  })),
  disputes: disputes.map(({ group, line, payee, by, amount, attested, attestedAmount, bond, resolveBy }) => ({
    ...{ group, line, payee, by, attested },
    amount: formatAmount(amount, token),
    attestedAmount: formatAmount(attestedAmount, token),
    bond: formatAmount(bond, token),
    resolveBy: isoTime(resolveBy),
  })),
  retentions: retentions.map(({ firstLine, payments, recoupUntil }) => ({
    firstLine,
    payments: payments.map(({ payee, amount }) => ({ payee, amount: formatAmount(amount, token) })),
    recoupUntil: isoTime(recoupUntil),
  })),
});
