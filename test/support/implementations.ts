import type { Addressable } from "ethers";
import { ethers } from "hardhat";

import type { ClaimEscrowExtension } from "../../typechain-types";
import { implementationOf, madeWith, partsOf } from "../../deploy/system";

/** The escrow's extension where it lies, which is not the escrow's address. */
export async function extensionOf(escrow: Addressable): Promise<ClaimEscrowExtension> {
  const implementation = await implementationOf(ethers.provider, await escrow.getAddress());
  const parts = await partsOf(ethers.provider, "ClaimEscrow", implementation);
  const { address } = parts.find(({ name }) => name === "ClaimEscrowExtension")!;
  return ethers.getContractAt("ClaimEscrowExtension", address);
}

/** A new implementation, together with the contracts that it is made with. */
export async function deployImplementation(name: string): Promise<string> {
  const parts: string[] = [];
  for (const part of madeWith[name] ?? []) parts.push(await deployImplementation(part));
  const factory = await ethers.getContractFactory(name);
  // Its gas is estimated: code instrumented for coverage needs more than a signer gives unasked.
  const gasLimit = await ethers.provider.estimateGas(await factory.getDeployTransaction(...parts));
  return (await factory.deploy(...parts, { gasLimit })).getAddress();
}
