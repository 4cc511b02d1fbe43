import { randomSalt, type RandomSource } from "../../encryption";
import { CarepactError } from "../../errors";
import type { AdjudicatedClaim, AdjudicatedLine } from "../input/adjudicated";
import { manifestRightOf } from "../manifestTree";

import type { PartLineJson } from "./document";
import { patientLeafOf, requirePatientKeys, sortedPair } from "./patientKeys";

/**
 * The keys that may say yes for the patients of these claims, by line.
 * @param given Keys by claim id, in the place of those that claims and lines carry
 * @throws INPUT_INVALID, IDENTIFIER_INVALID, PATIENT_KEY_REUSED for a key of two claims: the chain would show that both are of one
 * patient
 */
export function patientSignersOf(
  claims: readonly AdjudicatedClaim[],
  given: Readonly<Record<string, readonly string[]>> = {},
): ReadonlyMap<AdjudicatedLine, string[]> {
  const unknown = Object.keys(given).find((id) => !claims.some(({ claimId }) => claimId === id));
  if (unknown !== undefined)
    throw new CarepactError("INPUT_INVALID", `patientKeys names claim ${unknown}, which is not among the claims.`, {
      path: `patientKeys.${unknown}`,
    });
  const signers = new Map<AdjudicatedLine, string[]>();
  const claimOf = new Map<string, AdjudicatedClaim>();
  for (const claim of claims)
    for (const line of claim.lines) {
      const keys = given[claim.claimId] ?? line.patientKeys ?? claim.patientKeys;
      if (keys === undefined) continue;
      const list = requirePatientKeys(keys, `patientKeys of claim ${claim.claimId}, line ${line.lineNumber}`);
      for (const signer of list) {
        const earlier = claimOf.get(signer) ?? claim;
        if (earlier !== claim)
          throw new CarepactError(
            "PATIENT_KEY_REUSED",
            `Claims ${earlier.claimId} and ${claim.claimId} have a patient's key in common: have one made for each claim.`,
            { claimId: claim.claimId, earlier: earlier.claimId },
          );
        claimOf.set(signer, claim);
      }
      signers.set(line, list);
    }
  return signers;
}

/** What a batch commits to about its patients, joined with its other roots. */
export interface CommittedPatients {
  /** Right side of the manifest. */
  right: string;
  /** What stands between a detail's path and the root over line amounts in its proof. */
  besideDetails: string[];
  /** What the part says of a line's patient. */
  patientOf(line: number): Pick<PartLineJson, "patient">;
}

/** A proof is as long as if every line had this many keys, so that its length tells of no representative. */
const PLACES_PER_LINE = 4;

/**
 * Commits to the keys of a batch's patients: random leaves stand beside them, and all in the order of their hashes, so
 * that a proof tells neither how many keys a line has nor how many lines have any. Draws nothing where there are none.
 * @param signers Of each line, in order of line
 */
export function commitPatients(
  signers: readonly (readonly string[] | undefined)[],
  roots: { details: string; lines: string },
  random: RandomSource,
): CommittedPatients {
  const keys = signers.flatMap((list = [], line) =>
    list.map((signer) => {
      const salt = randomSalt(random);
      return { line, signer, salt, leaf: patientLeafOf(line, { signer, salt }) };
    }),
  );
  if (keys.length === 0) return { right: roots.details, besideDetails: [], patientOf: () => ({}) };

  const width = 2 ** Math.ceil(Math.log2(Math.max(keys.length, PLACES_PER_LINE * signers.length)));
  const padding = Array.from({ length: width - keys.length }, () => randomSalt(random));
  const { root, prove } = treeOfSortedPairs([...keys.map(({ leaf }) => leaf), ...padding].sort());
  return {
    right: manifestRightOf(roots.details, root),
    besideDetails: [root],
    patientOf: (line) => {
      const own = keys.filter((key) => key.line === line);
      if (own.length === 0) return {};
      const proofOf = (leaf: string): string[] => [...prove(leaf), roots.details, roots.lines];
      return { patient: { signers: own.map(({ signer, salt, leaf }) => ({ signer, salt, proof: proofOf(leaf) })) } };
    },
  };
}

/** The tree over as many leaves as a power of two, as OpenZeppelin's MerkleProof reads its proofs. */
function treeOfSortedPairs(leaves: readonly string[]): { root: string; prove: (leaf: string) => string[] } {
  const levels = [leaves];
  for (let below = leaves; below.length > 1;) {
    below = below.flatMap((hash, i) => (i % 2 === 0 ? [sortedPair(hash, below[i + 1] as string)] : []));
    levels.push(below);
  }
  const [root] = levels.pop() as [string];
  const places = new Map(leaves.map((leaf, i) => [leaf, i]));
  const placeOf = (leaf: string): number => places.get(leaf) as number;
  return { root, prove: (leaf) => levels.map((level, depth) => level[(placeOf(leaf) >> depth) ^ 1] as string) };
}
