import type { Currency, DecimalInput } from "../../money";
import { parseAmount } from "../../money";

import type { Adjustment, AdjustmentGroup } from "./adjudicated";

/** An adjustment as it comes in. */
export interface AdjustmentInput {
  group: AdjustmentGroup;
  reason: string;
  amount: DecimalInput;
}

/** Reason codes (835 CAS02) of the adjustments made here for a source that names none. */
export const adjustmentReasons = Object.freeze({
  deductible: "1",
  coinsurance: "2",
  copay: "3",
  priorPayer: "23",
  feeSchedule: "45",
});

export const parseAdjustments = (
  adjustments: readonly AdjustmentInput[],
  currency: Currency,
  path: string,
): Adjustment[] =>
  adjustments.map(({ group, reason, amount }, i) => ({
    group,
    reason,
    amount: parseAmount(amount, currency, `${path}.adjustments[${i}].amount`),
  }));

/**
 * The adjustments of a decision that gives amounts only: what is above the allowed amount is contractual (CO), the
 * patient's share a copay (PR), what others paid is theirs (OA).
 */
export const impliedAdjustments = (line: {
  charge: bigint;
  allowed: bigint;
  patientShare: bigint;
  otherPayers: bigint;
}): Adjustment[] =>
  (
    [
      { group: "CO", reason: adjustmentReasons.feeSchedule, amount: line.charge - line.allowed },
      { group: "PR", reason: adjustmentReasons.copay, amount: line.patientShare },
      { group: "OA", reason: adjustmentReasons.priorPayer, amount: line.otherPayers },
    ] as const
  ).filter(({ amount }) => amount > 0n);
