import { CarepactError } from "../../errors";
import type { ChargedClaim, ChargedLine } from "../../fhir";
import { requireFundable } from "../../fhir/financial";
import { parseAmount, type DecimalInput } from "../../money";

import { requireBalanced, type AdjudicatedClaim, type AdjudicatedLine } from "./adjudicated";
import { impliedAdjustments, parseAdjustments, type AdjustmentInput } from "./adjustments";
import type { EventIdentity } from "./event";
import { requirePayee } from "./identifiers";
import type { Sensitivity } from "./pharmacy";

/** A payer's answer to one item of a claim. Amounts are decimals in the claim's currency, best as strings. */
export interface LineDecision {
  /** `Claim.item.sequence`. */
  sequence: number;
  allowed: DecimalInput;
  /** Zero unless stated. */
  patientShare?: DecimalInput;
  /** Zero unless stated. */
  otherPayers?: DecimalInput;
  /** Left out: contractual down to `allowed`, the patient's share as copay, other payers as theirs. */
  adjustments?: AdjustmentInput[];
  /** Checked where stated; otherwise allowed - patientShare - otherPayers. */
  planPays?: DecimalInput;
  /** The event the item is paid for, where it is known more closely than by the claim: a fill, a laboratory test. */
  event?: EventIdentity;
}

/** A payer's answer to a claim. */
export interface ClaimDecision {
  /** Account of the provider, as the directory gave it. */
  payee: string | undefined;
  /** One entry for every item of the claim. */
  lines: LineDecision[];
  sensitivity?: Sensitivity;
  consentReference?: string;
}

/**
 * Puts a payer's decision on a FHIR claim.
 * @throws CLAIM_NOT_FUNDABLE, CLAIM_DECISION_MISMATCH, CLAIM_DOES_NOT_BALANCE, CLAIM_DUPLICATE_LINE, PAYEE_UNKNOWN, and the AMOUNT_ codes
 */
export function adjudicate(claim: ChargedClaim, decision: ClaimDecision): AdjudicatedClaim {
  requireFundable(claim);
  const answers = new Map(decision.lines.map((line) => [line.sequence, line]));
  const sequences = claim.lines.map((line) => line.sequence);
  const unanswered = sequences.filter((sequence) => !answers.has(sequence));
  const unasked = decision.lines.filter((line) => !sequences.includes(line.sequence)).map((line) => line.sequence);
  if (unanswered.length > 0 || unasked.length > 0 || answers.size !== decision.lines.length)
    throw new CarepactError(
      "CLAIM_DECISION_MISMATCH",
      `A decision on claim ${claim.claimId} needs exactly one answer for each of its items ${sequences.join(", ")}.`,
      { claimId: claim.claimId, unanswered, unasked },
    );

  const lines = claim.lines.map((line) => decide(claim, line, answers.get(line.sequence) as LineDecision));
  return requireBalanced({
    claimId: claim.claimId,
    kind: claim.kind,
    payee: requirePayee(decision.payee, `provider ${claim.provider}`),
    currency: claim.currency,
    charge: claim.total,
    planPays: lines.reduce((sum, line) => sum + line.planPays, 0n),
    lines,
    ...(decision.sensitivity === undefined ? {} : { sensitivity: decision.sensitivity }),
    ...(decision.consentReference === undefined ? {} : { consentReference: decision.consentReference }),
    resource: claim.resource,
  });
}

function decide(claim: ChargedClaim, line: ChargedLine, answer: LineDecision): AdjudicatedLine {
  const path = `decision.lines[sequence ${line.sequence}]`;
  const amount = (name: "allowed" | "patientShare" | "otherPayers"): bigint =>
    answer[name] === undefined ? 0n : parseAmount(answer[name], claim.currency, `${path}.${name}`);
  const amounts = {
    charge: line.charge,
    allowed: amount("allowed"),
    patientShare: amount("patientShare"),
    otherPayers: amount("otherPayers"),
  };
  return {
    lineNumber: line.sequence,
    event: answer.event ?? itemIdentityOf(claim, line),
    ...(line.quantity === undefined ? {} : { quantity: line.quantity }),
    ...amounts,
    adjustments:
      answer.adjustments === undefined
        ? impliedAdjustments(amounts)
        : parseAdjustments(answer.adjustments, claim.currency, path),
    planPays:
      answer.planPays === undefined
        ? amounts.allowed - amounts.patientShare - amounts.otherPayers
        : parseAmount(answer.planPays, claim.currency, `${path}.planPays`),
  };
}

function itemIdentityOf(claim: ChargedClaim, line: ChargedLine): EventIdentity {
  const serviced = line.serviced?.start ?? line.serviced?.end;
  return {
    kind: "claimItem",
    provider: claim.provider,
    claimId: claim.claimId,
    itemSequence: line.sequence,
    productOrService: line.productOrService,
    ...(serviced === undefined ? {} : { serviced }),
  };
}
