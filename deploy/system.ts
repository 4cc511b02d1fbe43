import type { HardhatRuntimeEnvironment } from "hardhat/types";
import { AbiCoder, Contract, getAddress, id, keccak256, toBeHex, type Provider } from "ethers";

import type { Deployment } from "@carepact/sdk";

/** Contracts behind proxies, and where a deployment names them. */
export const proxies = {
  OrganizationRegistry: "organizationRegistry",
  Rulebooks: "rulebooks",
  Mandates: "mandates",
  ClaimEscrow: "claimEscrow",
  ConsentRegistry: "consentRegistry",
  PatientRecovery: "patientRecovery",
  AccessLog: "accessLog",
} as const satisfies Record<string, keyof Deployment>;
export type ProxyName = keyof typeof proxies;
export const proxyNames = Object.keys(proxies) as ProxyName[];

/** Contracts without a proxy, which nobody can change, and where a deployment names them. */
export const plain = {
  AccessManager: "accessManager",
  ERC7913P256Verifier: "p256Verifier",
  ERC7913WebAuthnVerifier: "webAuthnVerifier",
  WebAuthnOriginVerifier: "webAuthnOriginVerifier",
} as const satisfies Record<string, keyof Deployment>;

/** Contracts that an implementation is made with: it keeps their addresses in its code, and runs theirs on its storage. */
export const madeWith: Partial<Record<string, readonly string[]>> = { ClaimEscrow: ["ClaimEscrowExtension"] };

/** A contract that is a part of an implementation. */
export interface Part {
  name: string;
  address: string;
}

const extensionAbi = [
  "function extension() view returns (address)",
  "function attesterConditions() view returns (address)",
];

/**
 * The contracts whose addresses an implementation keeps in its code, as it says itself: that they are these shows when its code is held
 * against what is compiled.
 */
export async function partsOf(provider: Provider, name: string, implementation: string): Promise<Part[]> {
  if (madeWith[name] === undefined) return [];
  const contract = new Contract(implementation, extensionAbi, provider);
  const ask = async (getter: string): Promise<string> => (await contract.getFunction(getter)()) as string;
  return [
    { name: "ClaimEscrowExtension", address: await ask("extension") },
    { name: "AttesterConditions", address: await ask("attesterConditions") },
  ];
}

/** Contracts whose functions are called at a proxy's address: that behind it, and another that it hands calls on to. */
export const facesOf = (name: ProxyName): string[] =>
  name === "ClaimEscrow" ? [name, "ClaimEscrowExtension"] : [name];

/** What is compiled now, by name. */
export type Artifacts = HardhatRuntimeEnvironment["artifacts"];

const addressIn = (word: string): string => getAddress(`0x${word.slice(-40)}`);

/** EIP-1967: bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1). */
const IMPLEMENTATION_SLOT = toBeHex(BigInt(id("eip1967.proxy.implementation")) - 1n, 32);

/** The implementation that a proxy uses now. */
export const implementationOf = async (provider: Provider, proxy: string): Promise<string> =>
  addressIn(await provider.getStorage(proxy, IMPLEMENTATION_SLOT));

/** First slot of an ERC-7201 namespace. */
const slotOf = (namespace: string): bigint =>
  BigInt(keccak256(AbiCoder.defaultAbiCoder().encode(["uint256"], [BigInt(id(namespace)) - 1n]))) & ~0xffn;

/** An address in an ERC-7201 namespace, for links that have no getter. */
export const addressAt = async (provider: Provider, contract: string, namespace: string, slot = 0): Promise<string> =>
  addressIn(await provider.getStorage(contract, slotOf(namespace) + BigInt(slot)));

/** How often a contract was initialized; the largest uint64 when that was locked (OpenZeppelin's Initializable). */
export const initializedOf = async (provider: Provider, contract: string): Promise<bigint> =>
  BigInt(await provider.getStorage(contract, slotOf("openzeppelin.storage.Initializable"))) & LOCKED;
export const LOCKED = (1n << 64n) - 1n;
