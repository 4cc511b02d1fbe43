/**
 * Storage layouts of what is deployed. The one truth is the layout that was written down, in the journal, when an implementation was
 * deployed, under the implementation's address: it is what lies on that chain, whatever happened to the sources since.
 */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";

import { readValidations } from "@openzeppelin/hardhat-upgrades/dist/utils/validations";
import {
  assertUpgradeSafe,
  getErrors,
  getStorageLayout,
  getStorageUpgradeReport,
  getUnlinkedBytecode,
  getVersion,
  UpgradesError,
  withValidationDefaults,
  ValidationErrors,
  type StorageLayout,
} from "@openzeppelin/upgrades-core";
import { getAddress } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types";

import { madeWith } from "./system";

/** What OpenZeppelin's plugin wrote down when contracts were compiled. */
type Validations = Awaited<ReturnType<typeof readValidations>>;

async function versionOf(hre: HardhatRuntimeEnvironment, validations: Validations, name: string) {
  const { bytecode } = await hre.artifacts.readArtifact(name);
  return getVersion(getUnlinkedBytecode(validations, bytecode), bytecode);
}

/** The layout that the contract would have now, its ERC-7201 namespaces included, and those of contracts that share its storage. */
export async function currentLayoutOf(
  hre: HardhatRuntimeEnvironment,
  name: string,
  validations?: Validations,
): Promise<StorageLayout> {
  const read = validations ?? (await readValidations(hre));
  const layoutOf = async (one: string): Promise<StorageLayout> =>
    stable(getStorageLayout(read, await versionOf(hre, read, one)));
  let layout = await layoutOf(name);
  for (const part of madeWith[name] ?? []) layout = shared(layout, await layoutOf(part));
  return layout;
}

/** What two contracts say of one storage. @throws Error where they contradict each other */
export function shared(one: StorageLayout, other: StorageLayout): StorageLayout {
  return {
    ...one,
    // Two contracts that count slots from zero would write over each other.
    storage: [...one.storage, ...other.storage],
    types: united(one.types, other.types),
    namespaces: united(one.namespaces ?? {}, other.namespaces ?? {}),
  };
}

function united<T>(one: Record<string, T>, other: Record<string, T>): Record<string, T> {
  for (const [key, value] of Object.entries(other))
    if (key in one && !isDeepStrictEqual(one[key], value))
      throw new Error(`Two contracts that share their storage differ about ${key}.`);
  return { ...one, ...other };
}

/** What would go wrong for deployed proxies, in words; empty: nothing. */
export function incompatibilitiesOf(deployed: StorageLayout, next: StorageLayout): string {
  const report = getStorageUpgradeReport(deployed, next, withValidationDefaults({}));
  return report.pass ? "" : report.explain(false);
}

/**
 * What makes the contract unsafe behind a UUPS proxy (a constructor, selfdestruct, no way to upgrade ...), or one of those whose code
 * runs on its storage; empty: nothing.
 */
export async function unsafetiesOf(
  hre: HardhatRuntimeEnvironment,
  name: string,
  parts: readonly string[] = madeWith[name] ?? [],
): Promise<string> {
  const validations = await readValidations(hre);
  try {
    assertUpgradeSafe(validations, await versionOf(hre, validations, name), withValidationDefaults({ kind: "uups" }));
    for (const part of parts) {
      const version = await versionOf(hre, validations, part);
      const found = getErrors(validations, version, withValidationDefaults({ kind: "transparent" }));
      // The contract is what is initialized, and upgraded.
      const errors = found.filter(({ kind }) => kind !== "missing-initializer");
      if (errors.length > 0) throw new ValidationErrors(part, errors);
    }
    return "";
  } catch (thrown) {
    if (thrown instanceof UpgradesError) return thrown.message;
    throw thrown;
  }
}

/** Leaves out what changes with every edit of a source: numbers of syntax nodes, and of lines. */
function stable(layout: StorageLayout): StorageLayout {
  const text = JSON.stringify(layout, (key, value: unknown) => (key === "astId" ? undefined : value))
    .replace(/(t_(?:struct|enum|contract|userDefinedValueType)\([^()]*\))\d+_?/g, "$1")
    .replace(/\.sol:\d+"/g, '.sol"');
  return JSON.parse(text) as StorageLayout;
}

interface Recorded {
  contract: string;
  layout: StorageLayout;
}

const fileOf = (journal: string, implementation: string): string =>
  join(journal, "layouts", `${getAddress(implementation)}.json`);

/** Writes down the layouts of implementations that were just deployed, by contract. Never changes what is there. */
export async function recordLayouts(
  hre: HardhatRuntimeEnvironment,
  journal: string,
  implementations: Readonly<Record<string, string>>,
): Promise<void> {
  const missing = Object.entries(implementations).filter(([, address]) => !existsSync(fileOf(journal, address)));
  if (missing.length === 0) return;
  await mkdir(join(journal, "layouts"), { recursive: true });
  const validations = await readValidations(hre);
  for (const [contract, address] of missing) {
    const recorded: Recorded = { contract, layout: await currentLayoutOf(hre, contract, validations) };
    await writeFile(fileOf(journal, address), `${JSON.stringify(recorded, null, 2)}\n`);
  }
}

/** The layout of an implementation, as it was deployed; undefined where it was not deployed from here. */
export async function recordedLayoutOf(journal: string, implementation: string): Promise<StorageLayout | undefined> {
  const file = fileOf(journal, implementation);
  return existsSync(file) ? (JSON.parse(await readFile(file, "utf8")) as Recorded).layout : undefined;
}
