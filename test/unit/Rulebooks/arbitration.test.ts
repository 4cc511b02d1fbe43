import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroAddress, ZeroHash, concat, dataLength, dataSlice, getAddress, keccak256, toBeHex } from "ethers";
import fc from "fast-check";
import { ethers } from "hardhat";

import type { RulebookStruct } from "../../../typechain-types/contracts/rulebooks/Rulebooks";
import { DOLLAR, deployFunded, fundedBatchOf } from "../../support/funded";
import { p256Key } from "../../support/keys";
import { workflowOf } from "../../support/keystone";
import { DAY, publish } from "../../support/system";

import { attestersOf, blobOf, encode, idOf, rulebookWith } from "./fixture";

const ARBITER = toBeHex(0xa0, 20);
const arbitrated = { arbiter: ARBITER, arbiterDeadline: 7 * DAY };
const retained = { ...arbitrated, retentionBps: 1_000, lookBack: 90 * DAY };
const everything = { ...retained, challengePeriod: 5 * DAY, arbiterDefault: 1, bond: 25n * DOLLAR };
const workflow = workflowOf("claim events");

/** Fields about disputes and retention, as they are here: numbers only. */
interface Terms {
  challengePeriod: number;
  arbiter: string;
  arbiterDeadline: number;
  arbiterDefault: number;
  bond: bigint;
  retentionBps: number;
  lookBack: number;
}

/** The field for which a rulebook is refused, as docs say the rules; nothing: it is published. */
function refusedFor(terms: Terms): string | undefined {
  const { challengePeriod, arbiter, arbiterDeadline, arbiterDefault, bond, retentionBps, lookBack } = terms;
  if (challengePeriod > 30 * DAY) return "challengePeriod";
  if (arbiterDefault !== 0 && arbiterDefault !== 1) return "arbiterDefault";
  if (retentionBps > 10_000) return "retentionBps";
  if (lookBack > 730 * DAY || retentionBps > 0 !== lookBack > 0) return "lookBack";
  const named = arbiter !== ZeroAddress;
  const needed = [challengePeriod, arbiterDeadline, arbiterDefault, Number(bond), retentionBps].some((one) => one > 0);
  if (!named) return needed ? "arbiter" : undefined;
  return arbiterDeadline < DAY || arbiterDeadline > 90 * DAY ? "arbiterDeadline" : undefined;
}

describe("Rulebooks: publish, given terms of disputes and retention", () => {
  it("has limits that it says", async () => {
    const { rulebooks } = await loadFixture(deployFunded);
    expect(await rulebooks.MAX_CHALLENGE_PERIOD()).to.equal(30 * DAY);
    expect(await rulebooks.MIN_ARBITER_DEADLINE()).to.equal(DAY);
    expect(await rulebooks.MAX_ARBITER_DEADLINE()).to.equal(90 * DAY);
    expect(await rulebooks.MAX_LOOK_BACK()).to.equal(730 * DAY);
  });

  describe("takes", () => {
    const accepted: [string, Partial<RulebookStruct>][] = [
      ["an arbiter and nothing else", arbitrated],
      ["the least time for an arbiter", { ...arbitrated, arbiterDeadline: DAY }],
      ["the most time for an arbiter", { ...arbitrated, arbiterDeadline: 90 * DAY }],
      ["a default for the payee", { ...arbitrated, arbiterDefault: 1 }],
      ["a bond of one base unit", { ...arbitrated, bond: 1 }],
      ["the greatest bond", { ...arbitrated, bond: 2n ** 96n - 1n }],
      ["the shortest challenge period", { ...arbitrated, challengePeriod: 1 }],
      ["the longest challenge period", { ...arbitrated, challengePeriod: 30 * DAY }],
      ["the least retention", { ...retained, retentionBps: 1 }],
      ["a retention of everything", { ...retained, retentionBps: 10_000 }],
      ["the shortest look-back", { ...retained, lookBack: 1 }],
      ["the longest look-back", { ...retained, lookBack: 730 * DAY }],
      ["all of it", everything],
      ["all of it under a workflow", { ...everything, attesterGroups: [], workflow }],
    ];
    for (const [what, changes] of accepted)
      it(`${what}, and lets batches be funded under it`, async () => {
        const context = await loadFixture(deployFunded);
        const { rulebooks, escrow } = context;
        const rulebook = rulebookWith(changes);
        const published = await publish(rulebooks, rulebook);
        expect(published).to.equal(idOf(rulebooks, rulebook));
        expect(encode(rulebooks, await rulebooks.rulebookOf(published))).to.equal(encode(rulebooks, rulebook));
        const batch = await fundedBatchOf(context, { rulebook: published });
        expect((await escrow.claimBatchStatusOf(batch.id)).open).to.equal(190n * DOLLAR);
        expect(await escrow.attestByOf(batch.terms)).to.equal(batch.terms.eventBy + 3 * DAY);
      });
  });

  describe("refuses", () => {
    const refused: [string, string, Partial<RulebookStruct>][] = [
      ["a challenge period of a second more", "challengePeriod", { ...arbitrated, challengePeriod: 30 * DAY + 1 }],
      ["the greatest challenge period", "challengePeriod", { ...arbitrated, challengePeriod: 2 ** 32 - 1 }],
      ["a side that does not exist", "arbiterDefault", { ...arbitrated, arbiterDefault: 2 }],
      ["the greatest side", "arbiterDefault", { ...arbitrated, arbiterDefault: 255 }],
      ["a retention of more than everything", "retentionBps", { ...retained, retentionBps: 10_001 }],
      ["the greatest retention", "retentionBps", { ...retained, retentionBps: 65_535 }],
      ["a look-back of a second more", "lookBack", { ...retained, lookBack: 730 * DAY + 1 }],
      ["a retention without a look-back", "lookBack", { ...arbitrated, retentionBps: 1 }],
      ["a look-back without a retention", "lookBack", { ...arbitrated, lookBack: 1 }],
      ["a look-back alone", "lookBack", { lookBack: 1 }],
      ["a retention alone", "lookBack", { retentionBps: 1 }],
      ["a challenge period without an arbiter", "arbiter", { challengePeriod: 1 }],
      ["a retention without an arbiter", "arbiter", { retentionBps: 1, lookBack: 1 }],
      ["a bond without an arbiter", "arbiter", { bond: 1 }],
      ["a default without an arbiter", "arbiter", { arbiterDefault: 1 }],
      ["a deadline without an arbiter", "arbiter", { arbiterDeadline: DAY }],
      ["everything without an arbiter", "arbiter", { ...everything, arbiter: ZeroAddress }],
      ["an arbiter without a deadline", "arbiterDeadline", { arbiter: ARBITER }],
      ["an arbiter's deadline of a second less", "arbiterDeadline", { ...arbitrated, arbiterDeadline: DAY - 1 }],
      ["an arbiter's deadline of a second more", "arbiterDeadline", { ...arbitrated, arbiterDeadline: 90 * DAY + 1 }],
      ["everything without a deadline", "arbiterDeadline", { ...everything, arbiterDeadline: 0 }],
    ];
    for (const [what, field, changes] of refused)
      it(what, async () => {
        const { rulebooks } = await loadFixture(deployFunded);
        const rulebook = rulebookWith(changes);
        await expect(rulebooks.publish(rulebook))
          .to.be.revertedWithCustomError(rulebooks, "RulebookFieldInvalid")
          .withArgs(field);
        expect((await rulebooks.rulebookStatusOf(idOf(rulebooks, rulebook))).published).to.equal(false);
      });
  });

  it("takes and refuses what the rules say, in any combination", async () => {
    const { rulebooks } = await loadFixture(deployFunded);
    const near = (...values: number[]) => fc.constantFrom(0, ...values);
    const arbitrary: fc.Arbitrary<Terms> = fc.record({
      challengePeriod: near(1, 30 * DAY, 30 * DAY + 1),
      arbiter: fc.constantFrom(ZeroAddress, ARBITER, ARBITER),
      arbiterDeadline: near(1, DAY - 1, DAY, 90 * DAY, 90 * DAY + 1),
      arbiterDefault: near(1, 1, 2),
      bond: fc.constantFrom(0n, 1n, 2n ** 96n - 1n),
      retentionBps: near(1, 10_000, 10_001),
      lookBack: near(1, 730 * DAY, 730 * DAY + 1),
    });
    await fc.assert(
      fc.asyncProperty(arbitrary, async (terms) => {
        const rulebook = rulebookWith({ ...terms });
        const field = refusedFor(terms);
        if (field === undefined)
          expect(await rulebooks.publish.staticCall(rulebook)).to.equal(idOf(rulebooks, rulebook));
        else
          await expect(rulebooks.publish.staticCall(rulebook))
            .to.be.revertedWithCustomError(rulebooks, "RulebookFieldInvalid")
            .withArgs(field);
      }),
      { numRuns: 100, endOnFailure: true },
    );
  });
});

describe("Rulebooks: the blob of a rulebook with terms of disputes and retention", () => {
  const codeAt = (address: string): Promise<string> => ethers.provider.getCode(address);

  /** What stands at the end of a rulebook's data, in words. */
  const WORDS = 11;
  async function termsAt(blob: string): Promise<bigint[]> {
    const code = await codeAt(blob);
    const start = dataLength(code) - WORDS * 32;
    return Array.from({ length: WORDS }, (_, i) => BigInt(dataSlice(code, start + i * 32, start + (i + 1) * 32)));
  }

  /** The terms that follow from a rulebook. */
  const termsOf = (terms: typeof everything): bigint[] =>
    [
      3 * DAY,
      terms.challengePeriod,
      terms.arbiterDeadline,
      terms.arbiterDefault,
      terms.bond,
      terms.retentionBps,
      terms.lookBack,
      terms.arbiter,
    ].map(BigInt);

  it("ends with its terms", async () => {
    const { rulebooks } = await loadFixture(deployFunded);
    const terms = await termsAt(await blobOf(rulebooks, rulebookWith(everything)));
    expect(terms.slice(0, 8)).to.deep.equal(termsOf(everything));
  });

  it("ends with terms that name no other data where attestations settle at once", async () => {
    const { rulebooks } = await loadFixture(deployFunded);
    const settled = { ...everything, challengePeriod: 0, retentionBps: 0, lookBack: 0 };
    const blob = await blobOf(rulebooks, rulebookWith(settled));
    expect(await termsAt(blob)).to.deep.equal([...termsOf(settled), 0n, 255n, 0n]);
    expect(BigInt(dataSlice(await codeAt(blob), 0, 32))).to.equal((BigInt(3 * DAY) << 16n) | (2n << 8n) | 3n);
  });

  for (const [why, changes] of [
    ["a challenge period", { ...arbitrated, challengePeriod: 1 }],
    ["a retention", retained],
    ["both", everything],
  ] as const)
    it(`names nobody where attestations have to be presented because of ${why}, and its attesters apart`, async () => {
      const { rulebooks } = await loadFixture(deployFunded);
      const blob = await blobOf(rulebooks, rulebookWith({ ...changes, workflow }));
      const code = await codeAt(blob);
      // Grace, no threshold that signatures fit, no accounts; no workflow; no conditions.
      expect(dataSlice(code, 0, 96)).to.equal(
        concat([toBeHex((BigInt(3 * DAY) << 16n) | (255n << 8n), 32), ZeroHash, ZeroHash]),
      );
      const [attesters, threshold, accounts] = (await termsAt(blob)).slice(8);
      expect([threshold, accounts]).to.deep.equal([2n, 3n]);
      const apart = await codeAt(getAddress(toBeHex(attesters!, 20)));
      expect(BigInt(dataSlice(apart, 0, 32))).to.equal((BigInt(3 * DAY) << 16n) | (2n << 8n) | 3n);
      const listed = concat(attestersOf(3).map((attester) => toBeHex(attester, 32)));
      expect(dataSlice(apart, 32, 128)).to.equal(listed);
      const { id: workflowId, name, owner } = workflow;
      expect(dataSlice(apart, 128, 160)).to.equal(keccak256(concat([workflowId, name, owner])));
      // Where one list of accounts says it all, it stands before the terms as well.
      const end = dataLength(code) - WORDS * 32;
      expect(dataSlice(code, end - 96, end)).to.equal(listed);
    });

  it("has no accounts before its terms where they do not say it all", async () => {
    const { rulebooks, p256Verifier } = await loadFixture(deployFunded);
    const attesters = [p256Key("lab", p256Verifier).signer];
    const general = rulebookWith({ ...everything, attesterGroups: [{ threshold: 1, above: 0, attesters }] });
    const [apart, threshold, accounts] = (await termsAt(await blobOf(rulebooks, general))).slice(8);
    expect([threshold, accounts]).to.deep.equal([255n, 0n]);
    expect(dataLength(await codeAt(getAddress(toBeHex(apart!, 20))))).to.be.greaterThan(0);
  });

  it("does nothing when it is called, nor do its attesters", async () => {
    const { rulebooks, stranger } = await loadFixture(deployFunded);
    const blob = await blobOf(rulebooks, rulebookWith(everything));
    const [attesters] = (await termsAt(blob)).slice(8);
    for (const to of [blob, getAddress(toBeHex(attesters!, 20))]) {
      expect(dataSlice(await codeAt(to), 0, 1)).to.equal("0x00");
      const receipt = await (await stranger.sendTransaction({ to })).wait();
      expect([receipt!.gasUsed, receipt!.logs.length]).to.deep.equal([21_000n, 0]);
    }
  });

  it("is laid down once", async () => {
    const { rulebooks, stranger } = await loadFixture(deployFunded);
    await rulebooks.publish(rulebookWith(everything));
    await expect(rulebooks.connect(stranger).publish(rulebookWith(everything))).not.to.emit(
      rulebooks,
      "RulebookPublished",
    );
  });
});
