import type { Json } from "../errors";
import type { Currency } from "../money";

import {
  categoryAt,
  detailedAmount,
  readAdded,
  readParts,
  statedAmount,
  type AddedPart,
  type AnsweredPart,
  type PartNames,
} from "./adjudications";
import { mismatchOf, moneyAt, signedMoneyAt, sumFails, type SumMismatch } from "./amounts";
import { kindOf, resourceIdOf, type FhirClaimKind } from "./financial";
import { ElementReader, type Element } from "./read";

/** What a payer's answer says about money that moved. Amounts in base units. */
export interface StatedPayment {
  amount: bigint;
  /** What was kept back for another reason than this claim, such as an overpayment before; below zero if it was added. */
  adjustment: bigint;
  /** `system|code`. */
  adjustmentReason?: string;
  date?: string;
  /** `system|value`. */
  identifier?: string;
}

/** What a ClaimResponse and an ExplanationOfBenefit have in common. Amounts in base units of `currency`. */
export interface PayersAnswer {
  /** Its `id`, or else `system|value` of the first identifier. */
  id: string;
  kind: FhirClaimKind;
  use: "claim" | "preauthorization" | "predetermination";
  status: "active" | "cancelled" | "draft" | "entered-in-error";
  outcome: "queued" | "complete" | "error" | "partial";
  disposition?: string;
  created?: string;
  /** The payer: a literal reference, or `system|value`. */
  insurer: string;
  currency: Currency;
  items: AnsweredPart[];
  added: AddedPart[];
  totals: { category: string; amount: bigint }[];
  /** What the payer gives for all of it; absent where the answer says nothing about it. */
  benefit?: bigint;
  /** Which parts sum to the totals: the items as they stand, or the details of those that have some. */
  level: "item" | "detail";
  payment?: StatedPayment;
  /** Sums below the totals that fail, and no money depends on. */
  mismatches: SumMismatch[];
  /** The resource as it came in. */
  resource: Json;
}

const uses = ["claim", "preauthorization", "predetermination"] as const;
const statuses = ["active", "cancelled", "draft", "entered-in-error"] as const;
const outcomes = ["queued", "complete", "error", "partial"] as const;

const read = new ElementReader("INPUT_INVALID");

/**
 * Reads what both kinds of answer have, and checks the sums that money depends on: each total is the sum of the items, or
 * of their details, in its category, and what was paid is the total benefit less the payment's own adjustment.
 * @throws INPUT_INVALID, CLAIM_DOES_NOT_BALANCE, CURRENCY_MISMATCH, and the AMOUNT_ codes
 */
export function readAnswer(
  plain: Json,
  type: "ClaimResponse" | "ExplanationOfBenefit",
  names: PartNames,
  currency: Currency,
): { answer: PayersAnswer; resource: Element } {
  const resource = read.resource(plain, type);
  const items = readParts(resource, type, names, currency);
  const added = readAdded(resource, type, currency);
  const totals = readTotals(resource, type, currency);
  const payment = readPayment(resource, type, currency);
  const level = levelOf({ items, added, totals }, type, currency);
  const benefit =
    totals.find(({ category }) => category === "benefit")?.amount ??
    sumOf([...items, ...added], (part) => amountAt(level, part, "benefit"));
  requirePayment(payment, benefit, type, currency);

  const disposition = read.optionalText(resource["disposition"], `${type}.disposition`);
  const created = read.date(resource["created"], `${type}.created`);
  const answer: PayersAnswer = {
    id: resourceIdOf(read, resource, type),
    kind: kindOf(read, resource["type"], `${type}.type`),
    use: read.code(resource["use"], uses, `${type}.use`),
    status: read.code(resource["status"], statuses, `${type}.status`),
    outcome: read.code(resource["outcome"], outcomes, `${type}.outcome`),
    ...(disposition === undefined ? {} : { disposition }),
    ...(created === undefined ? {} : { created }),
    insurer: read.reference(resource["insurer"], `${type}.insurer`),
    currency,
    items,
    added,
    totals,
    ...(benefit === undefined ? {} : { benefit }),
    level,
    ...(payment === undefined ? {} : { payment }),
    mismatches: [
      ...items.flatMap((item, i) => summaryMismatches(item, `${type}.item[${i}]`, ["detail", "subDetail"], currency)),
      ...added.flatMap((item, i) =>
        summaryMismatches(item, `${type}.addItem[${i}]`, ["detail", "subDetail"], currency),
      ),
    ],
    resource: plain,
  };
  return { answer, resource };
}

/** Amount of an item in one category, on the level that the totals are made of. */
export const amountAt = (
  level: PayersAnswer["level"],
  part: Pick<AnsweredPart, "adjudication" | "details">,
  category: string,
): bigint | undefined => (level === "item" ? statedAmount : detailedAmount)(part, category);

/** The sum of what is stated; undefined where nothing is. */
function sumOf<Part>(parts: readonly Part[], amountOf: (part: Part) => bigint | undefined): bigint | undefined {
  const amounts = parts.flatMap((part) => amountOf(part) ?? []);
  return amounts.length === 0 ? undefined : amounts.reduce((sum, amount) => sum + amount, 0n);
}

function readTotals(resource: Element, type: string, currency: Currency): PayersAnswer["totals"] {
  const totals = read.list(resource["total"], `${type}.total`).map((entry, i) => {
    const path = `${type}.total[${i}]`;
    const total = read.element(entry, path);
    const category = categoryAt(total["category"], `${path}.category`);
    const amount = moneyAt(read, total["amount"], `${path}.amount`, currency);
    if (amount === undefined) throw read.refuse(`${path}.amount`, "is missing");
    return { category, amount };
  });
  totals.forEach(({ category }, i) => {
    if (totals.findIndex((other) => other.category === category) !== i)
      throw read.refuse(`${type}.total[${i}].category`, `repeats ${category}`, { value: category });
  });
  return totals;
}

function readPayment(resource: Element, type: string, currency: Currency): StatedPayment | undefined {
  if (resource["payment"] === undefined) return undefined;
  const path = `${type}.payment`;
  const payment = read.element(resource["payment"], path);
  read.noModifiers(payment, path);
  const amount = moneyAt(read, payment["amount"], `${path}.amount`, currency);
  if (amount === undefined) throw read.refuse(`${path}.amount`, "is missing");
  const { adjustmentReason: why, identifier: id } = payment;
  const date = read.date(payment["date"], `${path}.date`);
  return {
    amount,
    adjustment: signedMoneyAt(read, payment["adjustment"], `${path}.adjustment`, currency) ?? 0n,
    ...(why === undefined ? {} : { adjustmentReason: read.concept(why, `${path}.adjustmentReason`) }),
    ...(date === undefined ? {} : { date }),
    ...(id === undefined ? {} : { identifier: read.identifier(id, `${path}.identifier`) }),
  };
}

/**
 * Which level the totals are made of. HL7 calls an item with details a summary of them, and its own example R3502 states
 * one that is not: there the total says which of the two it means.
 * @throws CLAIM_DOES_NOT_BALANCE when a total is the sum of neither
 */
function levelOf(
  { items, added, totals }: Pick<PayersAnswer, "items" | "added" | "totals">,
  type: string,
  currency: Currency,
): PayersAnswer["level"] {
  const parts = [...items, ...added];
  const fits = (level: PayersAnswer["level"]): SumMismatch | undefined => {
    for (const [i, { category, amount }] of totals.entries()) {
      const sum =
        category === "submitted" ? submittedOf(items, added) : sumOf(parts, (part) => amountAt(level, part, category));
      // Where nothing was decided item by item, as in an error, the total stands alone.
      if (sum !== undefined && sum !== amount)
        return mismatchOf(
          `${type}.total[${i}].amount`,
          `sum of items' ${category} = total ${category}`,
          sum,
          amount,
          currency,
        );
    }
    return undefined;
  };
  const byItem = fits("item");
  if (byItem === undefined) return "item";
  if (fits("detail") === undefined) return "detail";
  throw sumFails("CLAIM_DOES_NOT_BALANCE", byItem);
}

/** What was asked for, where every item repeats it; of an answer that added all of its items, these. */
function submittedOf(items: readonly AnsweredPart[], added: readonly AddedPart[]): bigint | undefined {
  const parts: readonly Pick<AnsweredPart, "adjudication" | "net">[] = items.length === 0 ? added : items;
  const amounts = parts.map((part) => statedAmount(part, "submitted") ?? part.net);
  return amounts.length === 0 || amounts.includes(undefined)
    ? undefined
    : amounts.reduce<bigint>((sum, amount) => sum + (amount ?? 0n), 0n);
}

function requirePayment(
  payment: StatedPayment | undefined,
  benefit: bigint | undefined,
  type: string,
  currency: Currency,
): void {
  if (payment === undefined) return;
  const due = (benefit ?? 0n) - payment.adjustment;
  if (due === payment.amount) return;
  const equation = "total benefit - payment adjustment = payment amount";
  throw sumFails(
    "CLAIM_DOES_NOT_BALANCE",
    mismatchOf(`${type}.payment.amount`, equation, due, payment.amount, currency),
  );
}

/** Where a part's benefit is not the sum of those of its details. */
function summaryMismatches(
  part: Pick<AnsweredPart, "adjudication" | "details">,
  path: string,
  [list, ...deeper]: readonly string[],
  currency: Currency,
): SumMismatch[] {
  const [stated, sum] = [statedAmount(part, "benefit"), sumOf(part.details, (entry) => statedAmount(entry, "benefit"))];
  const here =
    stated === undefined || sum === undefined || stated === sum
      ? []
      : [mismatchOf(`${path}.adjudication`, "benefit = sum of details' benefit", stated, sum, currency)];
  return [
    ...here,
    ...part.details.flatMap((detail, i) => summaryMismatches(detail, `${path}.${list}[${i}]`, deeper, currency)),
  ];
}
