import { randomSalt, type RandomSource } from "../encryption";
import type { Json } from "../errors";
import { CarepactError } from "../errors";

import { recordStateOf, type TrailLog } from "./log";
import type { AccessStore } from "./store";
import { compartments, leafBlindOf, trailLeafOf, type Compartment } from "./trail";
import { recordTreeOf, type LeafProof, type RecordState } from "./tree";

/** What a root commits to, as a gateway keeps it. */
interface Snapshot {
  seed: string;
  records: { patient: string; state: RecordState }[];
}

/** A patient's record under one root, opened as far as the patient may see. */
export interface RecordProof extends LeafProof {
  sequence: number;
  root: string;
  trails: Record<Compartment, { count: number; blind: string; leaf: string }>;
}

/** The roots of a gateway in its store. */
export interface Anchoring {
  /**
   * Makes the next root of how the trails are now, and keeps what is needed to prove from it. One that is never anchored
   * does no harm: what counts is what the chain has.
   */
  prepare(previous: { sequence: number; root: string } | undefined): Promise<{ sequence: number; root: string }>;
  /**
   * Proofs of a patient's record: under each of these roots under which it grew, under the last, and under those that were
   * asked for, as far as it was there then and the store still knows them.
   */
  proofs(
    patient: string,
    anchored: readonly { sequence: number; root: string }[],
    asked: ReadonlySet<number>,
  ): Promise<RecordProof[]>;
}

const MOST_DIGITS = 16;

const keyOf = (sequence: number, root: string): string => `${String(sequence).padStart(MOST_DIGITS, "0")}/${root}`;

export function anchoringOf(store: AccessStore, log: TrailLog, random: RandomSource): Anchoring {
  const findSnapshot = async (sequence: number, root: string): Promise<Snapshot | undefined> =>
    (await store.get(`snapshot/${keyOf(sequence, root)}`))?.value as unknown as Snapshot | undefined;

  const requireSnapshot = async (sequence: number, root: string): Promise<Snapshot> => {
    const found = await findSnapshot(sequence, root);
    if (found === undefined)
      throw new CarepactError(
        "ACCESS_LOG_INCONSISTENT",
        `The store does not know root ${sequence}, which was anchored: it is another gateway's, or an old copy.`,
        { sequence, root },
      );
    return found;
  };

  const proofIn = (
    { seed }: Snapshot,
    tree: ReturnType<typeof recordTreeOf>,
    state: RecordState,
    sequence: number,
  ): RecordProof => {
    const proof = tree.prove(state.shared.trail) as LeafProof;
    const opened = compartments.map((compartment) => {
      const { [compartment]: trail } = state;
      const blind = leafBlindOf(seed, trail.trail);
      return [compartment, { count: trail.count, blind, leaf: trailLeafOf(trail, blind) }] as const;
    });
    return { ...proof, sequence, root: tree.root, trails: Object.fromEntries(opened) as RecordProof["trails"] };
  };

  return {
    prepare: async (previous) => {
      // Who lost its store anchors what it has: to say nothing would be worse.
      const before = previous && (await findSnapshot(previous.sequence, previous.root));
      const sequence = (previous?.sequence ?? 0) + 1;
      const records: Snapshot["records"] = [];
      for (const patient of await log.patients()) {
        const state = await recordStateOf(log, patient);
        if (state !== undefined) records.push({ patient, state });
      }
      const snapshot: Snapshot = { seed: randomSalt(random), records };
      const tree = recordTreeOf(
        records.map(({ state }) => state),
        snapshot.seed,
      );
      const earlier = new Map(before?.records.map(({ patient, state }) => [patient, state]));
      for (const { patient, state } of records) {
        const old = earlier.get(patient);
        if (compartments.every((compartment) => old?.[compartment].head === state[compartment].head)) continue;
        const proof = proofIn(snapshot, tree, state, sequence);
        await store.put(`proof/${patient}/${keyOf(sequence, tree.root)}`, proof as unknown as Json);
      }
      await store.put(`snapshot/${keyOf(sequence, tree.root)}`, snapshot as unknown as Json);
      return { sequence, root: tree.root };
    },
    proofs: async (patient, anchored, asked) => {
      const last = anchored.at(-1);
      if (last === undefined) return [];
      const roots = new Set(anchored.map(({ sequence, root }) => keyOf(sequence, root)));
      const prefix = `proof/${patient}/`;
      const keys = (await store.list(prefix)).filter((key) => roots.has(key.slice(prefix.length))).sort();
      const found = await Promise.all(keys.map(async (key) => (await store.get(key))?.value as unknown as RecordProof));
      const known = new Set(found.map(({ sequence }) => sequence));
      for (const { sequence, root } of anchored) {
        if (known.has(sequence) || (sequence !== last.sequence && !asked.has(sequence))) continue;
        const snapshot = await (sequence === last.sequence ? requireSnapshot : findSnapshot)(sequence, root);
        const record = snapshot?.records.find((entry) => entry.patient === patient);
        if (snapshot === undefined || record === undefined) continue;
        const tree = recordTreeOf(
          snapshot.records.map(({ state }) => state),
          snapshot.seed,
        );
        found.push(proofIn(snapshot, tree, record.state, sequence));
      }
      return found.sort((a, b) => a.sequence - b.sequence);
    },
  };
}
