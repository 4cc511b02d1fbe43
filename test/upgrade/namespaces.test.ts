import { loadFixture, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";
import { AbiCoder, id, keccak256, toBeHex } from "ethers";
import { ethers } from "hardhat";

import { deployFunded } from "../support/funded";

/** First word of the ERC-7201 namespace `name` in a contract. */
async function firstWordOf(contract: { getAddress(): Promise<string> }, name: string): Promise<bigint> {
  const base = keccak256(AbiCoder.defaultAbiCoder().encode(["uint256"], [BigInt(id(name)) - 1n]));
  const slot = toBeHex(BigInt(base) & ~0xffn, 32);
  return BigInt(await ethers.provider.getStorage(await contract.getAddress(), slot));
}

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
});
