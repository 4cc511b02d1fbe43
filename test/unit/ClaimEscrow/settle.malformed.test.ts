import { anyUint } from "@nomicfoundation/hardhat-chai-matchers/withArgs";
import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { hexlify, id, randomBytes } from "ethers";

import { byLine, met, notMet, partlyMet, pending, settle } from "../../support/batches";
import { attested, deployClaims, fundedBatch, moneyOf } from "../../support/claims";

import type { OpenedLinesStruct } from "../../../typechain-types/contracts/claims/ClaimEscrow";

const PART = "0000000000000000000007";

describe("ClaimEscrow: malformed results and lines", () => {
  async function given(lines: bigint[][], changes: Parameters<typeof fundedBatch>[2] = {}) {
    const claims = await loadFixture(deployClaims);
    return { claims, batch: await fundedBatch(claims, lines, changes) };
  }

  describe("given results that do not fit two groups of 3 and 1 lines", () => {
    const malformed: Record<string, string> = {
      "nothing at all": "0x",
      "a byte too many": "0x0500",
      "many bytes too many": `0x05${"00".repeat(32)}`,
      "a code for a third group": "0x15",
      "a code for a fourth group": "0x45",
      "no line codes": "0x03",
      "no line codes for the second group": "0x0f15",
      "a code for a fourth line": "0x0355",
      "a part for a fourth line": `0x03c0${PART}`,
      "a code for a second line where there is one": "0x0c05",
      "no part": "0x0303",
      "a part of 10 bytes": `0x0303${PART.slice(2)}`,
      "one part too few": `0x030f${PART}`,
      "one part too many": `0x0303${PART}${PART}`,
      "a part without a line that is partly met": `0x0301${PART}`,
      "line codes of a group that has none": "0x0115",
    };
    for (const open of [[], [0], [0, 1]])
      for (const [what, results] of Object.entries(malformed))
        it(`refuses ${what}, with ${open.length} group(s) opened`, async () => {
          const { claims, batch } = await given([[10n, 20n, 30n], [40n]]);
          const settlement = await attested(claims, batch, results, { open });
          await expect(settle(claims.escrow, settlement)).to.be.revertedWithCustomError(
            claims.escrow,
            "ResultsMalformed",
          );
        });

    it("refuses them in a later round as well", async () => {
      const { claims, batch } = await given([[10n, 20n, 30n], [40n]]);
      await settle(claims.escrow, await attested(claims, batch, [met, pending]));
      for (const results of ["0x", "0x0500", "0x03", "0x0355", "0x0303", "0x0f15"])
        await expect(
          settle(claims.escrow, await attested(claims, batch, results, { open: [0] })),
          results,
        ).to.be.revertedWithCustomError(claims.escrow, "ResultsMalformed");
    });
  });

  describe("given five groups, whose codes take two bytes", () => {
    const LINES = [[1n], [2n], [4n], [8n], [16n]];

    it("reads the fifth code from the second byte", async () => {
      const { claims, batch } = await given(LINES);
      await settle(claims.escrow, await attested(claims, batch, "0xaa01"));
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 0n, free: 15n, credits: [0n, 0n, 0n, 0n, 16n] });
    });

    for (const [what, results] of [
      ["one byte", "0x55"],
      ["three bytes", "0x550100"],
      ["a code for a sixth group", "0x5505"],
    ] as const)
      it(`refuses ${what}`, async () => {
        const { claims, batch } = await given(LINES);
        await expect(settle(claims.escrow, await attested(claims, batch, results))).to.be.revertedWithCustomError(
          claims.escrow,
          "ResultsMalformed",
        );
      });
  });

  describe("given opened lines that are not those of the batch", () => {
    const LINES = [[10n, 20n], [30n, 40n, 50n], [60n], [70n, 80n], [90n, 100n]];
    type Tamper = (opened: OpenedLinesStruct) => OpenedLinesStruct;
    const group =
      (index: number, changes: object): Tamper =>
      (opened) => ({
        ...opened,
        groups: opened.groups.map((lines, i) => (i === index ? { ...lines, ...changes } : lines)),
      });
    const other = hexlify(randomBytes(32));

    const proofless: Record<string, Tamper> = {
      "amounts shifted from one line to another": group(0, { amounts: "0x0b13" }),
      "amounts in another width": group(0, { amounts: "0x000a0014" }),
      "one amount more": group(0, { amounts: "0x0a1401" }),
      "another salt": group(1, { salt: other }),
      "another group's lines in its place": (opened) => ({
        ...opened,
        groups: [
          { ...opened.groups[1]!, group: 0 },
          { ...opened.groups[0]!, group: 1 },
        ],
      }),
      "a neighbour's index": group(1, { group: 2 }),
      "a hash of the proof changed": (opened) => ({ ...opened, proof: [other, ...opened.proof.slice(1)] }),
      "another root over details": (opened) => ({ ...opened, proof: [...opened.proof.slice(0, -1), other] }),
      "no root over details": (opened) => ({ ...opened, proof: opened.proof.slice(0, -1) }),
      "one hash more": (opened) => ({ ...opened, proof: [...opened.proof, other] }),
      "one hash more in front": (opened) => ({ ...opened, proof: [other, ...opened.proof] }),
    };
    for (const [what, tamper] of Object.entries(proofless))
      it(`refuses ${what}`, async () => {
        const { claims, batch } = await given(LINES);
        const results = [byLine(met, met), byLine(met, met, met), pending, pending, pending];
        const settlement = await attested(claims, batch, results);
        await expect(settle(claims.escrow, { ...settlement, opened: tamper(settlement.opened) }))
          .to.be.revertedWithCustomError(claims.escrow, "LinesProofInvalid")
          .withArgs(batch.terms.manifestRoot);
      });

    const misplaced: Record<string, Tamper> = {
      "groups in descending order": (opened) => ({ ...opened, groups: [...opened.groups].reverse() }),
      "a group twice": (opened) => ({ ...opened, groups: [opened.groups[0]!, opened.groups[0]!] }),
      "a group that there is not": group(1, { group: 5 }),
      "an absurd group": group(1, { group: (1n << 256n) - 1n }),
      "no proof": (opened) => ({ ...opened, proof: [] }),
    };
    for (const [what, tamper] of Object.entries(misplaced))
      it(`refuses ${what}`, async () => {
        const { claims, batch } = await given(LINES);
        const results = [byLine(met, met), byLine(met, met, met), pending, pending, pending];
        const settlement = await attested(claims, batch, results);
        await expect(
          settle(claims.escrow, { ...settlement, opened: tamper(settlement.opened) }),
        ).to.be.revertedWithCustomError(claims.escrow, "ManifestProofMalformed");
      });

    it("refuses the lines of another batch of the same amounts", async () => {
      const { claims, batch } = await given(LINES);
      const twin = await fundedBatch(claims, LINES);
      const results = [byLine(met, met), pending, pending, pending, pending];
      const settlement = await attested(claims, batch, results);
      await expect(settle(claims.escrow, { ...settlement, opened: twin.open([0]) }))
        .to.be.revertedWithCustomError(claims.escrow, "LinesProofInvalid")
        .withArgs(batch.terms.manifestRoot);
    });

    it("refuses wrong lines even where none are needed", async () => {
      const { claims, batch } = await given(LINES);
      const settlement = await attested(claims, batch, [met, met, met, met, met]);
      const opened = { groups: [{ group: 0, salt: other, amounts: "0x0a14" }], proof: [other] };
      await expect(settle(claims.escrow, { ...settlement, opened })).to.be.reverted;
      await settle(claims.escrow, settlement);
      expect((await moneyOf(claims, batch)).open).to.equal(0n);
    });
  });

  describe("given a payer that committed to lines that do not fit its groups", () => {
    const refused = async (committed: bigint[], width: number) => {
      const { claims, batch } = await given([[5n], [10n, 20n]], { width, committed: { 1: committed } });
      return { claims, batch, sent: settle(claims.escrow, await attested(claims, batch, [met, byLine(met, met)])) };
    };

    for (const [what, committed, sum] of [
      ["more than the subtotal", [10n, 21n], 31n],
      ["less than the subtotal", [10n, 19n], 29n],
      ["nothing", [0n, 0n], 0n],
    ] as const)
      it(`refuses lines that sum to ${what}`, async () => {
        const { claims, sent } = await refused([...committed], 1);
        await expect(sent).to.be.revertedWithCustomError(claims.escrow, "LinesDoNotSum").withArgs(1n, sum, 30n);
      });

    for (const [what, committed, width] of [
      ["three amounts for two lines", [10n, 10n, 10n], 1],
      ["one amount for two lines", [30n], 1],
      ["none", [], 1],
      ["amounts of 12 bytes", [10n, 20n], 12],
    ] as const)
      it(`refuses ${what}`, async () => {
        const { claims, sent } = await refused([...committed], width);
        await expect(sent).to.be.revertedWithCustomError(claims.escrow, "LinesMismatch").withArgs(1n);
      });

    it("still settles such a group as a whole", async () => {
      const { claims, batch } = await given([[5n], [10n, 20n]], { committed: { 1: [10n, 21n] } });
      await settle(claims.escrow, await attested(claims, batch, [pending, met]));
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 5n, free: 0n, credits: [0n, 30n] });
    });

    it("still settles the other groups by line", async () => {
      const { claims, batch } = await given(
        [
          [5n, 6n],
          [10n, 20n],
        ],
        { committed: { 1: [10n, 21n] } },
      );
      const results = [byLine(met, notMet), byLine(met, partlyMet(1n))];
      await settle(claims.escrow, await attested(claims, batch, results, { open: [0] }));
      expect(await moneyOf(claims, batch)).to.deep.equal({ open: 30n, free: 6n, credits: [5n, 0n] });
    });

    it("does not pay a line twice its group's money by an amount that wraps around", async () => {
      const { claims, sent } = await refused([(1n << 88n) - 1n, 31n], 11);
      await expect(sent).to.be.revertedWithCustomError(claims.escrow, "LinesDoNotSum").withArgs(1n, anyUint, 30n);
    });
  });

  describe("given evidence and details, which the chain does not read", () => {
    it("settles whatever they are, so long as they are signed", async () => {
      const { claims, batch } = await given([[10n]]);
      await settle(claims.escrow, await attested(claims, batch, [met], { evidence: id("what was seen") }));
      expect((await moneyOf(claims, batch)).credits).to.deep.equal([10n]);
    });
  });
});
