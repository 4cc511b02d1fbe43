import type { Currency } from "../money";

import { amountOf, composite, dateOf, isDecimal, nothingBeyond, optional, required } from "./elements";
import { accountFields, ADJUSTMENTS_OF_A_CAS, ADJUSTMENTS_OF_A_PLB, longest } from "./layout835";
import { wrongElement, type Segment } from "./segment";
import type { Adjustment835, BankAccount, ProviderAdjustment835 } from "./types";

const atMost = (segment: Segment, at: number, text: string, most: number): string => {
  if (text.length > most) throw wrongElement(segment, at, `has more than ${most} characters`);
  return text;
};

/**
 * What a CAS says: a group, and up to six of reason, amount and quantity.
 * @throws X12_ELEMENT_INVALID, X12_AMOUNT_INVALID
 */
export function readAdjustments(cas: Segment, currency: Currency): Adjustment835[] {
  nothingBeyond(cas, 1 + 3 * ADJUSTMENTS_OF_A_CAS);
  const group = atMost(cas, 1, required(cas, 1), longest.adjustmentGroup);
  const adjustments: Adjustment835[] = [];
  // A CAS without any reason says nothing, and one with a gap lost something.
  for (let at = 2; at === 2 || at < cas.parts.length; at += 3) {
    const reason = atMost(cas, at, required(cas, at), longest.adjustmentReason);
    const amount = amountOf(cas, at + 1, required(cas, at + 1), currency);
    const quantity = optional(cas, at + 2);
    if (quantity !== undefined && !isDecimal(quantity))
      throw wrongElement(cas, at + 2, "is not a number such as 2 or 1.5");
    adjustments.push({ group, reason, amount, ...(quantity === undefined ? {} : { quantity }) });
  }
  // A copy has room for what is in it, and no more.
  return adjustments.slice();
}

/**
 * What a PLB says: a provider, a date, and up to six of reason and amount.
 * @throws X12_ELEMENT_INVALID, X12_AMOUNT_INVALID
 */
export function readProviderAdjustments(plb: Segment, currency: Currency): ProviderAdjustment835[] {
  nothingBeyond(plb, 2 + 2 * ADJUSTMENTS_OF_A_PLB);
  const provider = atMost(plb, 1, required(plb, 1), longest.provider);
  const fiscalPeriodEnd = dateOf(plb, 2, required(plb, 2));
  const adjustments: ProviderAdjustment835[] = [];
  for (let at = 3; at === 3 || at < plb.parts.length; at += 2) {
    const [reason, reference, ...more] = composite(plb, at);
    if (reason === undefined || reason === "") throw wrongElement(plb, at, "has no reason");
    if (more.length > 0) throw wrongElement(plb, at, "has more than two components");
    adjustments.push({
      provider,
      fiscalPeriodEnd,
      reason: atMost(plb, at, reason, longest.providerAdjustmentReason),
      ...(reference === undefined ? {} : { reference: atMost(plb, at, reference, longest.providerReference) }),
      amount: amountOf(plb, at + 1, required(plb, at + 1), currency),
    });
  }
  return adjustments;
}

/** The account in BPR06 to BPR09 or BPR12 to BPR15, where anything stands there. @throws X12_ELEMENT_INVALID */
export function readAccount(bpr: Segment, first: number): BankAccount | undefined {
  const entries = accountFields.flatMap(([key, most], i) => {
    const text = optional(bpr, first + i);
    return text === undefined ? [] : [[key, atMost(bpr, first + i, text, most)] as const];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** The lines of an N3. @throws X12_ELEMENT_INVALID */
export function readAddressLines(n3: Segment): string[] {
  nothingBeyond(n3, 2);
  const second = optional(n3, 2);
  return [required(n3, 1), ...(second === undefined ? [] : [second])].map((line, i) =>
    atMost(n3, i + 1, line, longest.addressLine),
  );
}
