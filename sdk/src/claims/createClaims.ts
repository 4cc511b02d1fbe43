import type { Action } from "../chain/action";
import { deploymentOf, type Connection } from "../chain/deployment";
import type { CallOptions } from "../chain/options";
import type { EventStream, ReadOptions } from "../events";

import { attest, type Attestation, type AttestOptions } from "./attestation";
import { publicPartOf, type BatchSource } from "./batchSource";
import { checkClaimBatch, type CheckOptions, type CheckResult } from "./check";
import { currentOf, type DisputeStatus, type PresentationStatus, type RetentionStatus } from "./disputes/current";
import {
  dispute,
  disputeMissing,
  presentDisputed,
  resolve,
  resolveByDefault,
  type DisputeAttested,
  type Disputed,
  type Resolved,
} from "./disputes/disputing";
import { present, settlePresented, type Presented } from "./disputes/presenting";
import { refundByOrder, signRefundOrder, type RefundOrder, type RefundOrderInput } from "./disputes/refundOrders";
import { recoup, release, type RecoupInput, type Released } from "./disputes/retaining";
import type { BatchLine, Presentation, Retention } from "./disputes/structs";
import type { ClaimBatchFile, ClaimBatchRecord, OpenedGroup } from "./file";
import { fund, reseal, type FundedBatch, type FundInput } from "./funding";
import type { ClaimBatchEvent } from "./batchEvents";
import { history, watch, type ClaimBatchUpdate, type HistoryOptions, type WatchOptions } from "./history";
import { remit, type RemittanceAdvice } from "./remittance/remit";
import type { RemittanceOptions, RemittanceQuery } from "./remittance/types";
import { reportOf, type RecordedReport, type ReportedStatement } from "./reporting";
import type { GroupResult } from "./results";
import { reclaim, refund, reverse, type RefundInput, type Returned } from "./returning";
import type { SettleInput } from "./preparing";
import { settle, settleMany, type Settlement, type SettlementPreview, type Settlements } from "./settling";
import { wholeStatusOf, type ClaimBatchStatus } from "./status";
import type { AttestationStatement } from "./types";

/** Claim batches of one deployment, for payers, payees and attesters. */
export interface Claims {
  /**
   * Funds a payer's decisions as one claim batch from its pool, and makes the file for its payees. `simulate` gives file and
   * record beforehand: write them down before the action is sent, since the money is locked under salts that stand nowhere else.
   * Lines of a payee come in random order, so that the payer's own does not show: find one by `detail.claimId` and `detail.lineNumber`.
   */
  fund(input: FundInput): Action<FundedBatch, FundedBatch>;
  /** Makes a batch's file once more from the payer's record, sealed to the keys that its payees have now. Sends nothing. */
  reseal(record: ClaimBatchRecord, options?: CallOptions): Promise<ClaimBatchFile>;
  /** Whether the money for a payee's lines is locked. Ask before giving care. Never throws: what fails is the reason. */
  check(file: ClaimBatchFile, options: CheckOptions): Promise<CheckResult>;
  /**
   * Signs what happened, as an attester, payee or patient: results by line in the order of the opened group's lines, or a statement
   * (`statementOf`) that others sign, too. Sends nothing.
   */
  attest(
    batch: BatchSource,
    said: readonly GroupResult[] | AttestationStatement,
    options?: AttestOptions,
  ): Promise<Attestation>;
  /**
   * Pays what attesters agree happened and frees what they agree will not, or does what the rulebook's workflow `reported` last.
   * Anyone may send it, any number of times: lines that are settled already are skipped. Where the rulebook retains a share of
   * payments, that is kept back. @throws PRESENTATION_NEEDED where it has a challenge period: see {@link Claims.present}
   */
  settle(batch: BatchSource, by: readonly Attestation[] | ReportedStatement): Action<Settlement, SettlementPreview>;
  /**
   * Settles several batches in one transaction; one that the escrow refuses is skipped and reported.
   * @throws PRESENTATION_NEEDED where a batch's rulebook has a challenge period or retains a share: those go one by one
   */
  settleMany(inputs: readonly SettleInput[]): Action<Settlements, { settled: boolean[] }>;
  /**
   * Presents what attesters agree happened, or what the rulebook's workflow `reported` last, where the rulebook has a challenge period:
   * it can be disputed until that is over, and settles afterwards. Anyone may send it. @throws PRESENTATION_NOT_NEEDED
   */
  present(batch: BatchSource, by: readonly Attestation[] | ReportedStatement): Action<Presented, { presented: bigint }>;
  /**
   * Settles what was presented, but for lines in dispute, once the challenge period is over. Anyone may send it.
   * @param presentation As `present` or `presentations` gave it, or the index in the batch of a line that it holds. @throws PRESENTATION_UNKNOWN
   */
  settlePresented(batch: BatchSource, presentation: number | Presentation): Action<Settlement, SettlementPreview>;
  /**
   * Freezes a line of what was presented, as the batch's payer or the line's payee, until the arbiter rules: neither side has the money.
   * Locks the rulebook's bond out of the signer's free balance, or credit. The group has to be open here, unless it has one line.
   * @param presentation Which holds the line; it is looked for unless given. @throws LINE_NOT_PRESENTED, GROUPS_INVALID
   */
  dispute(batch: BatchSource, line: BatchLine, presentation?: Presentation): Action<Disputed>;
  /**
   * Freezes an open line of the signer's own group of which no result was attested, between the last moment of the care and that of
   * attestations. @throws GROUPS_INVALID
   */
  disputeMissing(batch: BatchSource, line: BatchLine): Action<Disputed>;
  /** Brings a result of a line that is in dispute because there was none. Anyone may send it. */
  presentDisputed(
    batch: BatchSource,
    line: BatchLine,
    by: readonly Attestation[] | ReportedStatement,
  ): Action<DisputeAttested>;
  /** Rules on a dispute, as the rulebook's arbiter: `award`, in base units, is the payee's, the rest of the line the payer's. */
  resolve(batch: BatchSource, line: BatchLine, award: bigint): Action<Resolved>;
  /** Ends a dispute on which the arbiter did not rule in time, by the attested result or the rulebook's default. Anyone may send it. */
  resolveByDefault(batch: BatchSource, line: BatchLine): Action<Resolved, { award: bigint }>;
  /** Returns a part of what is retained to the payer, as the rulebook's arbiter, within the look-back. @throws RETENTION_UNKNOWN */
  recoup(batch: BatchSource, input: RecoupInput): Action<Returned>;
  /**
   * Credits payees with what is left of what was retained, once the look-back is over. Anyone may send it.
   * @param retention As `retentions` gave it, or its first line. @throws RETENTION_UNKNOWN
   */
  release(batch: BatchSource, retention: number | Retention): Action<Released, { amount: bigint }>;
  /** Gives up open lines (the `index` of lines of `group`) of the signer's own group, as a pharmacy's B2 does. */
  reverse(group: OpenedGroup, lines: readonly number[]): Action<Returned, Returned>;
  /** Returns what is still open to the payer, once the time for attestations has passed. Anyone may send it. */
  reclaim(batch: BatchSource): Action<Returned, Returned>;
  /** Pays back what the signer received from a batch. */
  refund(batch: BatchSource, input: RefundInput): Action<Returned>;
  /**
   * Signs, as a payee, what lets anybody have refunds taken out of its credits, now and later. It secures nothing: credits can be paid
   * out before. Sends nothing. @throws REFUND_ORDER_INVALID
   */
  signRefundOrder(batch: BatchSource, input: RefundOrderInput): Promise<RefundOrder>;
  /** Refunds what a payee's order still allows and its credit covers, if only nothing. Anyone may send it. @throws REFUND_ORDER_INVALID */
  refundByOrder(batch: BatchSource, order: RefundOrder): Action<Returned, Returned>;
  /** What is presented and has not settled: from events, held against the chain. @throws NODE_INCONSISTENT, and as `Events.read` */
  presentations(batch: BatchSource, options?: ReadOptions): Promise<PresentationStatus[]>;
  /** Which lines are in dispute. @throws as {@link Claims.presentations} */
  disputes(batch: BatchSource, options?: ReadOptions): Promise<DisputeStatus[]>;
  /** What is retained of payments. @throws as {@link Claims.presentations} */
  retentions(batch: BatchSource, options?: ReadOptions): Promise<RetentionStatus[]>;
  /** What the rulebook's workflow reported last; undefined before, and once it settled or presented the whole batch at once. */
  reportOf(batch: BatchSource, options?: CallOptions): Promise<RecordedReport | undefined>;
  /** What the chain knows of a batch. Where its rulebook names an arbiter, its events are read for what is presented and so on. */
  status(batch: BatchSource, options?: CallOptions): Promise<ClaimBatchStatus>;
  /** What happened to a batch, in order, up to a block that is fixed at the beginning. @throws as `Events.read` */
  history(batch: BatchSource, options?: HistoryOptions): EventStream<ClaimBatchEvent>;
  /**
   * How a batch stands: now, and again each time something happens to it or is taken back. Ends by itself once nothing of
   * the batch is open, presented, disputed or retained any more and enough blocks stand on top of that.
   * @throws as `Events.follow`
   */
  watch(batch: BatchSource, options?: WatchOptions): EventStream<ClaimBatchUpdate>;
  /**
   * What a payer paid a payee in a period, as X12 835, FHIR ExplanationOfBenefit and PaymentReconciliation. Amounts paid are
   * those that the escrow reported, to the cent; words are those of the batches handed in, which have to be all with an event
   * in the period. The same query gives the same reference (TRN02).
   * @throws REMITTANCE_BATCH_MISSING, REMITTANCE_MISMATCH, REMITTANCE_UNBACKED, REMITTANCE_PARTY_INCOMPLETE,
   * PAYMENT_DOES_NOT_BALANCE, AMOUNT_TOO_PRECISE, CURRENCY_MISMATCH, INPUT_INVALID, the X12_ codes of `write835`, and as
   * `Events.read`
   */
  remittance(query: RemittanceQuery, options?: RemittanceOptions): Promise<RemittanceAdvice>;
}

export function createClaims(connection: Connection): Claims {
  deploymentOf(connection);
  return {
    fund: (input) => fund(connection, input),
    reseal: (record, options) => reseal(connection, record, options),
    check: (file, options) => checkClaimBatch(connection, file, options),
    attest: (batch, said, options) => attest(connection.runner, batch, said, options),
    settle: (batch, by) => settle(connection, { batch, ...grounds(by) }),
    settleMany: (inputs) => settleMany(connection, inputs),
    present: (batch, by) => present(connection, { batch, ...grounds(by) }),
    settlePresented: (batch, presentation) => settlePresented(connection, batch, presentation),
    dispute: (batch, line, presentation) => dispute(connection, batch, line, presentation),
    disputeMissing: (batch, line) => disputeMissing(connection, batch, line),
    presentDisputed: (batch, line, by) => presentDisputed(connection, batch, line, grounds(by)),
    resolve: (batch, line, award) => resolve(connection, batch, line, award),
    resolveByDefault: (batch, line) => resolveByDefault(connection, batch, line),
    recoup: (batch, input) => recoup(connection, batch, input),
    release: (batch, retention) => release(connection, batch, retention),
    reverse: (group, lines) => reverse(connection, group, lines),
    reclaim: (batch) => reclaim(connection, batch),
    refund: (batch, input) => refund(connection, batch, input),
    signRefundOrder: (batch, input) => signRefundOrder(connection, batch, input),
    refundByOrder: (batch, order) => refundByOrder(connection, batch, order),
    presentations: async (batch, options) => (await currentOf(connection, publicPartOf(batch), options)).presentations,
    disputes: async (batch, options) => (await currentOf(connection, publicPartOf(batch), options)).disputes,
    retentions: async (batch, options) => (await currentOf(connection, publicPartOf(batch), options)).retentions,
    reportOf: async (batch, options) => reportOf(connection, publicPartOf(batch), options),
    status: async (batch, options) => wholeStatusOf(connection, publicPartOf(batch), options),
    history: (batch, options) => history(connection, batch, options),
    watch: (batch, options) => watch(connection, batch, options),
    remittance: (query, options) => remit(connection, query, options),
  };
}

const grounds = (by: readonly Attestation[] | ReportedStatement) => ("reported" in by ? by : { attestations: by });
