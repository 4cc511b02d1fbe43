import type { EventPlace } from "../events";

/** What gave a payee credit: a settlement, an award, what was retained and released, or a bond. */
export type CreditKind = "settled" | "awarded" | "released" | "bond";

/** Credit that one event gave, or as much of it as is meant. Amounts in base units of the token. */
export interface CreditPart {
  kind: CreditKind;
  batchId: string;
  txHash: string;
  blockNumber: number;
  /** Place of the event among all of its block. */
  logIndex: number;
  /** What the event credited. */
  credited: bigint;
  /** How much of that is meant here. */
  amount: bigint;
}

/** @internal An event that credits. */
export interface Crediting extends Pick<EventPlace, "blockNumber" | "logIndex"> {
  args: { batchId: string };
  txHash: string;
}

/** @internal Credits of one payee in one token, used up from the oldest on. */
export class CreditQueue {
  total = 0n;
  private parts: CreditPart[] = [];
  /** Parts before it are used up; they are dropped now and then, since to drop each costs time. */
  private first = 0;

  add(kind: CreditKind, { args: { batchId }, txHash, blockNumber, logIndex }: Crediting, amount: bigint): void {
    if (amount === 0n) return;
    this.parts.push({ kind, batchId, txHash, blockNumber, logIndex, credited: amount, amount });
    this.total += amount;
  }

  /** What an amount is made of; undefined where there is less. */
  take(amount: bigint): CreditPart[] | undefined {
    if (amount > this.total) return undefined;
    this.total -= amount;
    const taken: CreditPart[] = [];
    for (let open = amount; open > 0n;) {
      const part = this.parts[this.first] as CreditPart;
      const used = part.amount < open ? part.amount : open;
      taken.push({ ...part, amount: used });
      part.amount -= used;
      open -= used;
      if (part.amount === 0n) this.first += 1;
    }
    if (this.first > DROPPED_AT_ONCE) {
      this.parts = this.parts.slice(this.first);
      this.first = 0;
    }
    return taken;
  }

  /** What is left, oldest first. */
  left(): CreditPart[] {
    return this.parts.slice(this.first).map((part) => ({ ...part }));
  }
}

const DROPPED_AT_ONCE = 1_000;
