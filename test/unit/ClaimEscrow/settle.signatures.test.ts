import { anyValue } from "@nomicfoundation/hardhat-chai-matchers/withArgs";
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { concat, dataSlice, N, toBeHex, ZeroHash } from "ethers";
import { ethers } from "hardhat";

import { met, notMet, settle, type TestBatch } from "../../support/batches";
import { attested, deployClaims, fundedBatch, moneyOf, type Claims } from "../../support/claims";
import { publish, rulebookOf } from "../../support/system";

import type { SettlementStruct } from "../../../typechain-types/contracts/claims/ClaimEscrow";

describe("ClaimEscrow: signatures of attesters", () => {
  async function given() {
    const claims = await loadFixture(deployClaims);
    return { claims, batch: await fundedBatch(claims, [[100n, 200n], [300n]]) };
  }
  const withSignatures = (settlement: SettlementStruct, signatures: string): SettlementStruct => ({
    ...settlement,
    attestation: { ...settlement.attestation, signatures },
  });
  /**
   * Signatures of a length that the rulebook does not ask for are read as packed ones. Which of three things is wrong with that depends
   * on the first bytes of a signature: that it ends too early, as nearly always, or that the signatures are of nobody who was asked.
   */
  async function expectNoList(claims: Claims, settlement: SettlementStruct): Promise<void> {
    const conditions = (await ethers.getContractFactory("AttesterConditions")).interface;
    const known = ["SignatureInvalid", "ConditionNotMet", "SignatureNotAsked"];
    const { batch, groups, attestation } = settlement;
    const data = claims.escrow.interface.encodeFunctionData("settle", [batch, groups, attestation]);
    const answer = await ethers.provider.call({ to: await claims.escrow.getAddress(), data }).then(
      () => "0x",
      (thrown: { data: string }) => thrown.data,
    );
    expect(known).to.include(conditions.parseError(answer)?.name ?? "nothing");
  }
  const signaturesOf = (settlement: SettlementStruct): string[] => {
    const all = settlement.attestation.signatures as string;
    return Array.from({ length: (all.length - 2) / 130 }, (_, i) => dataSlice(all, i * 65, (i + 1) * 65));
  };

  describe("given a rulebook of 2 of 3", () => {
    for (const pair of [
      [0, 1],
      [0, 2],
      [1, 2],
    ])
      it(`takes attesters ${pair.join(" and ")}`, async () => {
        const { claims, batch } = await given();
        const signers = pair.map((i) => claims.attesters[i]!);
        await settle(claims.escrow, await attested(claims, batch, [met, met], { signers }));
        expect(await moneyOf(claims, batch)).to.deep.equal({ open: 0n, free: 0n, credits: [300n, 300n] });
      });

    it("refuses none, which stands for a report of a workflow", async () => {
      const { claims, batch } = await given();
      const settlement = await attested(claims, batch, [met, met], { signers: [] });
      await expect(settle(claims.escrow, settlement))
        .to.be.revertedWithCustomError(claims.escrow, "NotReported")
        .withArgs(batch.id);
    });

    for (const count of [1, 3])
      it(`refuses ${count} signature(s)`, async () => {
        const { claims, batch } = await given();
        const settlement = await attested(claims, batch, [met, met], { signers: claims.attesters.slice(0, count) });
        await expectNoList(claims, settlement);
      });

    for (const [what, change] of [
      ["a byte too many", (all: string) => concat([all, "0x00"])],
      ["a byte too few", (all: string) => dataSlice(all, 0, 129)],
      ["compact signatures of 64 bytes", (all: string) => concat([dataSlice(all, 0, 64), dataSlice(all, 65, 129)])],
    ] as const)
      it(`refuses ${what}`, async () => {
        const { claims, batch } = await given();
        const settlement = await attested(claims, batch, [met, met]);
        const signatures = change(settlement.attestation.signatures as string);
        await expectNoList(claims, withSignatures(settlement, signatures));
      });

    it("refuses one attester twice", async () => {
      const { claims, batch } = await given();
      const [first] = claims.attesters;
      const settlement = await attested(claims, batch, [met, met], { signers: [first!, first!] });
      await expect(settle(claims.escrow, settlement))
        .to.be.revertedWithCustomError(claims.escrow, "SignersNotAscending")
        .withArgs(first!.address);
    });

    it("refuses the last attester twice", async () => {
      const { claims, batch } = await given();
      const last = claims.attesters[2]!;
      const settlement = await attested(claims, batch, [met, met], { signers: [last, last] });
      await expect(settle(claims.escrow, settlement))
        .to.be.revertedWithCustomError(claims.escrow, "SignersNotAscending")
        .withArgs(last.address);
    });

    it("refuses attesters in descending order", async () => {
      const { claims, batch } = await given();
      const [first, second] = claims.attesters;
      const settlement = await attested(claims, batch, [met, met], { signers: [second!, first!], sorted: false });
      await expect(settle(claims.escrow, settlement))
        .to.be.revertedWithCustomError(claims.escrow, "SignersNotAscending")
        .withArgs(first!.address);
    });

    const strangers: Record<string, (claims: Claims) => HardhatEthersSigner> = {
      "somebody else": ({ stranger }) => stranger,
      "the payer": ({ payer }) => payer,
      "the payee": ({ payees }) => payees[0]!,
      "the suspender": ({ suspender }) => suspender,
      "the admin": ({ admin }) => admin,
    };
    for (const [who, strangerOf] of Object.entries(strangers))
      it(`refuses ${who} in place of an attester, first or second`, async () => {
        const { claims, batch } = await given();
        const stranger = strangerOf(claims);
        for (const attester of [claims.attesters[0]!, claims.attesters[2]!])
          await expect(
            settle(claims.escrow, await attested(claims, batch, [met, met], { signers: [attester, stranger] })),
          )
            .to.be.revertedWithCustomError(claims.escrow, "NotAttester")
            .withArgs(stranger.address);
      });

    it("calls a stranger that comes too late out of order", async () => {
      const { claims, batch } = await given();
      const last = claims.attesters[2]!;
      const all = await ethers.getSigners();
      const lower = all.find(
        ({ address }) => BigInt(address) < BigInt(last.address) && !claims.attesters.some((a) => a.address === address),
      )!;
      const settlement = await attested(claims, batch, [met, met], { signers: [last, lower], sorted: false });
      await expect(settle(claims.escrow, settlement))
        .to.be.revertedWithCustomError(claims.escrow, "SignersNotAscending")
        .withArgs(lower.address);
    });
  });

  describe("given signatures that are malformed", () => {
    const s = (signature: string) => BigInt(dataSlice(signature, 32, 64));
    const v = (signature: string) => Number(dataSlice(signature, 64));
    const malformed: Record<string, (signature: string) => string> = {
      "the other s of the curve, with its v": (signature) =>
        concat([dataSlice(signature, 0, 32), toBeHex(N - s(signature), 32), toBeHex(55 - v(signature), 1)]),
      "an r of zero": (signature) => concat([ZeroHash, dataSlice(signature, 32)]),
      "an s of zero": (signature) => concat([dataSlice(signature, 0, 32), ZeroHash, dataSlice(signature, 64)]),
      "an r beyond the curve": (signature) => concat([toBeHex(N, 32), dataSlice(signature, 32)]),
      "an s beyond the curve": (signature) =>
        concat([dataSlice(signature, 0, 32), toBeHex(N + 1n, 32), dataSlice(signature, 64)]),
      "a v of 0 or 1": (signature) => concat([dataSlice(signature, 0, 64), toBeHex(v(signature) - 27, 1)]),
      "a v of 29": (signature) => concat([dataSlice(signature, 0, 64), "0x1d"]),
      "a v with a chain id": (signature) => concat([dataSlice(signature, 0, 64), toBeHex(v(signature) + 8, 1)]),
      "nothing but zeros": () => `0x${"00".repeat(65)}`,
    };
    for (const [what, change] of Object.entries(malformed))
      for (const index of [0, 1])
        it(`refuses ${what}, in signature ${index}`, async () => {
          const { claims, batch } = await given();
          const settlement = await attested(claims, batch, [met, met]);
          const signatures = signaturesOf(settlement).map((one, i) => (i === index ? change(one) : one));
          await expect(settle(claims.escrow, withSignatures(settlement, concat(signatures))))
            .to.be.revertedWithCustomError(claims.escrow, "SignatureInvalid")
            .withArgs(BigInt(index));
        });

    it("refuses the other v, which is somebody else's signature", async () => {
      const { claims, batch } = await given();
      const settlement = await attested(claims, batch, [met, met]);
      const [first, second] = signaturesOf(settlement);
      const flipped = concat([dataSlice(first!, 0, 64), toBeHex(55 - v(first!), 1), second!]);
      await expect(settle(claims.escrow, withSignatures(settlement, flipped))).to.be.reverted;
    });

    it("refuses one attester's two signatures over one statement", async () => {
      const { claims, batch } = await given();
      const settlement = await attested(claims, batch, [met, met]);
      const [first] = signaturesOf(settlement);
      const other = malformed["the other s of the curve, with its v"]!(first!);
      await expect(settle(claims.escrow, withSignatures(settlement, concat([first!, other]))))
        .to.be.revertedWithCustomError(claims.escrow, "SignatureInvalid")
        .withArgs(1n);
    });
  });

  describe("given an attestation that was changed after signing", () => {
    const changes = {
      results: () => ({ results: "0x09" }),
      observedAt: (attestation: SettlementStruct["attestation"]) => ({
        observedAt: Number(attestation.observedAt) - 1,
      }),
      validUntil: (attestation: SettlementStruct["attestation"]) => ({
        validUntil: Number(attestation.validUntil) + 1,
      }),
      evidence: () => ({ evidence: ZeroHash }),
    };
    for (const [field, change] of Object.entries(changes))
      it(`refuses other ${field}`, async () => {
        const { claims, batch } = await given();
        const settlement = await attested(claims, batch, [met, met]);
        const attestation = { ...settlement.attestation, ...change(settlement.attestation) };
        await expect(settle(claims.escrow, { ...settlement, attestation }))
          .to.be.revertedWithCustomError(claims.escrow, "NotAttester")
          .withArgs(anyValue);
      });
  });

  describe("given an attestation for something else", () => {
    const elsewhere: Record<string, (claims: Claims, batch: TestBatch) => Promise<TestBatch> | TestBatch> = {
      "another batch": (claims) => fundedBatch(claims, [[100n, 200n], [300n]]),
      "another chain": (_, batch) => ({ ...batch, ref: { ...batch.ref, chainId: 1n } }),
      "another escrow": (claims, batch) => ({ ...batch, ref: { ...batch.ref, escrow: claims.stranger.address } }),
    };
    for (const [what, otherOf] of Object.entries(elsewhere))
      it(`refuses one for ${what}`, async () => {
        const { claims, batch } = await given();
        const other = await otherOf(claims, batch);
        const { attestation } = await attested(claims, other, [met, met]);
        await expect(claims.escrow.settle(batch.terms, batch.words, attestation))
          .to.be.revertedWithCustomError(claims.escrow, "NotAttester")
          .withArgs(anyValue);
      });

    it("refuses attesters of another rulebook", async () => {
      const { claims, batch } = await given();
      const others = [claims.stranger, claims.admin];
      await publish(
        claims.rulebooks,
        rulebookOf(
          others.map(({ address }) => address),
          2,
        ),
      );
      const settlement = await attested(claims, batch, [met, met], { signers: others });
      await expect(settle(claims.escrow, settlement)).to.be.revertedWithCustomError(claims.escrow, "NotAttester");
    });

    it("knows no such batch under another rulebook of the same attesters", async () => {
      const { claims, batch } = await given();
      const addresses = claims.attesters.map(({ address }) => address);
      const rulebook = await publish(claims.rulebooks, rulebookOf(addresses, 1));
      const terms = { ...batch.terms, rulebook };
      const { attestation } = await attested(claims, batch, [met, met], { signers: [claims.attesters[0]!] });
      await expect(claims.escrow.settle(terms, batch.words, attestation))
        .to.be.revertedWithCustomError(claims.escrow, "ClaimBatchUnknown")
        .withArgs(await claims.escrow.batchIdOf(terms));
    });
  });

  describe("given other thresholds", () => {
    async function underRulebook(attesters: (claims: Claims) => HardhatEthersSigner[], threshold: number) {
      const claims = await loadFixture(deployClaims);
      const all = attesters(claims);
      const rulebook = await publish(
        claims.rulebooks,
        rulebookOf(
          all.map(({ address }) => address),
          threshold,
        ),
      );
      return { claims, all, batch: await fundedBatch(claims, [[50n]], { rulebook }) };
    }

    it("takes the one attester of 1 of 1", async () => {
      const { claims, all, batch } = await underRulebook(({ stranger }) => [stranger], 1);
      await settle(claims.escrow, await attested(claims, batch, [met], { signers: all }));
      expect((await moneyOf(claims, batch)).credits).to.deep.equal([50n]);
    });

    const triples = [0, 1, 2, 3, 4]
      .flatMap((a) => [0, 1, 2, 3, 4].flatMap((b) => [0, 1, 2, 3, 4].map((c) => [a, b, c])))
      .filter(([a, b, c]) => a! < b! && b! < c!);
    for (const triple of triples)
      it(`takes attesters ${triple.join(", ")} of 3 of 5`, async () => {
        const { claims, all, batch } = await underRulebook(({ payees }) => payees.slice(0, 5), 3);
        const signers = triple.map((i) => all[i]!);
        await settle(claims.escrow, await attested(claims, batch, [notMet], { signers }));
        expect((await moneyOf(claims, batch)).free).to.equal(50n);
      });

    it("takes all of 5 of 5, and not 4 of them", async () => {
      const { claims, all, batch } = await underRulebook(({ payees }) => payees.slice(0, 5), 5);
      await expectNoList(claims, await attested(claims, batch, [met], { signers: all.slice(0, 4) }));
      await settle(claims.escrow, await attested(claims, batch, [met], { signers: all }));
      expect((await moneyOf(claims, batch)).open).to.equal(0n);
    });
  });
});
