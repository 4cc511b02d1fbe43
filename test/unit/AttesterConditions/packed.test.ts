import { loadFixture, setCode } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { concat, dataLength, dataSlice, id, toBeHex } from "ethers";

import { met, settle, settlementOf, type TestBatch } from "../../support/batches";
import { fundedOf, moneyOf } from "../../support/claims";
import { accountKey, contractKey, type Key } from "../../support/keys";
import { publish, rulebookOf } from "../../support/system";

import {
  AT,
  bySigner,
  conditionOf,
  deployWorld,
  digestOf,
  fundedPatientBatch,
  networksSign,
  packedOf,
  packSignatures,
  pharmacySigns,
  plainBatchOf,
  publishConditions,
  signedBy,
  withSignatures,
  type Packed,
  type World,
} from "./fixture";

import type { SettlementStruct } from "../../../typechain-types/contracts/claims/ClaimEscrow";

describe("AttesterConditions: packed signatures that are not as they should be", () => {
  /** A batch below 1,000.00, and the signatures of the pharmacy and of networks 0 and 2, which are enough. */
  async function given() {
    const world = await loadFixture(deployWorld);
    const batch = await fundedPatientBatch(world, [[50n]]);
    const settlement = await settlementOf(batch, { results: [met], signers: [] });
    const digest = digestOf(batch, settlement);
    const signatures = packedOf(digest, [pharmacySigns(world), ...networksSign(world, 0, 2)]);
    return { world, batch, settlement, digest, signatures };
  }
  const send = (world: World, settlement: SettlementStruct, signatures: string) =>
    settle(world.escrow, withSignatures(settlement, signatures));

  it("are taken as they are", async () => {
    const { world, batch, settlement, signatures } = await given();
    await send(world, settlement, packSignatures(signatures));
    expect((await moneyOf(world, batch)).credits).to.deep.equal([50n]);
  });

  it("are taken with anything behind the last one, which is not read", async () => {
    for (const rest of ["0x00", "0xff", `0x${"ee".repeat(100)}`]) {
      const { world, batch, settlement, signatures } = await given();
      await send(world, settlement, concat([packSignatures(signatures), rest]));
      expect((await moneyOf(world, batch)).credits).to.deep.equal([50n]);
    }
  });

  type Change = (signatures: Packed[]) => string;
  const at = (changes: (Packed | undefined)[]) => packSignatures(changes.filter((one) => one !== undefined));
  const refused: Record<string, [change: Change, error: string, args: bigint[]]> = {
    "no signature": [() => packSignatures([]), "PayeeSignatureMissing", [0n]],
    "a count that is too low by one": [(all) => packSignatures(all, 2), "ConditionNotMet", [1n, 2n, 1n]],
    "a count of none": [(all) => packSignatures(all, 0), "PayeeSignatureMissing", [0n]],
    "a count that is too high by one": [(all) => packSignatures(all, 4), "SignatureInvalid", [3n]],
    "a count of 255": [(all) => packSignatures(all, 255), "SignatureInvalid", [3n]],
    "a count and nothing else": [() => "0x03", "SignatureInvalid", [0n]],
    "a count and four bytes of what stands before a signature": [() => "0x0100000000", "SignatureInvalid", [0n]],
    "the last one cut by a byte": [(all) => packSignatures(all).slice(0, -2), "SignatureInvalid", [2n]],
    "the last one cut to what stands before it": [
      (all) => dataSlice(packSignatures(all), 0, dataLength(packSignatures(all)) - dataLength(all[2]!.signature)),
      "SignatureInvalid",
      [2n],
    ],
    "a size of 65,535": [() => `0x010000 00ffff${"00".repeat(65)}`.replace(" ", ""), "SignatureInvalid", [0n]],
    "networks the other way round": [([a, b, c]) => at([a, c, b]), "ConditionNotMet", [1n, 2n, 1n]],
    "the pharmacy last": [([a, b, c]) => at([b, c, a]), "PayeeSignatureMissing", [0n]],
    "the pharmacy twice": [([a, b, c]) => at([a, a, b, c]), "ConditionNotMet", [1n, 2n, 0n]],
    "a network twice, in place of two": [([a, b]) => at([a, b, b]), "ConditionNotMet", [1n, 2n, 1n]],
    "a network once more": [([a, b, c]) => at([a, b, c, c]), "SignatureNotAsked", [3n]],
    "a signature of an attester that there is not": [
      ([a, b, c]) => at([a, b, c, { ...c!, attester: 5 }]),
      "SignatureNotAsked",
      [3n],
    ],
    "one of attester 255": [([a, b, c]) => at([a, b, c, { ...c!, attester: 255 }]), "SignatureNotAsked", [3n]],
    "a network at a place": [([a, b, c]) => at([a, b, { ...c!, place: 1 }]), "ConditionNotMet", [1n, 2n, 1n]],
    "a network at a place, beyond those that are enough": [
      ([a, b, c]) => at([a, b, c, { ...c!, place: 1 }]),
      "SignatureNotAsked",
      [3n],
    ],
    "the pharmacy at the place of another group": [
      ([a, b, c]) => at([{ ...a!, place: 1 }, b, c]),
      "PayeeSignatureMissing",
      [0n],
    ],
    "a network as another one": [([a, b, c]) => at([a, { ...b!, attester: 2 }, c]), "SignatureInvalid", [1n]],
    "the pharmacy as a network": [
      ([a, b]) => at([a, b, { ...a!, attester: AT.networks[2] }]),
      "SignatureInvalid",
      [2n],
    ],
    "a network as the pharmacy": [([, b, c]) => at([{ ...b!, attester: AT.pharmacy }, b, c]), "SignatureInvalid", [0n]],
    "an empty signature among the others": [
      ([a, b, c]) => at([a, { ...b!, signature: "0x" }, c]),
      "SignatureInvalid",
      [1n],
    ],
    "an empty signature in place of the pharmacy's": [
      ([a, b, c]) => at([{ ...a!, signature: "0x" }, b, c]),
      "SignatureInvalid",
      [0n],
    ],
  };
  for (const [what, [change, error, args]] of Object.entries(refused))
    it(`are refused: ${what}`, async () => {
      const { world, settlement, signatures } = await given();
      await expect(send(world, settlement, change(signatures)))
        .to.be.revertedWithCustomError(world.conditions, error)
        .withArgs(...args);
    });

  it("are refused before they are read where results have no code for each group", async () => {
    const { world, settlement, signatures } = await given();
    for (const results of ["0x", "0x05", "0x40"])
      await expect(
        settle(world.escrow, {
          ...settlement,
          attestation: { ...settlement.attestation, results, signatures: packSignatures(signatures) },
        }),
      ).to.be.revertedWithCustomError(world.conditions, "ResultsMalformed");
  });

  it("are refused for the length of simple signatures, under a rulebook that has no such list", async () => {
    const { world, settlement } = await given();
    for (const threshold of [1, 2, 3, 255]) {
      const sent = send(world, settlement, `0x${"00".repeat(65 * threshold)}`);
      await expect(sent).to.be.revertedWithCustomError(
        world.conditions,
        threshold === 255 ? "SignatureInvalid" : "PayeeSignatureMissing",
      );
    }
  });

  it("are refused where they are simple ones, of a rulebook that does not take them", async () => {
    const world = await loadFixture(deployWorld);
    const key = accountKey("above an amount");
    const other = accountKey("always");
    const rulebook = await publishConditions(
      world,
      conditionOf(1, [key.signer]),
      conditionOf(1, [other.signer], 1_000n),
    );
    const batch = await fundedOf(world, await plainBatchOf(world, [[2_000n]], rulebook));
    const settlement = await settlementOf(batch, { results: [met], signers: [] });
    const sent = send(world, settlement, key.sign(digestOf(batch, settlement)));
    await expect(sent).to.be.reverted;
    expect((await moneyOf(world, batch)).open).to.equal(2_000n);
  });

  it("are refused under a rulebook that names only a workflow", async () => {
    const world = await loadFixture(deployWorld);
    const workflow = { id: id("workflow"), owner: world.stranger.address, name: "0x30313233343536373839" };
    const rulebook = await publish(world.rulebooks, rulebookOf([], 0, { attesterGroups: [], workflow }));
    const batch = await fundedOf(world, await plainBatchOf(world, [[50n]], rulebook));
    for (const signatures of ["0x00", packSignatures([{ attester: 0, signature: "0x" }])])
      await expect(send(world, await settlementOf(batch, { results: [met], signers: [] }), signatures))
        .to.be.revertedWithCustomError(world.conditions, "SignatureCountWrong")
        .withArgs(0n, BigInt(dataLength(signatures)));
  });
});

describe("AttesterConditions: packed signatures under a simple rulebook", () => {
  async function given(threshold: number, keysOf: () => Promise<Key>[]) {
    const world = await loadFixture(deployWorld);
    const keys = (await Promise.all(keysOf())).sort(bySigner);
    const rulebook = await publish(
      world.rulebooks,
      rulebookOf(
        keys.map(({ signer }) => signer),
        threshold,
      ),
    );
    const batch = await fundedOf(world, await plainBatchOf(world, [[50n]], rulebook));
    return { world, keys, batch };
  }
  const account = (name: string): Promise<Key> => Promise.resolve(accountKey(name));
  const expectPaid = async (world: World, batch: TestBatch): Promise<void> => {
    expect((await moneyOf(world, batch)).credits).to.deep.equal([50n]);
  };

  it("let a wallet contract attest", async () => {
    const { world, keys, batch } = await given(1, () => [contractKey("simple")]);
    await settle(world.escrow, await signedBy(batch, [met], [{ attester: 0, key: keys[0]! }]));
    await expectPaid(world, batch);
  });

  it("let a wallet contract and an account attest together", async () => {
    const { world, keys, batch } = await given(2, () => [contractKey("simple"), account("simple")]);
    const signing = keys.map((key, attester) => ({ attester, key }));
    await expect(settle(world.escrow, await signedBy(batch, [met], signing.slice(0, 1))))
      .to.be.revertedWithCustomError(world.conditions, "ConditionNotMet")
      .withArgs(0n, 2n, 1n);
    await settle(world.escrow, await signedBy(batch, [met], signing));
    await expectPaid(world, batch);
  });

  it("let more than the threshold attest", async () => {
    const { world, keys, batch } = await given(1, () => [account("simple"), account("simple too")]);
    await settle(
      world.escrow,
      await signedBy(
        batch,
        [met],
        keys.map((key, attester) => ({ attester, key })),
      ),
    );
    await expectPaid(world, batch);
  });

  it("leave what accounts sign in the simple form as it was", async () => {
    const { world, keys, batch } = await given(1, () => [account("simple")]);
    const settlement = await settlementOf(batch, { results: [met], signers: [] });
    const signatures = keys[0]!.sign(digestOf(batch, settlement));
    await settle(world.escrow, withSignatures(settlement, signatures));
    await expectPaid(world, batch);
  });

  it("are read as simple ones if they happen to be as long, and need a byte more", async () => {
    // As a wallet does whose owners approved on chain, and that takes any signature.
    const wallet = dataSlice(id("approving wallet"), 12);
    await loadFixture(deployWorld);
    const { world, batch } = await given(1, () => [Promise.resolve({ signer: wallet, hash: "0x", sign: () => "0x" })]);
    await setCode(wallet, "0x631626ba7e60e01b5f5260205ff3");
    const settlement = await settlementOf(batch, { results: [met], signers: [] });
    const signatures = packSignatures([{ attester: 0, signature: `0x${"ab".repeat(59)}` }]);
    expect(dataLength(signatures)).to.equal(65);
    await expect(settle(world.escrow, withSignatures(settlement, signatures)))
      .to.be.revertedWithCustomError(world.conditions, "SignatureInvalid")
      .withArgs(0n);
    await settle(world.escrow, withSignatures(settlement, concat([signatures, toBeHex(0, 1)])));
    await expectPaid(world, batch);
  });
});
