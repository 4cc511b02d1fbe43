import { keccak256, toUtf8Bytes } from "ethers";

import { canonicalJson } from "../../encryption";
import { CarepactError } from "../../errors";
import { formatAmount, usDollar, type Currency, type Token } from "../../money";

import { adjustmentsOf, type BatchMoney } from "./adjustments";
import { claimsOf, decidedLine, reversedLine, statedLines, type ClaimLine } from "./claims";
import { counterOf, sumOf, type Counter } from "./money";
import type { DecidedLine, GroupStory, Movement } from "./replay";
import type { ForwardedBalance, Remittance, RemittanceQuery, RemittedAdjustment, ReversalInput } from "./types";

/** What a remittance is made of, read and checked. */
export interface Facts {
  chainId: number;
  escrow: string;
  payer: string;
  payee: string;
  token: Token;
  /** Unix seconds. */
  period: { from: number; to: number };
  /** First and last block of the period; the last may be before the first, if there is none. */
  blocks: { first: number; last: number };
  /** Of each batch that is known, up to the last block. */
  stories: readonly GroupStory[];
}

/** What the caller says beside. */
export type Said = Pick<
  RemittanceQuery,
  "statements" | "reversals" | "providerPayments" | "refundOrders" | "forwarded" | "unpaidReason" | "rankOf"
>;

const REFERENCE_LENGTH = 30;

/** TRN02: names chain, escrow, payer, payee, token and period, and nothing else. */
export function referenceOf({
  chainId,
  escrow,
  payer,
  payee,
  token,
  period,
}: Omit<Facts, "stories" | "blocks">): string {
  const named = { chainId, escrow, payer, payee, token: token.address, ...period };
  return keccak256(toUtf8Bytes(canonicalJson(named)))
    .slice(2, 2 + REFERENCE_LENGTH)
    .toUpperCase();
}

/**
 * Puts a remittance together.
 * @throws INPUT_INVALID, CURRENCY_MISMATCH, CLAIM_DOES_NOT_BALANCE, AMOUNT_TOO_PRECISE, REMITTANCE_UNBACKED
 */
export function buildRemittance(facts: Facts, said: Said): Remittance {
  const { payee, token, blocks, stories } = facts;
  const counter = counterOf(token, currencyOf(stories, said));
  const reference = referenceOf(facts);
  const isNow = ({ source }: { source: { blockNumber: number } }): boolean =>
    source.blockNumber >= blocks.first && source.blockNumber <= blocks.last;
  const linesOf = (decided: readonly DecidedLine[]): ClaimLine[] =>
    [...decided].sort(byPlace).map((line) => decidedLine(line, counter, said.unpaidReason));

  const paidNow = linesOf(stories.flatMap(({ decided }) => decided.filter(isNow)));
  const { claimLines, payments } = providerPaymentsOf(paidNow, said);
  const stated = (said.statements ?? []).flatMap((claim, i) =>
    statedLines(claim, "stated", { payee, counter, path: `statements[${i}]` }),
  );
  requireKnownBatches(said, stories);
  const reversals = (said.reversals ?? []).map((input, i) =>
    reversalOf(input, `reversals[${i}]`, { stories, linesOf, payee, counter }),
  );
  const lines = [...reversals.flatMap((one) => [...one.reversed, ...one.corrected]), ...claimLines, ...stated];

  const money = stories.map(({ group: { batchId }, movements }): BatchMoney => ({
    batchId,
    movements: movements.filter(isNow),
    refunded: sumOf(movements.filter(({ kind }) => kind === "repaid" || kind === "returned").map(amountOf)),
    reversed: sumOf(reversals.filter((one) => one.batchId === batchId).map(({ due }) => due)),
    forwarded: (said.forwarded ?? []).filter((balance) => balance.batchId === batchId),
    ordered: orderedOf(said, batchId, payee),
  }));
  const adjusted = money.map((one) => adjustmentsOf(one, counter, reference));
  const all = money.flatMap(({ movements }) => movements);
  return balanced(facts, counter, {
    reference,
    claims: claimsOf(lines, counter.currency, said.rankOf),
    adjustments: [...payments, ...adjusted.flatMap(({ adjustments }) => adjustments)],
    forwarded: adjusted.flatMap(({ forwarded }) => forwarded),
    credits: all.filter(({ kind }) => creditKinds.includes(kind)),
    retained: all.filter(({ kind }) => kind === "retained"),
    repaid: all.filter(({ kind }) => kind === "repaid"),
  });
}

const creditKinds: readonly Movement["kind"][] = ["settled", "awarded", "released", "bond"];
const amountOf = ({ amount }: Movement): bigint => amount;

function byPlace(a: DecidedLine, b: DecidedLine): number {
  const [one, other] = [a.line.detail, b.line.detail];
  return (
    a.source.blockNumber - b.source.blockNumber ||
    a.source.logIndex - b.source.logIndex ||
    (one.claimId < other.claimId ? -1 : one.claimId > other.claimId ? 1 : one.lineNumber - other.lineNumber)
  );
}

/** The one currency of every line that is known. */
function currencyOf(stories: readonly GroupStory[], { statements = [] }: Said): Currency {
  const currencies = [
    ...stories.flatMap(({ group }) => group.lines.map(({ detail }) => detail.currency)),
    ...statements.map(({ currency }) => currency),
  ];
  const [first = usDollar] = currencies;
  const other = currencies.find(({ code, decimals }) => code !== first.code || decimals !== first.decimals);
  if (other !== undefined)
    throw new CarepactError(
      "CURRENCY_MISMATCH",
      `A remittance is in one currency: some lines are in ${first.code}, some in ${other.code}.`,
      { currencies: [first.code, other.code] },
    );
  return first;
}

/** Lines that pay the payee, but no claim. */
function providerPaymentsOf(
  lines: readonly ClaimLine[],
  { providerPayments = [] }: Said,
): { claimLines: ClaimLine[]; payments: RemittedAdjustment[] } {
  const claimLines = [...lines];
  const payments = providerPayments.map(({ batchId, claimId, lineNumber, reason, reference = claimId }, i) => {
    const at = claimLines.findIndex(
      ({ claimId: id, line }) => id === claimId && line.lineNumber === lineNumber && line.source?.batchId === batchId,
    );
    const found = claimLines[at]?.line;
    if (found?.source === undefined || found.paid === 0n)
      throw new CarepactError(
        "INPUT_INVALID",
        `providerPayments[${i}]: no event of the period paid line ${lineNumber} of ${claimId} in batch ${batchId}.`,
        { path: `providerPayments[${i}]`, batchId, claimId, lineNumber },
      );
    claimLines.splice(at, 1);
    const { txHash, blockNumber, logIndex } = found.source;
    return { reason, reference, amount: -found.paid, source: { batchId, txHash, blockNumber, logIndex } };
  });
  return { claimLines, payments };
}

/** Whatever names a batch has to name one that is here: its money would be left out else. */
function requireKnownBatches(said: Said, stories: readonly GroupStory[]): void {
  const known = new Set(stories.map(({ group }) => group.batchId));
  const named: [string, string][] = [
    ...(said.forwarded ?? []).map(({ batchId }, i): [string, string] => [batchId, `forwarded[${i}]`]),
    ...(said.refundOrders ?? []).map(({ batchId }, i): [string, string] => [batchId, `refundOrders[${i}]`]),
  ];
  for (const [batchId, path] of named)
    if (!known.has(batchId))
      throw new CarepactError("INPUT_INVALID", `${path} names batch ${batchId}: hand it in with the batches.`, {
        path,
        batchId,
      });
}

/** What the payee agreed to return of a batch in all: of several orders the largest, since each counts all refunds. */
const orderedOf = ({ refundOrders = [] }: Said, batchId: string, payee: string): bigint =>
  refundOrders
    .filter((order) => order.batchId === batchId && order.payee === payee)
    .reduce((most, { upTo }) => (BigInt(upTo) > most ? BigInt(upTo) : most), 0n);

interface Reversal {
  batchId: string;
  reversed: ClaimLine[];
  corrected: ClaimLine[];
  /** What the payee has to return, base units of the currency. */
  due: bigint;
}

function reversalOf(
  { batchId, claimId, lineNumbers, corrected }: ReversalInput,
  path: string,
  {
    stories,
    linesOf,
    payee,
    counter,
  }: {
    stories: readonly GroupStory[];
    linesOf: (decided: readonly DecidedLine[]) => ClaimLine[];
    payee: string;
    counter: Counter;
  },
): Reversal {
  const story = stories.find(({ group }) => group.batchId === batchId);
  const decided = (story?.decided ?? []).filter(
    ({ line: { detail }, paid }) => detail.claimId === claimId && paid > 0n,
  );
  const wanted = decided.filter(({ line }) => lineNumbers?.includes(line.detail.lineNumber) ?? true);
  if (wanted.length === 0 || (lineNumbers !== undefined && wanted.length !== new Set(lineNumbers).size))
    throw new CarepactError(
      "INPUT_INVALID",
      `${path}: batch ${batchId} did not pay ${lineNumbers === undefined ? "" : "all of these lines of "}claim ${claimId} before the period's end.`,
      { path, batchId, claimId },
    );
  const reversed = linesOf(wanted).map(reversedLine);
  const inPlace =
    corrected === undefined ? [] : statedLines(corrected, "corrected", { payee, counter, path: `${path}.corrected` });
  const due = -sumOf([...reversed, ...inPlace].map(({ line }) => line.paid));
  if (due < 0n)
    throw new CarepactError(
      "INPUT_INVALID",
      `${path}.corrected pays more than was paid before: fund the difference, or the whole claim, in a batch.`,
      { path: `${path}.corrected`, claimId },
    );
  return { batchId, reversed, corrected: inPlace, due };
}

/** The remittance, its sums held against what the events say. */
function balanced(
  { chainId, escrow, payer, payee, token, period }: Facts,
  counter: Counter,
  made: {
    reference: string;
    claims: Remittance["claims"];
    adjustments: RemittedAdjustment[];
    forwarded: ForwardedBalance[];
    credits: Movement[];
    retained: Movement[];
    repaid: Movement[];
  },
): Remittance {
  const { reference, claims, adjustments, forwarded } = made;
  const repaid = counter.exact(sumOf(made.repaid.map(amountOf)), "repaid");
  // Each retention keeps back up to a whole unit, each release gives as much: what lies between is no payment yet.
  const roundedUp = (movements: readonly Movement[]): bigint =>
    sumOf(movements.map(({ amount }) => counter.inToken(counter.up(amount)) - amount));
  const remainder = roundedUp(made.retained) - roundedUp(made.credits.filter(({ kind }) => kind === "released"));
  const credited = counter.exact(sumOf(made.credits.map(amountOf)) - remainder, "credited");

  const net = credited - repaid;
  // A payment is never below zero: what was repaid beyond it came out of earlier payments, and was returned of these.
  const returned: RemittedAdjustment[] = net < 0n ? [{ reason: "72", reference, amount: net }] : [];
  const providerAdjustments = [...adjustments, ...returned];
  const payment = net < 0n ? 0n : net;
  const due = sumOf(claims.map(({ paid }) => paid)) - sumOf(providerAdjustments.map(({ amount }) => amount));
  if (due !== payment) {
    const [left, right] = [due, payment].map((amount) => formatAmount(amount, counter.currency));
    throw new CarepactError(
      "PAYMENT_DOES_NOT_BALANCE",
      `The remittance does not balance: claims less provider adjustments come to ${left}, the events say ${right}.`,
      { equation: "sum of CLP04 - sum of PLB = BPR02", left, right },
    );
  }
  return {
    reference,
    chainId,
    escrow,
    payer,
    payee,
    token,
    currency: counter.currency,
    period,
    claims,
    providerAdjustments,
    credited,
    repaid,
    payment,
    remainder,
    forwarded,
  };
}
