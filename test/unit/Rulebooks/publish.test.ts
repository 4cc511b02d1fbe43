import { loadFixture } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { ZeroAddress, ZeroHash, concat, dataSlice, id, keccak256, toBeHex } from "ethers";
import fc from "fast-check";
import { ethers } from "hardhat";

import type { AttesterGroupStruct, RulebookStruct } from "../../../typechain-types/contracts/rulebooks/Rulebooks";
import { DOLLAR, type Funded, deployFunded, fundedBatchOf } from "../../support/funded";
import { accountKey, contractKey, p256Key, passkey } from "../../support/keys";
import { workflowOf } from "../../support/keystone";
import { DAY, publish, rulebookOf } from "../../support/system";

import { attestersOf, blobOf, encode, idOf, rulebookWith } from "./fixture";

/** A rulebook whose one group is this. */
const rulebookOfGroup = (threshold: number, attesters: string[]): RulebookStruct =>
  rulebookWith({ attesterGroups: [{ threshold, above: 0, attesters }] });

/** A group of any one of these attesters, above this amount. */
const groupOf = (attesters: string[], above = 0n, threshold = 1): AttesterGroupStruct => ({
  threshold,
  above,
  attesters: attesters.map((attester) => attester.toLowerCase()).sort(),
});

/** A rulebook of these groups. */
const rulebookOfGroups = (...attesterGroups: AttesterGroupStruct[]): RulebookStruct => rulebookWith({ attesterGroups });

const PAYEE = "0x01";
const PATIENT = "0x02";
const NO_WORKFLOW = { id: ZeroHash, owner: ZeroAddress, name: "0x00000000000000000000" };
const workflow = workflowOf("claim events");

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

  describe("takes attesters of every kind:", () => {
    const shapes: [string, (context: Funded) => Promise<RulebookStruct> | RulebookStruct][] = [
      ["a workflow and nobody else", () => rulebookWith({ attesterGroups: [], workflow })],
      ["a workflow beside accounts", () => rulebookWith({ workflow })],
      [
        "a workflow beside several groups",
        () => ({ ...rulebookOfGroups(groupOf([PAYEE]), groupOf([PATIENT])), workflow }),
      ],
      ["two groups of accounts", () => rulebookOfGroups(groupOf(attestersOf(3), 0n, 2), groupOf(attestersOf(2)))],
      ["a group that holds above an amount", () => rulebookOfGroups(groupOf(attestersOf(1)), groupOf(["0x02"], 1n))],
      ["the greatest amount", () => rulebookOfGroups(groupOf([PAYEE]), groupOf(attestersOf(1), 2n ** 96n - 1n))],
      ["the payee alone", () => rulebookOfGroups(groupOf([PAYEE]))],
      ["payee and patient", () => rulebookOfGroups(groupOf([PAYEE]), groupOf([PATIENT]))],
      ["a wallet contract", async () => rulebookOfGroups(groupOf([(await contractKey("clinic")).signer]))],
      ["a P-256 key", ({ p256Verifier }) => rulebookOfGroups(groupOf([p256Key("lab", p256Verifier).signer]))],
      ["a passkey", ({ webAuthnVerifier }) => rulebookOfGroups(groupOf([passkey("nurse", webAuthnVerifier).signer]))],
      [
        "accounts and keys in one group",
        ({ p256Verifier, webAuthnVerifier }) =>
          rulebookOfGroups(
            groupOf(
              [
                accountKey("network").signer,
                p256Key("lab", p256Verifier).signer,
                passkey("nurse", webAuthnVerifier).signer,
              ],
              0n,
              2,
            ),
          ),
      ],
      [
        "one attester in two groups",
        () => rulebookOfGroups(groupOf(attestersOf(2)), groupOf(attestersOf(1), DOLLAR), groupOf(attestersOf(2))),
      ],
      [
        "the longest key, of 254 bytes with its verifier",
        ({ p256Verifier }) => rulebookOfGroups(groupOf([concat([p256Verifier, new Uint8Array(234)])])),
      ],
      [
        "an account before a key whose verifier it is",
        ({ p256Verifier }) => rulebookOfGroups(groupOf([p256Verifier, p256Key("lab", p256Verifier).signer])),
      ],
      [
        "32 attesters in 32 groups",
        () => rulebookOfGroups(...attestersOf(32).map((attester, i) => groupOf([attester], BigInt(i)))),
      ],
    ];
    for (const [what, shapeOf] of shapes)
      it(what, async () => {
        const context = await loadFixture(deployFunded);
        const { rulebooks } = context;
        const rulebook = await shapeOf(context);
        const published = await publish(rulebooks, rulebook);
        expect(published).to.equal(idOf(rulebooks, rulebook));
        expect(encode(rulebooks, await rulebooks.rulebookOf(published))).to.equal(encode(rulebooks, rulebook));
        const batch = await fundedBatchOf(context, { rulebook: published });
        expect((await context.escrow.claimBatchStatusOf(batch.id)).open).to.equal(190n * DOLLAR);
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
      ["33 attesters", rulebookOfGroup(1, attestersOf(33)), "TooManyAttesters", [33n]],
      [
        "33 attesters in two groups",
        rulebookOfGroups(groupOf(attestersOf(32)), groupOf([PAYEE])),
        "TooManyAttesters",
        [33n],
      ],
      [
        "a second group's threshold of zero",
        rulebookOfGroups(groupOf([PAYEE]), groupOf([first], 0n, 0)),
        "ThresholdInvalid",
        [0n, 1n],
      ],
      ["no group, and no workflow", rulebookOfGroups(), "NobodyAttests", []],
      ["a group for large amounts only", rulebookOfGroups(groupOf([first], 1n)), "NobodyAttests", []],
      ["the patient alone", rulebookOfGroups(groupOf([PATIENT])), "NobodyAttests", []],
      [
        "the patient always and others for large amounts",
        rulebookOfGroups(groupOf([PATIENT]), groupOf([PAYEE], DOLLAR)),
        "NobodyAttests",
        [],
      ],
      [
        "a workflow beside groups for large amounts only",
        { ...rulebookOfGroups(groupOf([first], 1n)), workflow },
        "NobodyAttests",
        [],
      ],
      [
        "a workflow's id alone",
        rulebookWith({ workflow: { ...NO_WORKFLOW, id: workflow.id } }),
        "WorkflowIncomplete",
        [],
      ],
      [
        "a workflow's owner alone",
        rulebookWith({ workflow: { ...NO_WORKFLOW, owner: workflow.owner } }),
        "WorkflowIncomplete",
        [],
      ],
      [
        "a workflow's name alone",
        rulebookWith({ workflow: { ...NO_WORKFLOW, name: workflow.name } }),
        "WorkflowIncomplete",
        [],
      ],
      ["a workflow without an id", rulebookWith({ workflow: { ...workflow, id: ZeroHash } }), "WorkflowIncomplete", []],
      [
        "a workflow without an owner",
        rulebookWith({ workflow: { ...workflow, owner: ZeroAddress } }),
        "WorkflowIncomplete",
        [],
      ],
      [
        "a workflow without a name",
        rulebookWith({ workflow: { ...workflow, name: NO_WORKFLOW.name } }),
        "WorkflowIncomplete",
        [],
      ],
      ["attesters that descend", rulebookOfGroup(1, [first, third, second]), "AttestersNotAscending", [2n]],
      ["an attester twice", rulebookOfGroup(1, [first, second, second]), "AttestersNotAscending", [2n]],
      ["an empty attester", rulebookOfGroup(1, [first, "0x"]), "AttesterInvalid", [1n, "0x"]],
      [
        "attesters that descend in a second group",
        rulebookOfGroups(groupOf([first, second]), { threshold: 1, above: 0, attesters: [third, second] }),
        "AttestersNotAscending",
        [3n],
      ],
      ["the payee before an account", rulebookOfGroup(1, [PAYEE, second]), "RoleNotAlone", [0n]],
      ["the patient behind an account", rulebookOfGroup(1, [first, PATIENT]), "RoleNotAlone", [1n]],
      ["payee and patient in one group", rulebookOfGroup(2, [PAYEE, PATIENT]), "RoleNotAlone", [0n]],
      ["the role 0x00", rulebookOfGroups(groupOf(["0x00"])), "AttesterInvalid", [0n, "0x00"]],
      ["the role 0x03", rulebookOfGroups(groupOf([first]), groupOf(["0x03"])), "AttesterInvalid", [1n, "0x03"]],
      [
        "a key whose verifier is no contract",
        rulebookOfGroup(1, [p256Key("lab", first).signer]),
        "AttesterInvalid",
        [0n, p256Key("lab", first).signer],
      ],
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

describe("Rulebooks: publish, given a verifier", () => {
  it("refuses a key of 255 bytes, and takes none shorter than its verifier", async () => {
    const { rulebooks, p256Verifier } = await loadFixture(deployFunded);
    for (const attester of [concat([p256Verifier, new Uint8Array(235)]), dataSlice(p256Verifier, 0, 19)])
      await expect(rulebooks.publish(rulebookOfGroup(1, [attester])))
        .to.be.revertedWithCustomError(rulebooks, "AttesterInvalid")
        .withArgs(0n, attester);
  });

  it("wants what is longer behind what it begins with", async () => {
    const { rulebooks, p256Verifier } = await loadFixture(deployFunded);
    const key = p256Key("lab", p256Verifier).signer;
    await expect(rulebooks.publish(rulebookOfGroup(1, [key, p256Verifier])))
      .to.be.revertedWithCustomError(rulebooks, "AttestersNotAscending")
      .withArgs(1n);
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

  it("has a threshold that no signatures fit, and no accounts, where one list of them does not say it all", async () => {
    const { rulebooks, p256Verifier } = await loadFixture(deployFunded);
    const general: RulebookStruct[] = [
      rulebookOfGroups(groupOf(attestersOf(3)), groupOf(attestersOf(1))),
      rulebookOfGroups(groupOf([PAYEE])),
      rulebookOfGroups(groupOf([accountKey("network").signer, p256Key("lab", p256Verifier).signer])),
      rulebookWith({ attesterGroups: [], workflow }),
    ];
    for (const rulebook of general) {
      const code = await ethers.provider.getCode(await blobOf(rulebooks, rulebook));
      expect(BigInt(dataSlice(code, 0, 32))).to.equal((BigInt(3 * DAY) << 16n) | (255n << 8n));
    }
  });

  it("names the workflow by one hash, or by zero", async () => {
    const { rulebooks } = await loadFixture(deployFunded);
    const { id: workflowId, name, owner } = workflow;
    for (const [rulebook, key] of [
      [rulebookWith({ workflow }), keccak256(concat([workflowId, name, owner]))],
      [rulebookWith({}), ZeroHash],
    ] as const) {
      const code = await ethers.provider.getCode(await blobOf(rulebooks, rulebook));
      expect(dataSlice(code, 128, 160)).to.equal(key);
    }
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
