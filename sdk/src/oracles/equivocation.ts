import { attestersOf, type Equivocation } from "../rulebooks";
import type { Attestation } from "../claims/attestation";
import { publicPartOf, type BatchSource } from "../claims/batchSource";
import { readSigned, type SignatureKnowledge } from "../claims/attesters/signed";
import { resultShapeOf, type PublicPart } from "../claims/file";
import { decodeResults, lineResultsOf, type GroupResult, type LineResult } from "../claims/results";
import { CarepactError, isCarepactError } from "../errors";

/**
 * Finds two attestations of one attester that contradict each other: final, different, of one line, with the same `observedAt`. From
 * pending to final, and from one final result to another that was observed later, is what happens in honest care, and never counts.
 * `rulebooks.proveEquivocation` proves on chain what is found.
 * @param source The batch that all attestations are of; those of others are left out, as are those that nobody signed as they stand.
 * @param knowledge As `combineAttestations` takes it, to check signatures of keys and wallet contracts.
 */
export function findEquivocation(
  source: BatchSource,
  attestations: readonly Attestation[],
  knowledge: SignatureKnowledge = {},
): Equivocation | undefined {
  const batch = publicPartOf(source);
  const statements = attestations.flatMap((attestation) => readStatement(batch, attestation, knowledge));
  for (const [i, first] of statements.entries())
    for (const second of statements.slice(i + 1)) {
      if (first.attester !== second.attester || first.signed.observedAt !== second.signed.observedAt) continue;
      const place = contradictionOf(batch, first.results, second.results);
      if (place !== undefined)
        return { attester: first.attester, ...place, first: first.signed, second: second.signed };
    }
  return undefined;
}

/**
 * What two attestations of one attester prove, see {@link findEquivocation}.
 * @throws EQUIVOCATION_NOT_SHOWN with `details.reason`: `attesters` (of two signers), `observedAt` (at different times), or `results`
 * (they agree, or differ only in what is pending, or are not of this batch, or not signed as they stand)
 */
export function equivocationOf(
  source: BatchSource,
  [first, second]: readonly [Attestation, Attestation],
  knowledge: SignatureKnowledge = {},
): Equivocation {
  const refuse = (reason: string, problem: string): CarepactError =>
    new CarepactError("EQUIVOCATION_NOT_SHOWN", `The attestations prove nothing: ${problem}.`, { reason });
  if (first.signer.toLowerCase() !== second.signer.toLowerCase()) throw refuse("attesters", "two signers made them");
  if (first.observedAt !== second.observedAt)
    throw refuse("observedAt", "they were observed at different times, between which care may go on");
  const found = findEquivocation(source, [first, second], knowledge);
  if (found === undefined)
    throw refuse("results", "they contradict each other in no line, or one was not signed for this batch as it stands");
  return found;
}

interface Statement {
  /** As the rulebook names it. */
  attester: string;
  signed: Attestation;
  results: GroupResult[];
}

function readStatement(batch: PublicPart, attestation: Attestation, knowledge: SignatureKnowledge): Statement[] {
  try {
    const { signer, signature } = readSigned(batch, attestation, knowledge);
    // Of payees and patients the contracts take no such proof: they stand behind one batch each.
    if (!attestersOf(batch.rulebook).some((named) => named.signer === signer)) return [];
    const results = decodeResults(attestation.results, resultShapeOf(batch));
    return [{ attester: signer, signed: { ...attestation, signature }, results }];
  } catch (thrown) {
    if (isCarepactError(thrown)) return [];
    throw thrown;
  }
}

/** The first line of which two results contradict each other. */
function contradictionOf(
  { groups }: PublicPart,
  first: readonly GroupResult[],
  second: readonly GroupResult[],
): Pick<Equivocation, "group" | "line"> | undefined {
  for (const [group, { lineCount }] of groups.entries()) {
    const other = lineResultsOf(second[group] as GroupResult, lineCount);
    const line = lineResultsOf(first[group] as GroupResult, lineCount).findIndex((result, i) =>
      contradicts(result, other[i] as LineResult),
    );
    if (line >= 0) return { group, line };
  }
  return undefined;
}

const contradicts = (one: LineResult, other: LineResult): boolean =>
  one.result !== "pending" &&
  other.result !== "pending" &&
  (one.result !== other.result ||
    (one.result === "partlyMet" && other.result === "partlyMet" && one.amount !== other.amount));
