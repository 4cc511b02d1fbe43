import { CarepactError } from "../../errors";
import { rescaleAmount, type Currency } from "../../money";
import {
  requireBalanced,
  unbalanced,
  type AdjudicatedClaim,
  type AdjudicatedLine,
  type BalanceEquation,
} from "../input/adjudicated";
import { eventKeyOf, type EventIdentity } from "../input/event";
import { requireAddress } from "../types";

import { keptOf, requireFinal, type LineStanding } from "./standing";

/** One payer's answer to a claim that several payers cover. */
export type CoordinatedAnswer = {
  /** Account whose pool pays. */
  payer: string;
  /** Whether it is the patient's own health account, which comes after all plans and pays the patient's share. */
  healthAccount?: boolean;
} & (
  | {
      adjudicated: AdjudicatedClaim;
      /**
       * How its lines stand, where it settled before the next payer decided: then what it paid counts, and not what it
       * promised.
       */
      settled?: readonly LineStanding[];
    }
  /** Why it pays nothing. A rejection wins over whatever was said before: leave out an earlier answer of this payer. */
  | { denied: string }
);

/** What one payer does about a claim. */
export interface PayerShare {
  payer: string;
  /** X12 SBR01 P, S, T; `other` beyond these. */
  role: "primary" | "secondary" | "tertiary" | "other" | "healthAccount";
  /** Base units of the claim's currency. */
  pays: bigint;
  denied?: string;
  /** What it has to fund, in a batch of its own; absent where it pays nothing or settled before. */
  fund?: AdjudicatedClaim;
}

/** What becomes of the charge of one line. Base units of the claim's currency. */
export interface CoordinatedLine {
  event: EventIdentity;
  charge: bigint;
  /** By payer, in order. */
  payments: bigint[];
  patientShare: bigint;
  /** What nobody pays: contractual, or adjudicated for what was not done. */
  adjustments: bigint;
}

/** A claim that several payers cover: payers + patient + adjustments = charge. Base units of its currency. */
export interface Coordination {
  payee: string;
  currency: Currency;
  charge: bigint;
  /** In order of responsibility. */
  shares: PayerShare[];
  /** What is left to the patient after the last payer. */
  patientShare: bigint;
  adjustments: bigint;
  lines: CoordinatedLine[];
}

interface Answer {
  path: string;
  payer: string;
  healthAccount: boolean;
  claim: AdjudicatedClaim;
  lines: ReadonlyMap<string, AdjudicatedLine>;
  /** What it pays for an event. */
  paysFor: (line: AdjudicatedLine) => bigint;
  settled: boolean;
}

const roles = ["primary", "secondary", "tertiary"] as const;

/**
 * Holds the answers of all payers of one claim against each other, in order of responsibility: each balances by itself,
 * all are about the same events, payee and charge, each was told what those before it paid, and payers, patient and
 * adjustments sum to the charge, by line and as a whole. What is left to the patient is what the last answer says. A payer
 * that denied pays nothing, and those after it may pay all the same.
 * @throws COORDINATION_INVALID when the answers are not to one claim in one order; COORDINATION_UNSETTLED when a line in
 * `settled` is not final; CLAIM_DOES_NOT_BALANCE, `details.equation` naming the sum; what `requireBalanced` throws;
 * CURRENCY_MISMATCH, AMOUNT_TOO_PRECISE, IDENTIFIER_INVALID
 */
export function coordinate(answers: readonly CoordinatedAnswer[]): Coordination {
  requireOrder(answers);
  const given = answers.flatMap((answer, i) => answerOf(answer, `payers[${i}]`) ?? []);
  const [first] = given;
  const last = given.at(-1);
  if (first === undefined || last === undefined)
    throw invalid("payers", "have no answer but denials: nothing is paid, and nothing is left to coordinate");
  for (const answer of given) requireSameClaim(first, answer);

  const { currency, payee } = first.claim;
  const lines = [...first.lines].map(([key, { event, charge }]) => {
    const payments = new Map<string, bigint>();
    let before: AdjudicatedLine | undefined;
    for (const { path, payer, healthAccount, lines: own, paysFor } of given) {
      const line = own.get(key) as AdjudicatedLine;
      const at = `${path}, line ${line.lineNumber}`;
      const check = (equation: BalanceEquation, left: bigint, right: bigint): void => {
        if (left !== right) throw unbalanced(equation, at, currency, left, right);
      };
      check("charge of every payer = charge", line.charge, charge);
      check("otherPayers = sum of payments before", line.otherPayers, sum([...payments.values()]));
      if (healthAccount && before !== undefined)
        check(
          "patientShare = share before - account's payment",
          line.patientShare,
          before.patientShare - line.planPays,
        );
      payments.set(payer, paysFor(line));
      before = line;
    }
    const final = last.lines.get(key) as AdjudicatedLine;
    const line: CoordinatedLine = {
      event,
      charge,
      payments: answers.map(({ payer }) => payments.get(requireAddress(payer, "payer")) ?? 0n),
      patientShare: final.patientShare,
      adjustments: adjustmentsOf(final) + final.planPays - last.paysFor(final),
    };
    const total = sum(line.payments) + line.patientShare + line.adjustments;
    if (total !== charge)
      throw unbalanced("payers + patient + adjustments = charge", `line ${final.lineNumber}`, currency, total, charge);
    return line;
  });

  const shares = answers.map((answer, i): PayerShare => {
    const payer = requireAddress(answer.payer, "payer");
    const known = given.find((one) => one.payer === payer);
    return {
      payer,
      role: answer.healthAccount === true ? "healthAccount" : (roles[i] ?? "other"),
      pays: sum(lines.map(({ payments }) => payments[i] ?? 0n)),
      ...("denied" in answer ? { denied: answer.denied } : {}),
      ...(known === undefined || known.settled || known.claim.planPays === 0n ? {} : { fund: known.claim }),
    };
  });
  const patientShare = sum(lines.map((line) => line.patientShare));
  const adjustments = sum(lines.map((line) => line.adjustments));
  const total = sum(shares.map(({ pays }) => pays)) + patientShare + adjustments;
  if (total !== first.claim.charge)
    throw unbalanced("payers + patient + adjustments = charge", "claim", currency, total, first.claim.charge);
  return { payee, currency, charge: first.claim.charge, shares, patientShare, adjustments, lines };
}

/**
 * What each payer funds of several coordinated claims, in one batch for each payer, those first that answer first.
 * @throws COORDINATION_INVALID when a payer would pay for one event twice
 */
export function fundingOf(
  coordinations: readonly Coordination[],
): { payer: string; adjudicated: AdjudicatedClaim[] }[] {
  const rank = (share: PayerShare): number => [...roles, "other", "healthAccount"].indexOf(share.role);
  const shares = coordinations.flatMap(({ shares }) => shares).sort((a, b) => rank(a) - rank(b));
  const byPayer = new Map<string, AdjudicatedClaim[]>();
  const seen = new Set<string>();
  for (const { payer, fund } of shares) {
    if (fund === undefined) continue;
    for (const { event, lineNumber } of fund.lines) {
      const key = `${payer} ${eventKeyOf(event)}`;
      if (seen.has(key))
        throw invalid("coordinations", `have ${payer} pay for one event twice`, {
          payer,
          claimId: fund.claimId,
          lineNumber,
        });
      seen.add(key);
    }
    byPayer.set(payer, [...(byPayer.get(payer) ?? []), fund]);
  }
  return [...byPayer].map(([payer, adjudicated]) => ({ payer, adjudicated }));
}

function requireOrder(answers: readonly CoordinatedAnswer[]): void {
  const seen = new Set<string>();
  answers.forEach(({ payer, healthAccount }, i) => {
    const path = `payers[${i}]`;
    const account = requireAddress(payer, `${path}.payer`);
    if (seen.has(account)) throw invalid(path, "answers for a second time: one answer of each payer counts");
    seen.add(account);
    if (healthAccount === true && i !== answers.length - 1)
      throw invalid(path, "is the patient's health account: it comes after all plans");
  });
}

function answerOf(answer: CoordinatedAnswer, path: string): Answer | undefined {
  if ("denied" in answer) return undefined;
  const { adjudicated: claim, settled, healthAccount = false } = answer;
  requireBalanced(claim);
  const payer = requireAddress(answer.payer, `${path}.payer`);
  const paid = settled === undefined ? undefined : paymentsOf(settled, claim, payer, path);
  return {
    path,
    payer,
    healthAccount,
    claim,
    lines: new Map(claim.lines.map((line) => [eventKeyOf(line.event), line])),
    paysFor: (line) => (paid === undefined ? line.planPays : (paid.get(eventKeyOf(line.event)) ?? 0n)),
    settled: paid !== undefined,
  };
}

/** What a payer paid for each event of its claim in the end. */
function paymentsOf(
  settled: readonly LineStanding[],
  claim: AdjudicatedClaim,
  payer: string,
  path: string,
): Map<string, bigint> {
  const paid = new Map<string, bigint>();
  settled.forEach((standing, i) => {
    requireFinal(standing);
    const key = eventKeyOf(standing.line.event);
    const line = claim.lines.find(({ event }) => eventKeyOf(event) === key);
    const at = `${path}.settled[${i}]`;
    if (standing.payer !== payer) throw invalid(at, "is of a batch of another payer", { payer: standing.payer });
    if (line === undefined) throw invalid(at, "is of an event that the claim does not bill");
    if (paid.has(key)) throw invalid(at, "is of an event that is there already");
    paid.set(key, rescaleAmount(keptOf(standing), standing.token, claim.currency, at));
  });
  const missing = claim.lines.find(({ event, planPays }) => planPays > 0n && !paid.has(eventKeyOf(event)));
  if (missing !== undefined)
    throw invalid(`${path}.settled`, `says nothing about line ${missing.lineNumber}`, {
      lineNumber: missing.lineNumber,
    });
  return paid;
}

function requireSameClaim(first: Answer, { path, claim, lines }: Answer): void {
  const { currency, payee } = first.claim;
  if (claim.currency.code !== currency.code || claim.currency.decimals !== currency.decimals)
    throw new CarepactError("CURRENCY_MISMATCH", "All payers of a claim answer in one currency.", {
      path: `${path}.adjudicated.currency`,
      currency: claim.currency.code,
      expected: currency.code,
    });
  if (requireAddress(claim.payee, "payee") !== requireAddress(payee, "payee"))
    throw invalid(`${path}.adjudicated.payee`, "is not the payee of the first answer", { payee: claim.payee });
  const others = claim.lines.filter(({ event }) => !first.lines.has(eventKeyOf(event)));
  const missing = first.claim.lines.filter(({ event }) => !lines.has(eventKeyOf(event)));
  if (others.length > 0 || missing.length > 0)
    throw invalid(`${path}.adjudicated.lines`, "are not of the same events as those of the first answer", {
      others: others.map(({ lineNumber }) => lineNumber),
      missing: missing.map(({ lineNumber }) => lineNumber),
    });
}

/** What of a line neither patient nor other payers pay. */
const adjustmentsOf = ({ adjustments, patientShare, otherPayers }: AdjudicatedLine): bigint =>
  sum(adjustments.map(({ amount }) => amount)) - patientShare - otherPayers;

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);

const invalid = (path: string, problem: string, details: Record<string, unknown> = {}): CarepactError =>
  new CarepactError("COORDINATION_INVALID", `${path} ${problem}.`, { path, ...details });
