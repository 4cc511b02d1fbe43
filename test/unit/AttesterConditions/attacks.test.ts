import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { concat, getBytes, hexlify } from "ethers";
import fc from "fast-check";

import type { GroupResult } from "@carepact/sdk/claims";

import { SEED } from "../../support/arbitraries";
import { met, notMet, pending, settle, settlementOf } from "../../support/batches";
import { moneyOf } from "../../support/claims";
import { runs } from "../../support/consents";

import {
  conditionOf,
  deployWorld,
  digestOf,
  fundedPatientBatch,
  networksSign,
  packedOf,
  packSignatures,
  pharmacySigns,
  publishConditions,
  signedBy,
  THOUSAND,
  withSignatures,
  type World,
} from "./fixture";

const PART = "0000000000000000000001";

/** The pharmacy and the networks sign whatever it takes, so that only the patients stand in the way. */
describe("AttesterConditions: results that would pay a line without asking its patient", () => {
  /** Two groups above 1,000.00, of three lines and of one. */
  const LINES = [[THOUSAND, 7n, 11n], [THOUSAND + 1n]];

  async function given() {
    const world = await loadFixture(deployWorld);
    const batch = await fundedPatientBatch(world, LINES);
    /** A settlement of these results that everybody but the patients signed, all lines opened. */
    const attestedOf = async (results: string) => {
      const settlement = await settlementOf(batch, { results, signers: [], open: [0, 1] });
      const codes = getBytes(results)[0] ?? 0;
      const signing = [
        ...(codes & 0b0011 ? [pharmacySigns(world, 0)] : []),
        ...(codes & 0b1100 ? [pharmacySigns(world, 1)] : []),
        ...networksSign(world, 0, 1),
      ];
      return withSignatures(settlement, packSignatures(packedOf(digestOf(batch, settlement), signing)));
    };
    return { world, batch, attestedOf };
  }

  const crafted: Record<string, string> = {
    "a code for a line behind the last": "0x0340",
    "a part for a line behind the last": `0x03c0${PART}`,
    "a group of one line by line, with a code behind it": "0x0c04",
    "a group of one line by line, partly met behind it": `0x0c0c${PART}`,
    "a group by line, and codes of another behind it": "0x030001",
    "codes of lines in two bytes": "0x030100",
    "parts of lines that are not partly met": `0x0302${PART}`,
    "one part too many": `0x0303${PART}${PART}`,
    "a part cut short": `0x0303${PART.slice(2)}`,
    "codes of groups in two bytes": "0x0001",
    "a code for a third group": "0x10",
    "a code for a fourth group": "0x40",
    "all codes set": "0xff",
    "no code at all": "0x",
    "no codes of lines": "0x03",
    "codes of lines of the second group only": "0x0f00",
    "an amount where codes should be": `0x0f${PART}`,
  };
  for (const [what, results] of Object.entries(crafted))
    it(`are refused: ${what}`, async () => {
      const { world, batch, attestedOf } = await given();
      const { attestation, opened } = await attestedOf(results);
      await expect(world.escrow.settleByLine(batch.terms, batch.words, attestation, opened)).to.be.reverted;
      await expect(world.escrow.settle(batch.terms, batch.words, attestation)).to.be.reverted;
      expect((await moneyOf(world, batch)).open).to.equal(batch.terms.total);
    });

  it(`do not exist, as far as chance finds any (seed ${SEED})`, async () => {
    const { world, batch, attestedOf } = await given();
    const code = fc.constantFrom(0, 0, 1, 2, 2, 3);
    const codes = fc.tuple(code, code, code, code).map(([a, b, c, d]) => a | (b << 2) | (c << 4) | (d << 6));
    const small = fc.tuple(code, code, code).map(([a, b, c]) => a | (b << 2) | (c << 4));
    const first = fc.tuple(code, code).map(([a, b]) => a | (b << 2));
    const part = fc.constantFrom(`0x${PART}`, `0x${"00".repeat(11)}`, "0x", `0x${"00".repeat(10)}`);
    const bytes = (...all: number[]): string => hexlify(Uint8Array.from(all));
    const results = fc.oneof(
      fc.tuple(first, small, part, code, part).map(([a, b, x, c, y]) => concat([bytes(a, b), x, bytes(c), y])),
      fc.tuple(first, small, code).map(([a, b, c]) => bytes(a, b, c)),
      fc.tuple(first, codes).map(([a, b]) => bytes(a, b)),
      first.map((a) => bytes(a)),
      codes.map((a) => bytes(a)),
      fc.uint8Array({ minLength: 0, maxLength: 30 }).map((all) => hexlify(all)),
    );
    let freed = 0;
    await fc.assert(
      fc.asyncProperty(results, async (packed) => {
        const { attestation, opened } = await attestedOf(packed);
        const outcome = await world.escrow.settleByLine
          .staticCall(batch.terms, batch.words, attestation, opened)
          .catch(() => ({ paid: 0n, freed: 0n }));
        expect(outcome.paid, packed).to.equal(0n);
        if (outcome.freed > 0n) freed++;
      }),
      { seed: SEED, numRuns: runs(500) },
    );
    // Otherwise nothing would have been tried.
    expect(freed).to.be.at.least(runs(11) - 1);
  });
});

describe("AttesterConditions: an attester who was caught", () => {
  /** Two of three networks; network 1 signed both that the line was met and that it was not. */
  async function given() {
    const world = await loadFixture(deployWorld);
    const { networks, rulebooks } = world;
    const signers = networks.map(({ signer }) => signer);
    const rulebook = await publishConditions(world, conditionOf(2, signers), conditionOf(1, [signers[0]!], THOUSAND));
    const batch = await fundedPatientBatch(world, [[5n], [6n]], rulebook);
    const statement = async (results: GroupResult[], observedAt?: number) => {
      const settlement = await settlementOf(batch, { results, signers: [], observedAt });
      return withSignatures(settlement, networks[1]!.sign(digestOf(batch, settlement))).attestation;
    };
    const first = await statement([met, pending]);
    const second = await statement([notMet, pending], Number(first.observedAt));
    await rulebooks.proveEquivocation(networks[1]!.signer, batch.terms, batch.words, 0, 0, first, second);
    return { world, batch };
  }
  const sign = (world: World, ...which: number[]) =>
    which.map((index) => ({ attester: index, key: world.networks[index]! }));

  it("signs nothing any more, of whatever kind its key is", async () => {
    const { world, batch } = await given();
    for (const which of [
      [0, 1],
      [1, 2],
    ])
      await expect(settle(world.escrow, await signedBy(batch, [met, met], sign(world, ...which))))
        .to.be.revertedWithCustomError(world.conditions, "SignatureInvalid")
        .withArgs(BigInt(which.indexOf(1)));
  });

  it("leaves the others where they were", async () => {
    const { world, batch } = await given();
    await expect(settle(world.escrow, await signedBy(batch, [met, met], sign(world, 2))))
      .to.be.revertedWithCustomError(world.conditions, "ConditionNotMet")
      .withArgs(0n, 2n, 1n);
    await settle(world.escrow, await signedBy(batch, [met, met], sign(world, 0, 2)));
    expect((await moneyOf(world, batch)).credits).to.deep.equal([5n, 6n]);
  });

  it("does not sign by an empty signature, nor by none", async () => {
    const { world, batch } = await given();
    const settlement = await settlementOf(batch, { results: [met, met], signers: [] });
    const [zero] = packedOf(digestOf(batch, settlement), sign(world, 0));
    for (const signature of ["0x", "0x00", `0x${"00".repeat(64)}`])
      await expect(
        settle(world.escrow, withSignatures(settlement, packSignatures([zero!, { attester: 1, signature }]))),
      )
        .to.be.revertedWithCustomError(world.conditions, "SignatureInvalid")
        .withArgs(1n);
  });
});
