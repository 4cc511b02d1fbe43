import { loadFixture, setStorageAt, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { AbiCoder, id, keccak256, toBeHex } from "ethers";
import { ethers } from "hardhat";

import { met, settlementOf } from "../support/batches";
import { DIRECT } from "../support/consents";
import { deployFunded, fundedBatchOf } from "../support/funded";
import { DAY, publish, rulebookOf } from "../support/system";

import { upgraderCalls } from "./calls";

/** First slot of the ERC-7201 namespace `name`. */
const slotOf = (name: string): bigint =>
  BigInt(keccak256(AbiCoder.defaultAbiCoder().encode(["uint256"], [BigInt(id(name)) - 1n]))) & ~0xffn;

/** First word of the namespace in a contract. */
const firstWordOf = async (contract: { getAddress(): Promise<string> }, name: string): Promise<bigint> =>
  BigInt(await ethers.provider.getStorage(await contract.getAddress(), toBeHex(slotOf(name), 32)));

describe("Namespaces of storage", () => {
  const namespaces: [
    string,
    (
      system: Awaited<ReturnType<typeof deployFunded>>,
    ) => [{ getAddress(): Promise<string> }, { getAddress(): Promise<string> }],
  ][] = [
    ["OrganizationRegistry", ({ registry, escrow }) => [registry, escrow]],
    ["Rulebooks", ({ rulebooks, escrow }) => [rulebooks, escrow]],
    ["Mandates", ({ mandates, registry }) => [mandates, registry]],
    ["ClaimBatches", ({ escrow, mandates }) => [escrow, mandates]],
    ["RulebookClocks", ({ escrow, rulebooks }) => [escrow, rulebooks]],
    ["Standings", ({ escrow, registry }) => [escrow, registry]],
    ["ConsentRegistry", ({ consentRegistry, registry }) => [consentRegistry, registry]],
    ["PatientRegistry", ({ consentRegistry, patientRecovery }) => [consentRegistry, patientRecovery]],
    ["PatientRecovery", ({ patientRecovery, consentRegistry }) => [patientRecovery, consentRegistry]],
    ["AccessLog", ({ accessLog, registry }) => [accessLog, registry]],
  ];
  for (const [name, pick] of namespaces)
    it(`${name} lies where ERC-7201 puts it`, async () => {
      const [contract, first] = pick(await loadFixture(deployFunded));
      expect(await firstWordOf(contract, `carepact.storage.${name}`)).to.equal(BigInt(await first.getAddress()));
    });

  // That of Pools is read in test/unit/ClaimEscrow/pools.deposit.test.ts: it holds a mapping only.
  it("StopClock lies where ERC-7201 puts it", async () => {
    const { escrow } = await loadFixture(deployFunded);
    await escrow.pause();
    expect(await firstWordOf(escrow, "carepact.storage.StopClock")).to.equal(await time.latest());
  });

  it("WorkflowReports lies where ERC-7201 puts it", async () => {
    const { escrow, receiver, accessManager, registry } = await loadFixture(deployFunded);
    await upgraderCalls(
      accessManager,
      escrow,
      receiver.interface.encodeFunctionData("setForwarder", [registry.target]),
    );
    expect(await firstWordOf(escrow, "carepact.storage.WorkflowReports")).to.equal(BigInt(await registry.getAddress()));
  });

  it("HeldLines lies where ERC-7201 puts it", async () => {
    const context = await loadFixture(deployFunded);
    const { escrow, receiver, rulebooks, attesters, stranger } = context;
    const changes = { arbiter: stranger.address, arbiterDeadline: DAY, challengePeriod: DAY };
    const accounts = attesters.map(({ address }) => address);
    const batch = await fundedBatchOf(context, {
      rulebook: await publish(rulebooks, rulebookOf(accounts, 2, changes)),
    });
    const results = { results: [met, met], signers: attesters.slice(0, 2) };
    const { attestation } = await settlementOf(batch, results);
    await receiver.present(batch.terms, batch.words, attestation);
    // It holds one mapping only, of mappings by line.
    const coder = AbiCoder.defaultAbiCoder();
    const namespace = slotOf("carepact.storage.HeldLines");
    const lines = keccak256(coder.encode(["bytes32", "uint256"], [batch.id, namespace]));
    const first = keccak256(coder.encode(["uint256", "bytes32"], [0, lines]));
    const held = BigInt(await ethers.provider.getStorage(escrow, first));
    expect([held >> 254n, held & 0xffffffffffn]).to.deep.equal([1n, BigInt(await time.latest())]);
  });

  it("AttesterSuspensions lies where ERC-7201 puts it", async () => {
    const { rulebooks, attesters } = await loadFixture(deployFunded);
    const [attester] = attesters;
    // It holds one mapping only, of what a proof writes.
    const place = AbiCoder.defaultAbiCoder().encode(
      ["bytes32", "uint256"],
      [keccak256(attester!.address), slotOf("carepact.storage.AttesterSuspensions")],
    );
    expect(await rulebooks.hasEquivocated(attester!.address)).to.equal(false);
    await setStorageAt(await rulebooks.getAddress(), keccak256(place), 1n);
    expect(await rulebooks.hasEquivocated(attester!.address)).to.equal(true);
  });

  it("Grants lies where ERC-7201 puts it", async () => {
    const { consentRegistry, stranger } = await loadFixture(deployFunded);
    const own = consentRegistry.connect(stranger);
    const patient = await own.register.staticCall(id("salt"), id("key"), DIRECT);
    await own.register(id("salt"), id("key"), DIRECT);
    await own.setRestrictions(patient, id("restrictions"), DIRECT);
    // It holds mappings only; that of restrictions is the third.
    const place = AbiCoder.defaultAbiCoder().encode(
      ["bytes32", "uint256"],
      [patient, slotOf("carepact.storage.Grants") + 2n],
    );
    expect(await ethers.provider.getStorage(consentRegistry, keccak256(place))).to.equal(id("restrictions"));
  });
});
