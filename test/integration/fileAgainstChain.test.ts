import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { concat, getAddress, keccak256, toBeHex } from "ethers";
import fc from "fast-check";
import { ethers } from "hardhat";

import {
  attestationDigestOf,
  batchIdOf,
  batchLimits,
  buildClaimBatch,
  encodeResults,
  escrowDomain,
  escrowTypes,
  linesLeafOf,
  manifestRootOf,
  manifestTreeOf,
  openClaimBatchRecord,
  openedLinesOf,
  packGroup,
  packGroupLines,
  resultShapeOf,
  verifyLines,
  type ClaimBatchTerms,
  type GroupLines,
  type OpenedLines,
  type PublicPart,
} from "@carepact/sdk/claims";
import { generateSealingKeys } from "@carepact/sdk/encryption";
import { rulebookIdOf } from "@carepact/sdk/rulebooks";

import { byLine, met, notMet, partlyMet, pending } from "../support/batches";
import { countingSalts } from "../support/random";
import { DAY } from "../support/system";

import { attest, CENT, deploy, deployAndFund, fill, moneyOf, openOwnFile, ownText, type Funded } from "./pharmacyBatch";

describe("claim batch file against the chain", () => {
  it("names batch, rulebook and attestation as the contracts do", async () => {
    const { escrow, rulebooks, rulebook, built, ref } = await loadFixture(deploy);
    expect(await escrow.batchIdOf(built.terms)).to.equal(built.batchId);
    expect(await rulebooks.rulebookStatusOf(rulebookIdOf(rulebook))).to.deep.equal([true, false]);
    expect(built.terms.rulebook).to.equal(rulebookIdOf(rulebook));
    const statement = {
      batchId: built.batchId,
      results: "0x15",
      observedAt: 1,
      validUntil: 2 ** 40 - 1,
      evidence: keccak256("0xe71de9ce"),
    };
    expect(await escrow.attestationDigestOf(built.batchId, { ...statement, signatures: "0x" })).to.equal(
      attestationDigestOf(statement, ref),
    );
  });

  it("limits a batch as the escrow does", async () => {
    const { escrow } = await loadFixture(deploy);
    expect([await escrow.MAX_GROUPS(), await escrow.MAX_LINES()].map(Number)).to.deep.equal([
      batchLimits.groups,
      batchLimits.lines,
    ]);
  });

  it("funds what the payer signed, whoever brings it", async () => {
    const { escrow, payer, stranger, built, words, ref } = await loadFixture(deploy);
    const deadline = (await time.latest()) + DAY;
    const { ClaimBatch, FundingOrder } = escrowTypes;
    const order = { batch: built.terms, deadline };
    const signature = await payer.signTypedData(escrowDomain(ref), { ClaimBatch, FundingOrder }, order);
    await expect(escrow.connect(stranger).fundWithSignature(built.terms, words, deadline, signature))
      .to.emit(escrow, "ClaimBatchFunded")
      .withArgs(built.batchId, payer.address, built.terms.rulebook, built.terms.token, 18_510n * CENT);
  });

  describe("settling from the payer's record", () => {
    it("pays, pays in part and frees line by line, in several groups at once", async () => {
      const funded = await loadFixture(deployAndFund);
      const { escrow, stranger, built, words, ref } = funded;
      const record = openClaimBatchRecord(built.record);
      const results = encodeResults(
        [byLine(met, partlyMet(1_000n * CENT), notMet), met, byLine(notMet, met)],
        resultShapeOf(record, record.opened),
      );
      const attestation = await attest(funded, ref, built.batchId, results);
      await escrow.connect(stranger).settleByLine(built.terms, words, attestation, openedLinesOf(record, [0, 2]));
      expect(await moneyOf(funded)).to.deep.equal({
        credits: [10_000n * CENT, 4_550n * CENT, 725n * CENT],
        free: (234n + 1n + 3_000n) * CENT,
      });
      expect((await escrow.claimBatchStatusOf(built.batchId)).open).to.equal(0);
    });

    it("pays groups that are all met by their subtotals", async () => {
      const funded = await loadFixture(deployAndFund);
      const { escrow, built, words, ref } = funded;
      const results = encodeResults([met, notMet, met], resultShapeOf(openClaimBatchRecord(built.record)));
      await escrow.settle(built.terms, words, await attest(funded, ref, built.batchId, results));
      expect(await moneyOf(funded)).to.deep.equal({
        credits: [10_235n * CENT, 0n, 3_725n * CENT],
        free: 4_550n * CENT,
      });
    });

    for (const count of [2, 5, 8, 13])
      it(`opens any groups of a batch of ${count} to settle them, and each alone to reverse lines`, async () => {
        const funded = await loadFixture(deploy);
        const { escrow, token, payer, rulebook, ref } = funded;
        const { publicKey } = await generateSealingKeys();
        const accounts = Array.from({ length: count }, (_, i) => getAddress(toBeHex(i + 1, 20)));
        const { terms, groups, record, batchId } = await buildClaimBatch({
          ...ref,
          payer: payer.address,
          token: { address: await token.getAddress(), symbol: "TUSD", decimals: 6 },
          rulebook,
          eventBy: (await time.latest()) + 30 * DAY,
          claims: accounts.flatMap((account, i) => [
            fill(account, `${i}1`, `1.${10 + i}`),
            fill(account, `${i}2`, "2.00"),
          ]),
          payeeKeys: Object.fromEntries(accounts.map((account) => [account, { publicKey, version: 1 }])),
          random: countingSalts(),
        });
        await token.mint(payer, terms.total);
        await token.connect(payer).approve(escrow, terms.total);
        await escrow.connect(payer).deposit(payer, token, terms.total);
        const words = groups.map(packGroup);
        await escrow.connect(payer).fund(terms, words);

        const known = openClaimBatchRecord(record);
        const everyGroup = [...accounts.keys()];
        await fc.assert(
          fc.asyncProperty(fc.subarray(everyGroup, { minLength: 1 }), async (chosen) => {
            const results = encodeResults(
              everyGroup.map((group) => (chosen.includes(group) ? byLine(met, pending) : pending)),
              resultShapeOf(known),
            );
            const attestation = await attest(funded, ref, batchId, results);
            const opened = openedLinesOf(known, chosen);
            const { paid, freed } = await escrow.settleByLine.staticCall(terms, words, attestation, opened);
            expect([paid, freed]).to.deep.equal([chosen.reduce((sum, i) => sum + BigInt(110 + i) * CENT, 0n), 0n]);
          }),
          { numRuns: 15 },
        );

        const callers = escrow.connect(ethers.provider);
        for (const own of known.opened) {
          const [lines] = openedLinesOf(own).groups;
          const from = { from: own.payee };
          expect(await callers.reverse.staticCall(terms, words, own.group, [1], lines!, own.linesProof, from)).to.equal(
            200n * CENT,
          );
        }
      });
  });

  describe("a payee with nothing but its own file and key", () => {
    it("settles its lines and is paid out, with the payer gone", async () => {
      const funded = await loadFixture(deployAndFund);
      const { escrow, token, registry, payer, stranger, pharmacies } = funded;
      const [pharmacy] = pharmacies;
      const text = ownText(funded, pharmacy);
      await registry.suspend(payer);

      const own = await openOwnFile(pharmacy, text);
      const terms: ClaimBatchTerms = own.terms;
      const words = own.groups.map(packGroup);
      const results = encodeResults([byLine(met, notMet, met), pending, pending], resultShapeOf(own, [own]));
      const attestation = await attest(funded, own, own.batchId, results);
      await expect(escrow.connect(stranger).settleByLine(terms, words, attestation, openedLinesOf(own)))
        .to.emit(escrow, "GroupSettled")
        .withArgs(own.batchId, pharmacy.account.address, 9_001n * CENT, 1_234n * CENT);
      await escrow.payout(token, pharmacy.account);
      expect(await token.balanceOf(pharmacy.account)).to.equal(9_001n * CENT);
      expect((await escrow.claimBatchStatusOf(own.batchId)).open).to.equal((4_550n + 3_725n) * CENT);
    });

    it("settles each of the other groups from its own file as well, a group of one line too", async () => {
      const funded = await loadFixture(deployAndFund);
      const { escrow, stranger, pharmacies } = funded;
      for (const pharmacy of pharmacies) {
        const own = await openOwnFile(pharmacy, ownText(funded, pharmacy));
        const results = encodeResults(
          own.groups.map(({ lineCount }, group) =>
            group === own.group ? byLine(...Array.from({ length: lineCount }, () => met)) : pending,
          ),
          resultShapeOf(own, [own]),
        );
        const attestation = await attest(funded, own, own.batchId, results);
        await escrow
          .connect(stranger)
          .settleByLine(own.terms, own.groups.map(packGroup), attestation, openedLinesOf(own));
      }
      expect(await moneyOf(funded)).to.deep.equal({
        credits: [10_235n * CENT, 4_550n * CENT, 3_725n * CENT],
        free: 0n,
      });
    });

    it("reverses a line, and settles what is left of its group later", async () => {
      const funded = await loadFixture(deployAndFund);
      const { escrow, stranger, pharmacies } = funded;
      const [pharmacy] = pharmacies;
      const own = await openOwnFile(pharmacy, ownText(funded, pharmacy));
      const words = own.groups.map(packGroup);
      const line = own.lines.find(({ detail }) => detail.claimId === "F-12")!;
      const opened = openedLinesOf(own);
      const [lines] = opened.groups;
      await expect(
        escrow.connect(pharmacy.account).reverse(own.terms, words, own.group, [line.index], lines!, opened.proof),
      )
        .to.emit(escrow, "LinesReversed")
        .withArgs(own.batchId, pharmacy.account.address, 1_234n * CENT, [line.index]);
      expect(await moneyOf(funded)).to.deep.equal({ credits: [0n, 0n, 0n], free: 1_234n * CENT });

      const results = encodeResults([met, pending, pending], resultShapeOf(own, [own]));
      const attestation = await attest(funded, own, own.batchId, results);
      await escrow.connect(stranger).settleByLine(own.terms, words, attestation, opened);
      expect(await moneyOf(funded)).to.deep.equal({ credits: [9_001n * CENT, 0n, 0n], free: 1_234n * CENT });
    });

    it("cannot reverse or settle by other amounts than those of the file", async () => {
      const funded = await loadFixture(deployAndFund);
      const { escrow, pharmacies } = funded;
      const [pharmacy] = pharmacies;
      const own = await openOwnFile(pharmacy, ownText(funded, pharmacy));
      const words = own.groups.map(packGroup);
      const [fillOf90, fillOf12, fillOf1] = own.groupLines.amounts as [bigint, bigint, bigint];
      const changed = packGroupLines({ ...own.groupLines, amounts: [fillOf90 + fillOf1, fillOf12 - 1n, 1n] });
      const results = encodeResults([byLine(met, pending, pending), pending, pending], resultShapeOf(own));
      const attestation = await attest(funded, own, own.batchId, results);
      await expect(escrow.settleByLine(own.terms, words, attestation, { groups: [changed], proof: own.linesProof }))
        .to.be.revertedWithCustomError(escrow, "LinesProofInvalid")
        .withArgs(own.terms.manifestRoot);
      await expect(escrow.connect(pharmacy.account).reverse(own.terms, words, own.group, [2], changed, own.linesProof))
        .to.be.revertedWithCustomError(escrow, "LinesProofInvalid")
        .withArgs(own.terms.manifestRoot);
    });
  });

  describe("a payer that commits to a second split of a group", () => {
    const details = keccak256("0xde7a11");
    /** The same subtotal as the first pharmacy's 90.00, 12.34 and 0.01, the other way round. */
    const secondSplitOf = ({ group, amounts }: GroupLines): GroupLines => ({
      group,
      salt: keccak256("0x5ec0"),
      amounts: [...amounts].reverse(),
    });

    interface Committed {
      part: PublicPart;
      words: bigint[];
      /** Line amounts of the groups as their payees know them. */
      known: [GroupLines, GroupLines, GroupLines];
      leaves: [string, string, string];
    }

    /** Funds the batch with another manifest root in its terms. */
    async function fundWith(funded: Funded, rootOf: (leaves: Committed["leaves"]) => string): Promise<Committed> {
      const { escrow, payer, built, words, ref } = funded;
      const { opened, ...part } = openClaimBatchRecord(built.record);
      const known = opened.map(({ groupLines }) => groupLines) as Committed["known"];
      const leaves = known.map(linesLeafOf) as Committed["leaves"];
      const terms = { ...built.terms, manifestRoot: rootOf(leaves) };
      await escrow.connect(payer).fund(terms, words);
      return { part: { ...part, terms, batchId: batchIdOf(terms, ref) }, words, known, leaves };
    }

    /** Settles by "the first line of group 0 was dispensed, no other", opening these lines. */
    async function settle(funded: Funded, { part, words }: Committed, opened: OpenedLines) {
      const results = encodeResults([byLine(met, notMet, notMet), pending, pending], resultShapeOf(part));
      const attestation = await attest(funded, funded.ref, part.batchId, results);
      return funded.escrow.connect(funded.payer).settleByLine(part.terms, words, attestation, opened);
    }

    it("cannot settle by it when it is one more leaf of the tree; the payee's own still settles", async () => {
      const funded = await loadFixture(deploy);
      const { escrow } = funded;
      let second = "";
      const committed = await fundWith(funded, (leaves) => {
        second = linesLeafOf(secondSplitOf(openClaimBatchRecord(funded.built.record).opened[0]!.groupLines));
        return manifestRootOf(manifestTreeOf([...leaves, second]).root, details);
      });
      const { known, leaves, part } = committed;
      const tree = manifestTreeOf([...leaves, second]);
      const lines = packGroupLines(secondSplitOf(known[0]));

      // Trees of sorted pairs took this proof, which is the true one but for the sides.
      const path = [...tree.prove([3]), details];
      for (const proof of [path, [...tree.prove([0]), details], path.slice(0, 2)])
        await expect(settle(funded, committed, { groups: [lines], proof }))
          .to.be.revertedWithCustomError(escrow, "LinesProofInvalid")
          .withArgs(part.terms.manifestRoot);
      // Nor can its friend among the pharmacies.
      const { account } = funded.pharmacies[0];
      const reverse = (proof: string[]) =>
        escrow.connect(account).reverse(part.terms, committed.words, 0, [0], lines, proof);
      await expect(reverse(path))
        .to.be.revertedWithCustomError(escrow, "LinesProofInvalid")
        .withArgs(part.terms.manifestRoot);
      await expect(reverse(path.slice(0, 1))).to.be.revertedWithCustomError(escrow, "ManifestProofMalformed");
      const honest = packGroupLines(known[0]);
      for (const opened of [
        { groups: [lines], proof: [] },
        { groups: [lines], proof: path.slice(0, 1) },
        { groups: [{ ...lines, group: 3 }], proof: path },
        { groups: [honest, lines], proof: path },
        { groups: [lines, honest], proof: path },
      ])
        await expect(settle(funded, committed, opened)).to.be.revertedWithCustomError(escrow, "ManifestProofMalformed");

      const proof = [...tree.prove([0]), details];
      expect(verifyLines(part.terms.manifestRoot, [{ position: 0, leaf: leaves[0] }], 3, proof)).to.equal(true);
      await settle(funded, committed, { groups: [honest], proof });
      expect(await moneyOf(funded)).to.deep.equal({ credits: [9_000n * CENT, 0n, 0n], free: 1_235n * CENT });
    });

    it("cannot settle by it when it is in a tree of its own on the other side of the manifest", async () => {
      const funded = await loadFixture(deploy);
      const secondOf = (lines: GroupLines, [, one, two]: Committed["leaves"]) =>
        manifestTreeOf([linesLeafOf(secondSplitOf(lines)), one, two]);
      const first = openClaimBatchRecord(funded.built.record).opened[0]!.groupLines;
      const committed = await fundWith(funded, (leaves) =>
        manifestRootOf(manifestTreeOf(leaves).root, secondOf(first, leaves).root),
      );
      const { known, leaves, part } = committed;
      const lines = packGroupLines(secondSplitOf(known[0]));
      const [own, other] = [manifestTreeOf(leaves), secondOf(first, leaves)];
      await expect(settle(funded, committed, { groups: [lines], proof: [...other.prove([0]), own.root] }))
        .to.be.revertedWithCustomError(funded.escrow, "LinesProofInvalid")
        .withArgs(part.terms.manifestRoot);
      await settle(funded, committed, { groups: [packGroupLines(known[0])], proof: [...own.prove([0]), other.root] });
      expect(await moneyOf(funded)).to.deep.equal({ credits: [9_000n * CENT, 0n, 0n], free: 1_235n * CENT });
    });

    it("can settle by neither when both are below one place, as the payee sees before giving care", async () => {
      const funded = await loadFixture(deploy);
      const { escrow } = funded;
      const pairOf = (own: string, second: string): string => keccak256(concat([own, second]));
      const first = openClaimBatchRecord(funded.built.record).opened[0]!.groupLines;
      const second = linesLeafOf(secondSplitOf(first));
      const treeOf = ([own, one, two]: Committed["leaves"]) => manifestTreeOf([pairOf(own, second), one, two]);
      const committed = await fundWith(funded, (leaves) => manifestRootOf(treeOf(leaves).root, details));
      const { known, leaves, part } = committed;
      const rest = [...treeOf(leaves).prove([0]), details];
      for (const [split, sibling] of [
        [known[0], second],
        [secondSplitOf(known[0]), leaves[0]],
      ] as const) {
        const proof = [sibling, ...rest];
        await expect(settle(funded, committed, { groups: [packGroupLines(split)], proof }))
          .to.be.revertedWithCustomError(escrow, "LinesProofInvalid")
          .withArgs(part.terms.manifestRoot);
        const placed = [{ position: 0, leaf: linesLeafOf(split) }];
        expect(verifyLines(part.terms.manifestRoot, placed, 3, proof)).to.equal(false);
      }
    });
  });
});
