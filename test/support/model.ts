import type { GroupResult, LineResult } from "@carepact/sdk/claims";

import type { TestBatch } from "./batches";
import type { Money } from "./claims";

/** A line and what it paid, once it is closed; the rest of its amount was freed. */
interface ModelLine {
  amount: bigint;
  paid?: bigint;
}

/**
 * Who gets how much, in plain arithmetic over single lines: no words, no bitmaps, no packing, no hashes. It is for one payer and
 * one token, and takes for granted that attestations are signed and come in time.
 */
export class ClaimsModel {
  private free = 0n;
  private readonly credits = new Map<string, bigint>();
  private readonly batches = new Map<string, ModelLine[][]>();
  private readonly refunded = new Map<string, bigint>();

  fund({ id, amounts }: TestBatch): void {
    this.batches.set(
      id,
      amounts.map((group) => group.map((amount) => ({ amount }))),
    );
  }

  /** Settles what the results call final, as far as the opened groups let it. */
  settle(batch: TestBatch, results: readonly GroupResult[], opened: readonly number[]): void {
    this.linesOf(batch).forEach((lines, group) => {
      const result = results[group]!;
      const whole = result.result !== "byLine" && lines.every(isOpen);
      if (lines.length > 1 && !whole && !opened.includes(group)) return;
      lines.forEach((line, index) => {
        const paid = paidFor(line, result.result === "byLine" ? result.lines[index]! : result);
        if (isOpen(line) && paid !== undefined) this.close(line, paid, batch.groups[group]!.payee);
      });
    });
  }

  /** Whether a payee may give these lines up: only while every one of them is open. */
  canReverse(batch: TestBatch, group: number, lines: readonly number[]): boolean {
    return lines.every((line) => isOpen(this.linesOf(batch)[group]![line]!));
  }

  reverse(batch: TestBatch, group: number, lines: readonly number[]): void {
    for (const line of lines) this.close(this.linesOf(batch)[group]![line]!, 0n, batch.groups[group]!.payee);
  }

  reclaim(batch: TestBatch): void {
    this.linesOf(batch).forEach((lines, group) => {
      for (const line of lines.filter(isOpen)) this.close(line, 0n, batch.groups[group]!.payee);
    });
  }

  /** What a payee can still refund of a batch. */
  refundable(batch: TestBatch, group: number): bigint {
    const received = this.linesOf(batch)[group]!.reduce((sum, { paid }) => sum + (paid ?? 0n), 0n);
    return received - (this.refunded.get(`${batch.id} ${group}`) ?? 0n);
  }

  refund(batch: TestBatch, group: number, amount: bigint): void {
    const { payee } = batch.groups[group]!;
    this.refunded.set(`${batch.id} ${group}`, (this.refunded.get(`${batch.id} ${group}`) ?? 0n) + amount);
    this.credits.set(payee, this.creditOf(payee) - amount);
    this.free += amount;
  }

  /** What `moneyOf` has to find on the chain. */
  moneyOf(batch: TestBatch): Money {
    return {
      open: this.openLines(batch).reduce((sum, { amount }) => sum + amount, 0n),
      free: this.free,
      credits: batch.groups.map(({ payee }) => this.creditOf(payee)),
    };
  }

  /** Indices in the batch of the lines that are closed. */
  closedLines(batch: TestBatch): number[] {
    return this.linesOf(batch)
      .flat()
      .flatMap((line, index) => (isOpen(line) ? [] : [index]));
  }

  hasOpenLines(batch: TestBatch): boolean {
    return this.openLines(batch).length > 0;
  }

  private close(line: ModelLine, paid: bigint, payee: string): void {
    line.paid = paid;
    this.free += line.amount - paid;
    this.credits.set(payee, this.creditOf(payee) + paid);
  }

  private openLines(batch: TestBatch): ModelLine[] {
    return this.linesOf(batch).flat().filter(isOpen);
  }

  private linesOf({ id }: TestBatch): ModelLine[][] {
    return this.batches.get(id)!;
  }

  private creditOf(payee: string): bigint {
    return this.credits.get(payee) ?? 0n;
  }
}

function isOpen(line: ModelLine): boolean {
  return line.paid === undefined;
}

function paidFor({ amount }: ModelLine, result: LineResult): bigint | undefined {
  switch (result.result) {
    case "pending":
      return undefined;
    case "met":
      return amount;
    case "notMet":
      return 0n;
    case "partlyMet":
      return result.amount;
  }
}
