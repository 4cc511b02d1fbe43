import { isPresented } from "../../rulebooks/arbitration";
import { attesterRoles } from "../../rulebooks/build";
import type { AttesterGroup } from "../../rulebooks/rulebook";
import type { OpenedGroup } from "../file";
import type { Group } from "../types";

/** What it takes beside named attesters until a payee's lines are paid. */
export interface CheckNeeds {
  /** Whether the payee has to sign for its group itself. */
  payee: boolean;
  /** Lines (indices in the group) whose patients have to sign: the care is paid only with their yes. */
  patientLines: number[];
  /** Whether the rulebook's workflow can settle in place of all signatures (`possible`), or alone can (`alone`). */
  workflow: "none" | "possible" | "alone";
}

const isRole = ({ attesters }: AttesterGroup, role: string): boolean => attesters[0] === role;

/** The conditions that count when this group alone is settled. */
const conditionsFor = ({ rulebook, groups, group }: OpenedGroup): { condition: AttesterGroup; index: number }[] =>
  rulebook.attesterGroups
    .map((condition, index) => ({ condition, index }))
    .filter(({ condition: { above } }) => above === 0n || (groups[group] as Group).subtotal > above);

const named = (batch: OpenedGroup) =>
  conditionsFor(batch).filter(
    ({ condition }) => !isRole(condition, attesterRoles.payee) && !isRole(condition, attesterRoles.patient),
  );

const hasWorkflow = ({ rulebook }: OpenedGroup): boolean => BigInt(rulebook.workflow.id) !== 0n;

/** What else is needed for a payee's group. @param lines Those that matter; all unless given. */
export function needsOf(batch: OpenedGroup, lines?: readonly number[]): CheckNeeds {
  const conditions = conditionsFor(batch).map(({ condition }) => condition);
  const own = batch.lines.map(({ index }) => index).filter((index) => lines === undefined || lines.includes(index));
  return {
    payee: conditions.some((condition) => isRole(condition, attesterRoles.payee)),
    patientLines: conditions.some((condition) => isRole(condition, attesterRoles.patient)) ? own : [],
    workflow: !hasWorkflow(batch) ? "none" : batch.rulebook.attesterGroups.length === 0 ? "alone" : "possible",
  };
}

/** Index of a condition for which too few attesters are left, where no workflow could do without. */
export function unreachableCondition(batch: OpenedGroup, gone: ReadonlySet<string>): number | undefined {
  if (hasWorkflow(batch)) return undefined;
  return named(batch).find(({ condition: { threshold, attesters } }) => left(attesters, gone).length < threshold)
    ?.index;
}

const left = (attesters: readonly string[], gone: ReadonlySet<string>): string[] =>
  attesters.map((attester) => attester.toLowerCase()).filter((attester) => !gone.has(attester));

/**
 * Whether the payer alone could say that the care did not happen, keep others from saying that it did, or take back what they
 * said. Patients are not asked
 * about care that did not happen, so that they protect nobody from the first.
 */
export function payerDecides(batch: OpenedGroup, gone: ReadonlySet<string>): boolean {
  const { rulebook, terms, payee } = batch;
  const payer = terms.payer.toLowerCase();
  // It could dispute what was attested, and rule for itself, or take back what is retained.
  if (isPresented(rulebook) && rulebook.arbiter.toLowerCase() === payer) return true;
  if (hasWorkflow(batch) && rulebook.workflow.owner.toLowerCase() === payer) return true;
  if (rulebook.attesterGroups.length === 0) return false;
  const conditions = named(batch).map(({ condition: { threshold, attesters } }) => {
    const remaining = left(attesters, gone);
    const payers = remaining.filter((attester) => attester === payer).length;
    return { alone: payers >= threshold, needed: remaining.length - payers < threshold };
  });
  const payeeSigns = conditionsFor(batch).some(({ condition }) => isRole(condition, attesterRoles.payee));
  const alone = conditions.every((condition) => condition.alone) && !(payeeSigns && payee.toLowerCase() !== payer);
  return alone || (!hasWorkflow(batch) && conditions.some(({ needed }) => needed));
}
