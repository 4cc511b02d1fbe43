import { randomSalt, type RandomSource } from "../encryption";
import { CarepactError, type Json } from "../errors";

import type { AccessStore } from "./store";
import {
  compartments,
  entryHashOf,
  headAfter,
  linkOf,
  placeOf,
  trailOf,
  type Compartment,
  type TrailState,
} from "./trail";
import type { RecordState } from "./tree";
import { requireStatement, type AccessStatement } from "./types";

/** An entry as a gateway keeps it. */
export interface LoggedEntry {
  number: number;
  statement: AccessStatement;
  /** Salt of the statement's hash. */
  salt: string;
  /** Blind of the place. */
  blind: string;
}

/** A trail with the salts that its entries have from outside. */
export interface LogEnd extends TrailState {
  /** Salt of the trail's name. */
  salt: string;
  /** Unix seconds of the last entry. */
  at: number;
}

/** An entry with what is derived from its place. */
export interface Placed {
  entry: LoggedEntry;
  entryHash: string;
  place: string;
  /** The trail after it. */
  end: LogEnd;
}

/**
 * The trails of one gateway in a store. An entry is one row whose key holds its number, written only where there is none:
 * so numbers have no gaps and no forks, whoever writes at the same time and wherever it is interrupted. How far a trail
 * goes is found by walking on from the last place that was noted.
 */
export interface TrailLog {
  /** Adds an entry behind the last one; its time is not before that of the last one. */
  append(patient: string, compartment: Compartment, statement: AccessStatement, salt?: string): Promise<Placed>;
  /** Where a trail ends; undefined if the gateway has noted nothing of the patient. */
  end(patient: string, compartment: Compartment): Promise<LogEnd | undefined>;
  /** Entries of a trail with their places, behind one that is known. */
  entries(patient: string, compartment: Compartment, behind?: LogEnd): AsyncGenerator<Placed, void, undefined>;
  /** Patients of whom something was noted. */
  patients(): Promise<string[]>;
}

const COUNT_DIGITS = 15;

interface StoredEnd {
  count: number;
  head: string;
  at: number;
}

export function trailLogOf(store: AccessStore, gateway: () => Promise<string>, random: RandomSource): TrailLog {
  const recordKey = (patient: string): string => `record/${patient}`;
  const endKey = (patient: string, compartment: Compartment): string => `end/${patient}/${compartment}`;
  const entryKey = (patient: string, compartment: Compartment, number: number): string =>
    `entry/${patient}/${compartment}/${String(number).padStart(COUNT_DIGITS, "0")}`;

  const read = async (key: string): Promise<{ value: unknown; version: string } | undefined> => store.get(key);
  const salts = async (patient: string): Promise<Record<Compartment, string> | undefined> =>
    (await read(recordKey(patient)))?.value as Record<Compartment, string> | undefined;

  /** Salts of a patient's trails; both are drawn together, so that there are never others. */
  const requireSalts = async (patient: string): Promise<Record<Compartment, string>> => {
    const known = await salts(patient);
    if (known !== undefined) return known;
    await store.put(recordKey(patient), { shared: randomSalt(random), own: randomSalt(random) });
    return (await salts(patient)) ?? lost(recordKey(patient));
  };

  const place = (before: LogEnd, entry: LoggedEntry): Placed => {
    const entryHash = entryHashOf(entry.salt, entry.statement);
    const head = headAfter(before.head, linkOf(entry.number, entryHash));
    return {
      entry,
      entryHash,
      place: placeOf(before.trail, entry.number, before.head, entry.blind),
      end: { ...before, count: entry.number + 1, head, at: entry.statement.at },
    };
  };

  const beginning = async (patient: string, compartment: Compartment, salt: string): Promise<LogEnd> => {
    const trail = trailOf({ gateway: await gateway(), patient, compartment, salt });
    return { trail, salt, count: 0, head: trail, at: 0 };
  };

  /** The next entry after an end that is known. */
  const next = async (patient: string, compartment: Compartment, end: LogEnd): Promise<Placed | undefined> => {
    const found = await read(entryKey(patient, compartment, end.count));
    return found && place(end, found.value as LoggedEntry);
  };

  const findEnd = async (patient: string, compartment: Compartment, salt: string): Promise<LogEnd> => {
    const noted = (await read(endKey(patient, compartment)))?.value as StoredEnd | undefined;
    let end = { ...(await beginning(patient, compartment, salt)), ...noted };
    for (let after = await next(patient, compartment, end); after; after = await next(patient, compartment, end))
      end = after.end;
    return end;
  };

  /** Notes how far a trail goes. Only saves walking: entries themselves say where they stand. */
  const noteEnd = async (patient: string, compartment: Compartment, { count, head, at }: LogEnd): Promise<void> => {
    const key = endKey(patient, compartment);
    const noted = await read(key);
    if (((noted?.value as StoredEnd | undefined)?.count ?? 0) < count)
      await store.put(key, { count, head, at }, noted?.version);
  };

  return {
    append: async (patient, compartment, statement, salt = randomSalt(random)) => {
      const { [compartment]: trailSalt } = await requireSalts(patient);
      const blind = randomSalt(random);
      for (;;) {
        const end = await findEnd(patient, compartment, trailSalt);
        const timed = requireStatement({ ...statement, at: Math.max(statement.at, end.at) });
        const entry: LoggedEntry = { number: end.count, statement: timed, salt, blind };
        const key = entryKey(patient, compartment, end.count);
        await store.put(key, entry as unknown as Json);
        // Whoever came first: also a write of ours whose answer was lost.
        const written = (await next(patient, compartment, end)) ?? lost(key);
        await noteEnd(patient, compartment, written.end);
        if (written.entry.salt === salt) return written;
      }
    },
    end: async (patient, compartment) => {
      const known = await salts(patient);
      return known && findEnd(patient, compartment, known[compartment]);
    },
    entries: async function* (patient, compartment, behind) {
      const known = await salts(patient);
      if (known === undefined) return;
      let end = behind ?? (await beginning(patient, compartment, known[compartment]));
      for (let after = await next(patient, compartment, end); after; after = await next(patient, compartment, end)) {
        yield after;
        end = after.end;
      }
    },
    patients: async () => (await store.list("record/")).map((key) => key.slice("record/".length)),
  };
}

/** Both trails of a patient as they are now. */
export async function recordStateOf(log: TrailLog, patient: string): Promise<RecordState | undefined> {
  const ends = await Promise.all(compartments.map((compartment) => log.end(patient, compartment)));
  const [shared, own] = ends.map((end) => end && { trail: end.trail, count: end.count, head: end.head });
  return shared && own && { shared, own };
}

/** A store that does not give back what it took. */
function lost(key: string): never {
  throw new CarepactError("ACCESS_NOT_LOGGED", "The store does not have what was written to it.", { key });
}
