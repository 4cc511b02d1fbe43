import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/signers";
import { encodeBytes32String, id } from "ethers";
import { ethers } from "hardhat";

import type { AccessManager, OrganizationRegistry, TestStandingListener } from "../../../typechain-types";

const CREDENTIALING = 7n;
export const KIND = { payer: 1n, pharmacy: 2n, laboratory: 4n, clinic: 8n, sponsor: 16n, gateway: 32n };
export const STATUS = { unknown: 0n, active: 1n, suspended: 2n };

// NPIs that begin with 9 are not given out (CMS begins with 1 or 2), so that no test names a real provider.
export const NPI = 9999999995n;
export const OTHER_NPI = 9999999987n;
export const NO_CLIA = "0x00000000000000000000";
export const KEY = id("first key");
export const OTHER_KEY = id("second key");

export const pharmacyEntry = {
  kinds: KIND.pharmacy,
  npi: NPI,
  ncpdpId: 599999n,
  clia: NO_CLIA,
  hpkeKey: KEY,
  name: "Test Pharmacy",
  endpoint: "https://pharmacy.example/fhir",
};

export type Entry = typeof pharmacyEntry;

/** What a call or an event of the contract gives for `entry`: the fields in the struct's order. */
export function fieldsOf(entry: Entry): (bigint | string)[] {
  return [entry.kinds, entry.npi, entry.ncpdpId, entry.clia, entry.hpkeKey, entry.name, entry.endpoint];
}

export function clia(text: string): string {
  return encodeBytes32String(text).slice(0, 22);
}

/** A deployed registry and those around it; `registry` is connected to the credentialing officer. */
export interface Context {
  admin: HardhatEthersSigner;
  officer: HardhatEthersSigner;
  stranger: HardhatEthersSigner;
  pharmacy: HardhatEthersSigner;
  laboratory: HardhatEthersSigner;
  manager: AccessManager;
  implementation: OrganizationRegistry;
  listener: TestStandingListener;
  registry: OrganizationRegistry;
}

/** Deploys the registry behind a proxy, with a credentialing officer and a listener that is not yet set. */
export async function deploy(): Promise<Context> {
  const [admin, officer, stranger, pharmacy, laboratory] = await ethers.getSigners();
  if (!admin || !officer || !stranger || !pharmacy || !laboratory) throw new Error("five signers are needed");
  const manager = await ethers.deployContract("AccessManager", [admin.address]);
  const implementation = await ethers.deployContract("OrganizationRegistry");
  const initializer = implementation.interface.encodeFunctionData("initialize", [await manager.getAddress()]);
  const proxy = await ethers.deployContract("ERC1967Proxy", [await implementation.getAddress(), initializer]);
  const registry = await ethers.getContractAt("OrganizationRegistry", await proxy.getAddress());
  const listener = await ethers.deployContract("TestStandingListener");

  const vetting = (["register", "update", "suspend", "reinstate"] as const).map(
    (name) => registry.interface.getFunction(name).selector,
  );
  await manager.setTargetFunctionRole(registry, vetting, CREDENTIALING);
  await manager.grantRole(CREDENTIALING, officer, 0);
  return {
    admin,
    officer,
    stranger,
    pharmacy,
    laboratory,
    manager,
    implementation,
    listener,
    registry: registry.connect(officer),
  };
}

export async function deployWithListener(): Promise<Context> {
  const context = await deploy();
  await context.registry.connect(context.admin).setStandingListener(context.listener);
  return context;
}

export async function deployWithPharmacy(): Promise<Context> {
  const context = await deployWithListener();
  await context.registry.register(context.pharmacy, pharmacyEntry);
  return context;
}

export async function deployWithSuspendedPharmacy(): Promise<Context> {
  const context = await deployWithPharmacy();
  await context.registry.suspend(context.pharmacy);
  return context;
}
