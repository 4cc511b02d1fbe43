import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { AbiCoder, ParamType, ZeroAddress, ZeroHash, dataSlice, id, keccak256, toBeHex } from "ethers";
import fc from "fast-check";
import { ethers } from "hardhat";

import type { Rulebooks } from "../../../typechain-types";
import type { RulebookStruct } from "../../../typechain-types/contracts/rulebooks/Rulebooks";
import { DOLLAR, deployFunded, fundedBatchOf } from "../../support/funded";
import { DAY, publish, rulebookOf } from "../../support/system";

/** Addresses of `count` attesters, ascending. */
const attestersOf = (count: number): string[] => Array.from({ length: count }, (_, i) => toBeHex(i + 1, 20));

/** A rulebook of 2 of 3, with these changes. */
const rulebookWith = (changes: Partial<RulebookStruct>): RulebookStruct => rulebookOf(attestersOf(3), 2, changes);

/** A rulebook whose one group is this. */
const rulebookOfGroup = (threshold: number, attesters: string[]): RulebookStruct =>
  rulebookWith({ attesterGroups: [{ threshold, above: 0, attesters }] });

/** abi.encode(rulebook), computed without the contract. */
function encode(rulebooks: Rulebooks, rulebook: RulebookStruct): string {
  const [type] = rulebooks.interface.getFunction("publish").inputs;
  return AbiCoder.defaultAbiCoder().encode([ParamType.from(type)], [rulebook]);
}

/** keccak256(abi.encode(rulebook)), computed without the contract. */
const idOf = (rulebooks: Rulebooks, rulebook: RulebookStruct): string => keccak256(encode(rulebooks, rulebook));

/** Publishes a rulebook and returns where its data lies. */
async function blobOf(rulebooks: Rulebooks, rulebook: RulebookStruct): Promise<string> {
  await rulebooks.publish(rulebook);
  const [event] = await rulebooks.queryFilter(rulebooks.filters.RulebookPublished(idOf(rulebooks, rulebook)));
  return event!.args.blob;
}

describe("Rulebooks: publish", () => {
  describe("given a rulebook that was not published", () => {
    it("lays it down under the hash of its content, whoever publishes it", async () => {
      const { rulebooks, stranger } = await loadFixture(deployFunded);
      const rulebook = rulebookWith({ documentHash: id("as people read it") });
      const expected = idOf(rulebooks, rulebook);
      expect(await rulebooks.rulebookStatusOf(expected)).to.deep.equal([false, false]);
      expect(await rulebooks.connect(stranger).publish.staticCall(rulebook)).to.equal(expected);
      await expect(rulebooks.connect(stranger).publish(rulebook))
        .to.emit(rulebooks, "RulebookPublished")
        .withArgs(expected, (blob: string) => blob !== ZeroAddress);
      expect(await rulebooks.rulebookStatusOf(expected)).to.deep.equal([true, false]);
    });

    it("lets batches be funded under it at once", async () => {
      const context = await loadFixture(deployFunded);
      const rulebook = await publish(context.rulebooks, rulebookOf([context.stranger.address], 1));
      const batch = await fundedBatchOf(context, { rulebook });
      expect((await context.escrow.claimBatchStatusOf(batch.id)).open).to.equal(190n * DOLLAR);
    });

    it("gives another id to any other content", async () => {
      const { rulebooks } = await loadFixture(deployFunded);
      const variants = [
        rulebookWith({}),
        rulebookWith({ grace: 4 * DAY }),
        rulebookWith({ eventKinds: 2 }),
        rulebookWith({ suspender: toBeHex(9, 20) }),
        rulebookWith({ documentHash: id("another document") }),
        rulebookOf(attestersOf(3), 3),
        rulebookOf(attestersOf(4), 2),
      ];
      const ids = new Set<string>();
      for (const variant of variants) ids.add(await publish(rulebooks, variant));
      expect(ids.size).to.equal(variants.length);
    });
  });

  describe("given one that was published", () => {
    it("changes nothing and returns the same id", async () => {
      const { rulebooks, stranger } = await loadFixture(deployFunded);
      const rulebook = rulebookWith({});
      const first = await publish(rulebooks, rulebook);
      const again = rulebooks.connect(stranger);
      expect(await again.publish.staticCall(rulebook)).to.equal(first);
      await expect(again.publish(rulebook)).not.to.emit(rulebooks, "RulebookPublished");
    });

    it("does not end its suspension", async () => {
      const { rulebooks, suspender } = await loadFixture(deployFunded);
      const rulebook = rulebookWith({ suspender: suspender.address });
      const first = await publish(rulebooks, rulebook);
      await rulebooks.connect(suspender).suspend(first);
      await rulebooks.publish(rulebook);
      expect(await rulebooks.rulebookStatusOf(first)).to.deep.equal([true, true]);
    });
  });

  describe("takes", () => {
    const accepted: [string, RulebookStruct][] = [
      ["one attester", rulebookOf(attestersOf(1), 1)],
      ["32 attesters who all have to sign", rulebookOf(attestersOf(32), 32)],
      ["every kind of event", rulebookWith({ eventKinds: 31 })],
      ["the least grace", rulebookWith({ grace: 3 * DAY })],
      ["the greatest grace", rulebookWith({ grace: 90 * DAY })],
    ];
    for (const [what, rulebook] of accepted)
      it(what, async () => {
        const { rulebooks } = await loadFixture(deployFunded);
        await rulebooks.publish(rulebook);
        expect((await rulebooks.rulebookStatusOf(idOf(rulebooks, rulebook))).published).to.equal(true);
      });

    it("what its limits say", async () => {
      const { rulebooks } = await loadFixture(deployFunded);
      expect(await rulebooks.MIN_GRACE()).to.equal(3 * DAY);
      expect(await rulebooks.MAX_GRACE()).to.equal(90 * DAY);
      expect(await rulebooks.MAX_ATTESTERS()).to.equal(32n);
    });
  });

  describe("refuses, because this version cannot act on it,", () => {
    const group = { threshold: 1, above: 0, attesters: attestersOf(1) };
    const workflow = { id: ZeroHash, owner: ZeroAddress, name: "0x00000000000000000000" };
    const unsupported: [string, string, Partial<RulebookStruct>][] = [
      ["no group of attesters", "attesterGroups", { attesterGroups: [] }],
      ["a second group of attesters", "attesterGroups", { attesterGroups: [group, group] }],
      ["a group that holds above an amount only", "attesterGroups", { attesterGroups: [{ ...group, above: 1 }] }],
      ["a workflow's id", "workflow", { workflow: { ...workflow, id: id("workflow") } }],
      ["a workflow's owner", "workflow", { workflow: { ...workflow, owner: toBeHex(1, 20) } }],
      ["a workflow's name", "workflow", { workflow: { ...workflow, name: "0x00000000000000000001" } }],
      ["a challenge period", "challengePeriod", { challengePeriod: 1 }],
      ["an arbiter", "arbiter", { arbiter: toBeHex(1, 20) }],
      ["an arbiter's deadline", "arbiterDeadline", { arbiterDeadline: 1 }],
      ["an arbiter's default", "arbiterDefault", { arbiterDefault: 1 }],
      ["a bond", "bond", { bond: 1 }],
      ["a retention", "retentionBps", { retentionBps: 1 }],
      ["a look-back", "lookBack", { lookBack: 1 }],
    ];
    for (const [what, field, changes] of unsupported)
      it(what, async () => {
        const { rulebooks } = await loadFixture(deployFunded);
        await expect(rulebooks.publish(rulebookWith(changes)))
          .to.be.revertedWithCustomError(rulebooks, "RulebookFieldUnsupported")
          .withArgs(field);
      });
  });

  describe("refuses", () => {
    const [first, second, third] = attestersOf(3) as [string, string, string];
    const refused: [string, RulebookStruct, string, unknown[]][] = [
      ["a grace of a second less", rulebookWith({ grace: 3 * DAY - 1 }), "GraceOutOfRange", [3 * DAY - 1]],
      ["a grace of a second more", rulebookWith({ grace: 90 * DAY + 1 }), "GraceOutOfRange", [90 * DAY + 1]],
      ["no kind of event", rulebookWith({ eventKinds: 0 }), "EventKindsInvalid", [0n]],
      ["a kind of event that does not exist", rulebookWith({ eventKinds: 33 }), "EventKindsInvalid", [33n]],
      ["a threshold of zero", rulebookOfGroup(0, [first]), "ThresholdInvalid", [0n, 1n]],
      ["a threshold above the attesters", rulebookOfGroup(3, [first, second]), "ThresholdInvalid", [3n, 2n]],
      ["no attesters", rulebookOfGroup(0, []), "ThresholdInvalid", [0n, 0n]],
      ["a threshold of one of none", rulebookOfGroup(1, []), "ThresholdInvalid", [1n, 0n]],
      ["33 attesters", rulebookOfGroup(1, attestersOf(33)), "ThresholdInvalid", [1n, 33n]],
      ["attesters that descend", rulebookOfGroup(1, [first, third, second]), "AttestersNotAscending", [2n]],
      ["an attester twice", rulebookOfGroup(1, [first, second, second]), "AttestersNotAscending", [2n]],
      ["an empty attester", rulebookOfGroup(1, [first, "0x"]), "AttesterInvalid", [1n, "0x"]],
      ["a role that a batch would fill in", rulebookOfGroup(1, ["0x01", second]), "AttesterInvalid", [0n, "0x01"]],
      [
        "an attester of 19 bytes",
        rulebookOfGroup(1, [dataSlice(first, 1)]),
        "AttesterInvalid",
        [0n, dataSlice(first, 1)],
      ],
      ["an attester of 21 bytes", rulebookOfGroup(1, [`${first}00`]), "AttesterInvalid", [0n, `${first}00`]],
      ["the zero address", rulebookOfGroup(1, [ZeroAddress, second]), "AttesterInvalid", [0n, ZeroAddress]],
    ];
    for (const [what, rulebook, error, args] of refused)
      it(what, async () => {
        const { rulebooks } = await loadFixture(deployFunded);
        await expect(rulebooks.publish(rulebook))
          .to.be.revertedWithCustomError(rulebooks, error)
          .withArgs(...args);
        expect((await rulebooks.rulebookStatusOf(idOf(rulebooks, rulebook))).published).to.equal(false);
      });
  });
});

describe("Rulebooks: rulebookOf", () => {
  it("refuses an id that was never published", async () => {
    const { rulebooks } = await loadFixture(deployFunded);
    await expect(rulebooks.rulebookOf(id("nobody's")))
      .to.be.revertedWithCustomError(rulebooks, "RulebookUnknown")
      .withArgs(id("nobody's"));
  });

  it("returns the rulebook field by field", async () => {
    const { rulebooks, suspender } = await loadFixture(deployFunded);
    const changes = { eventKinds: 3, grace: 5 * DAY, suspender: suspender.address, documentHash: id("as people read") };
    const rulebook = await rulebooks.rulebookOf(await publish(rulebooks, rulebookWith(changes)));
    const [group] = rulebook.attesterGroups;
    expect([group!.threshold, group!.above, [...group!.attesters]]).to.deep.equal([2n, 0n, attestersOf(3)]);
    expect([rulebook.eventKinds, rulebook.grace]).to.deep.equal([3n, BigInt(5 * DAY)]);
    expect([rulebook.suspender, rulebook.documentHash]).to.deep.equal([suspender.address, id("as people read")]);
    expect([rulebook.arbiter, rulebook.challengePeriod, rulebook.bond]).to.deep.equal([ZeroAddress, 0n, 0n]);
  });

  it("returns exactly what was published, whoever attests", async () => {
    const { rulebooks } = await loadFixture(deployFunded);
    const address = fc.bigInt({ min: 1n, max: 2n ** 160n - 1n }).map((value) => toBeHex(value, 20));
    const word = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }).map((value) => toBeHex(value, 32));
    const arbitrary = fc.record({
      attesters: fc.uniqueArray(address, { minLength: 1, maxLength: 32 }),
      threshold: fc.nat(),
      eventKinds: fc.integer({ min: 1, max: 31 }),
      grace: fc.integer({ min: 3 * DAY, max: 90 * DAY }),
      suspender: fc.oneof(address, fc.constant(ZeroAddress)),
      documentHash: word,
    });
    await fc.assert(
      fc.asyncProperty(arbitrary, async ({ attesters, threshold, ...fields }) => {
        const rulebook = rulebookOf(attesters, 1 + (threshold % attesters.length), fields);
        const published = await publish(rulebooks, rulebook);
        expect(published).to.equal(idOf(rulebooks, rulebook));
        expect(encode(rulebooks, await rulebooks.rulebookOf(published))).to.equal(encode(rulebooks, rulebook));
      }),
      { numRuns: 25, endOnFailure: true },
    );
  });
});

describe("Rulebooks: the blob of a rulebook", () => {
  it("is code that begins with STOP: grace, threshold and number of attesters, then each attester", async () => {
    const { rulebooks } = await loadFixture(deployFunded);
    const rulebook = rulebookOf(attestersOf(3), 2, { grace: 5 * DAY });
    const code = await ethers.provider.getCode(await blobOf(rulebooks, rulebook));
    expect(dataSlice(code, 0, 1)).to.equal("0x00");
    expect(BigInt(dataSlice(code, 0, 32))).to.equal((BigInt(5 * DAY) << 16n) | (2n << 8n) | 3n);
    for (const [i, attester] of attestersOf(3).entries())
      expect(dataSlice(code, 32 * (i + 1), 32 * (i + 2))).to.equal(toBeHex(attester, 32));
  });

  it("begins with STOP at the greatest grace too", async () => {
    const { rulebooks } = await loadFixture(deployFunded);
    const rulebook = rulebookOf(attestersOf(32), 32, { grace: 90 * DAY });
    const code = await ethers.provider.getCode(await blobOf(rulebooks, rulebook));
    expect(dataSlice(code, 0, 1)).to.equal("0x00");
  });

  it("does nothing when it is called", async () => {
    const { rulebooks, stranger } = await loadFixture(deployFunded);
    const to = await blobOf(rulebooks, rulebookWith({}));
    const code = await ethers.provider.getCode(to);
    for (const data of ["0x", id("publish()").slice(0, 10), code])
      expect(await ethers.provider.call({ to, data })).to.equal("0x");
    const receipt = await (await stranger.sendTransaction({ to })).wait();
    // What any transaction costs: not one instruction was charged for.
    expect(receipt!.gasUsed).to.equal(21_000n);
    expect(receipt!.logs).to.deep.equal([]);
    expect(await ethers.provider.getCode(to)).to.equal(code);
  });
});
