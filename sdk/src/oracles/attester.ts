import { hexlify, isHexString } from "ethers";

import { attest, type Attestation, type AttestOptions } from "../claims/attestation";
import { openedGroupsOf } from "../claims/batchSource";
import { resultShapeOf, type OpenedGroup, type OpenedLine, type OpenedRecord, type PublicPart } from "../claims/file";
import { eventKeyOf } from "../claims/input";
import { encodeResults, lineResultsOf, type GroupResult, type LineResult } from "../claims/results";
import { chainTimeOf, deploymentOf, type Connection } from "../chain/deployment";
import { CarepactError } from "../errors";

import type { AttestationLedger, ClaimedLine, EventConflict } from "./ledger";
import { releaseUnpaid, type Released, type ReleaseOptions } from "./release";

/** A claim batch of which an attester can read the lines that it attests. */
export type OpenedBatch = OpenedGroup | OpenedRecord;

/** How an attester signs. `AttestOptions` as they were given go through. */
export type AttestWith<Signed> = (
  batch: OpenedBatch,
  results: readonly GroupResult[],
  options: AttestOptions,
) => Promise<Signed>;

/** When and on what an attester looked, and which batches pay for the same events with its knowledge. */
export interface AttestOnceOptions extends AttestOptions {
  /**
   * Ids of batches of other payers with which this batch's payer coordinates benefits. Name them only if the attester knows
   * that the payers know of each other: from the claim that the second payer got, which carries what the first one paid.
   */
  coordinatesWith?: readonly string[];
}

/** Attests each event once. */
export interface Attester<Signed> {
  /**
   * Notes the events that `results` pay for (met, partly met), and then signs. One that the ledger has already, in another line,
   * is refused before anything is signed; then nothing is noted. After a crash or a failure, ask again: the same lines of the
   * same batch are no duplicate. What was noted stays, whatever came of signing, until {@link Attester.release}; lines that are
   * pending or not met are not noted, nor forgotten, since an earlier signature of this attester may still be used.
   *
   * Results that differ from what was signed last of the batch are said to be observed a second later at least: of two with one
   * time, anybody could prove that the attester lied.
   * @throws EVENT_ALREADY_ATTESTED, with `details.conflicts`: the attester's own knowledge of other payers, not for whoever asked.
   * OBSERVED_AT_TAKEN where `observedAt` is given, and other results were signed for that time or later. EVENT_NOT_OPENED where `results` pay for a group that is not open. RESULTS_MALFORMED, PARTIAL_AMOUNT_INVALID, INPUT_INVALID,
   * what the ledger throws, and what signing throws.
   */
  attest(batch: OpenedBatch, results: readonly GroupResult[], options?: AttestOnceOptions): Promise<Signed>;
  /**
   * Forgets those lines of a batch that were not paid and never will be, so that another batch may pay for their events. The
   * chain says which: lines that are closed and were freed, reversed or reclaimed; lines of a payee who refunded all that it
   * received; all lines of a batch that was not funded by its `eventBy`.
   */
  release(batch: OpenedBatch, options?: ReleaseOptions): Promise<Released>;
}

/**
 * An attester that finds duplicates before it signs.
 * @param connection `runner` signs, and reads the chain for `release`.
 * @param options.ledger The one ledger of all processes of this attester.
 * @param options.attest Signs in another way than the runner does.
 */
export function createAttester<Signed>(
  connection: Connection,
  options: { ledger: AttestationLedger; attest: AttestWith<Signed> },
): Attester<Signed>;
export function createAttester(connection: Connection, options: { ledger: AttestationLedger }): Attester<Attestation>;
export function createAttester(
  connection: Connection,
  { ledger, attest: sign }: { ledger: AttestationLedger; attest?: AttestWith<unknown> },
): Attester<unknown> {
  deploymentOf(connection);
  const signing: AttestWith<unknown> =
    sign ?? ((batch, results, options) => attest(connection.runner, batch, results, options));
  /** When these results may be said to be observed, so that nobody can hold them against what was signed before. */
  const observe = async (
    batch: OpenedBatch,
    results: readonly GroupResult[],
    wanted: number | undefined,
    now: number,
  ): Promise<number> => {
    const packed = encodeResults(results, resultShapeOf(batch, openedGroupsOf(batch)));
    const observedAt = await ledger.observe(batch.batchId, packed, now);
    if (wanted === undefined || observedAt === wanted) return observedAt;
    throw new CarepactError(
      "OBSERVED_AT_TAKEN",
      `Other results of this batch were signed as observed at ${observedAt - 1} or before: these have to be observed later.`,
      { batchId: batch.batchId, observedAt: wanted, least: observedAt },
    );
  };
  return {
    attest: async (batch, results, { coordinatesWith = [], ...options } = {}) => {
      // The chain refuses what was observed at a time that is still to come for it, so its clock is the better one.
      const { provider } = connection.runner;
      const now = options.observedAt ?? (provider ? await chainTimeOf(provider) : Math.floor(Date.now() / 1000));
      const lines = paidLinesOf(batch, results, now);
      const conflicts = await ledger.claim(lines, requireBatchIds(coordinatesWith));
      if (conflicts.length > 0) throw alreadyAttested(batch.batchId, conflicts);
      return signing(batch, results, {
        ...options,
        observedAt: await observe(batch, results, options.observedAt, now),
      });
    },
    release: (batch, options) => releaseUnpaid(connection, ledger, batch, options),
  };
}

/** The lines that `results` pay for, as the ledger compares them. */
function paidLinesOf(batch: OpenedBatch, results: readonly GroupResult[], at: number): ClaimedLine[] {
  const opened = openedGroupsOf(batch);
  // Refuses what does not fit the batch before anything is noted.
  encodeResults(results, resultShapeOf(batch, opened));
  return results.flatMap((result, index) => {
    const { lineCount } = batch.groups[index] as PublicPart["groups"][0];
    const paid = lineResultsOf(result, lineCount).flatMap((line, i) => (pays(line) ? [{ line, i }] : []));
    if (paid.length === 0) return [];
    const group = opened.find((entry) => entry.group === index);
    if (group === undefined)
      throw new CarepactError(
        "EVENT_NOT_OPENED",
        `The results pay for group ${index}, whose lines are not open here: open its part, or leave it pending.`,
        { batchId: batch.batchId, group: index },
      );
    return paid.map(({ line, i }) => claimedLineOf(group, group.lines[i] as OpenedLine, line, at));
  });
}

type Paying = Extract<LineResult, { result: "met" | "partlyMet" }>;

const pays = (line: LineResult): line is Paying => line.result === "met" || line.result === "partlyMet";

function claimedLineOf(group: OpenedGroup, line: OpenedLine, result: Paying, at: number): ClaimedLine {
  const { currency, planPays, otherPayers } = line.detail;
  const decimals = Math.max(currency.decimals, group.token.decimals);
  const scaled = (amount: bigint, from: number): bigint => amount * 10n ** BigInt(decimals - from);
  const { chainId, escrow, batchId } = group;
  return {
    eventKey: eventKeyOf(line.event),
    chainId,
    escrow,
    batchId,
    payer: group.terms.payer,
    group: group.group,
    line: line.index,
    currency: currency.code,
    amount: scaled(result.result === "met" ? line.amount : result.amount, group.token.decimals),
    together: scaled(planPays + otherPayers, currency.decimals),
    decimals,
    at,
  };
}

function requireBatchIds(ids: readonly string[]): readonly string[] {
  if (Array.isArray(ids) && ids.every((id) => isHexString(id, 32))) return ids.map((id) => hexlify(id));
  throw new CarepactError("INPUT_INVALID", "coordinatesWith is a list of batch ids, 32 bytes in hex each.", {
    path: "coordinatesWith",
  });
}

/** Names lines by their place, and batches and payers, which the chain shows: never the event itself. */
function alreadyAttested(batchId: string, conflicts: readonly EventConflict[]): CarepactError {
  const [first] = conflicts as [EventConflict];
  const why = {
    samePayer: "this payer pays for it already",
    notCoordinated: "another payer pays for it already, in a batch that coordinatesWith does not name",
    aboveTotal: "the payers would pay more than all of them together have to",
    otherCurrency: "another payer pays for it in another currency",
  }[first.reason];
  return new CarepactError(
    "EVENT_ALREADY_ATTESTED",
    `The event of line ${first.line} of group ${first.group} was attested before: ${why}. Nothing was signed.`,
    { batchId, conflicts },
  );
}
