import { AbiCoder, ZeroHash, keccak256 } from "ethers";

import type { AccessLog, OrganizationRegistry } from "../../../typechain-types";

/** What a gateway has anchored. */
export interface Log {
  head: string;
  sequence: bigint;
  anchoredAt: bigint;
}

export const NOTHING: Log = { head: ZeroHash, sequence: 0n, anchoredAt: 0n };

export async function logOf(accessLog: AccessLog, gateway: string): Promise<Log> {
  const { head, sequence, anchoredAt } = await accessLog.logOf(gateway);
  return { head, sequence, anchoredAt };
}

/** The head after a root, without the contract. */
export const headOf = (previous: string, sequence: bigint, root: string, at: bigint): string =>
  keccak256(
    AbiCoder.defaultAbiCoder().encode(["bytes32", "uint256", "bytes32", "uint256"], [previous, sequence, root, at]),
  );

/** Makes an organization one of other kinds, as the credentialing role can. */
export async function setKinds(organizations: OrganizationRegistry, account: string, kinds: number): Promise<void> {
  const [{ npi, ncpdpId, clia, hpkeKey, name, endpoint }] = await organizations.organizationOf(account);
  await organizations.update(account, { kinds, npi, ncpdpId, clia, hpkeKey, name, endpoint });
}
