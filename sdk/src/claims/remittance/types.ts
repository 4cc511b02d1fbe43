import type { CallOptions } from "../../chain/options";
import type { Json } from "../../errors";
import type { Currency, Token } from "../../money";
import type { Address, Party, Procedure, QualifiedDate, Reference } from "../../x12/types";
import type { RefundOrder } from "../disputes/refundOrders";
import type { OpenedGroup, OpenedRecord } from "../file";
import type { AdjudicatedClaim, Adjustment, ClaimKind, EventIdentity } from "../input";

/** Where an event of the escrow stands. */
export interface EventSource {
  batchId: string;
  txHash: string;
  blockNumber: number;
  /** Place of the event among all of its block. */
  logIndex: number;
}

/**
 * What became of a line: `met`, `partlyMet` and `notMet` by an attestation, `awarded` by an arbiter or the rulebook's default;
 * `stated` never was in a batch; `reversed` and `corrected` were paid before.
 */
export type LineOutcome = "met" | "partlyMet" | "notMet" | "awarded" | "stated" | "reversed" | "corrected";

/** A line in a remittance. Amounts in base units of the remittance's currency; below zero where it is reversed. */
export interface RemittedLine {
  lineNumber: number;
  outcome: LineOutcome;
  event: EventIdentity;
  /** Quantity billed. */
  quantity?: { value: string; unit?: string };
  /** SVC02. */
  charge: bigint;
  /** SVC03: what events say was paid, what is retained of it included. */
  paid: bigint;
  /** What the patient owes: the adjustments of group PR. */
  patientShare: bigint;
  /** What other payers paid. */
  otherPayers: bigint;
  /** CAS: charge - adjustments = paid. */
  adjustments: Adjustment[];
  /** The event that paid or denied it; absent where no event tells of the line. */
  source?: EventSource & { /** Index of the line in the batch. */ line: number };
  /** The claim as it came in. */
  resource: Json;
}

/** A claim, or as much of it as was decided in the period. Amounts as those of {@link RemittedLine}. */
export interface RemittedClaim {
  claimId: string;
  kind: ClaimKind;
  /** CLP02: `1` primary, `2` secondary, `3` tertiary, `4` denied, `22` reversal of an earlier payment. */
  status: ClaimStatus;
  /** CLP03. */
  charge: bigint;
  /** CLP04. */
  paid: bigint;
  patientShare: bigint;
  lines: RemittedLine[];
}

/** CLP02, as far as remittances of claim batches know it. */
export type ClaimStatus = "1" | "2" | "3" | "4" | "22";

/** PLB03-1, as far as remittances of claim batches know it, or as the caller named it for a provider payment. */
export type ProviderAdjustmentReason = "WO" | "72" | "FB" | "E3" | "CS" | (string & {});

/** Money that belongs to no claim of the remittance: one entry of a PLB. */
export interface RemittedAdjustment {
  /** PLB03-1: `WO` recoupment, `72` authorised return, `FB` forward balance, `E3` withholding, `CS` a lost bond, or that of a provider payment. */
  reason: ProviderAdjustmentReason;
  /** PLB03-2. */
  reference: string;
  /** PLB04 in base units of the currency: above zero lowers the payment. */
  amount: bigint;
  source?: EventSource;
}

/** A balance that a later remittance has to take up, see `RemittanceQuery.forwarded`. */
export interface ForwardedBalance {
  batchId: string;
  /** Base units of the currency. */
  amount: bigint;
  /** Of the remittance that moved it forward: its TRN02. */
  reference: string;
}

/**
 * What one payer paid one payee in one token and period: amounts by the chain's events, words by the batches' manifests.
 * Amounts in base units of `currency`.
 */
export interface Remittance {
  /** TRN02: 30 hexadecimal digits, the same for the same chain, escrow, payer, payee, token and period. */
  reference: string;
  chainId: number;
  escrow: string;
  payer: string;
  payee: string;
  token: Token;
  currency: Currency;
  /** Unix seconds: from the first moment on, before the last. */
  period: { from: number; to: number };
  claims: RemittedClaim[];
  providerAdjustments: RemittedAdjustment[];
  /** What came to the payee's credit from this payer. */
  credited: bigint;
  /** What went back to the payer out of the payee's credit. */
  repaid: bigint;
  /** BPR02 = sum of CLP04 - sum of PLB = credited - repaid, or zero where more was repaid. */
  payment: bigint;
  /**
   * What was credited beyond whole units of the currency, in base units of the token: a retention may keep back fractions of a
   * cent, which are remitted when it is released; then this is below zero.
   */
  remainder: bigint;
  /** Balances moved forward: hand them to the next period's remittance. */
  forwarded: ForwardedBalance[];
}

/** An organization as a remittance names it. Nothing of it is made up: what is needed and missing is refused. */
export interface RemittanceParty {
  /** N102; the directory's unless given. */
  name?: string;
  /** National Provider Identifier; the directory's unless given. A payee needs one. */
  npi?: string;
  /** Federal tax number, nine digits: TRN03 of a payer, REF*TJ of a payee. */
  taxId?: string;
  /** A payer's plan id (N103 `XV`). */
  planId?: string;
  address?: Address;
  /** A payer's technical contact (PER*BL): name and telephone number (ten digits), mail or web address. */
  contact?: { name?: string; telephone?: string; email?: string; url?: string };
}

/** A claim that was paid before and of which the payee returned what was paid. */
export interface ReversalInput {
  /** Batch that paid it. */
  batchId: string;
  claimId: string;
  /** Lines of it; all that the batch paid before the period's end unless given. */
  lineNumbers?: readonly number[];
  /** The decision that stands in its place, at most what was paid before; left out: none, or a new batch pays anew. */
  corrected?: AdjudicatedClaim;
}

/** A line of a batch that pays the payee, but no claim: interest, a bonus. */
export interface ProviderPaymentInput {
  batchId: string;
  claimId: string;
  lineNumber: number;
  /** PLB03-1, such as `L6` for interest. */
  reason: string;
  /** PLB03-2; the claim id unless given. */
  reference?: string;
}

/** What an 835 tells of a claim beside amounts. */
export interface ClaimDescription {
  /** CLP06; `ZZ` unless given. */
  filing?: string;
  /** CLP07; from batch and line unless given. */
  payerClaimId?: string;
  /** CLP08. */
  facility?: string;
  /** CLP09. */
  frequency?: string;
  /** NM1: the patient (`QC`) and others. */
  parties?: readonly Party[];
  references?: readonly Reference[];
  dates?: readonly QualifiedDate[];
  /** SVC01 by line; what the line's claim says unless given. Without one for each line the claim has no services. */
  procedures?: readonly (Procedure | undefined)[];
}

/** How an 835 is sent. */
export interface TransmissionInput {
  /** BPR01; `I` (remittance information only) unless given, `H` where nothing is paid. */
  handling?: string;
  /** BPR04; `NON` unless given, since no bank moves the money. */
  method?: string;
  /** ISA06, GS02. The payer's tax number unless given. */
  sender?: string;
  /** ISA08, GS03. The payee's NPI unless given. */
  receiver?: string;
  /** ISA13 and GS06: nine digits at most; 1 unless given. */
  controlNumber?: number;
  /** ISA15; `P` unless given. */
  usage?: "P" | "T";
  /** When it is written; the period's end unless given, so that the same remittance is written the same twice. */
  writtenAt?: Date;
}

/** Which remittance, and what the chain does not know of it. */
export interface RemittanceQuery {
  payer: string;
  payee: string;
  /** First moment; a number is unix seconds. */
  from: Date | number;
  /** First moment after the period. */
  to: Date | number;
  /** The payee's own groups, or the payer's records: every batch of both with an event in the period, and others. */
  batches: readonly (OpenedGroup | OpenedRecord)[];
  /** Address of the token; that of the batches unless given. */
  token?: string;
  parties: { payer: RemittanceParty; payee: RemittanceParty };
  /** Claims, or parts of them, for which no batch pays: every line's planPays is zero. See `unpaidPartOf`. */
  statements?: readonly AdjudicatedClaim[];
  reversals?: readonly ReversalInput[];
  providerPayments?: readonly ProviderPaymentInput[];
  /** What the payee agreed to return out of later credits: reversals may ask for as much before it is returned. */
  refundOrders?: readonly RefundOrder[];
  /** Balances that the last remittance moved forward. */
  forwarded?: readonly ForwardedBalance[];
  /** CAS02 (group CO) of what was decided and not paid, since its event did not happen or not all of it; `112` unless given. */
  unpaidReason?: string;
  /** CLP02 of a claim that is paid, `1` to `3`: left out, `1`, or `2` where other payers paid before. */
  rankOf?: (claim: RemittedClaim) => "1" | "2" | "3";
  /** PLB02, as `YYYY-MM-DD`: the end of the payee's fiscal year; the last day of the period's year unless given. */
  fiscalPeriodEnd?: string;
  describe?: (claim: RemittedClaim) => ClaimDescription;
  transmission?: TransmissionInput;
}

/** How a remittance is read. */
export interface RemittanceOptions extends CallOptions {
  /** How sure the events have to be; `finalized` (the default) cannot be reorganized away. */
  finality?: "finalized" | "safe" | "latest";
}
