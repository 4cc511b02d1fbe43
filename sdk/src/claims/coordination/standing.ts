import { CarepactError } from "../../errors";
import type { Token } from "../../money";
import type { ClaimBatchEvent } from "../batchEvents";
import type { OpenedGroup, OpenedLine } from "../file";
import { unbalanced, type LineReference } from "../input/adjudicated";
import { replay, type Movement } from "../remittance/replay";

/** How a line of a batch stands. Amounts in base units of the batch's token. */
export interface LineStanding {
  payer: string;
  payee: string;
  batchId: string;
  token: Token;
  line: OpenedLine;
  /**
   * `open`: nothing was said. `presented`: a result waits for the end of its challenge period. `frozen`: in dispute.
   * `paid`: its payee earned something. `returned`: it went back to the payer (not met, reversed, reclaimed, or awarded
   * nothing).
   */
  state: "open" | "presented" | "frozen" | "paid" | "returned";
  /** What its payee earned by it, a share that is retained included. */
  paid: bigint;
  /** What of that was refunded or recouped since. */
  givenBack: bigint;
}

/** How a payee's group of a batch stands. Amounts in base units of the batch's token. */
export interface GroupStanding {
  lines: LineStanding[];
  /** What is still retained of its payments. */
  retained: bigint;
}

/** A refund of a line, in base units of the batch's token. */
export interface LineRefund extends LineReference {
  amount: bigint;
}

/**
 * How each line of a payee's group stands, from all events of its batch in order (`claims.history`). The chain knows
 * refunds by batch and payee: which lines they are of has to be said in `refunds`, unless one line was paid, or all of it
 * was given back.
 * @throws REMITTANCE_MISMATCH, RESULTS_MALFORMED, PARTIAL_AMOUNT_INVALID; CLAIM_DOES_NOT_BALANCE when `refunds` are not
 * what was given back, INPUT_INVALID when they name no paid line, or more than it was paid
 */
export function standingOf(
  group: OpenedGroup,
  events: readonly ClaimBatchEvent[],
  options: { refunds?: readonly LineRefund[] } = {},
): GroupStanding {
  const { decided, movements, states } = replay(group, events);
  const paidOf = new Map(decided.map(({ line, paid }) => [line.index, paid]));
  const moved = (...kinds: Movement["kind"][]): bigint =>
    movements.reduce((sum, { kind, amount }) => (kinds.includes(kind) ? sum + amount : sum), 0n);
  const lines = group.lines.map((line, i): LineStanding => {
    const paid = paidOf.get(line.index) ?? 0n;
    const state = states[i] ?? "open";
    return {
      payer: group.terms.payer,
      payee: group.payee,
      batchId: group.batchId,
      token: group.token,
      line,
      state: state !== "closed" ? state : paid > 0n ? "paid" : "returned",
      paid,
      givenBack: 0n,
    };
  });
  giveBack(lines, moved("repaid", "returned", "recouped"), options.refunds, group.token);
  return { lines, retained: moved("retained") - moved("released", "recouped") };
}

/** Puts what was given back on the lines that it is of. */
function giveBack(
  lines: readonly LineStanding[],
  total: bigint,
  refunds: readonly LineRefund[] | undefined,
  token: Token,
): void {
  const paid = lines.filter((standing) => standing.paid > 0n);
  if (refunds !== undefined) {
    refunds.forEach(({ claimId, lineNumber, amount }, i) => {
      const of = paid.find(({ line }) => line.detail.claimId === claimId && line.detail.lineNumber === lineNumber);
      if (of === undefined || amount < 0n || of.givenBack + amount > of.paid)
        throw new CarepactError(
          "INPUT_INVALID",
          `refunds[${i}] is of no paid line of the group, or more than it was paid.`,
          { path: `refunds[${i}]`, claimId, lineNumber, amount },
        );
      of.givenBack += amount;
    });
    const said = refunds.reduce((sum, { amount }) => sum + amount, 0n);
    if (said !== total) throw unbalanced("sum of refunds = refunded", "refunds", currencyOf(token), said, total);
    return;
  }
  if (total === paid.reduce((sum, standing) => sum + standing.paid, 0n))
    for (const standing of paid) standing.givenBack = standing.paid;
  else if (paid.length === 1 && paid[0] !== undefined) paid[0].givenBack = total;
  else if (total > 0n)
    throw new CarepactError(
      "COORDINATION_UNSETTLED",
      "Part of what the payee was paid was given back, and the chain does not tell for which lines: say it in refunds.",
      { path: "refunds", amount: total },
    );
}

const currencyOf = ({ symbol, decimals }: Token): { code: string; decimals: number } => ({ code: symbol, decimals });

/** What the payee keeps of a line, in base units of the batch's token. */
export const keptOf = ({ paid, givenBack }: LineStanding): bigint => paid - givenBack;

/** Whether nothing can change the line any more but a refund, a recoupment or a correction. */
export const isFinal = ({ state }: LineStanding): boolean => state === "paid" || state === "returned";

/** @throws COORDINATION_UNSETTLED when the line can still be paid or returned */
export function requireFinal(standing: LineStanding): void {
  if (isFinal(standing)) return;
  const { payer, batchId, state, line } = standing;
  const { claimId, lineNumber } = line.detail;
  throw new CarepactError(
    "COORDINATION_UNSETTLED",
    `Line ${lineNumber} of claim ${claimId} is ${state} at ${payer}: wait until it is settled, reversed or reclaimed.`,
    { payer, batchId, state, claimId, lineNumber },
  );
}
