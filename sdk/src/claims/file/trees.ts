import { manifestTreeOf, type ManifestTree } from "../manifestTree";
import {
  linesLeafOf,
  manifestLeafHashOf,
  packGroupLines,
  type GroupLines,
  type ManifestLeaf,
  type OpenedLines,
} from "../types";

/** Tree of all groups' line amounts, in order of group. */
export function linesTreeOf(groups: readonly GroupLines[]): ManifestTree {
  return manifestTreeOf(groups.map(linesLeafOf));
}

/** Tree of all lines' details, in order of line. */
export function detailsTreeOf(leaves: readonly ManifestLeaf[]): ManifestTree {
  return manifestTreeOf(leaves.map(manifestLeafHashOf));
}

/** Opens one group by its own proof. */
export function openOneGroup(lines: GroupLines, proof: readonly string[]): OpenedLines {
  return { groups: [packGroupLines(lines)], proof: [...proof] };
}

/**
 * Opens several groups of a batch of which all are known.
 * @param right Right side of the manifest: the root over details, joined with the one over patients' keys if there are any
 * @param indices In ascending order
 */
export function openGroups(all: readonly GroupLines[], right: string, indices: readonly number[]): OpenedLines {
  if (indices.length === 0) return { groups: [], proof: [] };
  const groups = all.filter(({ group }) => indices.includes(group)).map(packGroupLines);
  return { groups, proof: [...linesTreeOf(all).prove(indices), right] };
}
