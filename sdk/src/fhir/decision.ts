import type { ClaimDecision, LineDecision } from "../claims/input/adjudicate";
import { adjustmentReasons, type AdjustmentInput } from "../claims/input/adjustments";
import { CarepactError } from "../errors";
import { formatAmount, parseAmount, type DecimalInput } from "../money";

import { amountAt } from "./answer";
import { detailedAmount, statedAmount, type AddedPart, type AnsweredPart } from "./adjudications";
import { mismatchOf, sumFails } from "./amounts";
import type { ChargedClaim, ChargedLine } from "./claim";
import type { ReadClaimResponse } from "./claimResponse";
import { requireFundable } from "./financial";
import { ElementReader, type Element } from "./read";

/** What a ClaimResponse does not say. */
export interface DecisionOptions extends Omit<ClaimDecision, "lines"> {
  /** What payers before this one paid, by `Claim.item.sequence`: FHIR has no category for it. */
  otherPayers?: Readonly<Record<number, DecimalInput>>;
}

const read = new ElementReader("INPUT_INVALID");

/**
 * The decision that a ClaimResponse makes on a claim, for `adjudicate`. By line: `allowed` is what was eligible, the plan
 * pays the benefit, and what is left of the allowed amount is the patient's: deductible and copay as stated, the rest as
 * coinsurance. What the charge is above the allowed amount is contractual. Items that the payer added count for the one
 * item that they stand for.
 * @throws CLAIM_NOT_FUNDABLE for what is not a complete, active answer to a claim; CLAIM_DECISION_MISMATCH if it answers
 * another claim, or items that no line can be told of; CLAIM_DOES_NOT_BALANCE where a line, or the total submitted, does
 * not; CURRENCY_MISMATCH, and the AMOUNT_ codes
 */
export function decisionOf(
  response: ReadClaimResponse,
  claim: ChargedClaim,
  { otherPayers = {}, ...options }: DecisionOptions,
): ClaimDecision {
  requireFundable(response);
  requireFundable(claim);
  requireAnswerTo(response, claim);
  const added = new Map<number, AddedPart[]>();
  response.added.forEach((part, i) => {
    const [sequence, second] = part.itemSequences;
    if (sequence === undefined || second !== undefined)
      throw mismatch(
        claim,
        `ClaimResponse.addItem[${i}].itemSequence`,
        "names not exactly one item: its line is unknown",
      );
    added.set(sequence, [...(added.get(sequence) ?? []), part]);
  });
  const answered = new Map<number, (AnsweredPart | AddedPart)[]>(
    response.items.map((item) => [item.sequence, [item, ...(added.get(item.sequence) ?? [])]]),
  );
  for (const [sequence, parts] of added) if (!answered.has(sequence)) answered.set(sequence, parts);

  const lines = claim.lines.flatMap((line) => {
    const parts = answered.get(line.sequence);
    return parts === undefined ? [] : [lineDecision(response, line, parts, otherPayers[line.sequence] ?? "0")];
  });
  const asked = new Set(claim.lines.map(({ sequence }) => sequence));
  const unasked = [...answered.keys()].filter((sequence) => !asked.has(sequence));
  if (lines.length !== claim.lines.length || unasked.length > 0)
    throw mismatch(claim, "ClaimResponse.item", "answers other items than the claim has", { unasked });
  return { ...options, lines };
}

/** The claim that is answered is named, and what was submitted is what it charges. */
function requireAnswerTo(response: ReadClaimResponse, claim: ChargedClaim): void {
  const names = read
    .list((claim.resource as Element)["identifier"], "Claim.identifier")
    .map((entry, i) => read.element(entry, `Claim.identifier[${i}]`))
    .flatMap(({ system, value }) =>
      typeof value !== "string" ? [] : [typeof system === "string" ? `${system}|${value}` : value],
    );
  const { request } = response;
  // A literal reference may be absolute, or name a version.
  const literal = request?.replace(/\/_history\/.*$/, "");
  const isNamed =
    request !== undefined &&
    (names.includes(request) ||
      request === claim.claimId ||
      literal === `Claim/${claim.claimId}` ||
      literal?.endsWith(`/Claim/${claim.claimId}`) === true);
  if (!isNamed)
    throw mismatch(claim, "ClaimResponse.request", request === undefined ? "is missing" : "is another claim");
  if (response.currency.code !== claim.currency.code || response.currency.decimals !== claim.currency.decimals)
    throw new CarepactError("CURRENCY_MISMATCH", "Claim and answer are in different currencies.", {
      path: "ClaimResponse",
      currency: response.currency.code,
      expected: claim.currency.code,
    });
  const index = response.totals.findIndex(({ category }) => category === "submitted");
  const submitted = response.totals[index]?.amount;
  if (submitted !== undefined && submitted !== claim.total)
    throw sumFails(
      "CLAIM_DOES_NOT_BALANCE",
      mismatchOf(
        `ClaimResponse.total[${index}].amount`,
        "total submitted = charge",
        submitted,
        claim.total,
        claim.currency,
      ),
    );
}

function lineDecision(
  response: ReadClaimResponse,
  line: ChargedLine,
  parts: readonly (AnsweredPart | AddedPart)[],
  others: DecimalInput,
): LineDecision {
  const { currency, level } = response;
  const path = `ClaimResponse.item[sequence ${line.sequence}]`;
  const stated = (category: string): bigint | undefined => {
    const amounts = parts.flatMap((part) => {
      const own = category === "benefit" ? amountAt(level, part, category) : statedAmount(part, category);
      return own ?? detailedAmount(part, category) ?? [];
    });
    return amounts.length === 0 ? undefined : amounts.reduce((sum, amount) => sum + amount, 0n);
  };
  const benefit = stated("benefit");
  if (benefit === undefined)
    throw new CarepactError("CLAIM_DECISION_MISMATCH", `${path} states no benefit: what the plan pays is not told.`, {
      path,
      sequence: line.sequence,
    });
  const otherPayers = parseAmount(others, currency, `otherPayers[${line.sequence}]`);
  const deductible = (stated("deductible") ?? 0n) + (stated("unallocdeduct") ?? 0n);
  const copay = stated("copay") ?? 0n;
  const allowed = stated("eligible") ?? benefit + otherPayers + deductible + copay;
  const rest = allowed - benefit - otherPayers - deductible - copay;
  const check = (equation: string, left: bigint, right: bigint): void => {
    if (left > right) throw sumFails("CLAIM_DOES_NOT_BALANCE", mismatchOf(path, equation, left, right, currency));
  };
  check("benefit + other payers + deductible + copay <= eligible", allowed - rest, allowed);
  check("eligible <= charge", allowed, line.charge);

  const amounts = [
    ["CO", adjustmentReasons.feeSchedule, line.charge - allowed],
    ["PR", adjustmentReasons.deductible, deductible],
    ["PR", adjustmentReasons.coinsurance, rest],
    ["PR", adjustmentReasons.copay, copay],
    ["OA", adjustmentReasons.priorPayer, otherPayers],
  ] as const;
  const show = (amount: bigint): string => formatAmount(amount, currency);
  return {
    sequence: line.sequence,
    allowed: show(allowed),
    patientShare: show(deductible + rest + copay),
    otherPayers: show(otherPayers),
    planPays: show(benefit),
    adjustments: amounts.flatMap(([group, reason, amount]): AdjustmentInput[] =>
      amount === 0n ? [] : [{ group, reason, amount: show(amount) }],
    ),
  };
}

const mismatch = (
  { claimId }: ChargedClaim,
  path: string,
  problem: string,
  details: Record<string, unknown> = {},
): CarepactError => new CarepactError("CLAIM_DECISION_MISMATCH", `${path} ${problem}.`, { path, claimId, ...details });
