import { manifestTreeOf, rootOfLeaf } from "../claims/manifestTree";

import { leafBlindOf, paddingOf, recordLeafOf, trailLeafOf, type Compartment, type TrailState } from "./trail";

/** The trails of a patient at one moment. */
export type RecordState = Readonly<Record<Compartment, TrailState>>;

/** Where a record stands under a root. */
export interface LeafProof {
  position: number;
  width: number;
  proof: string[];
}

/** The tree under one root of a gateway. */
export interface RecordTree {
  root: string;
  /** Proof of the record in which a trail of this name is; undefined without one. */
  prove(trail: string): LeafProof | undefined;
}

/** Least leaves of a tree: who sees a proof does not see how many patients a small gateway has. */
const LEAST_WIDTH = 64;

/**
 * The tree over the trails of all patients, under a secret seed: equal states have different roots, and leaves stand in
 * the order of their hashes, which is another one each time. It is filled up to a power of two with leaves that stand for
 * nothing, at least one.
 */
export function recordTreeOf(records: readonly RecordState[], seed: string): RecordTree {
  const placed = records.map(({ shared, own }) => ({
    trails: [shared.trail, own.trail],
    leaf: recordLeafOf(
      trailLeafOf(shared, leafBlindOf(seed, shared.trail)),
      trailLeafOf(own, leafBlindOf(seed, own.trail)),
    ),
  }));
  let width = LEAST_WIDTH;
  while (width <= records.length) width *= 2;
  const padding = Array.from({ length: width - records.length }, (_, i) => ({ trails: [], leaf: paddingOf(seed, i) }));
  const leaves = [...placed, ...padding].sort((a, b) => (a.leaf < b.leaf ? -1 : 1));
  const tree = manifestTreeOf(leaves.map(({ leaf }) => leaf));
  const positions = new Map(
    leaves.flatMap(({ trails }, position) => trails.map((trail) => [trail, position] as const)),
  );
  return {
    root: tree.root,
    prove: (trail) => {
      const position = positions.get(trail);
      return position === undefined ? undefined : { position, width, proof: tree.prove([position]) };
    },
  };
}

/** Root that a record's leaf leads to; undefined if the proof does not fit. */
export function rootFromLeaf(leaf: string, { position, width, proof }: LeafProof): string | undefined {
  return rootOfLeaf({ position, leaf }, width, proof);
}
