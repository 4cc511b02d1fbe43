import { CarepactError } from "../../errors";
import { usDollar, type Currency } from "../../money";
import { balance835 } from "../../x12";
import type { Adjustment835, Claim835, ProviderAdjustment835, Service835, Transaction835 } from "../../x12/types";
import {
  adjustmentGroups,
  adjustmentReasons,
  requireBalanced,
  type AdjudicatedClaim,
  type AdjudicatedLine,
  type Adjustment,
  type ClaimKind,
  type EventIdentity,
} from "../input";
import { requireAddress } from "../types";

import { partOf, unpaidPartOf } from "./claims";
import { keptOf } from "./kept";
import { sumOf } from "./money";

/** A provider adjustment that pays the payee: a batch can pay it as a line of its own. */
export interface AdvisedProviderPayment {
  claim: AdjudicatedClaim;
  /** PLB03-1. */
  reason: string;
  /** PLB03-2. */
  reference?: string;
}

/** What a payer's remittance advice comes to, as claim batches and remittances of them take it. */
export interface AdvisedClaims {
  /** What is paid: to fund. */
  claims: AdjudicatedClaim[];
  /** What is denied or paid nothing for: no batch has it. `RemittanceQuery.statements` takes it. */
  statements: AdjudicatedClaim[];
  /** Claims that were paid before and are reversed (CLP02 22), as they were paid: amounts are not below zero. */
  reversals: AdjudicatedClaim[];
  /** Provider adjustments that pay the payee, such as interest: to fund. */
  providerPayments: AdvisedProviderPayment[];
  /** The other provider adjustments, which no batch pays: recoupments and what balances them. */
  adjustments: ProviderAdjustment835[];
}

/** How an 835 is read as decisions. */
export interface AdviceOptions {
  /** Account of the payee, as the directory gave it. */
  payee: string;
  /** What the 835 was read in; US dollars unless said otherwise. */
  currency?: Currency;
  /** What a claim is for, which an 835 does not say; `professional` unless given. */
  kindOf?: (claim: Claim835) => ClaimKind;
}

/** PLB03-1 of what no batch pays: recoupment, authorised return, forward balance, withholding, adjustment. */
const unpayable = ["WO", "72", "FB", "E3", "CS"];

/**
 * Maps a payer's remittance advice to decisions, so that the payer can fund straight from it. The claims stay as they came in
 * in the batch's manifest, and a remittance of the batch tells them in the same words, its amounts by the chain's events.
 * @throws X12_DOES_NOT_BALANCE; CLAIM_NOT_FUNDABLE for what a batch cannot hold (adjustments below zero, groups it does not
 * know), `details.claimId` names the claim; CLAIM_DOES_NOT_BALANCE, IDENTIFIER_INVALID
 */
export function adjudicatedClaimsOf(transaction: Transaction835, options: AdviceOptions): AdvisedClaims {
  const currency = options.currency ?? usDollar;
  balance835(transaction, { currency });
  const payee = requireAddress(options.payee, "payee");
  const provider = transaction.payee.id ?? payee;
  const read = (claim: Claim835): AdjudicatedClaim =>
    adjudicatedOf(claim, { payee, provider, currency, kind: options.kindOf?.(claim) ?? "professional" });

  const claims = transaction.sections.flatMap((section) => section.claims);
  const paid = claims.filter(({ status }) => status !== "22").map(read);
  const isPayment = ({ reason, amount }: ProviderAdjustment835): boolean => amount < 0n && !unpayable.includes(reason);
  return {
    claims: paid.flatMap((claim) => partOf(claim, ({ planPays }) => planPays > 0n) ?? []),
    statements: paid.flatMap((claim) => unpaidPartOf(claim) ?? []),
    reversals: claims.filter(({ status }) => status === "22").map((claim) => read(unreversed(claim))),
    providerPayments: transaction.providerAdjustments
      .filter(isPayment)
      .map((adjustment, i) => providerPaymentOf(adjustment, i, { payee, provider, currency })),
    adjustments: transaction.providerAdjustments.filter((adjustment) => !isPayment(adjustment)),
  };
}

interface Context {
  payee: string;
  provider: string;
  currency: Currency;
}

const notFundable = (claimId: string, problem: string): CarepactError =>
  new CarepactError("CLAIM_NOT_FUNDABLE", `Claim ${claimId} ${problem}: no claim batch can hold that.`, { claimId });

/** A reversal as what it reverses. */
function unreversed(claim: Claim835): Claim835 {
  if (claim.paid >= 0n) throw notFundable(claim.claimId, "is the reversal of a claim for which nothing was paid");
  const turned = (adjustments: readonly Adjustment835[]): Adjustment835[] =>
    adjustments.map((entry) => ({ ...entry, amount: -entry.amount }));
  return {
    ...claim,
    status: "1",
    charge: -claim.charge,
    paid: -claim.paid,
    ...(claim.patientResponsibility === undefined ? {} : { patientResponsibility: -claim.patientResponsibility }),
    adjustments: turned(claim.adjustments),
    services: claim.services.map((service) => ({
      ...service,
      charge: -service.charge,
      paid: -service.paid,
      adjustments: turned(service.adjustments),
    })),
  };
}

function adjudicatedOf(claim: Claim835, context: Context & { kind: ClaimKind }): AdjudicatedClaim {
  const { payee, currency, kind } = context;
  const parts = claim.services.length === 0 ? [claim] : claim.services;
  const own = parts.map((part) => ({ left: part.paid, adjustments: [...part.adjustments] }));
  if (claim.services.length > 0) spread(claim, own);
  const lines = parts.map((part, i): AdjudicatedLine => {
    const { left: planPays, adjustments: raw } = own[i] as (typeof own)[number];
    const adjustments = raw.map((entry) => adjustmentOf(claim.claimId, entry));
    const total = (isMeant: (entry: Adjustment) => boolean): bigint =>
      sumOf(adjustments.filter(isMeant).map(({ amount }) => amount));
    const patientShare = total(({ group }) => group === "PR");
    const otherPayers = total(({ group, reason }) => group === "OA" && reason === adjustmentReasons.priorPayer);
    return {
      lineNumber: i + 1,
      event: identityOf(claim, "procedure" in part ? part : undefined, i + 1, context.provider),
      charge: part.charge,
      allowed: planPays + patientShare + otherPayers,
      patientShare,
      otherPayers,
      adjustments,
      planPays,
    };
  });
  return requireBalanced({
    claimId: claim.claimId,
    kind,
    payee,
    currency,
    charge: claim.charge,
    planPays: claim.paid,
    lines,
    resource: keptOf(claim, currency),
  });
}

/** Puts the adjustments of a claim on those of its services that are paid, the first of them first. */
function spread(claim: Claim835, services: { left: bigint; adjustments: Adjustment835[] }[]): void {
  for (const { group, reason, amount } of claim.adjustments) {
    let open = amount;
    for (const service of services) {
      const part = service.left < open ? service.left : open;
      if (part <= 0n) continue;
      service.left -= part;
      open -= part;
      service.adjustments.push({ group, reason, amount: part });
    }
    if (open !== 0n)
      throw notFundable(claim.claimId, "has adjustments below zero, or beyond what its services are paid");
  }
}

function adjustmentOf(claimId: string, { group, reason, amount }: Adjustment835): Adjustment {
  const known = adjustmentGroups.find((name) => name === group);
  if (known === undefined) throw notFundable(claimId, `has an adjustment of group ${group}`);
  if (amount < 0n) throw notFundable(claimId, "has adjustments below zero");
  return { group: known, reason, amount };
}

function identityOf(
  { claimId, dates }: Claim835,
  service: Service835 | undefined,
  itemSequence: number,
  provider: string,
): EventIdentity {
  const all = [...(service?.dates ?? []), ...dates];
  const serviced = all.find(({ qualifier }) => ["472", "150", "232"].includes(qualifier))?.date;
  return {
    kind: "claimItem",
    provider,
    claimId,
    itemSequence,
    productOrService: service === undefined ? "claim" : `${service.procedure.qualifier}|${service.procedure.code}`,
    ...(serviced === undefined ? {} : { serviced }),
  };
}

function providerPaymentOf(
  { reason, reference, amount }: ProviderAdjustment835,
  index: number,
  { payee, provider, currency }: Context,
): AdvisedProviderPayment {
  const claimId = `PLB-${index + 1}-${reason}`;
  const paid = -amount;
  const event: EventIdentity = {
    kind: "claimItem",
    provider,
    claimId,
    itemSequence: 1,
    productOrService: `PLB|${reason}:${reference ?? ""}`,
  };
  const line = { charge: paid, allowed: paid, patientShare: 0n, otherPayers: 0n, adjustments: [], planPays: paid };
  return {
    claim: requireBalanced({
      claimId,
      kind: "professional",
      payee,
      currency,
      charge: paid,
      planPays: paid,
      lines: [{ lineNumber: 1, event, ...line }],
      resource: { x12: "PLB", reason, reference: reference ?? null },
    }),
    reason,
    ...(reference === undefined ? {} : { reference }),
  };
}
