import { CarepactError } from "../../errors";
import { formatAmount } from "../../money";
import { resultShapeOf, type OpenedGroup, type OpenedLine } from "../file";
import { decodeResults, lineResultsOf, type LineResult } from "../results";

import type { ClaimBatchEvent } from "../batchEvents";
import { linesIn, outcomeOf, paymentOf, withoutLine, writtenOut, type Presentation } from "../disputes/structs";

import type { EventSource } from "./types";

/** A line that got a final answer. Amounts in base units of the batch's token. */
export interface DecidedLine {
  line: OpenedLine;
  outcome: "met" | "partlyMet" | "notMet" | "awarded";
  /** What is retained of it included. */
  paid: bigint;
  source: EventSource;
}

/**
 * Money of a batch that moved between its payer and one payee. `settled`, `awarded`, `released` and `bond` are credits;
 * `retained` was earned and is kept back, `recouped` is taken out of that; the payee gave back what is `repaid` out of its
 * credit, `returned` out of its tokens.
 */
export interface Movement {
  kind: "settled" | "awarded" | "released" | "bond" | "retained" | "recouped" | "repaid" | "returned";
  amount: bigint;
  source: EventSource;
}

/** What became of one payee's group of a batch, as its events say. */
export interface GroupStory {
  group: OpenedGroup;
  decided: DecidedLine[];
  movements: Movement[];
  /** Where each line stands, in the order of the group's lines. */
  states: readonly LineState[];
}

/** A frozen line is in dispute; a closed one is decided, or went back to the payer. */
export type LineState = "open" | "presented" | "frozen" | "closed";

/** What was presented and has not settled. */
interface Presented {
  results: string;
  /** Bit set of the lines of the batch that it holds. */
  lines: readonly bigint[];
  /** Results of those that are the group's, by index in it. */
  own: Map<number, LineResult>;
}

type Presenting = Extract<ClaimBatchEvent, { name: "ResultsPresented" | "LinesPresented" }>;

/** A settlement of which the closing event is still to come. */
interface Pending {
  settled?: Extract<ClaimBatchEvent, { name: "GroupSettled" }>;
  retained?: { amount: bigint; source: EventSource };
}

const sourceOf = ({ args: { batchId }, txHash, blockNumber, logIndex }: ClaimBatchEvent): EventSource => ({
  batchId,
  txHash,
  blockNumber,
  logIndex,
});

/**
 * What became of each line of a payee's group, from all events of its batch in order. Every sum of lines has to be the
 * amount that the escrow reported for it.
 * @throws REMITTANCE_MISMATCH, RESULTS_MALFORMED, PARTIAL_AMOUNT_INVALID
 */
export function replay(group: OpenedGroup, events: readonly ClaimBatchEvent[]): GroupStory {
  const replayed = new Replay(group);
  for (const event of events) replayed.take(event);
  return { group, decided: replayed.decided, movements: replayed.movements, states: replayed.states };
}

class Replay {
  readonly decided: DecidedLine[] = [];
  readonly movements: Movement[] = [];
  readonly states: LineState[];
  private readonly presentations = new Map<bigint, Presented>();
  /** Lines that their payer disputes: the bond is the payee's if it loses. */
  private readonly disputedByPayer = new Set<number>();
  private pending: Pending = {};

  constructor(private readonly group: OpenedGroup) {
    this.states = group.lines.map(() => "open");
  }

  take(event: ClaimBatchEvent): void {
    switch (event.name) {
      case "GroupSettled":
        if (this.isOurs(event.args.payee)) this.pending.settled = event;
        return;
      case "ClaimBatchSettled":
        this.settle(event, this.openResults(event.args.results));
        return;
      case "LinesReversed":
        if (this.isOurs(event.args.payee)) this.reverse(event);
        return;
      case "ClaimBatchReclaimed":
        this.states.forEach((state, i) => {
          if (state === "open") this.states[i] = "closed";
        });
        return;
      case "ResultsPresented": {
        const { results } = event.args;
        this.hold(event, results, writtenOut(this.group.groups, { firstLine: 0, results, lines: [], outcomes: [] }));
        return;
      }
      case "LinesPresented":
        this.hold(event, this.presentations.get(event.args.firstLine)?.results ?? "0x", event.args);
        return;
      case "PaymentsRetained":
        this.retain(event);
        return;
      case "PresentationSettled": {
        const presented = this.presentations.get(event.args.firstLine);
        this.presentations.delete(event.args.firstLine);
        this.settle(event, presented?.own ?? new Map<number, LineResult>());
        return;
      }
      case "LineDisputed":
        this.dispute(event);
        return;
      case "DisputeResolved":
        if (this.isOurs(event.args.payee)) this.resolve(event);
        return;
      case "Recouped":
        if (this.isOurs(event.args.payee)) this.move("recouped", event.args.amount, event);
        return;
      case "RetentionReleased":
        if (this.isOurs(event.args.payee)) this.move("released", event.args.amount, event);
        return;
      case "Refunded":
        if (this.isOurs(event.args.payee))
          this.move(event.args.fromCredit ? "repaid" : "returned", event.args.amount, event);
        return;
      case "ClaimBatchFunded":
      case "DisputeAttested":
        return;
    }
  }

  private isOurs(payee: string): boolean {
    return payee === this.group.payee;
  }

  private move(kind: Movement["kind"], amount: bigint, event: ClaimBatchEvent): void {
    if (amount > 0n) this.movements.push({ kind, amount, source: sourceOf(event) });
  }

  private resultsOf(results: string): LineResult[] {
    const decoded = decodeResults(results, resultShapeOf(this.group, [this.group]));
    const { group, lines } = this.group;
    return lineResultsOf(decoded[group] ?? { result: "pending" }, lines.length);
  }

  /** Final results of the lines that are open. */
  private openResults(results: string): Map<number, LineResult> {
    // Without this the group stayed as it was: its lines were closed before, or not opened.
    if (this.pending.settled === undefined) return new Map();
    return new Map(
      this.resultsOf(results).flatMap((result, i): [number, LineResult][] =>
        this.states[i] === "open" && result.result !== "pending" ? [[i, result]] : [],
      ),
    );
  }

  private settle(event: ClaimBatchEvent, results: ReadonlyMap<number, LineResult>): void {
    const { settled, retained } = this.pending;
    this.pending = {};
    let [paid, freed] = [0n, 0n];
    for (const [i, result] of results) {
      const { line, amount } = this.close(i);
      const earned = earnedBy(result, amount);
      paid += earned;
      freed += amount - earned;
      const outcome = result.result as DecidedLine["outcome"];
      this.decided.push({ line, outcome, paid: earned, source: sourceOf(settled ?? event) });
    }
    const kept = retained?.amount ?? 0n;
    this.requireSame(event, "paid", paid - kept, settled?.args.paid ?? 0n);
    this.requireSame(event, "freed", freed, settled?.args.freed ?? 0n);
    if (settled !== undefined) this.move("settled", settled.args.paid, settled);
    if (retained !== undefined) this.movements.push({ kind: "retained", ...retained });
  }

  private reverse(event: Extract<ClaimBatchEvent, { name: "LinesReversed" }>): void {
    const sum = event.args.lines.reduce((total, line) => total + this.close(Number(line), event).amount, 0n);
    this.requireSame(event, "reversed", sum, event.args.amount);
  }

  /** @param written Lines and outcomes of all groups, as the escrow has them. */
  private hold(event: Presenting, results: string, written: Pick<Presentation, "lines" | "outcomes">): void {
    // Whether lines differ from what results say is told by a second event.
    for (const i of this.presentations.get(event.args.firstLine)?.own.keys() ?? []) this.states[i] = "open";
    const inIt = new Set(linesIn(written.lines));
    const own = new Map<number, LineResult>();
    let [paid, freed] = [0n, 0n];
    this.resultsOf(results).forEach((result, i) => {
      if (!inIt.has(this.group.firstLine + i)) return;
      const amount = this.group.lines[i]?.amount ?? 0n;
      const earned = earnedBy(result, amount);
      paid += earned;
      freed += amount - earned;
      this.states[i] = "presented";
      own.set(i, result);
    });
    const outcome = outcomeOf(written.outcomes[this.group.group] ?? 0n);
    this.requireSame(event, "presented as paid", paid, outcome.paid);
    this.requireSame(event, "presented as freed", freed, outcome.freed);
    this.presentations.set(event.args.firstLine, { results, lines: written.lines, own });
  }

  private retain(event: Extract<ClaimBatchEvent, { name: "PaymentsRetained" }>): void {
    const ours = event.args.amounts.map(paymentOf).find(({ payee }) => this.isOurs(payee));
    if (ours !== undefined) this.pending.retained = { amount: ours.amount, source: sourceOf(event) };
  }

  private dispute(event: Extract<ClaimBatchEvent, { name: "LineDisputed" }>): void {
    const { firstLine, line, by } = event.args;
    const i = Number(line) - this.group.firstLine;
    const presented = this.presentations.get(firstLine);
    if (presented !== undefined) {
      presented.own.delete(i);
      this.presentations.delete(firstLine);
      // The lowest line names a presentation, whosever it is.
      const lines = withoutLine(presented.lines, Number(line));
      const [lowest] = linesIn(lines);
      if (lowest !== undefined) this.presentations.set(BigInt(lowest), { ...presented, lines });
    }
    if (i < 0 || i >= this.states.length) return;
    this.states[i] = "frozen";
    if (!this.isOurs(by)) this.disputedByPayer.add(i);
  }

  private resolve(event: Extract<ClaimBatchEvent, { name: "DisputeResolved" }>): void {
    const { line, award, returned, bond, bondTo } = event.args;
    const i = Number(line) - this.group.firstLine;
    const closed = this.close(i, event);
    this.requireSame(event, "resolved", closed.amount, award + returned);
    this.decided.push({ line: closed.line, outcome: "awarded", paid: award, source: sourceOf(event) });
    this.move("awarded", award, event);
    // Its own bond comes back to a payee; the payer's is paid to it.
    if (this.isOurs(bondTo) && this.disputedByPayer.has(i)) this.move("bond", bond, event);
  }

  /** @throws REMITTANCE_MISMATCH when the line got its answer before, or is none of the group's */
  private close(i: number, event?: ClaimBatchEvent): { line: OpenedLine; amount: bigint } {
    const line = this.group.lines[i];
    if (line === undefined || this.states[i] === "closed")
      throw this.mismatch(`line ${i} of the group is closed for a second time, or not there`, event);
    this.states[i] = "closed";
    return { line, amount: line.amount };
  }

  private requireSame(event: ClaimBatchEvent, what: string, byLines: bigint, byEvent: bigint): void {
    if (byLines === byEvent) return;
    const { token } = this.group;
    const [lines, reported] = [formatAmount(byLines, token), formatAmount(byEvent, token)];
    throw this.mismatch(`its lines come to ${lines} ${what}, the escrow reported ${reported}`, event, {
      what,
      lines,
      reported,
    });
  }

  private mismatch(problem: string, event?: ClaimBatchEvent, details: Record<string, unknown> = {}): CarepactError {
    const { batchId, payee } = this.group;
    const txHash = event?.txHash;
    return new CarepactError(
      "REMITTANCE_MISMATCH",
      `Batch ${batchId} does not fit transaction ${txHash ?? "unknown"}: ${problem}. Nothing is remitted; ask another node.`,
      { batchId, payee, txHash: txHash ?? null, ...details },
      undefined,
      { txHash },
    );
  }
}

const earnedBy = (result: LineResult, amount: bigint): bigint =>
  result.result === "met" ? amount : result.result === "partlyMet" ? result.amount : 0n;
