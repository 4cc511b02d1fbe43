import { canonicalJson } from "../encryption";
import type { Json } from "../errors";

/** A value as it was read. */
export interface StoredValue {
  value: Json;
  /** Changes with each write; what it looks like is the store's business. */
  version: string;
}

/**
 * Where a gateway keeps its log. Any database with a conditional write of one row will do (`INSERT … ON CONFLICT DO
 * NOTHING`, `UPDATE … WHERE version = ?`); transactions over several rows are not needed. What it holds is as sensitive as
 * the records themselves.
 *
 * Several processes may share a store. Each method may fail at any time, also after it had its effect: the log is whole
 * after each step, and who asked gets nothing unless all steps succeeded.
 */
export interface AccessStore {
  get(key: string): Promise<StoredValue | undefined>;
  /**
   * Writes a value so that it outlives a crash, if that of the key still has this version; without one, if there is none.
   * @returns whether it was written
   */
  put(key: string, value: Json, version?: string): Promise<boolean>;
  /** All keys that begin like this, in any order; one that is written meanwhile may be missing. */
  list(prefix: string): Promise<string[]>;
}

/** A store that forgets with its process: for tests and trials. */
export function memoryStore(): AccessStore {
  const values = new Map<string, { text: string; version: number }>();
  return {
    get: (key) => {
      const found = values.get(key);
      return Promise.resolve(found && { value: JSON.parse(found.text) as Json, version: String(found.version) });
    },
    put: (key, value, version) => {
      const found = values.get(key);
      if (version !== (found && String(found.version))) return Promise.resolve(false);
      values.set(key, { text: canonicalJson(value), version: (found?.version ?? 0) + 1 });
      return Promise.resolve(true);
    },
    list: (prefix) => Promise.resolve([...values.keys()].filter((key) => key.startsWith(prefix))),
  };
}
