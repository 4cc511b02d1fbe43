import { CarepactError } from "../errors";

import type { CompiledQuery } from "./query";
import type { EventRef, Mark, Position } from "./trail";

/** Characters of the longest cursor that is taken back. */
export const MAX_CURSOR_LENGTH = 1_048_576;

const VERSION = 1;
/** Enough to tell the queries of one program apart. */
const DIGEST_CHARACTERS = 18;
const BYTES32 = /^0x[0-9a-f]{64}$/;

/** `[number, hash, [log index, kind, log index, kind, ...]]`; a kind is an index into `kinds`. */
type MarkJson = [number, string | null, number[]?];

interface CursorJson {
  v: number;
  chainId: number;
  query: string;
  /** Whether more events may follow in the last mark's block. */
  open: boolean;
  /** `ClaimEscrow.GroupSettled` */
  kinds: string[];
  marks: MarkJson[];
}

/** A position as a string. */
export function writeCursor(chainId: number, { digest }: CompiledQuery, { marks, open }: Position): string {
  const kinds: string[] = [];
  const kindIndex = ({ kind }: EventRef): number => {
    const name = `${kind.contract}.${kind.name}`;
    const known = kinds.indexOf(name);
    return known < 0 ? kinds.push(name) - 1 : known;
  };
  const markJson = ({ number, hash, events }: Mark): MarkJson =>
    events.length === 0
      ? [number, hash ?? null]
      : [number, hash ?? null, events.flatMap((event) => [event.logIndex, kindIndex(event)])];
  const last = open === undefined ? [] : [{ ...open.mark, events: open.mark.events.slice(0, open.told) }];
  const json: CursorJson = {
    v: VERSION,
    chainId,
    query: digest.slice(0, DIGEST_CHARACTERS),
    open: open !== undefined,
    kinds,
    marks: [...marks, ...last].map(markJson),
  };
  return JSON.stringify(json);
}

/** The position that a cursor stands for. @throws CURSOR_INVALID */
export function readCursor(chainId: number, query: CompiledQuery, cursor: unknown): Position {
  if (typeof cursor !== "string" || cursor.length > MAX_CURSOR_LENGTH)
    throw invalid(`A cursor is a string of at most ${MAX_CURSOR_LENGTH} characters.`);
  const json = parsed(cursor);
  if (typeof json.v === "number" && json.v > VERSION)
    throw invalid("The cursor was made by a newer version: update the SDK.", { version: json.v });
  if (json.v !== VERSION) throw invalid("This is no cursor.");
  if (json.chainId !== chainId)
    throw invalid(`The cursor is of chain ${String(json.chainId)}, the deployment on ${chainId}.`);
  if (json.query !== query.digest.slice(0, DIGEST_CHARACTERS))
    throw invalid("The cursor is of another query: go on with the one that it came from, or begin anew.");
  const { open, kinds, marks: list } = json;
  if (typeof open !== "boolean" || !Array.isArray(list) || !Array.isArray(kinds)) throw changed("marks");
  const marks = list.map((entry, i) => markOf(query, kinds, entry, i));
  marks.forEach(({ number, hash }, i) => {
    const before = marks[i - 1];
    if (before !== undefined && (number <= before.number || hash === undefined)) throw changed(`marks[${i}]`);
  });
  const tip = marks.at(-1);
  if (tip === undefined) throw changed("marks");
  if (!open) return { marks };
  if (marks.length === 1 || tip.hash === undefined) throw changed("open");
  return { marks: marks.slice(0, -1), open: { mark: tip, told: tip.events.length } };
}

function parsed(cursor: string): Partial<Record<keyof CursorJson, unknown>> {
  try {
    const json: unknown = JSON.parse(cursor);
    if (typeof json === "object" && json !== null) return json;
  } catch {
    // Said below, for everything that is not what it should be.
  }
  throw invalid("This is no cursor.");
}

function markOf(query: CompiledQuery, kinds: unknown[], entry: unknown, i: number): Mark {
  const [number, hash, events = [], ...more] = Array.isArray(entry) ? (entry as unknown[]) : [];
  if (!isNumberFrom(-1, number) || !Array.isArray(events) || events.length % 2 !== 0 || more.length > 0)
    throw changed(`marks[${i}]`);
  if (hash !== null && !(typeof hash === "string" && BYTES32.test(hash))) throw changed(`marks[${i}]`);
  if (hash === null && events.length > 0) throw changed(`marks[${i}]`);
  const refs: EventRef[] = [];
  for (let place = 0; place < events.length; place += 2) {
    const [logIndex, kind] = [events[place] as unknown, kinds[events[place + 1] as number]];
    const [contract = "", name = ""] = typeof kind === "string" ? kind.split(".") : [];
    const known = query.kindNamed(contract, name);
    if (known === undefined || !isNumberFrom((refs.at(-1)?.logIndex ?? -1) + 1, logIndex)) throw changed(`marks[${i}]`);
    refs.push({ logIndex, kind: known });
  }
  return { number, hash: hash ?? undefined, events: refs };
}

const isNumberFrom = (least: number, value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) >= least;

const changed = (path: string): CarepactError => invalid("The cursor was changed since it was made.", { path });

const invalid = (problem: string, details: Record<string, unknown> = {}): CarepactError =>
  new CarepactError("CURSOR_INVALID", problem, details);
