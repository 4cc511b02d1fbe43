import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { concat, dataLength, dataSlice, hexlify, toBeHex } from "ethers";
import fc from "fast-check";

import { SEED } from "../../support/arbitraries";
import { met, settlementOf } from "../../support/batches";
import { moneyOf } from "../../support/claims";
import { runs } from "../../support/consents";

import {
  deployWorld,
  digestOf,
  fundedPatientBatch,
  networksSign,
  packedOf,
  packSignatures,
  patientsSign,
  pharmacySigns,
  THOUSAND,
} from "./fixture";

/** Something at a place in the arguments, counted from behind the selector. */
type Piece = readonly [at: number, data: string];
const word = (value: number | bigint): string => toBeHex(BigInt.asUintN(256, BigInt(value)), 32);
const withLength = (data: string): string => concat([word(dataLength(data)), data]);

/** Calldata of `size` bytes behind its selector that has these pieces, the later ones over the earlier. */
function calldataOf(selector: string, size: number, pieces: readonly Piece[]): string {
  const data = Buffer.alloc(size);
  for (const [at, piece] of pieces) data.write(piece.slice(2), at, "hex");
  return concat([selector, hexlify(data)]);
}

// Where everything stands in the encoding that everybody uses.
const GROUPS_AT = 320;
const ATTESTATION_AT = 384;
const RESULTS_AT = ATTESTATION_AT + 160;
const SIGNATURES_AT = RESULTS_AT + 64;

/**
 * The check of conditions reads its arguments out of the calldata of the escrow's own call, behind which stand two more words. Whatever
 * the encoding: both have to see the same.
 */
describe("AttesterConditions: calldata that is encoded in unusual ways", () => {
  /** A batch above 1,000.00, what stands in a call that settles it, and whether the patient signed. */
  async function given(patient: boolean) {
    const world = await loadFixture(deployWorld);
    const batch = await fundedPatientBatch(world, [[THOUSAND + 1n]]);
    const settlement = await settlementOf(batch, { results: [met], signers: [] });
    const signing = [
      pharmacySigns(world),
      ...networksSign(world, 0, 1),
      ...(patient ? patientsSign(world, batch, 0) : []),
    ];
    const signatures = packSignatures(packedOf(digestOf(batch, settlement), signing));
    const { attestation } = settlement;
    const usual = world.escrow.interface.encodeFunctionData("settle", [
      batch.terms,
      batch.words,
      { ...attestation, signatures },
    ]);
    const parts = {
      selector: dataSlice(usual, 0, 4),
      terms: dataSlice(usual, 4, 260),
      groups: concat([word(1), word(batch.words[0]!)]),
      // The attestation's words before those that say where results and signatures stand.
      statement: concat([
        word(BigInt(attestation.observedAt)),
        word(BigInt(attestation.validUntil)),
        hexlify(attestation.evidence),
      ]),
      results: withLength("0x01"),
      signatures: withLength(signatures),
      usual,
    };
    const send = (data: string) => world.payees[0]!.sendTransaction({ to: world.escrow, data, gasLimit: 5_000_000 });
    const call = (data: string) => world.payees[0]!.call({ to: world.escrow, data, gasLimit: 5_000_000 });
    return { world, batch, parts, send, call };
  }
  type Parts = Awaited<ReturnType<typeof given>>["parts"];

  /** The usual encoding by pieces, so that they can be moved. */
  const pieces = (
    parts: Parts,
    at: Partial<Record<"groups" | "attestation" | "results" | "signatures", number>> = {},
  ) => {
    const { groups = GROUPS_AT, attestation = ATTESTATION_AT } = at;
    const { results = attestation + 160, signatures = attestation + 224 } = at;
    return [
      [0, parts.terms],
      [256, word(groups)],
      [288, word(attestation)],
      [groups, parts.groups],
      [attestation, parts.statement],
      [attestation + 96, word(results - attestation)],
      [attestation + 128, word(signatures - attestation)],
      [results, parts.results],
      [signatures, parts.signatures],
    ] as const satisfies Piece[];
  };
  const sizeOf = (parts: Parts, from = SIGNATURES_AT): number => from + dataLength(parts.signatures);

  /** Encodings that mean the same as the usual one. */
  const same: Record<string, (parts: Parts) => string> = {
    "the usual one": ({ usual }) => usual,
    "the usual one without padding at its end": (parts) => calldataOf(parts.selector, sizeOf(parts), pieces(parts)),
    "a byte behind": ({ usual }) => concat([usual, "0xff"]),
    "many bytes behind": ({ usual }) => concat([usual, `0x${"ee".repeat(777)}`]),
    "gaps between its parts": (parts) =>
      calldataOf(
        parts.selector,
        4000,
        pieces(parts, { groups: 999, attestation: 1301, results: 1777, signatures: 2003 }),
      ),
    "its parts in the reverse order": (parts) =>
      calldataOf(
        parts.selector,
        4000,
        pieces(parts, { signatures: 320, results: 2500, attestation: 2600, groups: 3000 }),
      ),
    "results within the signatures' padding": (parts) =>
      calldataOf(parts.selector, sizeOf(parts) + 33, pieces(parts, { results: sizeOf(parts) })),
    "results and signatures before the attestation that they are counted from": (parts) =>
      calldataOf(parts.selector, 4000, [
        ...pieces(parts, { attestation: 3000, results: 2000, signatures: 400 }),
        [3000 + 96, word(2000 - 3000)],
        [3000 + 128, word(400 - 3000)],
      ]),
  };
  for (const [what, encode] of Object.entries(same)) {
    it(`settles by ${what}`, async () => {
      const { world, batch, parts, send } = await given(true);
      await send(encode(parts));
      expect((await moneyOf(world, batch)).credits).to.deep.equal([THOUSAND + 1n]);
    });

    it(`misses the patient's signature in ${what}`, async () => {
      const { world, parts, send } = await given(false);
      await expect(send(encode(parts)))
        .to.be.revertedWithCustomError(world.conditions, "PatientSignatureMissing")
        .withArgs(0n);
    });
  }

  /** Encodings by which the escrow and the check could see different things. */
  const tricks: Record<string, (parts: Parts) => string> = {
    "groups that go on into the words behind the arguments": (parts) =>
      calldataOf(parts.selector, 3032, [...pieces(parts, { groups: 3000 }), [3000, word(1)]]),
    "two groups, of which the second would lie behind the arguments": (parts) =>
      calldataOf(parts.selector, 3064, [...pieces(parts, { groups: 3000 }), [3000, word(2)]]),
    "signatures that go on into the words behind the arguments": (parts) =>
      calldataOf(parts.selector, sizeOf(parts), [
        ...pieces(parts),
        [SIGNATURES_AT, word(dataLength(parts.signatures) - 32 + 64)],
      ]),
    "results in the words behind the arguments": (parts) =>
      calldataOf(parts.selector, sizeOf(parts), pieces(parts, { results: sizeOf(parts) }).slice(0, -2)),
    "results whose length lies just before the end": (parts) =>
      calldataOf(parts.selector, sizeOf(parts) + 32, [
        ...pieces(parts, { results: sizeOf(parts) }),
        [sizeOf(parts), word(1)],
      ]),
    "an attestation that goes on into the words behind the arguments": (parts) =>
      calldataOf(parts.selector, sizeOf(parts) + 128, [
        ...pieces(parts),
        [288, word(sizeOf(parts))],
        [sizeOf(parts), parts.statement],
      ]),
    "results that begin with the selector": (parts) =>
      calldataOf(parts.selector, sizeOf(parts), [...pieces(parts), [ATTESTATION_AT + 96, word(-ATTESTATION_AT - 4)]]),
    "results that end with the selector": (parts) =>
      calldataOf(parts.selector, sizeOf(parts), [...pieces(parts), [ATTESTATION_AT + 96, word(-ATTESTATION_AT - 36)]]),
    "signatures that begin with the selector": (parts) =>
      calldataOf(parts.selector, sizeOf(parts), [...pieces(parts), [ATTESTATION_AT + 128, word(-ATTESTATION_AT - 4)]]),
    "results far before the arguments": (parts) =>
      calldataOf(parts.selector, sizeOf(parts), [...pieces(parts), [ATTESTATION_AT + 96, word(-(1n << 255n))]]),
    "results far behind them": (parts) =>
      calldataOf(parts.selector, sizeOf(parts), [...pieces(parts), [ATTESTATION_AT + 96, word((1n << 255n) - 1n)]]),
    "groups far behind them": (parts) =>
      calldataOf(parts.selector, sizeOf(parts), [...pieces(parts), [256, word((1n << 256n) - 32n)]]),
    "an absurd number of groups": (parts) =>
      calldataOf(parts.selector, sizeOf(parts), [...pieces(parts), [GROUPS_AT, word(1n << 251n)]]),
    "results of absurd length": (parts) =>
      calldataOf(parts.selector, sizeOf(parts), [...pieces(parts), [RESULTS_AT, word((1n << 256n) - 1n)]]),
    "signatures of absurd length": (parts) =>
      calldataOf(parts.selector, sizeOf(parts), [...pieces(parts), [SIGNATURES_AT, word((1n << 256n) - 1n)]]),
    "results in place of signatures": (parts) =>
      calldataOf(parts.selector, sizeOf(parts), [...pieces(parts), [ATTESTATION_AT + 128, word(160)]]),
    "signatures in place of results": (parts) =>
      calldataOf(parts.selector, sizeOf(parts), [...pieces(parts), [ATTESTATION_AT + 96, word(224)]]),
    "the attestation over the batch": (parts) =>
      calldataOf(parts.selector, sizeOf(parts), [...pieces(parts), [288, word(0)]]),
    "groups over the attestation": (parts) =>
      calldataOf(parts.selector, sizeOf(parts), [...pieces(parts), [256, word(ATTESTATION_AT)]]),
    "moments with dirt before them": (parts) =>
      calldataOf(parts.selector, sizeOf(parts), [...pieces(parts), [ATTESTATION_AT, "0x01"]]),
    "a payer with dirt before it": (parts) =>
      calldataOf(parts.selector, sizeOf(parts), [...pieces(parts), [0, "0x01"]]),
    "arguments cut within signatures": (parts) => calldataOf(parts.selector, sizeOf(parts) - 1, pieces(parts)),
    "arguments cut by two words": ({ usual }) => dataSlice(usual, 0, dataLength(usual) - 64),
    "no arguments": ({ selector }) => selector,
  };
  for (const [what, encode] of Object.entries(tricks))
    it(`settles nothing by ${what}`, async () => {
      for (const patient of [true, false]) {
        const { world, batch, parts, send } = await given(patient);
        await expect(send(encode(parts))).to.be.reverted;
        expect((await moneyOf(world, batch)).open).to.equal(THOUSAND + 1n);
      }
    });

  it(`settles nothing without the patient, whatever words are changed (seed ${SEED})`, async () => {
    const { world, batch, parts, call } = await given(false);
    const size = sizeOf(parts) + 64;
    const somewhere = fc.integer({ min: -36, max: size + 96 });
    const value = fc.oneof(
      somewhere.map((at) => word(at)),
      somewhere.map((at) => word(at - ATTESTATION_AT)),
      fc.bigInt({ min: 0n, max: 4n }).map((small) => word(small)),
      fc.constantFrom(word((1n << 256n) - 1n), word(1n << 255n), word(batch.words[0]!)),
    );
    const place = fc.oneof(
      fc.constantFrom(256, 288, GROUPS_AT, ATTESTATION_AT + 96, ATTESTATION_AT + 128, RESULTS_AT, SIGNATURES_AT),
      fc.integer({ min: GROUPS_AT, max: size - 32 }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(place, value), { minLength: 1, maxLength: 4 }),
        fc.constantFrom(0, 1, 31, 64),
        async (changes, behind) => {
          const data = calldataOf(parts.selector, sizeOf(parts) + behind, [
            ...pieces(parts),
            ...changes.filter(([at]) => at + 32 <= sizeOf(parts) + behind),
          ]);
          await expect(call(data)).to.be.rejectedWith(/revert/);
        },
      ),
      { seed: SEED, numRuns: runs(300) },
    );
    expect((await moneyOf(world, batch)).open).to.equal(THOUSAND + 1n);
  });
});
