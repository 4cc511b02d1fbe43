import { loadFixture, takeSnapshot, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { dataSlice, Signature, verifyTypedData, Wallet, ZeroHash } from "ethers";
import { ethers } from "hardhat";

import { run } from "@carepact/sdk";
import {
  attestationDigestOf,
  combineAttestations,
  decodeResults,
  escrowDomain,
  escrowTypes,
  resultShapeOf,
  verifyClaimBatchFile,
  type Attestation,
  type ClaimBatchFile,
  type CombinedAttestation,
  type PublicPart,
} from "@carepact/sdk/claims";

import { byLine, met, notMet, partlyMet, pending } from "../support/batches";
import { DAY, GRACE } from "../support/system";

import {
  attestations,
  byClaim,
  CENT,
  deployWorld,
  fundedBatch,
  openAs,
  refusal,
  reverted,
  sdkFor,
  type World,
} from "./support";

interface Attested extends World {
  file: ClaimBatchFile;
  batch: PublicPart;
  /** One statement, signed by all three attesters. */
  signed: Attestation[];
  now: number;
}

async function deployAttested(): Promise<Attested> {
  const world = await loadFixture(deployWorld);
  const { file } = await fundedBatch(world);
  const signed = await attestations(world, file, [met, notMet], { signers: world.attesters });
  return { ...world, file, batch: verifyClaimBatchFile(file), signed, now: await time.latest() };
}

const { Attestation: fields } = escrowTypes;

/** Who signed, in the order of the signatures. */
function signersOf(batch: PublicPart, { signatures, ...statement }: CombinedAttestation): string[] {
  return Array.from({ length: (signatures.length - 2) / 130 }, (_, i) =>
    verifyTypedData(
      escrowDomain(batch),
      { Attestation: fields },
      statement,
      dataSlice(signatures, i * 65, (i + 1) * 65),
    ),
  );
}

const ascending = (addresses: string[]): string[] => [...addresses].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1));

describe("SDK: attestations", () => {
  describe("given attesters who sign one statement", () => {
    it("signs what was said of each line, for this batch, chain and escrow", async () => {
      const { file, batch, signed, attesters } = await loadFixture(deployAttested);
      for (const [i, { signer, signature, ...statement }] of signed.entries()) {
        expect(signer).to.equal(attesters[i]!.address);
        expect(statement.batchId).to.equal(file.batchId);
        expect(decodeResults(statement.results, resultShapeOf(batch))).to.deep.equal([met, notMet]);
        expect(ethers.recoverAddress(attestationDigestOf(statement, batch), signature)).to.equal(signer);
      }
      expect(JSON.parse(JSON.stringify(signed))).to.deep.equal(signed);
    });

    it("takes as many as the rulebook asks for, in ascending order of signer, whatever order they come in", async () => {
      const { batch, signed, now } = await loadFixture(deployAttested);
      const [one, two, three] = signed as [Attestation, Attestation, Attestation];
      for (const given of [
        [one, two],
        [two, one],
        [three, one],
        [three, two, one],
        [one, three, two],
      ]) {
        const signers = signersOf(batch, combineAttestations(batch, given, now));
        expect(signers).to.have.length(2);
        expect(signers).to.deep.equal(ascending(signers));
        for (const signer of signers) expect(given.map((entry) => entry.signer)).to.include(signer);
      }
    });

    it("settles with any of them", async () => {
      const { file, signed, stranger } = await loadFixture(deployAttested);
      for (const given of [signed, signed.slice(1), [signed[2]!, signed[0]!]])
        expect(await stranger.claims.settle(file, given).simulate()).to.deep.equal({
          paid: 10_234n * CENT,
          freed: 7_500n * CENT,
        });
    });

    it("takes signatures in every spelling that wallets give them", async () => {
      const { file, signed, stranger } = await loadFixture(deployAttested);
      const spellings: ((signature: Signature) => string)[] = [
        ({ compactSerialized }) => compactSerialized,
        ({ r, s, yParity }) => `${r}${s.slice(2)}0${yParity}`,
        ({ serialized }) => serialized.toUpperCase().replace("0X", "0x"),
      ];
      for (const spell of spellings) {
        const spelt = signed.map((entry) => ({ ...entry, signature: spell(Signature.from(entry.signature)) }));
        const { paid } = await stranger.claims.settle(file, spelt).simulate();
        expect(paid).to.equal(10_234n * CENT);
      }
    });
  });

  describe("given several statements", () => {
    it("takes the one that was observed last of those on which enough agree", async () => {
      const world = await loadFixture(deployAttested);
      const { batch, file, attesters, signed, now } = world;
      const later = await attestations(world, file, [met, met], { observedAt: now + 10 });
      const [lonely] = await attestations(world, file, [met, pending], {
        observedAt: now + 20,
        signers: attesters.slice(2),
      });
      const combined = combineAttestations(batch, [...signed, ...later, lonely!], now);
      expect([combined.observedAt, combined.results]).to.deep.equal([now + 10, later[0]!.results]);
    });

    it("takes an earlier one when the last has expired", async () => {
      const world = await loadFixture(deployAttested);
      const { batch, file, signed, now } = world;
      const brief = await attestations(world, file, [met, met], { observedAt: now + 10, validUntil: now + 20 });
      expect(combineAttestations(batch, [...brief, ...signed], now + 20).results).to.equal(brief[0]!.results);
      expect(combineAttestations(batch, [...brief, ...signed], now + 21).results).to.equal(signed[0]!.results);
    });
  });

  describe("given attestations that cannot settle, refuses them before anything is sent", () => {
    it("too few, none, or different statements: ATTESTATION_TOO_FEW", async () => {
      const world = await loadFixture(deployAttested);
      const { file, signed, stranger } = world;
      const nonce = await stranger.signer.getNonce();
      const settle = (given: Attestation[]) => stranger.claims.settle(file, given).send();
      const none = await refusal("ATTESTATION_TOO_FEW", settle([]));
      const missing = [{ condition: 0, required: 2, given: 0 }];
      expect(none.details).to.deep.equal({ batchId: file.batchId, required: 2, given: 0, statements: 0, missing });
      const one = await refusal("ATTESTATION_TOO_FEW", settle(signed.slice(0, 1)));
      expect(one.details).to.include({ required: 2, given: 1 });
      const differing = [
        signed[0]!,
        ...(await attestations(world, file, [met, met], { signers: [world.attesters[1]] })),
        // The same results, but each attester on its own evidence.
        ...(await attestations(world, file, [met, notMet], { signers: [world.attesters[2]] })),
      ];
      const apart = await refusal("ATTESTATION_TOO_FEW", settle(differing));
      expect(apart.details).to.include({ given: 1, statements: 3 });
      expect(await stranger.signer.getNonce()).to.equal(nonce);
    });

    it("one signer several times, in whatever spelling: ATTESTATION_TOO_FEW", async () => {
      const { batch, signed, now } = await loadFixture(deployAttested);
      const [one] = signed as [Attestation];
      const again = [
        one,
        { ...one },
        { ...one, signer: one.signer.toLowerCase() },
        { ...one, signature: Signature.from(one.signature).compactSerialized },
      ];
      const { details } = await refusal("ATTESTATION_TOO_FEW", () => combineAttestations(batch, again, now));
      expect(details).to.include({ required: 2, given: 1 });
    });

    it("somebody who is no attester: ATTESTATION_SIGNER_UNKNOWN", async () => {
      const world = await loadFixture(deployAttested);
      const { file, signed, stranger } = world;
      const forged = await attestations(world, file, [met, met], { signers: [stranger] });
      const { details } = await refusal(
        "ATTESTATION_SIGNER_UNKNOWN",
        stranger.claims.settle(file, [...signed, ...forged]).simulate(),
      );
      expect(details).to.deep.equal({ batchId: file.batchId, signer: stranger.address });
    });

    it("another batch's: ATTESTATION_WRONG_BATCH", async () => {
      const world = await loadFixture(deployAttested);
      const { file: other } = await fundedBatch(world);
      const { details } = await refusal(
        "ATTESTATION_WRONG_BATCH",
        world.stranger.claims.settle(other, world.signed).simulate(),
      );
      expect(details).to.include({ attested: world.file.batchId, batchId: other.batchId });
      // Neither does it help to write the other batch's id on it.
      const renamed = world.signed.map((entry) => ({ ...entry, batchId: other.batchId }));
      await refusal("ATTESTATION_WRONG_BATCH", world.stranger.claims.settle(other, renamed).simulate());
    });

    it("another chain's or escrow's: ATTESTATION_WRONG_BATCH", async () => {
      const { file, batch, signed, attesters, stranger } = await loadFixture(deployAttested);
      for (const ref of [
        { chainId: 1, escrow: batch.escrow },
        { chainId: batch.chainId, escrow: stranger.address },
      ]) {
        const foreign = await Promise.all(
          signed.map(async (entry, i) => ({
            ...entry,
            signature: await attesters[i]!.signer.signTypedData(escrowDomain(ref), { Attestation: fields }, entry),
          })),
        );
        await refusal("ATTESTATION_WRONG_BATCH", stranger.claims.settle(file, foreign).simulate());
      }
    });

    it("changed after signing, or signed by another than it says: ATTESTATION_WRONG_BATCH", async () => {
      const { file, signed, stranger } = await loadFixture(deployAttested);
      const [one, two] = signed as [Attestation, Attestation];
      for (const change of [
        { results: "0x05" },
        { results: "0x" },
        { results: "met" },
        { observedAt: one.observedAt - 1 },
        { validUntil: one.validUntil + DAY },
        { evidence: ZeroHash },
        { signature: two.signature },
        { signature: "0x" },
        { signature: `0x${"00".repeat(65)}` },
        { signer: two.signer },
        { signer: "an attester" },
        { signer: undefined },
        { signature: undefined },
        { observedAt: null },
      ]) {
        const changed = { ...one, ...change } as Attestation;
        await refusal("ATTESTATION_WRONG_BATCH", stranger.claims.settle(file, [changed, two]).simulate());
      }
      await refusal("ATTESTATION_WRONG_BATCH", stranger.claims.settle(file, [{} as Attestation]).simulate());
    });

    it("no longer valid: ATTESTATION_EXPIRED", async () => {
      const world = await loadFixture(deployAttested);
      const { batch, file, stranger } = world;
      const validUntil = world.now + DAY;
      const signed = await attestations(world, file, [met, met], { validUntil });
      expect(combineAttestations(batch, signed, validUntil).validUntil).to.equal(validUntil);
      await time.increaseTo(validUntil + 1);
      const { details } = await refusal("ATTESTATION_EXPIRED", stranger.claims.settle(file, signed).simulate());
      expect(details).to.deep.equal({ batchId: file.batchId, validUntil, now: validUntil + 1 });
    });

    it("results that do not fit the batch: RESULTS_MALFORMED", async () => {
      const { file, batch, attesters, signed, stranger } = await loadFixture(deployAttested);
      const misfits = await Promise.all(
        attesters.map(async ({ address, signer }) => {
          const { batchId, observedAt, validUntil, evidence } = signed[0]!;
          const statement = { batchId, results: "0x0500", observedAt, validUntil, evidence };
          const signature = await signer.signTypedData(escrowDomain(batch), { Attestation: fields }, statement);
          return { ...statement, signer: address, signature };
        }),
      );
      await refusal("RESULTS_MALFORMED", stranger.claims.settle(file, misfits).simulate());
    });
  });

  describe("given attestations that only the chain can refuse, shows its error before gas is spent", () => {
    it("observed at a time that is still to come", async () => {
      const world = await loadFixture(deployAttested);
      const observedAt = world.now + DAY;
      const early = await attestations(world, world.file, [met, met], { observedAt });
      const settling = world.stranger.claims.settle(world.file, early).simulate();
      expect(await reverted("AttestationFromFuture", settling)).to.deep.equal({ observedAt: String(observedAt) });
    });

    it("after the time for attestations", async () => {
      const world = await loadFixture(deployAttested);
      const attestBy = world.file.terms.eventBy + GRACE;
      await time.increaseTo(attestBy + 1);
      const late = await attestations(world, world.file, [met, met]);
      const settling = world.stranger.claims.settle(world.file, late).simulate();
      expect(await reverted("AttestationTooLate", settling)).to.deep.equal({ attestBy: String(attestBy) });
    });

    it("under a suspended rulebook", async () => {
      const world = await loadFixture(deployAttested);
      await run(world.suspender.rulebooks.suspend(world.rulebook));
      const settling = world.stranger.claims.settle(world.file, world.signed).simulate();
      expect(await reverted("RulebookIsSuspended", settling)).to.deep.equal({ rulebook: world.rulebook });
    });

    it("for a batch that was never funded here", async () => {
      const world = await loadFixture(deployWorld);
      const before = await takeSnapshot();
      const { file } = await fundedBatch(world);
      await before.restore();
      const signed = await attestations(world, file, [met, met]);
      const settling = world.stranger.claims.settle(file, signed).simulate();
      expect(await reverted("ClaimBatchUnknown", settling)).to.deep.equal({ batchId: file.batchId });
    });
  });

  describe("signing", () => {
    it("goes by the chain's clock, not by the machine's", async () => {
      const world = await loadFixture(deployAttested);
      const { file, attesters, stranger } = world;
      await time.increase(20 * DAY);
      const evidence = ZeroHash;
      const signed = await Promise.all(attesters.map(({ claims }) => claims.attest(file, [met, met], { evidence })));
      expect(signed.map(({ observedAt }) => observedAt)).to.deep.equal(Array(3).fill(await time.latest()));
      expect((await stranger.claims.settle(file, signed).simulate()).paid).to.equal(17_734n * CENT);
    });

    it("needs no connection to a chain", async () => {
      const { file, deployment } = await loadFixture(deployAttested);
      const wallet = Wallet.createRandom();
      const { signer } = await sdkFor(wallet, deployment).claims.attest(file, [met, met]);
      expect(signer).to.equal(wallet.address);
    });

    it("is good for as long as the batch can settle at all, unless told otherwise", async () => {
      const { file, signed, escrow } = await loadFixture(deployAttested);
      const stopped = Number(await escrow.MAX_STOPPED());
      for (const { validUntil } of signed) expect(validUntil).to.equal(file.terms.eventBy + GRACE + stopped);
    });

    it("is not for providers: RUNNER_CANNOT_SIGN", async () => {
      const { file, deployment } = await loadFixture(deployAttested);
      await refusal("RUNNER_CANNOT_SIGN", sdkFor(ethers.provider, deployment).claims.attest(file, [met, met]));
    });

    it("refuses results that do not fit the batch, and partial amounts that are the whole", async () => {
      const { file, pharmacy, attesters } = await loadFixture(deployAttested);
      const [{ claims }] = attesters;
      await refusal("RESULTS_MALFORMED", claims.attest(file, [met]));
      await refusal("RESULTS_MALFORMED", claims.attest(file, [byLine(met), met]));
      await refusal("PARTIAL_AMOUNT_INVALID", claims.attest(file, [byLine(partlyMet(0n), met), met]));
      const opened = await openAs(pharmacy, file);
      const whole = [byClaim(opened, { "F-11": partlyMet(9_000n * CENT) }), met];
      // Only who knows the amounts can tell.
      await claims.attest(file, whole);
      await refusal("PARTIAL_AMOUNT_INVALID", claims.attest(opened, whole));
    });
  });
});
