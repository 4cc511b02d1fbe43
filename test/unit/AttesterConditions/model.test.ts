import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { dataLength, dataSlice, getBytes, hexlify, id } from "ethers";
import fc from "fast-check";

import type { GroupResult } from "@carepact/sdk/claims";

import { resultsFor, SEED } from "../../support/arbitraries";
import { settle, settlementOf } from "../../support/batches";
import { moneyOf } from "../../support/claims";
import { runs } from "../../support/consents";
import { accountKey, contractKey, p256Key, passkey, type Key } from "../../support/keys";
import { originPasskey } from "../WebAuthnOriginVerifier/assertions";

import {
  bySigner,
  conditionOf,
  deployWorld,
  digestOf,
  fundedPatientBatch,
  networksSign,
  packedOf,
  packSignatures,
  patientsSign,
  pharmacySigns,
  publishConditions,
  withSignatures,
  PATIENT,
  PAYEE,
  THOUSAND,
  type Signing,
  type World,
} from "./fixture";
import type { PatientBatch } from "./patients";

/** Who signs in a condition: a role, or these of the named keys. */
type Who = "payee" | "patient" | number[];
interface Demand {
  who: Who;
  threshold: number;
  above: bigint;
}
/** One signature that could be given: for attester, condition and place. */
interface Slot {
  condition: number;
  attester: number;
  place: number;
  /** Index among named keys; of a role none. */
  named?: number;
}

const NAMED = 6;
const AMOUNTS = [1n, 40n, 60n, 100n];

/** Everybody who could be named, of all kinds, in ascending order. */
async function namedKeys({ p256Verifier, webAuthnVerifier, webAuthnOriginVerifier }: World): Promise<Key[]> {
  const keys = [
    accountKey("named 0"),
    accountKey("named 1"),
    await contractKey("named 2"),
    p256Key("named 3", p256Verifier),
    passkey("named 4", webAuthnVerifier),
    originPasskey("named 5", webAuthnOriginVerifier),
  ];
  return keys.sort(bySigner);
}

const demand: fc.Arbitrary<Demand> = fc
  .oneof(
    fc.constant<Who>("payee"),
    fc.constant<Who>("patient"),
    fc
      .subarray(
        Array.from({ length: NAMED }, (_, i) => i),
        { minLength: 1, maxLength: 4 },
      )
      .map((who): Who => who),
  )
  .chain((who) =>
    fc.record({
      who: fc.constant(who),
      threshold: typeof who === "string" ? fc.constant(1) : fc.integer({ min: 1, max: who.length }),
      above: fc.constantFrom(0n, 0n, 60n, 100n),
    }),
  );

/** Conditions that the rulebook's contract takes. */
const demands = fc
  .array(demand, { minLength: 1, maxLength: 4 })
  .filter((all) => all.some(({ who, above }) => above === 0n && who !== "patient"));

/** Line amounts of up to three groups, five lines in all. */
const lines = fc
  .array(fc.array(fc.constantFrom(...AMOUNTS), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 })
  .filter((groups) => groups.flat().length <= 5);

/** What the rulebook asks of an attestation, in plain words: who may sign, and whether those who do are enough. */
class ConditionsModel {
  private readonly settled: boolean[];
  private readonly firstLines: number[];

  constructor(
    private readonly asked: Demand[],
    private readonly amounts: bigint[][],
    private readonly results: GroupResult[],
  ) {
    this.settled = results.map(({ result }) => result !== "pending");
    this.firstLines = amounts.map((_, group) => amounts.slice(0, group).flat().length);
  }

  /** Signatures that can be given, in order. */
  slots(): Slot[] {
    let attester = 0;
    return this.asked.flatMap(({ who, above }, condition) => {
      const first = attester;
      attester += typeof who === "string" ? 1 : who.length;
      if (typeof who !== "string") return who.map((named, i) => ({ condition, attester: first + i, place: 0, named }));
      const places = who === "payee" ? this.settledGroups(above) : this.paidLines(above);
      return places.map((place) => ({ condition, attester: first, place }));
    });
  }

  isEnough(given: Slot[]): boolean {
    const all = this.slots();
    return this.asked.every(({ who, threshold, above }, condition) => {
      const count = given.filter((slot) => slot.condition === condition).length;
      if (typeof who === "string") return count === all.filter((slot) => slot.condition === condition).length;
      return count >= threshold || (above > 0n && this.settledGroups(above).length === 0);
    });
  }

  private isAbove(group: number, above: bigint): boolean {
    return this.amounts[group]!.reduce((sum, amount) => sum + amount, 0n) > above;
  }

  private settledGroups(above: bigint): number[] {
    return this.amounts.map((_, group) => group).filter((group) => this.settled[group] && this.isAbove(group, above));
  }

  private paidLines(above: bigint): number[] {
    return this.amounts.flatMap((amounts, group) =>
      amounts
        .map((_, line) => line)
        .filter((line) => {
          const result = this.results[group]!;
          const code = result.result === "byLine" ? result.lines[line]!.result : result.result;
          return this.isAbove(group, above) && (code === "met" || code === "partlyMet");
        })
        .map((line) => this.firstLines[group]! + line),
    );
  }
}

/** What is done with the signatures that could be given. */
interface Attempt {
  results: GroupResult[];
  /** Which of them are left out, of as many as there are; by default none. */
  dropped: number[];
  /** Which one is over another digest, if any. */
  spoilt: number | undefined;
  /** Which one is given for another place, if any. */
  misplaced: number | undefined;
}

const attemptFor = (groups: bigint[][]): fc.Arbitrary<Attempt> =>
  fc.record({
    results: resultsFor(groups),
    dropped: fc.oneof(
      { weight: 2, arbitrary: fc.constant<number[]>([]) },
      { weight: 3, arbitrary: fc.array(fc.nat({ max: 11 }), { minLength: 1, maxLength: 3 }) },
    ),
    spoilt: fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat({ max: 7 }) }),
    misplaced: fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat({ max: 7 }) }),
  });

describe(`AttesterConditions: random rulebooks beside a model in plain words (seed ${SEED})`, () => {
  /** What there is to publish, in ascending order of keys, as the model counts them. */
  const publishDemands = (world: World, named: Key[], all: Demand[]): Promise<string> =>
    publishConditions(
      world,
      ...all.map(({ who, threshold, above }) => {
        if (who === "payee") return conditionOf(1, [PAYEE], above);
        if (who === "patient") return conditionOf(1, [PATIENT], above);
        return conditionOf(
          threshold,
          who.map((index) => named[index]!.signer),
          above,
        );
      }),
    );

  const signingOf = (world: World, named: Key[], batch: PatientBatch, all: Demand[], slot: Slot): Signing => {
    const { attester, place } = slot;
    if (slot.named !== undefined) return { attester, key: named[slot.named]! };
    if (all[slot.condition]!.who === "payee") return { attester, place, key: world.pharmacies[place]! };
    // Every other patient leaves it to the representative.
    const key = place % 2 === 0 ? world.patients[place]! : world.representative;
    return { attester, place, key, patientOf: batch };
  };

  it("the escrow takes exactly the attestations that the model takes", async () => {
    const cases = fc.record({ all: demands, groups: lines }).chain(({ all, groups }) =>
      fc.record({
        all: fc.constant(all),
        groups: fc.constant(groups),
        attempts: fc.array(attemptFor(groups), { minLength: 4, maxLength: 6 }),
      }),
    );
    const world = await loadFixture(deployWorld);
    const named = await namedKeys(world);
    const seen = { taken: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(cases, async ({ all, groups, attempts }) => {
        const rulebook = await publishDemands(world, named, all);
        const batch = await fundedPatientBatch(world, groups, rulebook);
        for (const { results, dropped, spoilt, misplaced } of attempts) {
          const model = new ConditionsModel(all, groups, results);
          const slots = model.slots();
          const given = slots.filter((_, index) => !dropped.includes(index));
          const settlement = await settlementOf(batch, { results, signers: [], open: [] });
          const signing = given.map((slot) => signingOf(world, named, batch, all, slot));
          const wrong = packedOf(id("another digest"), signing);
          const packed = packedOf(digestOf(batch, settlement), signing).map((one, index) => ({
            ...(index === spoilt ? wrong[index]! : one),
            ...(index === misplaced && { place: one.place! + 1 }),
          }));
          const { attestation } = withSignatures(settlement, packSignatures(packed));
          const harmed = [spoilt, misplaced].some((index) => index !== undefined && index < given.length);
          const sent = world.escrow.settle.staticCall(batch.terms, batch.words, attestation);
          const taken = await sent.then(
            () => true,
            () => false,
          );
          expect(taken).to.equal(model.isEnough(given) && !harmed);
          seen[taken ? "taken" : "refused"]++;
        }
      }),
      { seed: SEED, numRuns: runs(80) },
    );
    // Otherwise one side would hardly have been tried.
    expect(Math.min(seen.taken, seen.refused)).to.be.greaterThan(50);
  });
});

describe(`AttesterConditions: signatures with random damage (seed ${SEED})`, () => {
  it("are refused with an error of their own, or hold", async () => {
    const world = await loadFixture(deployWorld);
    const batch = await fundedPatientBatch(world, [[THOUSAND, 1n], [5n]]);
    const results: GroupResult[] = [{ result: "met" }, { result: "met" }];
    const settlement = await settlementOf(batch, { results, signers: [] });
    const signing = [
      pharmacySigns(world, 0),
      pharmacySigns(world, 1),
      ...networksSign(world, 0, 1, 2),
      ...patientsSign(world, batch, 0, 1),
    ];
    const whole = getBytes(packSignatures(packedOf(digestOf(batch, settlement), signing)));
    const attestedWith = (signatures: string) => withSignatures(settlement, signatures).attestation;
    const typed = ["SignatureInvalid", "SignatureNotAsked", "ConditionNotMet", "PayeeSignatureMissing"];
    const ofPatients = ["PatientSignatureMissing", "PatientKeyUnknown"];

    const place = fc.oneof(fc.nat({ max: 12 }), fc.nat({ max: whole.length - 1 }));
    const damage = fc.oneof(
      fc.array(fc.tuple(place, fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 }).map((changes) => {
        const bytes = Uint8Array.from(whole);
        for (const [at, byte] of changes) bytes[at] = byte;
        return hexlify(bytes);
      }),
      fc.integer({ min: 1, max: whole.length - 1 }).map((length) => dataSlice(whole, 0, length)),
      fc
        .tuple(place, place)
        .map(([from, to]) => hexlify(Uint8Array.from([...whole.slice(0, from), ...whole.slice(to)]))),
      fc.uint8Array({ minLength: 1, maxLength: 400 }).map((bytes) => hexlify(bytes)),
    );
    await fc.assert(
      fc.asyncProperty(damage, async (signatures) => {
        if (dataLength(signatures) === 0) return;
        const sent = world.escrow.settle.staticCall(batch.terms, batch.words, attestedWith(signatures));
        const error = await sent.then(
          () => undefined,
          (thrown: { data?: string }) => thrown.data ?? "0x",
        );
        if (error === undefined) return;
        expect(typed.concat(ofPatients)).to.include(world.conditions.interface.parseError(error)?.name ?? error);
      }),
      { seed: SEED, numRuns: runs(400) },
    );
    await settle(world.escrow, { ...settlement, attestation: attestedWith(hexlify(whole)) });
    expect((await moneyOf(world, batch)).credits).to.deep.equal([THOUSAND + 1n, 5n]);
  });
});
