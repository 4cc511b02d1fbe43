import { formatDecimal, parseDecimal, type Currency } from "../money";

import { moneyAt } from "./amounts";
import { ElementReader, type Element } from "./read";

/** HL7's categories of adjudication, by their code alone; a category of another system is `system|code`. */
export const adjudicationCategories = [
  "submitted",
  "copay",
  "eligible",
  "deductible",
  "unallocdeduct",
  "eligpercent",
  "tax",
  "benefit",
] as const;

const CATEGORY_SYSTEM = "http://terminology.hl7.org/CodeSystem/adjudication";

/** What a payer says of a part of a claim in one category. */
export interface Adjudication {
  /** One of HL7's {@link adjudicationCategories}, or `system|code` of another. */
  category: string;
  /** `system|code`. */
  reason?: string;
  /** Base units. */
  amount?: bigint;
  /** Decimal without a currency: a percentage. */
  value?: string;
}

/** An item, detail or subDetail with the payer's answer. */
export interface AnsweredPart {
  sequence: number;
  /** What was asked for, in base units, where the answer repeats it (ExplanationOfBenefit). */
  net?: bigint;
  adjudication: Adjudication[];
  details: AnsweredPart[];
}

/** What the payer put in the place of what was asked, or beside it (`addItem`). */
export interface AddedPart extends Omit<AnsweredPart, "sequence"> {
  /** Items of the claim that it stands for. */
  itemSequences: number[];
  /** `system|code`. */
  productOrService: string;
}

/** Names of the elements of one resource that hold the parts of a claim and their numbers. */
export interface PartNames {
  item: string;
  detail: string;
  subDetail: string;
}

const read = new ElementReader("INPUT_INVALID");

/** Reads `item` of an answer. @throws INPUT_INVALID, CURRENCY_MISMATCH, and the AMOUNT_ codes */
export function readParts(resource: Element, type: string, names: PartNames, currency: Currency): AnsweredPart[] {
  const sequences = [names.item, names.detail, names.subDetail];
  const parts = read
    .list(resource["item"], `${type}.item`)
    .map((item, i) => readPart(item, `${type}.item[${i}]`, sequences, currency));
  const seen = new Set<number>();
  parts.forEach(({ sequence }, i) => {
    if (seen.has(sequence))
      throw read.refuse(`${type}.item[${i}].${names.item}`, `repeats ${sequence}`, { value: sequence });
    seen.add(sequence);
  });
  return parts;
}

const below = ["detail", "subDetail"];

function readPart(value: unknown, path: string, sequences: readonly string[], currency: Currency): AnsweredPart {
  const part = read.element(value, path);
  const [name = "sequence", ...deeper] = sequences;
  const list = below[below.length - deeper.length];
  return {
    sequence: read.sequence(part[name], `${path}.${name}`),
    ...answerOf(part, path, currency),
    details:
      list === undefined
        ? []
        : read
            .list(part[list], `${path}.${list}`)
            .map((entry, i) => readPart(entry, `${path}.${list}[${i}]`, deeper, currency)),
  };
}

/** Reads `addItem` of an answer. @throws INPUT_INVALID, CURRENCY_MISMATCH, and the AMOUNT_ codes */
export function readAdded(resource: Element, type: string, currency: Currency): AddedPart[] {
  return read.list(resource["addItem"], `${type}.addItem`).map((entry, i) => {
    const path = `${type}.addItem[${i}]`;
    const part = read.element(entry, path);
    return {
      itemSequences: read
        .list(part["itemSequence"], `${path}.itemSequence`)
        .map((sequence, k) => read.sequence(sequence, `${path}.itemSequence[${k}]`)),
      productOrService: read.concept(part["productOrService"], `${path}.productOrService`),
      ...answerOf(part, path, currency),
      // A part that was added has no numbers below it, only an order.
      details: addedDetails(part, path, ["detail", "subDetail"], currency),
    };
  });
}

function addedDetails(part: Element, path: string, lists: readonly string[], currency: Currency): AnsweredPart[] {
  const [list, ...deeper] = lists;
  if (list === undefined) return [];
  return read.list(part[list], `${path}.${list}`).map((entry, i) => {
    const at = `${path}.${list}[${i}]`;
    const detail = read.element(entry, at);
    return {
      sequence: i + 1,
      ...answerOf(detail, at, currency),
      details: addedDetails(detail, at, deeper, currency),
    };
  });
}

function answerOf(part: Element, path: string, currency: Currency): Pick<AnsweredPart, "net" | "adjudication"> {
  read.noModifiers(part, path);
  const net = moneyAt(read, part["net"], `${path}.net`, currency);
  const adjudication = read
    .list(part["adjudication"], `${path}.adjudication`)
    .map((entry, i) => readAdjudication(entry, `${path}.adjudication[${i}]`, currency));
  // Twice the same kind of money for one part: which of them counts nobody can tell.
  adjudication.forEach(({ category }, i) => {
    const known = (adjudicationCategories as readonly string[]).includes(category);
    if (known && adjudication.findIndex((other) => other.category === category) !== i)
      throw read.refuse(`${path}.adjudication[${i}].category`, `repeats ${category}`, { value: category });
  });
  return { ...(net === undefined ? {} : { net }), adjudication };
}

function readAdjudication(value: unknown, path: string, currency: Currency): Adjudication {
  const entry = read.element(value, path);
  read.noModifiers(entry, path);
  const amount = moneyAt(read, entry["amount"], `${path}.amount`, currency);
  const reason = entry["reason"] === undefined ? undefined : read.concept(entry["reason"], `${path}.reason`);
  return {
    category: categoryAt(entry["category"], `${path}.category`),
    ...(reason === undefined ? {} : { reason }),
    ...(amount === undefined ? {} : { amount }),
    ...(entry["value"] === undefined ? {} : { value: formatDecimal(parseDecimal(entry["value"], `${path}.value`)) }),
  };
}

/** HL7's own examples leave the system of its codes out. */
export function categoryAt(value: unknown, path: string): string {
  const concept = read.concept(value, path);
  const code = concept.startsWith(`${CATEGORY_SYSTEM}|`) ? concept.slice(CATEGORY_SYSTEM.length + 1) : concept;
  const known = (adjudicationCategories as readonly string[]).includes(code);
  if (!known && concept !== code) throw read.refuse(path, `is no code of ${CATEGORY_SYSTEM}`, { value: code });
  return code;
}

/** Amount of a part in one category, as the part itself states it. */
export const statedAmount = (
  { adjudication }: Pick<AnsweredPart, "adjudication">,
  category: string,
): bigint | undefined => adjudication.find((entry) => entry.category === category)?.amount;

/** Amount of a part in one category by its details, where these state any; else as the part itself states it. */
export function detailedAmount(
  part: Pick<AnsweredPart, "adjudication" | "details">,
  category: string,
): bigint | undefined {
  const amounts = part.details.flatMap((detail) => statedAmount(detail, category) ?? []);
  return amounts.length === 0 ? statedAmount(part, category) : amounts.reduce((sum, amount) => sum + amount, 0n);
}
