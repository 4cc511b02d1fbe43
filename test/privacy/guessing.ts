import { ZeroHash, toBeHex, type LogDescription } from "ethers";

import { AccessLog__factory, ConsentRegistry__factory } from "../../typechain-types";
import { restrictionsHashOf } from "../support/consents";
import { Random } from "../support/random";
import { DAY } from "../support/system";

import { commonRestrictions, rootWithoutSalt, type ConsentsLife } from "./consentsLife";
import { wordsOf, type SeenLog, type SeenTransaction } from "./recording";
import { binomialTail, hypergeometricTail, permutationTest, type Score } from "./statistics";

const consents = ConsentRegistry__factory.createInterface();
const log = AccessLog__factory.createInterface();
const ROUNDS = 2_000;

/** Something that a transaction did. */
interface Act {
  transaction: SeenTransaction;
  name: string;
  args: LogDescription["args"];
  /** Id of the record that the event names. */
  patient: string | undefined;
}

const known = new WeakMap<readonly SeenTransaction[], Act[]>();

/** Read once for all questions. */
function actsOf(seen: readonly SeenTransaction[]): Act[] {
  const acts =
    known.get(seen) ?? seen.flatMap((transaction) => transaction.logs.flatMap((one) => actOf(transaction, one)));
  known.set(seen, acts);
  return acts;
}

function actOf(transaction: SeenTransaction, one: SeenLog): Act[] {
  const parsed = consents.parseLog(one) ?? log.parseLog(one);
  if (parsed === null) return [];
  const { name, args } = parsed;
  return [{ transaction, name, args, patient: (args.toObject() as { patient?: string }).patient }];
}

const named = (acts: readonly Act[], ...names: string[]): Act[] => acts.filter(({ name }) => names.includes(name));

/** The value that seems likeliest; of equal ones any. */
function best<Value>(values: readonly Value[], likeness: (value: Value) => number, random: Random): Value {
  let found: { value: Value; likeness: number } | undefined;
  let equals = 0;
  for (const value of values) {
    const one = { value, likeness: likeness(value) };
    if (found === undefined || one.likeness > found.likeness) {
      found = one;
      equals = 1;
    } else if (one.likeness === found.likeness && random.below(++equals) === 0) found = one;
  }
  if (found === undefined) throw new Error("there is nothing to choose from");
  return found.value;
}

const binomial = (guesses: number, right: number, chance: number): Score => ({
  guesses,
  right,
  chance,
  p: binomialTail(guesses, right, chance),
});

/** (b) Whose grant it is that is taken back or anchored. */
export function guessGrantees({ seen, clinics, truth }: ConsentsLife, seed: number): Score {
  const random = new Random(seed);
  const acts = actsOf(seen);
  const shown = named(acts, "GrantRevoked", "DocumentRevoked", "Anchored").filter(({ transaction: { hash } }) =>
    truth.grantees.has(hash),
  );
  const roots = named(acts, "AccessRootAnchored");
  const right = shown.filter(({ transaction, name, args }) => {
    const words = new Set(wordsOf(transaction.data));
    const number = name === "GrantRevoked" ? Number(args["number"] as bigint) % 100 : -1;
    const guess = best(
      clinics,
      (clinic) => {
        const own = roots.filter(({ transaction: { from, time } }) => from === clinic && time <= transaction.time);
        const sinceRoot = transaction.time - (own.at(-1)?.transaction.time ?? 0);
        const isNamed =
          transaction.from === clinic || words.has(toBeHex(clinic, 32)) || number === clinics.indexOf(clinic);
        return (isNamed ? 1_000 : 0) - sinceRoot / (365 * DAY);
      },
      random,
    );
    return guess === truth.grantees.get(transaction.hash);
  }).length;
  return binomial(shown.length, right, 1 / clinics.length);
}

/** (c) Who was seen by a gateway between two of its roots. `p` is that of patients under each other's ids. */
export function guessAccesses({ seen, clinics, patients, truth }: ConsentsLife, seed: number): Score {
  const random = new Random(seed);
  const acts = actsOf(seen);
  const revoked = named(acts, "GrantRevoked");
  const deeds = new Map<string | undefined, number>();
  for (const act of revoked) deeds.set(act.patient, (deeds.get(act.patient) ?? 0) + 1);
  const hashed = patientsByRoot(seen, patients);
  const guesses = clinics.flatMap((gateway) => {
    const roots = named(acts, "AccessRootAnchored").filter(({ transaction: { from } }) => from === gateway);
    return roots.map(({ transaction, args }, i) => {
      const { time: until } = transaction;
      const since = roots[i - 1]?.transaction.time ?? until - DAY;
      const words = new Set(wordsOf(transaction.data));
      const likeness = new Map<string | undefined, number>();
      for (const act of revoked) {
        const days = (act.transaction.time - until) / DAY;
        if (days > -1 && days < 3) likeness.set(act.patient, 100 - days);
      }
      likeness.set(hashed.get(args["root"] as string), 1_000);
      const patient = best(
        patients,
        (one) => (words.has(one) ? 1_000 : 0) + (likeness.get(one) ?? 0) + (deeds.get(one) ?? 0),
        random,
      );
      return { gateway, since, until, patient };
    });
  });
  const seenThere = guesses.map(({ gateway, since, until }) => {
    const accesses = truth.accesses.filter((one) => one.gateway === gateway && one.at > since && one.at <= until);
    return new Set(accesses.map(({ patient }) => patient));
  });
  const rightUnder = (nameOf: (patient: string) => string | undefined): number =>
    guesses.filter(({ patient }, i) => seenThere[i]?.has(nameOf(patient) ?? "")).length;
  const right = rightUnder((patient) => patient);
  const inAnother = (among: Random): number => {
    const other = among.shuffled(patients);
    const names = new Map(patients.map((patient, i) => [patient, other[i]]));
    return rightUnder((patient) => names.get(patient));
  };
  const { p, mean } = permutationTest(right, ROUNDS, inAnother, random);
  return { guesses: guesses.length, right, chance: mean / guesses.length, p };
}

/** Whom a root would stand for, if it were the hash of one access without a salt. */
function patientsByRoot(seen: readonly SeenTransaction[], patients: readonly string[]): Map<string, string> {
  const days = new Set(seen.map(({ time }) => Math.floor(time / DAY)));
  const roots = [...days].flatMap((day) =>
    patients.map((patient): [string, string] => [rootWithoutSalt(patient, day), patient]),
  );
  return new Map(roots);
}

/** (d) Which of the rotations that end an epoch are those of young adults: as many are named as there are. */
export function guessMajorities({ seen, clinics, p256Verifier, truth }: ConsentsLife, seed: number): Score {
  const random = new Random(seed);
  const acts = actsOf(seen);
  const ending = new Set(named(acts, "EpochEnded").map(({ transaction: { hash } }) => hash));
  const rotations = named(acts, "ControllerChanged").filter(({ transaction: { hash } }) => ending.has(hash));
  const strangeness = (act: Act): number => {
    const { from, time } = act.transaction;
    const hour = Math.floor((time % DAY) / 3_600);
    const before = acts.filter((other) => other.transaction.time < time && other.patient === act.patient);
    return (
      (clinics.includes(from) ? 10 : 0) +
      (signerOf(act.transaction).startsWith(p256Verifier) ? 2 : 0) +
      (hour >= 9 && hour < 17 ? 1 : 0) +
      // A record that did little before may have been a child's.
      3 / before.length
    );
  };
  const ranked = rotations
    .map((rotation) => ({ rotation, strangeness: strangeness(rotation), tie: random.next() }))
    .sort((a, b) => b.strangeness - a.strangeness || b.tie - a.tie)
    .map(({ rotation: { transaction } }) => truth.majorities.has(transaction.hash));
  const marked = ranked.filter((isOne) => isOne).length;
  const right = ranked.slice(0, marked).filter((isOne) => isOne).length;
  const p = hypergeometricTail(rotations.length, marked, marked, right);
  return { guesses: marked, right, chance: marked / rotations.length, p };
}

/** The key that gives a record away, from the calldata. */
const signerOf = ({ data }: SeenTransaction): string =>
  (consents.decodeFunctionData("rotateController", data)[3] as unknown as { signer: string }).signer.toLowerCase();

/** (d) What restrictions say, of a list of common ones. */
export function guessRestrictions({ seen, clinics, truth }: ConsentsLife, seed: number): Score {
  const random = new Random(seed);
  const common = commonRestrictions(clinics);
  const hashes = common.map((one) => restrictionsHashOf({ ...one, salt: ZeroHash }));
  const shown = named(actsOf(seen), "RestrictionsChanged");
  const right = shown.filter(({ transaction, args }) => {
    const guess = best([...common.keys()], (i) => (hashes[i] === args["restrictionsHash"] ? 1 : 0), random);
    return guess === truth.restrictions.get(transaction.hash);
  }).length;
  return binomial(shown.length, right, 1 / common.length);
}
