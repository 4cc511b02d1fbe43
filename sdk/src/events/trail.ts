import type { EventKind } from "./contracts";

/** An event that was told, by what cannot be asked for any more once its block is gone. */
export interface EventRef {
  logIndex: number;
  kind: EventKind;
}

/**
 * A block that was passed: one with events, or the last of a page. Without a hash it stands for whatever comes before the
 * first block that was asked for.
 */
export interface Mark {
  readonly number: number;
  readonly hash: string | undefined;
  /** In ascending order. */
  readonly events: readonly EventRef[];
}

/** How far the events were told: everything up to the last mark, and of the block in `open` the first `told` events. */
export interface Position {
  readonly marks: readonly Mark[];
  readonly open?: { readonly mark: Mark; readonly told: number };
}

export const startAt = (fromBlock: number): Position => ({
  marks: [{ number: fromBlock - 1, hash: undefined, events: [] }],
});

/** The last mark. */
export function tipOf({ marks, open }: Position): Mark {
  const tip = open?.mark ?? marks.at(-1);
  if (tip === undefined) throw new RangeError("A position has at least one mark.");
  return tip;
}

/** The first block of which not all is told. */
export const nextBlockOf = (position: Position): number => position.open?.mark.number ?? tipOf(position).number + 1;

/** Last log of the next block that was told. */
export const toldLogOf = ({ open }: Position): number => open?.mark.events[open.told - 1]?.logIndex ?? -1;

/** Behind event `index` of a block whose events are all known. */
export const afterEvent = ({ marks }: Position, mark: Mark, index: number): Position =>
  index === mark.events.length - 1 ? { marks: [...marks, mark] } : { marks, open: { mark, told: index + 1 } };

/** Behind a block. */
export const afterBlock = ({ marks }: Position, mark: Mark): Position => ({ marks: [...marks, mark] });

/** Before the last event of the tip; `event` is absent when the tip has none left, and then the tip is gone. */
export function withoutLast(position: Position): { position: Position; mark: Mark; event?: EventRef } {
  const mark = tipOf(position);
  const marks = position.open ? position.marks : position.marks.slice(0, -1);
  const told = position.open?.told ?? mark.events.length;
  const event = mark.events[told - 1];
  return event === undefined
    ? { position: { marks }, mark }
    : { position: { marks, open: { mark, told: told - 1 } }, mark, event };
}

/**
 * Forgets what is older than `horizon`, but for one mark: nothing before it can be taken back. Of the marks without events
 * it keeps few, the closer together the nearer they are to the tip, so that their number grows with the logarithm of the
 * blocks.
 */
export function pruned({ marks, ...rest }: Position, horizon: number): Position {
  const oldest = Math.max(
    0,
    marks.findLastIndex(({ number }) => number <= horizon),
  );
  const recent = marks.slice(oldest);
  const tip = recent.at(-1)?.number ?? 0;
  const kept: Mark[] = [];
  recent.forEach((mark, i) => {
    const [before, after] = [kept.at(-1), recent[i + 1]];
    const needed =
      before === undefined ||
      after === undefined ||
      mark.events.length > 0 ||
      after.number - before.number > Math.max(1, (tip - after.number) / 2);
    if (needed) kept.push(mark);
  });
  // What is too old to be taken back need not be named.
  const [first, ...others] = kept;
  const forgotten = first !== undefined && first.number <= horizon && first.events.length > 0;
  return { ...rest, marks: forgotten ? [{ ...first, events: [] }, ...others] : kept };
}
