import { concat, dataLength, hexlify, keccak256, randomBytes, solidityPackedKeccak256, toBeHex } from "ethers";

import { batchIdOf, manifestRootOf, manifestTreeOf } from "@carepact/sdk/claims";

import type { TestBatch } from "../../support/batches";
import type { Key } from "../../support/keys";

/** Parts of an opening of a patient's key (see IAttesterConditions). */
export interface Opening {
  salt: string;
  path: string[];
  detailsRoot: string;
  linesRoot: string;
  signer: string;
}

/** A claim batch that commits to the keys that may sign for its lines. */
export interface PatientBatch extends TestBatch {
  /** Of the root over details, before that of patients' keys is joined to it. */
  detailsRoot: string;
  linesRoot: string;
  patientsRoot: string;
  /** What leads from a key that may sign for a line to the batch's manifest. */
  openingOf(line: number, key: Key): Opening;
}

const pairOf = (a: string, b: string): string => keccak256(BigInt(a) < BigInt(b) ? concat([a, b]) : concat([b, a]));

/** Tree of sorted pairs, as OpenZeppelin's MerkleProof walks it; a last node without a neighbour goes up as it is. */
function sortedTreeOf(leaves: string[]): { root: string; prove(index: number): string[] } {
  const levels = [leaves];
  for (let level = leaves; level.length > 1; levels.push(level))
    level = level.flatMap((node, i) => (i % 2 ? [] : [i + 1 < level.length ? pairOf(node, level[i + 1]!) : node]));
  return {
    root: levels[levels.length - 1]![0]!,
    prove: (index) =>
      levels.flatMap((level, depth) => {
        const neighbour = level[(index >> depth) ^ 1];
        return neighbour === undefined ? [] : [neighbour];
      }),
  };
}

/** The batch with a commitment to the keys that may sign for each line: `keys[line]`, lines counted over all groups. */
export function withPatients(batch: TestBatch, keys: readonly Key[][]): PatientBatch {
  const all = batch.open(batch.groups.map((_, group) => group));
  const linesRoot = manifestTreeOf(
    all.groups.map(({ group, salt, amounts }) =>
      solidityPackedKeccak256(["uint256", "bytes32", "bytes"], [group, salt, amounts]),
    ),
  ).root;
  const detailsRoot = hexlify(all.proof[all.proof.length - 1]!);
  const placed = keys.flatMap((signers, line) =>
    signers.map(({ signer }) => ({ line, signer, salt: hexlify(randomBytes(32)) })),
  );
  const tree = sortedTreeOf(
    placed.map(({ line, salt, signer }) =>
      solidityPackedKeccak256(["uint256", "bytes32", "bytes"], [line, salt, signer]),
    ),
  );
  const right = keccak256(concat([detailsRoot, tree.root]));
  const terms = { ...batch.terms, manifestRoot: manifestRootOf(linesRoot, right) };
  const withRight = (proof: readonly unknown[]): string[] => [...(proof.slice(0, -1) as string[]), right];
  return {
    ...batch,
    id: batchIdOf(terms, batch.ref),
    terms,
    open: (indices) => {
      const { groups, proof } = batch.open(indices);
      return { groups, proof: indices.length === 0 ? [] : withRight(proof) };
    },
    openOne: (index) => {
      const { opened, proof } = batch.openOne(index);
      return { opened, proof: withRight(proof) };
    },
    detailsRoot,
    linesRoot,
    patientsRoot: tree.root,
    openingOf: (line, { signer }) => {
      const index = placed.findIndex((leaf) => leaf.line === line && leaf.signer === signer);
      if (index < 0) throw new Error(`That key was not committed for line ${line}.`);
      return { salt: placed[index]!.salt, path: tree.prove(index), detailsRoot, linesRoot, signer };
    },
  };
}

/** An opening as it stands before a patient's signature. */
export const packOpening = ({ salt, path, detailsRoot, linesRoot, signer }: Opening): string =>
  concat([salt, toBeHex(path.length + 2, 1), ...path, detailsRoot, linesRoot, toBeHex(dataLength(signer), 1), signer]);
