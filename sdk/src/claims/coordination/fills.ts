import { CarepactError } from "../../errors";
import { formatDecimal, parseDecimal, type Decimal } from "../../money";
import {
  requireBalanced,
  unbalanced,
  type AdjudicatedClaim,
  type AdjudicatedLine,
  type Adjustment,
} from "../input/adjudicated";
import type { DispenseIdentity } from "../input/event";
import { requireDate } from "../input/identifiers";

/** A part of a prescription that was given. */
export interface PartFill {
  quantity: { value: string; unit?: string };
  /** What the line paid for it, in base units of the claim's currency. */
  paid: bigint;
}

/** What a completion is billed as. */
export interface Completion {
  claimId: string;
  /** ISO 8601 date of the completion. */
  dateOfService: string;
}

/**
 * The claim that completes a partly filled line: what is left of quantity and amounts, as one new line with an event of its
 * own (the next `partialFillNumber`). Parts and rest sum to the line exactly.
 * @param claim The claim as it was decided
 * @param lineNumber Its line that was partly filled
 * @param fills All parts so far
 * @throws FILLS_EXCEED_QUANTITY when the parts are as much as was billed or more; CLAIM_DOES_NOT_BALANCE when more was
 * paid than the line holds; INPUT_INVALID for a line without a quantity, another unit, or an event that is no fill; what
 * `requireBalanced` throws, and the AMOUNT_ codes
 */
export function completionOf(
  claim: AdjudicatedClaim,
  lineNumber: number,
  fills: readonly PartFill[],
  { claimId, dateOfService }: Completion,
): AdjudicatedClaim {
  const { line, event, left, all, scale, paid } = leftOf(claim, lineNumber, fills);
  const rest = restOf(line, paid, (amount) => (amount * (all - left)) / all);
  return requireBalanced({
    ...claim,
    claimId,
    charge: rest.charge,
    planPays: rest.planPays,
    lines: [
      {
        ...rest,
        event: {
          ...event,
          partialFillNumber: nextPart(event, fills),
          dateOfService: requireDate(dateOfService, "dateOfService"),
        },
        quantity: {
          value: formatDecimal({ digits: left, scale }),
          ...(line.quantity?.unit === undefined ? {} : { unit: line.quantity.unit }),
        },
      },
    ],
  });
}

/**
 * Holds a completion that the pharmacy billed itself against the line that it completes: the next part of the same fill, at
 * most as much as is left of its quantity, and of what this payer promised for it.
 * @throws as {@link completionOf}; INPUT_INVALID when it is another fill or part
 */
export function requireCompletion(
  claim: AdjudicatedClaim,
  lineNumber: number,
  fills: readonly PartFill[],
  completion: AdjudicatedClaim,
): void {
  const { event, left, scale, quantity, paid, line } = leftOf(claim, lineNumber, fills);
  requireBalanced(completion);
  const path = "completion.lines[0]";
  const [part, second] = completion.lines;
  if (part === undefined || second !== undefined) throw invalid("completion.lines", "are not one");
  const { event: billed } = part;
  const same =
    billed.kind === "dispense" &&
    billed.pharmacyNpi === event.pharmacyNpi &&
    billed.prescriptionReferenceNumber === event.prescriptionReferenceNumber &&
    billed.fillNumber === event.fillNumber &&
    billed.partialFillNumber === nextPart(event, fills);
  if (!same) throw invalid(`${path}.event`, `is not part ${nextPart(event, fills)} of the fill`);
  if (part.quantity === undefined || part.quantity.unit !== quantity.unit)
    throw invalid(`${path}.quantity`, "is missing, or in another unit than was billed");
  const exact = parseDecimal(part.quantity.value, `${path}.quantity.value`);
  const finest = Math.max(scale, exact.scale);
  if (digitsAt(exact, finest) > digitsAt({ digits: left, scale }, finest))
    throw exceeds(path, "sum of fills <= quantity billed", part.quantity.value, formatDecimal({ digits: left, scale }));
  const total = paid + part.planPays;
  if (total > line.planPays)
    throw unbalanced("sum of fills paid <= planPays", path, claim.currency, total, line.planPays);
}

const nextPart = ({ partialFillNumber = 1 }: DispenseIdentity, fills: readonly PartFill[]): number =>
  partialFillNumber + fills.length;

/** What is left of a line after its parts. Quantities are digits of one `scale`. */
function leftOf(claim: AdjudicatedClaim, lineNumber: number, fills: readonly PartFill[]) {
  requireBalanced(claim);
  const index = claim.lines.findIndex((entry) => entry.lineNumber === lineNumber);
  const line = claim.lines[index];
  const path = `lines[${index}]`;
  if (line === undefined) throw invalid("lineNumber", `${lineNumber} is no line of claim ${claim.claimId}`);
  const { event, quantity } = line;
  if (event.kind !== "dispense") throw invalid(`${path}.event`, "is no prescription fill");
  if (quantity === undefined) throw invalid(`${path}.quantity`, "is missing: no part of it can be told");

  const billed = parseDecimal(quantity.value, `${path}.quantity.value`);
  const filled = filledOf(fills, quantity.unit, billed.scale);
  const scale = Math.max(billed.scale, filled.scale);
  const [all, done] = [digitsAt(billed, scale), digitsAt(filled, scale)];
  if (done >= all) throw exceeds(path, "sum of fills < quantity billed", formatDecimal(filled), quantity.value);
  const paid = fills.reduce((sum, fill) => sum + fill.paid, 0n);
  if (paid > line.planPays)
    throw unbalanced("sum of fills paid <= planPays", path, claim.currency, paid, line.planPays);
  return { line, event, quantity, left: all - done, all, scale, paid };
}

const exceeds = (path: string, equation: string, left: string, right: string): CarepactError =>
  new CarepactError(
    "FILLS_EXCEED_QUANTITY",
    `${path} exceeds what was billed: ${equation} fails, ${left} against ${right}.`,
    { path, equation, left, right },
  );

function filledOf(fills: readonly PartFill[], unit: string | undefined, least: number): Decimal {
  if (fills.length === 0) throw invalid("fills", "are none: what was not filled at all is reversed or reclaimed");
  const quantities = fills.map(({ quantity, paid }, i) => {
    if (quantity.unit !== unit) throw invalid(`fills[${i}].quantity.unit`, "is not the unit that was billed");
    if (typeof paid !== "bigint" || paid < 0n) throw invalid(`fills[${i}].paid`, "is zero or more base units");
    return parseDecimal(quantity.value, `fills[${i}].quantity.value`);
  });
  const scale = quantities.reduce((most, quantity) => Math.max(most, quantity.scale), least);
  return { digits: quantities.reduce((sum, quantity) => sum + digitsAt(quantity, scale), 0n), scale };
}

const digitsAt = ({ digits, scale }: Decimal, to: number): bigint => digits * 10n ** BigInt(to - scale);

/**
 * A line less the part that was given. Of each adjustment the part is rounded down; the charge follows, so that both parts
 * balance.
 */
function restOf(line: AdjudicatedLine, paid: bigint, partOf: (amount: bigint) => bigint): AdjudicatedLine {
  const adjustments = line.adjustments.flatMap((entry): Adjustment[] => {
    const amount = entry.amount - partOf(entry.amount);
    return amount === 0n ? [] : [{ ...entry, amount }];
  });
  const inGroup = (group: Adjustment["group"]): bigint =>
    adjustments.reduce((sum, entry) => (entry.group === group ? sum + entry.amount : sum), 0n);
  const planPays = line.planPays - paid;
  const patientShare = inGroup("PR");
  const others = line.otherPayers - partOf(line.otherPayers);
  const otherPayers = others < inGroup("OA") ? others : inGroup("OA");
  return {
    ...line,
    adjustments,
    planPays,
    patientShare,
    otherPayers,
    allowed: planPays + patientShare + otherPayers,
    charge: planPays + adjustments.reduce((sum, { amount }) => sum + amount, 0n),
  };
}

const invalid = (path: string, problem: string): CarepactError =>
  new CarepactError("INPUT_INVALID", `${path} ${problem}.`, { path });
