import { AbiCoder, id, keccak256, toBeHex } from "ethers";

/** First slot of the ERC-7201 namespace `carepact.storage.<name>`, or one so many behind it. */
export function namespaceOf(name: string, offset = 0n): string {
  const preimage = AbiCoder.defaultAbiCoder().encode(["uint256"], [BigInt(id(`carepact.storage.${name}`)) - 1n]);
  return toBeHex((BigInt(keccak256(preimage)) & ~0xffn) + offset, 32);
}

/** Slot of the value under `key` (32 bytes) of the mapping at `slot`. */
export const slotUnder = (key: string, slot: string): string =>
  keccak256(AbiCoder.defaultAbiCoder().encode(["bytes32", "bytes32"], [key, slot]));
