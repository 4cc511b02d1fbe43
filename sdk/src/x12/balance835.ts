import { CarepactError } from "../errors";
import { formatAmount, usDollar, type Currency } from "../money";

import type { Claim835, ProviderAdjustment835, Transaction835 } from "./types";

/** Which sum of an 835 fails. */
export type Equation835 =
  | "SVC02 - sum of CAS = SVC03"
  | "sum of SVC02 = CLP03"
  | "CLP03 - sum of CAS = CLP04"
  | "CLP03 <= 0 where CLP02 is 22"
  | "sum of CLP04 - sum of PLB = BPR02";

/** The sums of an 835 that balances, in base units. */
export interface Balance835 {
  /** Sum of CLP03. */
  charged: bigint;
  /** Sum of CLP04. */
  paid: bigint;
  /** Sum of the PLB amounts: above zero lowers the payment. */
  withheld: bigint;
  /** BPR02 = paid - withheld. */
  payment: bigint;
}

/** @internal A sum that fails. */
export interface Imbalance {
  problem: string;
  details: Record<string, unknown>;
}

const sumOf = (entries: readonly { amount: bigint }[]): bigint => entries.reduce((sum, { amount }) => sum + amount, 0n);

const imbalance = (
  equation: Equation835,
  where: string,
  [statedName, stated]: readonly [string, bigint],
  computed: bigint,
  currency: Currency,
  details: Record<string, unknown> = {},
): Imbalance => {
  const [a, b] = [formatAmount(stated, currency), formatAmount(computed, currency)];
  return {
    problem: `${where}${equation} fails: ${statedName} is ${a}, but the other side is ${b}`,
    details: { equation, stated: a, computed: b, ...details },
  };
};

/** @internal The first sum of a claim that fails. */
export function imbalanceOfClaim(claim: Claim835, currency: Currency): Imbalance | undefined {
  const { claimId, status, charge, paid, adjustments, services } = claim;
  const where = `claim ${claimId}: `;
  for (const [i, service] of services.entries()) {
    const left = service.charge - sumOf(service.adjustments);
    if (left !== service.paid)
      return imbalance(
        "SVC02 - sum of CAS = SVC03",
        `claim ${claimId}, service ${i + 1}: `,
        ["SVC03", service.paid],
        left,
        currency,
        { claimId, service: i + 1 },
      );
  }
  const charged = services.reduce((sum, service) => sum + service.charge, 0n);
  if (services.length > 0 && charged !== charge)
    return imbalance("sum of SVC02 = CLP03", where, ["CLP03", charge], charged, currency, { claimId });
  const left = services.reduce((rest, service) => rest - sumOf(service.adjustments), charge - sumOf(adjustments));
  if (left !== paid)
    return imbalance("CLP03 - sum of CAS = CLP04", where, ["CLP04", paid], left, currency, { claimId });
  if (status === "22" && charge > 0n)
    return imbalance("CLP03 <= 0 where CLP02 is 22", where, ["CLP03", charge], 0n, currency, { claimId });
  return undefined;
}

/** @internal Whether the payment is what claims and provider adjustments come to. */
export function imbalanceOfTotal(
  paid: bigint,
  providerAdjustments: readonly ProviderAdjustment835[],
  payment: bigint,
  currency: Currency,
): Imbalance | undefined {
  const due = paid - sumOf(providerAdjustments);
  return due === payment
    ? undefined
    : imbalance("sum of CLP04 - sum of PLB = BPR02", "", ["BPR02", payment], due, currency);
}

/**
 * Checks every sum of an 835: of each service SVC02 - CAS = SVC03; of each claim the sum of SVC02 = CLP03 where it has
 * services, and CLP03 - CAS of claim and services = CLP04; of the whole the sum of CLP04 - PLB = BPR02. A reversal (CLP02
 * 22) has the same sums, its signs inverted.
 * @param options.currency What amounts in errors are shown in; US dollars unless said otherwise.
 * @throws X12_DOES_NOT_BALANCE with `equation`, `stated` and `computed` in the details, and where there are such
 * `claimId` and `service`, counted from one.
 */
export function balance835(transaction: Transaction835, options: { currency?: Currency } = {}): Balance835 {
  const currency = options.currency ?? usDollar;
  const claims = transaction.sections.flatMap((section) => section.claims);
  const charged = claims.reduce((sum, claim) => sum + claim.charge, 0n);
  const paid = claims.reduce((sum, claim) => sum + claim.paid, 0n);
  const { providerAdjustments, payment } = transaction;
  let found: Imbalance | undefined;
  for (const claim of claims) found ??= imbalanceOfClaim(claim, currency);
  found ??= imbalanceOfTotal(paid, providerAdjustments, payment.amount, currency);
  if (found !== undefined) throw new CarepactError("X12_DOES_NOT_BALANCE", `${capital(found.problem)}.`, found.details);
  return { charged, paid, withheld: sumOf(providerAdjustments), payment: payment.amount };
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
