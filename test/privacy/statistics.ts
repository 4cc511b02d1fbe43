import type { Random } from "../support/random";

/** How often something was guessed, how often rightly, and what chance would have got. */
export interface Score {
  guesses: number;
  right: number;
  /** Share of right guesses that chance gets, on average. */
  chance: number;
  /** Probability that chance gets at least as many right: one-sided. */
  p: number;
}

const logFactorials = [0];
function logFactorial(n: number): number {
  for (let i = logFactorials.length; i <= n; i++) logFactorials.push((logFactorials[i - 1] ?? 0) + Math.log(i));
  return logFactorials[n] ?? 0;
}
const logChoose = (n: number, k: number): number => logFactorial(n) - logFactorial(k) - logFactorial(n - k);

/** P(X ≥ right) of a binomial distribution. */
export function binomialTail(guesses: number, right: number, chance: number): number {
  if (right <= 0) return 1;
  if (chance <= 0) return 0;
  if (chance >= 1) return 1;
  let sum = 0;
  for (let k = right; k <= guesses; k++)
    sum += Math.exp(logChoose(guesses, k) + k * Math.log(chance) + (guesses - k) * Math.log1p(-chance));
  return Math.min(1, sum);
}

/** P(X ≥ right) when `guesses` of `all` are named without looking, of which `marked` are marked. */
export function hypergeometricTail(all: number, marked: number, guesses: number, right: number): number {
  let sum = 0;
  for (let k = Math.max(right, 0); k <= Math.min(marked, guesses); k++)
    if (guesses - k <= all - marked)
      sum += Math.exp(logChoose(marked, k) + logChoose(all - marked, guesses - k) - logChoose(all, guesses));
  return Math.min(1, sum);
}

/** Exact interval (Clopper and Pearson) in which the share of right guesses lies with 95 % confidence. */
export function interval({ guesses, right }: Pick<Score, "guesses" | "right">): [from: number, to: number] {
  const bisect = (below: (share: number) => boolean): number => {
    let [from, to] = [0, 1];
    for (let i = 0; i < 50; i++) {
      const middle = (from + to) / 2;
      if (below(middle)) from = middle;
      else to = middle;
    }
    return (from + to) / 2;
  };
  const from = right === 0 ? 0 : bisect((share) => binomialTail(guesses, right, share) < 0.025);
  const to = right === guesses ? 1 : bisect((share) => 1 - binomialTail(guesses, right + 1, share) > 0.025);
  return [from, to];
}

/** Share of `rounds` random worlds, the given one included, in which as many guesses or more are right. */
export function permutationTest(
  right: number,
  rounds: number,
  inAnother: (random: Random) => number,
  random: Random,
): { p: number; mean: number } {
  let asGood = 1;
  let sum = 0;
  for (let round = 0; round < rounds; round++) {
    const other = inAnother(random);
    sum += other;
    if (other >= right) asGood += 1;
  }
  return { p: asGood / (rounds + 1), mean: sum / rounds };
}
