import type { AccessStore } from "@carepact/sdk/access";
import type { Json } from "@carepact/sdk";

/** What a store holds: JSON text by key. */
export type Rows = Map<string, { text: string; version: number }>;

/** A store over rows that a test can copy, change and delete. */
export function storeOf(rows: Rows): AccessStore {
  return {
    get: (key) => {
      const row = rows.get(key);
      return Promise.resolve(row && { value: JSON.parse(row.text) as Json, version: String(row.version) });
    },
    put: (key, value, version) => {
      const row = rows.get(key);
      if (version !== (row && String(row.version))) return Promise.resolve(false);
      rows.set(key, { text: JSON.stringify(value), version: (row?.version ?? 0) + 1 });
      return Promise.resolve(true);
    },
    list: (prefix) => Promise.resolve([...rows.keys()].filter((key) => key.startsWith(prefix))),
  };
}

/** Changes rows whose key begins like this. */
export function rewrite(rows: Rows, prefix: string, change: (value: never) => unknown): void {
  for (const [key, row] of rows)
    if (key.startsWith(prefix)) rows.set(key, { ...row, text: JSON.stringify(change(JSON.parse(row.text) as never)) });
}

/** Deletes rows whose key begins like this. */
export function forget(rows: Rows, prefix: string): void {
  for (const key of [...rows.keys()]) if (key.startsWith(prefix)) rows.delete(key);
}

/** A store of which the step number `at` fails: before it had its effect, or after. */
export function failingStore(inner: AccessStore, at: number, when: "before" | "after"): AccessStore {
  let step = 0;
  const guard = async <Value>(work: () => Promise<Value>): Promise<Value> => {
    const fails = step++ === at;
    if (fails && when === "before") throw new Error("the database is away");
    const value = await work();
    if (fails) throw new Error("the database's answer was lost");
    return value;
  };
  return {
    get: (key) => guard(() => inner.get(key)),
    put: (key, value, version) => guard(() => inner.put(key, value, version)),
    list: (prefix) => guard(() => inner.list(prefix)),
  };
}

/** A store whose answers come in an order of their own, drawn from a seed: as when many ask at once. */
export function shuffledStore(inner: AccessStore, seed: number): AccessStore {
  let state = seed;
  const turns = (): number => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) % 4;
  const later = async <Value>(work: () => Promise<Value>): Promise<Value> => {
    for (let left = turns(); left > 0; left -= 1) await Promise.resolve();
    const value = await work();
    for (let left = turns(); left > 0; left -= 1) await Promise.resolve();
    return value;
  };
  return {
    get: (key) => later(() => inner.get(key)),
    put: (key, value, version) => later(() => inner.put(key, value, version)),
    list: (prefix) => later(() => inner.list(prefix)),
  };
}
