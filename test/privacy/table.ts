import { liveClaims, type ClaimsPlan } from "./claimsLife";
import { liveConsents, type ConsentsPlan } from "./consentsLife";
import { guessAccesses, guessGrantees, guessMajorities, guessRestrictions } from "./guessing";
import { link, type Linking } from "./linking";
import { seenLinesOf } from "./seenLines";
import { interval, type Score } from "./statistics";

/** What a row is held to: no better than chance, found out, or the share of right guesses that docs/privacy.md tells. */
export type Verdict = "chance" | "caught" | { told: number };

/** A way in which claims are filed and paid. */
export interface ClaimsRow {
  name: string;
  verdict: Verdict;
  changes: Partial<ClaimsPlan>;
}

/** A way in which grants are given and accesses logged. */
export interface ConsentsRow {
  name: string;
  /** By question; what is not in it is not asked. */
  verdicts: Partial<Record<Question, Verdict>>;
  changes: Partial<ConsentsPlan>;
}

const SEED = Number(process.env.CAREPACT_PRIVACY_SEED ?? 1);

/** The observer's own dice: not those that the year was thrown with. */
const OBSERVER_SEED = (SEED ^ 0x9e3779b9) >>> 0;

/** Instrumented for coverage, a year takes hours: then the program only has to run. */
export const small = Boolean(process.env.SOLIDITY_COVERAGE);

const claims: ClaimsPlan = {
  patients: small ? 40 : 200,
  months: small ? 2 : 12,
  linesPerPayee: small ? 10 : 50,
  order: "shuffled",
  salts: "random",
  partly: 0,
  note: "nothing",
  seed: SEED,
};

const consents: ConsentsPlan = {
  patients: small ? 20 : 200,
  months: small ? 2 : 12,
  unsalted: false,
  anchorsAtOnce: false,
  clinicsAct: false,
  custodiansAct: false,
  parentsRevoke: false,
  revokedAfterAccess: false,
  uneven: false,
  seed: SEED,
};

const claimsRows: readonly ClaimsRow[] = [
  { name: "all lines met, in random order", verdict: "chance", changes: {} },
  { name: "the same", verdict: "chance", changes: { linesPerPayee: 100 } },
  { name: "the same", verdict: { told: 0.036 }, changes: { linesPerPayee: 20 } },
  { name: "the same", verdict: { told: 0.05 }, changes: { linesPerPayee: 10 } },
  { name: "the same", verdict: { told: 0.05 }, changes: { linesPerPayee: 5 } },
  { name: "the same, three months", verdict: { told: 0.563 }, changes: { linesPerPayee: 1, months: 3 } },
  { name: "given to the SDK in order of patient", verdict: "chance", changes: { order: "by patient" } },
  { name: "given to the SDK in order of time", verdict: "chance", changes: { order: "by time of fill" } },
  {
    name: "filed in order of patient, as the SDK does not",
    verdict: "caught",
    changes: { order: "by patient", salts: "counting" },
  },
  {
    name: "filed in order of time, as the SDK does not",
    verdict: "caught",
    changes: { order: "by time of fill", salts: "counting" },
  },
  { name: "one line in fifty partly met", verdict: { told: 0.167 }, changes: { partly: 0.02 } },
  {
    name: "beside each line a salted key and a one-time address",
    verdict: "chance",
    changes: { note: "salted keys, one-time addresses" },
  },
  {
    name: "beside each line its event key without a salt",
    verdict: "caught",
    changes: { note: "unsalted event keys" },
  },
  { name: "beside each line its patient's address", verdict: "caught", changes: { note: "stable patient addresses" } },
];

/** Coverage keeps to what has the size for it. */
export const claimsTable = small ? claimsRows.filter(({ changes }) => changes.linesPerPayee === undefined) : claimsRows;

export const questions = {
  "a grant's clinic": guessGrantees,
  "an access's patient": guessAccesses,
  "who came of age": guessMajorities,
  "what is restricted": guessRestrictions,
} as const;
export type Question = keyof typeof questions;

const all = (verdict: Verdict): ConsentsRow["verdicts"] => ({
  "a grant's clinic": verdict,
  "an access's patient": verdict,
  "who came of age": verdict,
  "what is restricted": verdict,
});

export const consentsTable: readonly ConsentsRow[] = [
  { name: "as documented", verdicts: all("chance"), changes: {} },
  {
    name: "parents revoke under their own keys",
    verdicts: { "who came of age": { told: 0.68 } },
    changes: { parentsRevoke: true },
  },
  {
    name: "patients revoke within two days after an access",
    verdicts: { "an access's patient": { told: 0.055 } },
    changes: { revokedAfterAccess: true },
  },
  {
    name: "some patients have many grants, others none",
    verdicts: { "an access's patient": { told: 0.024 } },
    changes: { uneven: true },
  },
  {
    name: "no salts, roots after each access, clinics and custodians act themselves",
    verdicts: all("caught"),
    changes: { unsalted: true, anchorsAtOnce: true, clinicsAct: true, custodiansAct: true },
  },
];

export async function claimsScore({ changes }: ClaimsRow): Promise<Linking> {
  const { seen, truth } = await liveClaims({ ...claims, ...changes });
  return link(seenLinesOf(seen), truth, OBSERVER_SEED);
}

export const linesPerPayeeOf = ({ changes }: ClaimsRow): number => changes.linesPerPayee ?? claims.linesPerPayee;

export async function consentsScores({ changes, verdicts }: ConsentsRow): Promise<[Question, Verdict, Score][]> {
  const life = await liveConsents({ ...consents, ...changes });
  return (Object.keys(questions) as Question[]).flatMap((question): [Question, Verdict, Score][] => {
    const verdict = verdicts[question];
    return verdict === undefined ? [] : [[question, verdict, questions[question](life, OBSERVER_SEED)]];
  });
}

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** `right of guesses: share (interval), p`, as documents have it. */
export const columnsOf = (score: Score): string[] => {
  const [from, to] = interval(score);
  const { guesses, right, chance, p } = score;
  return [
    `${right} of ${guesses}`,
    `${percent(right / guesses)} (${percent(from)} to ${percent(to)})`,
    percent(chance),
    p < 0.001 ? "< 0.001" : p.toFixed(3),
  ];
};
