import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { byLine, met, notMet, partlyMet, pending, settle } from "../../support/batches";
import { moneyOf } from "../../support/claims";

import {
  AT,
  conditionOf,
  deployWorld,
  fundedPatientBatch,
  networksSign,
  patientsSign,
  pharmacySigns,
  publishConditions,
  signedBy,
  PATIENT,
  PAYEE,
  THOUSAND,
  type World,
} from "./fixture";

describe("AttesterConditions: the pharmacy, and 2 of 3 networks, and the patient above 1,000.00", () => {
  async function given(...lines: bigint[][]) {
    const world = await loadFixture(deployWorld);
    return { world, batch: await fundedPatientBatch(world, lines) };
  }

  describe("given a group of just 1,000.00", () => {
    for (const pair of [
      [0, 1],
      [0, 2],
      [1, 2],
    ])
      it(`takes the pharmacy and networks ${pair.join(" and ")}`, async () => {
        const { world, batch } = await given([THOUSAND]);
        const signing = [pharmacySigns(world), ...networksSign(world, ...pair)];
        await settle(world.escrow, await signedBy(batch, [met], signing));
        expect(await moneyOf(world, batch)).to.deep.equal({ open: 0n, free: 0n, credits: [THOUSAND] });
      });

    it("takes all three networks", async () => {
      const { world, batch } = await given([THOUSAND]);
      await settle(world.escrow, await signedBy(batch, [met], [pharmacySigns(world), ...networksSign(world, 0, 1, 2)]));
      expect((await moneyOf(world, batch)).credits).to.deep.equal([THOUSAND]);
    });

    it("refuses to do without the pharmacy", async () => {
      const { world, batch } = await given([THOUSAND]);
      await expect(settle(world.escrow, await signedBy(batch, [met], networksSign(world, 0, 1, 2))))
        .to.be.revertedWithCustomError(world.conditions, "PayeeSignatureMissing")
        .withArgs(0n);
    });

    for (const some of [[], [0], [1], [2]])
      it(`refuses the pharmacy and networks [${some.join()}]`, async () => {
        const { world, batch } = await given([THOUSAND]);
        const signing = [pharmacySigns(world), ...networksSign(world, ...some)];
        await expect(settle(world.escrow, await signedBy(batch, [met], signing)))
          .to.be.revertedWithCustomError(world.conditions, "ConditionNotMet")
          .withArgs(1n, 2n, BigInt(some.length));
      });

    it("does not take the patient, who is not asked", async () => {
      const { world, batch } = await given([THOUSAND]);
      const signing = [pharmacySigns(world), ...networksSign(world, 0, 1), ...patientsSign(world, batch, 0)];
      await expect(settle(world.escrow, await signedBy(batch, [met], signing)))
        .to.be.revertedWithCustomError(world.conditions, "SignatureNotAsked")
        .withArgs(3n);
    });
  });

  describe("given a group of one base unit more", () => {
    it("refuses to do without the patient", async () => {
      const { world, batch } = await given([THOUSAND + 1n]);
      const signing = [pharmacySigns(world), ...networksSign(world, 0, 1)];
      await expect(settle(world.escrow, await signedBy(batch, [met], signing)))
        .to.be.revertedWithCustomError(world.conditions, "PatientSignatureMissing")
        .withArgs(0n);
    });

    it("takes the patient's yes", async () => {
      const { world, batch } = await given([THOUSAND + 1n]);
      const signing = [pharmacySigns(world), ...networksSign(world, 0, 1), ...patientsSign(world, batch, 0)];
      await settle(world.escrow, await signedBy(batch, [met], signing));
      expect((await moneyOf(world, batch)).credits).to.deep.equal([THOUSAND + 1n]);
    });

    it("takes that of a personal representative", async () => {
      const { world, batch } = await given([THOUSAND + 1n]);
      const representative = { attester: AT.patient, key: world.representative, patientOf: batch };
      const signing = [pharmacySigns(world), ...networksSign(world, 0, 1), representative];
      await settle(world.escrow, await signedBy(batch, [met], signing));
      expect((await moneyOf(world, batch)).credits).to.deep.equal([THOUSAND + 1n]);
    });

    it("refuses the patient in place of a network", async () => {
      const { world, batch } = await given([THOUSAND + 1n]);
      const signing = [pharmacySigns(world), ...networksSign(world, 0), ...patientsSign(world, batch, 0)];
      await expect(settle(world.escrow, await signedBy(batch, [met], signing)))
        .to.be.revertedWithCustomError(world.conditions, "ConditionNotMet")
        .withArgs(1n, 2n, 1n);
    });

    it("asks no patient about care that did not happen", async () => {
      const { world, batch } = await given([THOUSAND + 1n]);
      const signing = [pharmacySigns(world), ...networksSign(world, 0, 1)];
      await settle(world.escrow, await signedBy(batch, [notMet], signing));
      expect((await moneyOf(world, batch)).free).to.equal(THOUSAND + 1n);
    });

    it("still asks everybody else about it", async () => {
      const { world, batch } = await given([THOUSAND + 1n]);
      await expect(settle(world.escrow, await signedBy(batch, [notMet], [pharmacySigns(world)])))
        .to.be.revertedWithCustomError(world.conditions, "ConditionNotMet")
        .withArgs(1n, 2n, 0n);
    });
  });

  describe("given results by line", () => {
    const LINES = [THOUSAND, 10n, 20n, 30n];
    const results = [byLine(met, notMet, partlyMet(5n), pending)];

    it("asks the patients of lines that are met or partly met, and no others", async () => {
      const { world, batch } = await given(LINES);
      const signing = [pharmacySigns(world), ...networksSign(world, 1, 2), ...patientsSign(world, batch, 0, 2)];
      await settle(world.escrow, await signedBy(batch, results, signing));
      expect(await moneyOf(world, batch)).to.deep.equal({ open: 30n, free: 25n, credits: [THOUSAND + 5n] });
    });

    for (const [line, others] of [
      [0, [2]],
      [2, [0]],
    ] as const)
      it(`refuses to do without the patient of line ${line}`, async () => {
        const { world, batch } = await given(LINES);
        const signing = [pharmacySigns(world), ...networksSign(world, 1, 2), ...patientsSign(world, batch, ...others)];
        await expect(settle(world.escrow, await signedBy(batch, results, signing)))
          .to.be.revertedWithCustomError(world.conditions, "PatientSignatureMissing")
          .withArgs(BigInt(line));
      });

    for (const line of [1, 3])
      it(`does not take that of line ${line}, which is not paid`, async () => {
        const { world, batch } = await given(LINES);
        const lines = [0, line, 2].sort();
        const signing = [pharmacySigns(world), ...networksSign(world, 1, 2), ...patientsSign(world, batch, ...lines)];
        await expect(settle(world.escrow, await signedBy(batch, results, signing))).to.be.revertedWithCustomError(
          world.conditions,
          line === 1 ? "PatientSignatureMissing" : "SignatureNotAsked",
        );
      });

    it("asks nobody but the pharmacy and networks where no line of a large group is paid", async () => {
      const { world, batch } = await given([THOUSAND, 10n]);
      const signing = [pharmacySigns(world), ...networksSign(world, 1, 2)];
      await settle(world.escrow, await signedBy(batch, [byLine(notMet, pending)], signing));
      expect(await moneyOf(world, batch)).to.deep.equal({ open: 10n, free: THOUSAND, credits: [0n] });
    });

    it("asks the patient of a part that is almost nothing", async () => {
      const { world, batch } = await given([THOUSAND + 1n]);
      const signing = [pharmacySigns(world), ...networksSign(world, 1, 2)];
      await expect(settle(world.escrow, await signedBy(batch, [byLine(partlyMet(1n))], signing)))
        .to.be.revertedWithCustomError(world.conditions, "PatientSignatureMissing")
        .withArgs(0n);
    });
  });

  describe("given groups of three pharmacies, the second and third above 1,000.00", () => {
    const LINES = [[10n, 20n], [THOUSAND, 1n], [THOUSAND + 1n]];
    const both = (world: World) => networksSign(world, 0, 2);

    it("asks each pharmacy, and the patients of large groups", async () => {
      const { world, batch } = await given(...LINES);
      const pharmacies = [0, 1, 2].map((group) => pharmacySigns(world, group));
      const signing = [...pharmacies, ...both(world), ...patientsSign(world, batch, 2, 3, 4)];
      await settle(world.escrow, await signedBy(batch, [met, met, met], signing));
      expect(await moneyOf(world, batch)).to.deep.equal({
        open: 0n,
        free: 0n,
        credits: [30n, THOUSAND + 1n, THOUSAND + 1n],
      });
    });

    for (const missing of [0, 1, 2])
      it(`refuses to do without pharmacy ${missing}`, async () => {
        const { world, batch } = await given(...LINES);
        const pharmacies = [0, 1, 2].filter((group) => group !== missing).map((group) => pharmacySigns(world, group));
        const signing = [...pharmacies, ...both(world), ...patientsSign(world, batch, 2, 3, 4)];
        await expect(settle(world.escrow, await signedBy(batch, [met, met, met], signing)))
          .to.be.revertedWithCustomError(world.conditions, "PayeeSignatureMissing")
          .withArgs(BigInt(missing));
      });

    it("refuses one pharmacy's signature for another's group", async () => {
      const { world, batch } = await given(...LINES);
      const signing = [
        pharmacySigns(world, 0),
        { ...pharmacySigns(world, 0), place: 1 },
        pharmacySigns(world, 2),
        ...both(world),
        ...patientsSign(world, batch, 2, 3, 4),
      ];
      await expect(settle(world.escrow, await signedBy(batch, [met, met, met], signing)))
        .to.be.revertedWithCustomError(world.conditions, "SignatureInvalid")
        .withArgs(1n);
    });

    it("settles in rounds, each asking those whom it concerns", async () => {
      const { world, batch } = await given(...LINES);
      const first = [pharmacySigns(world, 0), ...both(world)];
      await settle(world.escrow, await signedBy(batch, [met, pending, pending], first));

      const second = [pharmacySigns(world, 1), ...both(world), ...patientsSign(world, batch, 2)];
      await settle(world.escrow, await signedBy(batch, [pending, byLine(met, pending), pending], second));

      const third = [pharmacySigns(world, 1), pharmacySigns(world, 2), ...both(world)];
      const rest = [pending, byLine(pending, notMet), notMet];
      await settle(world.escrow, await signedBy(batch, rest, third));
      expect(await moneyOf(world, batch)).to.deep.equal({
        open: 0n,
        free: THOUSAND + 2n,
        credits: [30n, THOUSAND, 0n],
      });
    });

    it("does not take the pharmacy of a group that stays pending", async () => {
      const { world, batch } = await given(...LINES);
      const signing = [pharmacySigns(world, 0), pharmacySigns(world, 1), ...both(world)];
      await expect(settle(world.escrow, await signedBy(batch, [met, pending, pending], signing)))
        .to.be.revertedWithCustomError(world.conditions, "ConditionNotMet")
        .withArgs(1n, 2n, 0n);
    });

    it("asks again about lines that were settled before", async () => {
      const { world, batch } = await given(...LINES);
      await settle(
        world.escrow,
        await signedBy(batch, [met, pending, pending], [pharmacySigns(world, 0), ...both(world)]),
      );
      const again = await signedBy(batch, [met, pending, pending], [...both(world)]);
      await expect(settle(world.escrow, again))
        .to.be.revertedWithCustomError(world.conditions, "PayeeSignatureMissing")
        .withArgs(0n);
    });
  });
});

describe("AttesterConditions: conditions for large groups", () => {
  /** One network always; the second above 100; the pharmacy above 1,000. */
  async function given(...lines: bigint[][]) {
    const world = await loadFixture(deployWorld);
    const [first, second] = world.networks.map(({ signer }) => signer);
    const rulebook = await publishConditions(
      world,
      conditionOf(1, [first!]),
      conditionOf(1, [second!], 100n),
      conditionOf(1, [PAYEE], 1_000n),
    );
    return { world, batch: await fundedPatientBatch(world, lines, rulebook) };
  }
  const network = (world: World, index: number) => ({ attester: index, key: world.networks[index]! });
  const pharmacy = (world: World, group: number) => ({ attester: 2, place: group, key: world.pharmacies[group]! });

  it("hold only for groups above their amount", async () => {
    const { world, batch } = await given([100n]);
    await settle(world.escrow, await signedBy(batch, [met], [network(world, 0)]));
    expect((await moneyOf(world, batch)).credits).to.deep.equal([100n]);
  });

  for (const result of [met, notMet, byLine(partlyMet(1n))])
    it(`hold for a group above it that is ${result.result}`, async () => {
      const { world, batch } = await given([101n]);
      await expect(settle(world.escrow, await signedBy(batch, [result], [network(world, 0)])))
        .to.be.revertedWithCustomError(world.conditions, "ConditionNotMet")
        .withArgs(1n, 1n, 0n);
      await settle(world.escrow, await signedBy(batch, [result], [network(world, 0), network(world, 1)]));
      expect((await moneyOf(world, batch)).open).to.equal(0n);
    });

  it("hold only once such a group is settled", async () => {
    const { world, batch } = await given([100n], [101n], [1_001n]);
    await settle(world.escrow, await signedBy(batch, [met, pending, pending], [network(world, 0)]));
    await expect(
      settle(world.escrow, await signedBy(batch, [pending, met, pending], [network(world, 0)])),
    ).to.be.revertedWithCustomError(world.conditions, "ConditionNotMet");
    const both = [network(world, 0), network(world, 1)];
    await settle(world.escrow, await signedBy(batch, [pending, met, pending], both));
    await expect(settle(world.escrow, await signedBy(batch, [pending, pending, notMet], both)))
      .to.be.revertedWithCustomError(world.conditions, "PayeeSignatureMissing")
      .withArgs(2n);
    await settle(world.escrow, await signedBy(batch, [pending, pending, notMet], [...both, pharmacy(world, 2)]));
    expect(await moneyOf(world, batch)).to.deep.equal({ open: 0n, free: 1_001n, credits: [100n, 101n, 0n] });
  });

  it("ask the payee of no smaller group", async () => {
    const { world, batch } = await given([1_000n], [1_001n]);
    const both = [network(world, 0), network(world, 1)];
    const all = [...both, pharmacy(world, 0), pharmacy(world, 1)];
    await expect(settle(world.escrow, await signedBy(batch, [met, met], all))).to.be.revertedWithCustomError(
      world.conditions,
      "PayeeSignatureMissing",
    );
    await settle(world.escrow, await signedBy(batch, [met, met], [...both, pharmacy(world, 1)]));
    expect((await moneyOf(world, batch)).credits).to.deep.equal([1_000n, 1_001n]);
  });

  it("check a signature that is given without being asked for", async () => {
    const { world, batch } = await given([100n]);
    await settle(world.escrow, await signedBy(batch, [met], [network(world, 0), network(world, 1)]));
    const { batch: other } = await given([100n]);
    const wrong = { ...network(world, 1), key: world.stranger7913 };
    await expect(settle(world.escrow, await signedBy(other, [met], [network(world, 0), wrong])))
      .to.be.revertedWithCustomError(world.conditions, "SignatureInvalid")
      .withArgs(1n);
  });
});

describe("AttesterConditions: rulebooks under which nobody would have to sign", () => {
  const refused: Record<string, (world: World) => ReturnType<typeof conditionOf>[]> = {
    "only the patient": () => [conditionOf(1, [PATIENT])],
    "the patient, and others only above an amount": ({ networks }) => [
      conditionOf(1, [PATIENT]),
      conditionOf(1, [networks[0]!.signer], 1n),
    ],
    "everybody only above an amount": ({ networks }) => [
      conditionOf(1, [PAYEE], 1n),
      conditionOf(1, [networks[0]!.signer], 1n),
    ],
  };
  for (const [what, conditionsOf] of Object.entries(refused))
    it(`are refused: ${what}`, async () => {
      const world = await loadFixture(deployWorld);
      await expect(publishConditions(world, ...conditionsOf(world))).to.be.revertedWithCustomError(
        world.rulebooks,
        "NobodyAttests",
      );
    });

  it("are not: that of the pharmacy and the patient", async () => {
    const world = await loadFixture(deployWorld);
    const rulebook = await publishConditions(world, conditionOf(1, [PAYEE]), conditionOf(1, [PATIENT]));
    const batch = await fundedPatientBatch(world, [[1n, 2n]], rulebook);
    const pharmacy = { attester: 0, key: world.pharmacies[0]! };
    const patients = [0, 1].map((place) => ({ attester: 1, place, key: world.patients[place]!, patientOf: batch }));
    await expect(settle(world.escrow, await signedBy(batch, [notMet], [])))
      .to.be.revertedWithCustomError(world.conditions, "PayeeSignatureMissing")
      .withArgs(0n);
    await expect(settle(world.escrow, await signedBy(batch, [met], [pharmacy, patients[0]!])))
      .to.be.revertedWithCustomError(world.conditions, "PatientSignatureMissing")
      .withArgs(1n);
    await settle(world.escrow, await signedBy(batch, [met], [pharmacy, ...patients]));
    expect((await moneyOf(world, batch)).credits).to.deep.equal([3n]);
  });

  it("leave everything open where all results are pending, which nobody has to sign under the payee's rulebook", async () => {
    const world = await loadFixture(deployWorld);
    const rulebook = await publishConditions(world, conditionOf(1, [PAYEE]));
    const batch = await fundedPatientBatch(world, [[1n]], rulebook);
    await settle(world.escrow, await signedBy(batch, [pending], []));
    expect(await moneyOf(world, batch)).to.deep.equal({ open: 1n, free: 0n, credits: [0n] });
    await expect(settle(world.escrow, await signedBy(batch, [byLine(pending)], [])))
      .to.be.revertedWithCustomError(world.conditions, "PayeeSignatureMissing")
      .withArgs(0n);
  });
});
