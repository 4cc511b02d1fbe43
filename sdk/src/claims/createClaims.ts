import type { Action } from "../chain/action";
import { deploymentOf, type Connection } from "../chain/deployment";
import type { CallOptions } from "../chain/options";
import type { EventStream } from "../events";

import { attest, type Attestation, type AttestOptions } from "./attestation";
import { publicPartOf, type BatchSource } from "./batchSource";
import { checkClaimBatch, type CheckOptions, type CheckResult } from "./check";
import type { ClaimBatchFile, ClaimBatchRecord, OpenedGroup } from "./file";
import { fund, reseal, type FundedBatch, type FundInput } from "./funding";
import {
  history,
  watch,
  type ClaimBatchEvent,
  type ClaimBatchUpdate,
  type HistoryOptions,
  type WatchOptions,
} from "./history";
import { reportOf, type RecordedReport, type ReportedStatement } from "./reporting";
import type { GroupResult } from "./results";
import { reclaim, refund, reverse, type RefundInput, type Returned } from "./returning";
import { settle, settleMany, type SettleInput, type Settlement, type Settlements } from "./settling";
import { statusOf, type ClaimBatchStatus } from "./status";
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
   * Anyone may send it, any number of times: lines that are settled already are skipped.
   */
  settle(
    batch: BatchSource,
    by: readonly Attestation[] | ReportedStatement,
  ): Action<Settlement, { paid: bigint; freed: bigint }>;
  /** Settles several batches in one transaction; one that the escrow refuses is skipped and reported. */
  settleMany(inputs: readonly SettleInput[]): Action<Settlements, { settled: boolean[] }>;
  /** Gives up open lines (the `index` of lines of `group`) of the signer's own group, as a pharmacy's B2 does. */
  reverse(group: OpenedGroup, lines: readonly number[]): Action<Returned, Returned>;
  /** Returns what is still open to the payer, once the time for attestations has passed. Anyone may send it. */
  reclaim(batch: BatchSource): Action<Returned, Returned>;
  /** Pays back what the signer received from a batch. */
  refund(batch: BatchSource, input: RefundInput): Action<Returned>;
  /** What the rulebook's workflow reported last; undefined before, and once it settled the batch's last lines. */
  reportOf(batch: BatchSource, options?: CallOptions): Promise<RecordedReport | undefined>;
  /** What the chain knows of a batch. */
  status(batch: BatchSource, options?: CallOptions): Promise<ClaimBatchStatus>;
  /** What happened to a batch, in order, up to a block that is fixed at the beginning. @throws as `Events.read` */
  history(batch: BatchSource, options?: HistoryOptions): EventStream<ClaimBatchEvent>;
  /**
   * How a batch stands: now, and again each time something happens to it or is taken back. Ends by itself once nothing of
   * the batch is open any more and enough blocks stand on top of that.
   * @throws as `Events.follow`
   */
  watch(batch: BatchSource, options?: WatchOptions): EventStream<ClaimBatchUpdate>;
}

export function createClaims(connection: Connection): Claims {
  deploymentOf(connection);
  return {
    fund: (input) => fund(connection, input),
    reseal: (record, options) => reseal(connection, record, options),
    check: (file, options) => checkClaimBatch(connection, file, options),
    attest: (batch, said, options) => attest(connection.runner, batch, said, options),
    settle: (batch, by) => settle(connection, { batch, ...("reported" in by ? by : { attestations: by }) }),
    settleMany: (inputs) => settleMany(connection, inputs),
    reverse: (group, lines) => reverse(connection, group, lines),
    reclaim: (batch) => reclaim(connection, batch),
    refund: (batch, input) => refund(connection, batch, input),
    reportOf: async (batch, options) => reportOf(connection, publicPartOf(batch), options),
    status: async (batch, options) => statusOf(connection, publicPartOf(batch), options),
    history: (batch, options) => history(connection, batch, options),
    watch: (batch, options) => watch(connection, batch, options),
  };
}
