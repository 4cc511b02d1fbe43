import { Random } from "../support/random";
import { DAY } from "../support/system";

import { PHARMACY_NPI, dateOf, keyWithoutSalt, prescriptionOf, type LineId } from "./claimsLife";
import type { SeenLine } from "./seenLines";
import { permutationTest, type Score } from "./statistics";

/** What the observer found of (a): two claims of one patient. */
export interface Linking extends Score {
  /** Share that is right when any line of the payee is named that is a refill's time away. */
  chanceOfPayee: number;
}

interface Guess {
  line: SeenLine;
  named: SeenLine;
  candidates: readonly SeenLine[];
}

const REFILL = 30 * DAY;
const EARLIEST = 15 * DAY;
const LATEST = 45 * DAY;
const ROUNDS = 2_000;

/**
 * Names to each line the one that most looks like the same patient's next refill, and holds that against what actually is.
 * Chance is that of somebody who names the same groups, and in them any line: which payee, and when, is public. `p` is that
 * of a permutation test which gives the lines of each group to its patients in another order.
 */
export function link(lines: readonly SeenLine[], truth: ReadonlyMap<LineId, number>, seed: number): Linking {
  const random = new Random(seed);
  const guesses = guessesOf(lines, random);
  const right = guesses.filter(({ line, named }) => truth.get(line.id) === truth.get(named.id)).length;
  const groups = groupBy(lines, ({ group }) => group);
  const patientsOf = new Map([...groups].map(([group, members]) => [group, members.map(({ id }) => truth.get(id))]));
  const { p } = permutationTest(right, ROUNDS, (among) => rightInAnother(guesses, groups, patientsOf, among), random);
  const sum = (of: (guess: Guess) => number): number => guesses.reduce((total, guess) => total + of(guess), 0);
  const share = (line: SeenLine, among: readonly SeenLine[]): number =>
    among.filter(({ id }) => truth.get(id) === truth.get(line.id)).length / among.length;
  return {
    guesses: guesses.length,
    right,
    chance: sum(({ line, named }) => share(line, groups.get(named.group) ?? [named])) / guesses.length,
    chanceOfPayee: sum(({ line, candidates }) => share(line, candidates)) / guesses.length,
    p,
  };
}

/** How many guesses are right when patients have the places of their groups in another order. */
function rightInAnother(
  guesses: readonly Guess[],
  groups: ReadonlyMap<string, readonly SeenLine[]>,
  patientsOf: ReadonlyMap<string, readonly (number | undefined)[]>,
  random: Random,
): number {
  const patients = new Map<LineId, number | undefined>();
  for (const [group, members] of groups) {
    const shuffled = random.shuffled(patientsOf.get(group) ?? []);
    members.forEach(({ id }, i) => patients.set(id, shuffled[i]));
  }
  return guesses.filter(({ line, named }) => patients.get(line.id) === patients.get(named.id)).length;
}

function guessesOf(lines: readonly SeenLine[], random: Random): Guess[] {
  const byPayee = groupBy(lines, ({ payee }) => payee);
  const keys = new KeyBook(lines);
  const amounts = countsOf(lines);
  return lines.flatMap((line) => {
    const candidates = (byPayee.get(line.payee) ?? []).filter(
      ({ time }) => time > line.time + EARLIEST && time <= line.time + LATEST,
    );
    const ranked = candidates.map((named) => ({
      named,
      likeness: likeness(line, named, keys, amounts),
      tie: random.next(),
    }));
    const best = ranked.sort((a, b) => b.likeness - a.likeness || b.tie - a.tie)[0];
    return best === undefined ? [] : [{ line, named: best.named, candidates }];
  });
}

function groupBy(lines: readonly SeenLine[], keyOf: (line: SeenLine) => string): Map<string, SeenLine[]> {
  const groups = new Map<string, SeenLine[]>();
  for (const line of lines) groups.set(keyOf(line), [...(groups.get(keyOf(line)) ?? []), line]);
  return groups;
}

/** How often each amount is seen. */
const countsOf = (lines: readonly SeenLine[]): Map<bigint, number> => {
  const counts = new Map<bigint, number>();
  for (const { amount } of lines) if (amount !== undefined) counts.set(amount, (counts.get(amount) ?? 0) + 1);
  return counts;
};

/** By how much more two lines look like one patient's than any two do: a sum of logarithms, roughly weighed. */
function likeness(a: SeenLine, b: SeenLine, keys: KeyBook, amounts: ReadonlyMap<bigint, number>): number {
  const days = (b.time - a.time - REFILL) / DAY;
  const sameWord = a.words.some((word) => b.words.includes(word)) || keys.sameSeries(a, b);
  const known = a.amount !== undefined && b.amount !== undefined;
  const rare = known ? Math.log(amounts.size / (amounts.get(a.amount ?? 0n) ?? 1)) + 20 : 0;
  const sameAmount = !known ? 0 : a.amount === b.amount ? rare : -20;
  return -((days / 3) ** 2) / 2 + (sameWord ? 1_000 : 0) + sameAmount - 4 * Math.abs(a.place - b.place);
}

/** Every word that stands by a line, looked up among what event keys without salt would be. */
class KeyBook {
  private readonly series = new Map<string, string>();

  constructor(lines: readonly SeenLine[]) {
    const first = Math.min(...lines.map(({ time }) => time));
    const last = Math.max(...lines.map(({ time }) => time));
    if (lines.every(({ words }) => words.length === 0)) return;
    // Numbers of a pharmacy's prescriptions run on, a fill's number follows from its date, and dates are few.
    for (let time = first - 15 * DAY; time <= last; time += DAY)
      for (let patient = 0; patient < 200; patient++)
        for (const fillNumber of [0, 1].map((back) => Math.floor((time - first) / REFILL) - back + 1)) {
          const prescriptionReferenceNumber = prescriptionOf(patient);
          const dateOfService = dateOf(time);
          const event = {
            kind: "dispense",
            pharmacyNpi: PHARMACY_NPI,
            prescriptionReferenceNumber,
            fillNumber,
          } as const;
          this.series.set(keyWithoutSalt({ ...event, dateOfService }), prescriptionReferenceNumber);
        }
  }

  sameSeries(a: SeenLine, b: SeenLine): boolean {
    const seriesOf = ({ words }: SeenLine) =>
      words.map((word) => this.series.get(word)).find((one) => one !== undefined);
    const series = seriesOf(a);
    return series !== undefined && series === seriesOf(b);
  }
}
