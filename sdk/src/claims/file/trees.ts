import { SimpleMerkleTree, StandardMerkleTree } from "@openzeppelin/merkle-tree";

import {
  linesLeafOf,
  manifestLeafTypes,
  manifestLeafValues,
  packGroupLines,
  type GroupLines,
  type ManifestLeaf,
  type OpenedLines,
} from "../types";

/** Tree of all groups' line amounts, in order of group. */
export function linesTreeOf(groups: readonly GroupLines[]): SimpleMerkleTree {
  // Unsorted, a multiproof has its leaves in order of group, in which the escrow reads them.
  return SimpleMerkleTree.of(groups.map(linesLeafOf), { sortLeaves: false });
}

/** Tree of all lines' details. */
export function detailsTreeOf(
  leaves: readonly ManifestLeaf[],
): StandardMerkleTree<ReturnType<typeof manifestLeafValues>> {
  return StandardMerkleTree.of(leaves.map(manifestLeafValues), manifestLeafTypes);
}

/** Opens one group by its own proof. */
export function openOneGroup(lines: GroupLines, proof: readonly string[]): OpenedLines {
  return { groups: [packGroupLines(lines)], proof: [...proof], proofFlags: proof.map(() => false) };
}

/** Opens several groups of a batch of which all are known. `indices` are in ascending order. */
export function openGroups(all: readonly GroupLines[], detailsRoot: string, indices: readonly number[]): OpenedLines {
  if (indices.length === 0) return { groups: [], proof: [], proofFlags: [] };
  const { proof, proofFlags } = linesTreeOf(all).getMultiProof([...indices]);
  const groups = all.filter(({ group }) => indices.includes(group)).map(packGroupLines);
  return { groups, proof: [...proof, detailsRoot], proofFlags: [...proofFlags, false] };
}
