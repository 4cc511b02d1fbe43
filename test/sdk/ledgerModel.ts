import { expect } from "chai";

import type { AttestationLedger, AttestedLine, ClaimedLine } from "@carepact/sdk/oracles";

import { batchNamed, lineOf, placeOf, type Terms } from "./ledgers";

/** Something that is asked of a ledger. */
export type Step = { claim: Terms[]; coordinatesWith: string[] } | { release: Terms[] };

const isLine = (
  one: AttestedLine,
  { batchId, group, line }: Pick<AttestedLine, "batchId" | "group" | "line">,
): boolean => one.batchId === batchId && one.group === group && one.line === line;

/** What a ledger is meant to do, said with one list of all lines; amounts all in the same units. */
export function modelLedger(): Omit<AttestationLedger, "observe"> {
  let all: ClaimedLine[] = [];
  const refused = (lines: ClaimedLine[], line: ClaimedLine, named: readonly string[]) => {
    const others = lines.filter((other) => other.eventKey === line.eventKey && !isLine(other, line));
    const own = others.filter(({ payer }) => payer === line.payer);
    if (own.length > 0) return { reason: "samePayer" as const, earlier: own };
    const strangers = others.filter(({ batchId }) => !named.includes(batchId));
    if (strangers.length > 0) return { reason: "notCoordinated" as const, earlier: strangers };
    let [paid, most] = [line.amount, line.together];
    for (const { amount, together } of others) {
      paid += amount;
      if (together > most) most = together;
    }
    return paid > most && others.length > 0 ? { reason: "aboveTotal" as const, earlier: others } : undefined;
  };
  return {
    claim: (lines, named = []) => {
      let next = all;
      const conflicts = lines.flatMap((line) => {
        const known = next.find((other) => other.eventKey === line.eventKey && isLine(other, line));
        if (known !== undefined && known.amount >= line.amount) return [];
        const conflict = refused(next, line, named);
        next =
          known === undefined
            ? [...next, line]
            : next.map((other) => (other === known ? { ...known, amount: line.amount } : other));
        return conflict === undefined ? [] : [{ group: line.group, line: line.line, conflict }];
      });
      if (conflicts.length === 0) all = next;
      const shown = conflicts.map(({ conflict: { reason, earlier }, ...at }) => ({
        ...at,
        reason,
        earlier: earlier.map(({ eventKey: _eventKey, ...rest }) => rest),
      }));
      return Promise.resolve(shown);
    },
    release: (places) => {
      const before = all.length;
      all = all.filter((line) => !places.some((place) => place.eventKey === line.eventKey && isLine(line, place)));
      return Promise.resolve(before - all.length);
    },
    attested: (eventKey) =>
      Promise.resolve(all.filter((line) => line.eventKey === eventKey).map(({ eventKey: _eventKey, ...line }) => line)),
  };
}

/** All that a ledger answers to these steps, in an order of its own where it is free to choose; and holds it to its promise. */
export async function stepsOn(ledger: Omit<AttestationLedger, "observe">, steps: readonly Step[]): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (const step of steps) {
    if ("release" in step) answers.push(await ledger.release(step.release.map(placeOf)));
    else {
      const conflicts = await ledger.claim(step.claim.map(lineOf), step.coordinatesWith.map(batchNamed));
      answers.push(conflicts.map((conflict) => ({ ...conflict, earlier: sorted(conflict.earlier) })));
    }
    for (const event of ["0", "1", "2"]) {
      const lines = await ledger.attested(lineOf({ event }).eventKey);
      answers.push(sorted(lines));
      expect(new Set(lines.map(({ payer }) => payer)).size).to.equal(lines.length);
      const paid = lines.reduce((sum, { amount }) => sum + amount, 0n);
      if (lines.length > 1) expect(lines.some(({ together }) => together >= paid)).to.equal(true);
    }
  }
  return answers;
}

const sorted = (lines: readonly AttestedLine[]): AttestedLine[] =>
  [...lines].sort((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));

const nameOf = ({ batchId, group, line }: AttestedLine): string => [batchId, group, line].join();
