import { nextObservedAt } from "./observing";

/** A line that was attested as paid, as a ledger keeps it. JSON as it is, but for the amounts. */
export interface AttestedLine {
  chainId: number;
  escrow: string;
  batchId: string;
  payer: string;
  /** Index of the group in the batch. */
  group: number;
  /** Index of the line in its group. */
  line: number;
  /** Code of the claim's currency. */
  currency: string;
  /** In units of 10^-`decimals` of the currency; of several attestations of the line, the most. */
  amount: bigint;
  /** What all payers together pay for the event by this payer's decision: its own payment and `otherPayers`. Same units. */
  together: bigint;
  decimals: number;
  /** When it was attested first, unix seconds. */
  at: number;
}

/** A line that is about to be attested as paid. */
export interface ClaimedLine extends AttestedLine {
  /** `eventKeyOf` the line's event. */
  eventKey: string;
}

/** Which line is meant. */
export type LinePlace = Pick<ClaimedLine, "batchId" | "group" | "line" | "eventKey">;

/**
 * Why an event is not attested once more. `samePayer`: this payer has it in its batches already. `notCoordinated`: another
 * payer has, in a batch that was not named. `aboveTotal`: with this line the payers would pay more than all of them together by
 * the decision that knows of the most. `otherCurrency`: the amounts cannot be added.
 */
export type ConflictReason = "samePayer" | "notCoordinated" | "aboveTotal" | "otherCurrency";

/** An event of which a line would be a duplicate. */
export interface EventConflict {
  group: number;
  line: number;
  reason: ConflictReason;
  /** Where the event was attested before. */
  earlier: AttestedLine[];
}

/**
 * Where an attester keeps which events it attested as paid. All processes and keys of one attester share one ledger; what
 * somebody else attested it cannot know. Each method happens as a whole or not at all, in whatever order several processes
 * call, and what was recorded outlives a crash.
 *
 * `lmdbLedger` of `@carepact/sdk/ledger` is one in a database file.
 */
export interface AttestationLedger {
  /**
   * Records all lines, or, where it returns conflicts, none. A line that is recorded already is none: whoever crashed before
   * signing asks again. Lines of one call are compared with each other, too.
   * @param coordinatesWith Ids of the batches of other payers with which the lines' payer coordinates benefits.
   */
  claim(lines: readonly ClaimedLine[], coordinatesWith?: readonly string[]): Promise<EventConflict[]>;
  /**
   * Forgets lines, so that their events may be attested in another batch. Only for what can no longer be paid:
   * `Attester.release` asks the chain first.
   * @returns how many were recorded
   */
  release(lines: readonly LinePlace[]): Promise<number>;
  /** Where an event was attested as paid. @param eventKey `eventKeyOf` the event */
  attested(eventKey: string): Promise<AttestedLine[]>;
  /**
   * Records that results of a batch are signed, and says as observed when: at `observedAt`, but later than all that was signed
   * of the batch before, unless that said the same. Of two different results with one time, whoever has both could prove that the
   * attester lied.
   * @param results As the attestation has them, packed.
   * @param observedAt Unix seconds.
   */
  observe(batchId: string, results: string, observedAt: number): Promise<number>;
}

/** What an attester said last of a batch. */
export interface Observation {
  /** Packed results. */
  results: string;
  /** Unix seconds. */
  observedAt: number;
}

/** @internal A ledger's rows, inside one transaction. */
export interface LedgerRows {
  get(eventKey: string): readonly AttestedLine[];
  /** Without lines, the row is removed. */
  put(eventKey: string, lines: readonly AttestedLine[]): void;
  observed(batchId: string): Observation | undefined;
  putObserved(batchId: string, observation: Observation): void;
}

/** @internal What `AttestationLedger.claim` does, whatever the ledger is kept in. Writes nothing where it returns conflicts. */
export function claimLines(
  rows: LedgerRows,
  claimed: readonly ClaimedLine[],
  coordinatesWith: readonly string[],
): EventConflict[] {
  const named = new Set(coordinatesWith.map((batchId) => batchId.toLowerCase()));
  const changed = new Map<string, readonly AttestedLine[]>();
  const conflicts: EventConflict[] = [];
  for (const { eventKey, ...line } of claimed) {
    const before = changed.get(eventKey) ?? rows.get(eventKey);
    const own = before.find((entry) => sameLine(entry, line));
    // Attested already, for as much: signing it again pays nothing more.
    if (own !== undefined && own.amount >= line.amount) continue;
    const others = before.filter((entry) => entry !== own);
    const conflict = conflictOf(line, others, named);
    if (conflict !== undefined) conflicts.push({ group: line.group, line: line.line, ...conflict });
    changed.set(eventKey, [...others, own === undefined ? line : { ...own, amount: line.amount }]);
  }
  if (conflicts.length === 0) for (const [eventKey, lines] of changed) rows.put(eventKey, lines);
  return conflicts;
}

/** @internal What `AttestationLedger.release` does, whatever the ledger is kept in. */
export function releaseLines(rows: LedgerRows, places: readonly LinePlace[]): number {
  let released = 0;
  for (const place of places) {
    const before = rows.get(place.eventKey);
    const kept = before.filter((entry) => !sameLine(entry, place));
    if (kept.length < before.length) rows.put(place.eventKey, kept);
    released += before.length - kept.length;
  }
  return released;
}

/** @internal What `AttestationLedger.observe` does, whatever the ledger is kept in. */
export function observeResults(rows: LedgerRows, batchId: string, results: string, observedAt: number): number {
  const before = rows.observed(batchId);
  const same = before?.results.toLowerCase() === results.toLowerCase();
  const at = same ? Math.max(observedAt, before.observedAt) : nextObservedAt(before?.observedAt, observedAt);
  rows.putObserved(batchId, { results, observedAt: at });
  return at;
}

type Place = Omit<LinePlace, "eventKey">;

const sameLine = (one: Place, other: Place): boolean =>
  one.batchId.toLowerCase() === other.batchId.toLowerCase() && one.group === other.group && one.line === other.line;

function conflictOf(
  line: AttestedLine,
  others: readonly AttestedLine[],
  named: ReadonlySet<string>,
): Pick<EventConflict, "reason" | "earlier"> | undefined {
  const of = (reason: ConflictReason, earlier: AttestedLine[]) =>
    earlier.length > 0 ? { reason, earlier } : undefined;
  return (
    of(
      "samePayer",
      others.filter(({ payer }) => payer.toLowerCase() === line.payer.toLowerCase()),
    ) ??
    of(
      "notCoordinated",
      others.filter(({ batchId }) => !named.has(batchId.toLowerCase())),
    ) ??
    of(
      "otherCurrency",
      others.filter(({ currency }) => currency !== line.currency),
    ) ??
    of("aboveTotal", exceedsTotal([line, ...others]) ? [...others] : [])
  );
}

/** The payer who decided last knows what those before it paid, so that its decision names the largest total. */
function exceedsTotal(lines: readonly AttestedLine[]): boolean {
  const decimals = Math.max(...lines.map((line) => line.decimals));
  const scaled = (amount: bigint, line: AttestedLine): bigint => amount * 10n ** BigInt(decimals - line.decimals);
  const paid = lines.reduce((sum, line) => sum + scaled(line.amount, line), 0n);
  return lines.every((line) => scaled(line.together, line) < paid);
}
