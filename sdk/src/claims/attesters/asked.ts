import { attesterRoles, attestersOf } from "../../rulebooks/build";
import type { PublicPart } from "../file";
import { lineResultsOf, type GroupResult } from "../results";

/** What one condition of a batch's rulebook asks for, given results. Exactly one of the last three is there. */
export interface AskedCondition {
  /** Index of the condition in the rulebook. */
  condition: number;
  /** How many signatures. */
  required: number;
  /** Of whom some have to sign: with each one's index among the rulebook's attesters. */
  attesters?: { index: number; signer: string }[];
  /** Payees who all have to sign, with their groups. */
  payees?: { index: number; group: number; payee: string }[];
  /** Lines whose patients all have to sign: the line's index in the batch. */
  lines?: { index: number; line: number }[];
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/**
 * Who has to sign results so that they settle, as the escrow judges it (AttesterConditions.sol): conditions that do not count for
 * these results are left out.
 */
export function askedSignaturesOf(batch: PublicPart, results: readonly GroupResult[]): AskedCondition[] {
  const { rulebook, groups } = batch;
  const attesters = attestersOf(rulebook);
  return rulebook.attesterGroups.flatMap(({ threshold, above, attesters: named }, condition): AskedCondition[] => {
    const own = attesters.filter((attester) => attester.condition === condition);
    const [{ index = 0 } = {}] = own;
    const settled = groups.flatMap(({ payee, subtotal }, group) =>
      results[group]?.result !== "pending" && subtotal > above ? [{ index, group, payee }] : [],
    );
    if (named[0] === attesterRoles.payee)
      return settled.length === 0 ? [] : [{ condition, required: settled.length, payees: settled }];
    if (named[0] === attesterRoles.patient) {
      const lines = settled.flatMap(({ group }) => paidLinesOf(batch, group, results).map((line) => ({ index, line })));
      return lines.length === 0 ? [] : [{ condition, required: lines.length, lines }];
    }
    if (above > 0n && settled.length === 0) return [];
    return [{ condition, required: threshold, attesters: own.map(({ index, signer }) => ({ index, signer })) }];
  });
}

/** Indices in the batch of the lines of a group that are paid, fully or partly. */
function paidLinesOf({ groups }: PublicPart, group: number, results: readonly GroupResult[]): number[] {
  const counts = groups.map(({ lineCount }) => lineCount);
  const first = sum(counts.slice(0, group));
  return lineResultsOf(results[group] as GroupResult, counts[group] as number).flatMap(({ result }, i) =>
    result === "met" || result === "partlyMet" ? [first + i] : [],
  );
}
