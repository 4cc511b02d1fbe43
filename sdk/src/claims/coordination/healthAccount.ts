import { CarepactError } from "../../errors";
import { requireBalanced, type AdjudicatedClaim, type AdjudicatedLine, type Adjustment } from "../input/adjudicated";
import { adjustmentReasons } from "../input/adjustments";

/**
 * What a patient's own health account answers to a claim: it pays of the patient's share, and decides nothing else. What
 * the payer before it paid is told as paid by others, what that one adjusted stays.
 * @param last The answer of the last payer before it
 * @param most What the account pays at most, in base units of the claim's currency; all of the patient's share unless given.
 * Lines are paid in their order.
 * @throws AMOUNT_NEGATIVE, what `requireBalanced` throws
 */
export function healthAccountAnswer(last: AdjudicatedClaim, most?: bigint): AdjudicatedClaim {
  requireBalanced(last);
  if (most !== undefined && most < 0n)
    throw new CarepactError("AMOUNT_NEGATIVE", "An account pays zero or more.", { path: "most", amount: most });
  let left = most ?? last.lines.reduce((sum, { patientShare }) => sum + patientShare, 0n);
  const lines = last.lines.map((line): AdjudicatedLine => {
    const pays = line.patientShare < left ? line.patientShare : left;
    left -= pays;
    return paidByAccount(line, pays);
  });
  return requireBalanced({ ...last, lines, planPays: lines.reduce((sum, { planPays }) => sum + planPays, 0n) });
}

function paidByAccount(line: AdjudicatedLine, pays: bigint): AdjudicatedLine {
  const otherPayers = line.otherPayers + line.planPays;
  const kept = line.adjustments.filter(({ group }) => group !== "PR" && group !== "OA");
  // Of group OA the part that others paid grows; the rest of it stays.
  const others = line.adjustments.filter(({ group }) => group === "OA");
  return {
    ...line,
    planPays: pays,
    otherPayers,
    patientShare: line.patientShare - pays,
    adjustments: [
      ...kept,
      ...without(
        line.adjustments.filter(({ group }) => group === "PR"),
        pays,
      ),
      ...others,
      ...(line.planPays === 0n
        ? []
        : [{ group: "OA" as const, reason: adjustmentReasons.priorPayer, amount: line.planPays }]),
    ],
  };
}

/** The adjustments less an amount, taken from the first on. */
function without(adjustments: readonly Adjustment[], amount: bigint): Adjustment[] {
  let left = amount;
  return adjustments.flatMap((adjustment) => {
    const taken = adjustment.amount < left ? adjustment.amount : left;
    left -= taken;
    return adjustment.amount === taken ? [] : [{ ...adjustment, amount: adjustment.amount - taken }];
  });
}
