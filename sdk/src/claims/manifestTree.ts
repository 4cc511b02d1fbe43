import { concat, isHexString, keccak256 } from "ethers";

import { CarepactError } from "../errors";

/** A leaf and its place in the tree, from 0. */
export interface PlacedLeaf {
  position: number;
  leaf: string;
}

const parentOf = (left: string, right: string): string => keccak256(concat([left, right]));

/** A Merkle tree with all of its leaves. */
export interface ManifestTree {
  root: string;
  /**
   * The hashes that lead from the leaves at `positions` to the root, from the leaves up, from left to right.
   * @throws INPUT_INVALID unless there are positions, all of them in the tree and strictly ascending
   */
  prove(positions: readonly number[]): string[];
}

const areInOrder = (positions: readonly number[], width: number): boolean =>
  positions.length > 0 &&
  positions.every(
    (position, i) => Number.isInteger(position) && position > (positions[i - 1] ?? -1) && position < width,
  );

/**
 * The Merkle tree over `leaves` (ManifestTree.sol): a parent is keccak256(left ‖ right), a last node without a right
 * neighbour goes up as it is. Unlike a tree of sorted pairs it gives each leaf one place.
 * @throws BATCH_EMPTY when there are no leaves
 */
export function manifestTreeOf(leaves: readonly string[]): ManifestTree {
  if (leaves.length === 0) throw new CarepactError("BATCH_EMPTY", "A manifest tree has at least one leaf.");
  const levels = [[...leaves]];
  for (let below = levels[0] as string[]; below.length > 1;) {
    const level: string[] = [];
    for (let i = 0; i < below.length; i += 2) {
      const [left, right] = [below[i] as string, below[i + 1]];
      level.push(right === undefined ? left : parentOf(left, right));
    }
    levels.push(level);
    below = level;
  }
  return { root: (levels[levels.length - 1] as string[])[0] as string, prove: (positions) => prove(levels, positions) };
}

function prove(levels: readonly string[][], positions: readonly number[]): string[] {
  const width = levels[0]?.length ?? 0;
  if (!areInOrder(positions, width))
    throw new CarepactError("INPUT_INVALID", `Positions ascend from 0 and stay below ${width}.`, {
      path: "positions",
      positions: [...positions],
      width,
    });
  const proof: string[] = [];
  let known = [...positions];
  for (const level of levels.slice(0, -1)) {
    const here = new Set(known);
    for (const position of known) {
      const hash = level[position ^ 1];
      if (!here.has(position ^ 1) && hash !== undefined) proof.push(hash);
    }
    known = [...new Set(known.map((position) => position >> 1))];
  }
  return proof;
}

/**
 * Root of the tree of `width` leaves that has `placed` (ascending) in their places, with how many hashes of the proof it
 * took; undefined when they do not make a tree.
 */
function rootFrom(
  placed: readonly PlacedLeaf[],
  width: number,
  proof: readonly string[],
): { root: string; used: number } | undefined {
  const positions = placed.map(({ position }) => position);
  if (!areInOrder(positions, width)) return undefined;
  // Longer ones could make a node of what is a leaf.
  if (![...placed.map(({ leaf }) => leaf), ...proof].every((hash) => isHexString(hash, 32))) return undefined;
  let nodes = [...placed];
  let used = 0;
  for (let left = width; left > 1; left = (left + 1) >> 1) {
    const parents: PlacedLeaf[] = [];
    for (let i = 0; i < nodes.length; i++) {
      const { position, leaf } = nodes[i] as PlacedLeaf;
      const neighbour = position ^ 1;
      let node = leaf;
      if (nodes[i + 1]?.position === neighbour) {
        node = parentOf(leaf, (nodes[++i] as PlacedLeaf).leaf);
      } else if (neighbour < left) {
        const other = proof[used++];
        if (other === undefined) return undefined;
        node = position % 2 === 0 ? parentOf(leaf, other) : parentOf(other, leaf);
      }
      parents.push({ position: position >> 1, leaf: node });
    }
    nodes = parents;
  }
  return { root: (nodes[0] as PlacedLeaf).leaf, used };
}

/** Root of the tree of `width` leaves in which `proof` gives this one its place; undefined when they do not fit. */
export function rootOfLeaf(placed: PlacedLeaf, width: number, proof: readonly string[]): string | undefined {
  const tree = rootFrom([placed], width, proof);
  return tree?.used === proof.length ? tree.root : undefined;
}

/** Root of a batch's manifest: over its line amounts on the left, {@link manifestRightOf} on the right. */
export const manifestRootOf = (linesRoot: string, right: string): string => parentOf(linesRoot, right);

/** Right side of a batch's manifest: the root over details, joined with the one over patients' keys where there are any. */
export const manifestRightOf = (detailsRoot: string, patientsRoot: string | undefined): string =>
  patientsRoot === undefined ? detailsRoot : parentOf(detailsRoot, patientsRoot);

/** Whether these groups' line amounts have their places under `manifestRoot`; the proof ends in its right side. */
export function verifyLines(
  manifestRoot: string,
  groups: readonly PlacedLeaf[],
  groupCount: number,
  proof: readonly string[],
): boolean {
  const tree = rootFrom(groups, groupCount, proof);
  const right = proof[proof.length - 1];
  if (tree === undefined || right === undefined || proof.length !== tree.used + 1) return false;
  return manifestRootOf(tree.root, right) === manifestRoot;
}

/**
 * Whether a line's detail has its place under `manifestRoot`; the proof ends in the root over line amounts, with the root
 * over patients' keys before it where there are any. No proof can be read both ways: then a leaf would be an inner node.
 */
export function verifyDetail(
  manifestRoot: string,
  detail: PlacedLeaf,
  lineCount: number,
  proof: readonly string[],
): boolean {
  const tree = rootFrom([detail], lineCount, proof);
  const lines = proof[proof.length - 1];
  if (tree === undefined || lines === undefined) return false;
  const [patients, ...more] = proof.slice(tree.used, -1);
  if (more.length > 0) return false;
  return manifestRootOf(lines, manifestRightOf(tree.root, patients)) === manifestRoot;
}
