/**
 * Storage layouts of what is deployed. The one truth is the layout that was written down, in the journal, when an implementation was
 * deployed, under the implementation's address: it is what lies on that chain, whatever happened to the sources since.
 */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { readValidations } from "@openzeppelin/hardhat-upgrades/dist/utils/validations";
import {
  assertUpgradeSafe,
  getStorageLayout,
  getStorageUpgradeReport,
  getUnlinkedBytecode,
  getVersion,
  UpgradesError,
  withValidationDefaults,
  type StorageLayout,
} from "@openzeppelin/upgrades-core";
import { getAddress } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types";

/** What OpenZeppelin's plugin wrote down when contracts were compiled. */
type Validations = Awaited<ReturnType<typeof readValidations>>;

async function versionOf(hre: HardhatRuntimeEnvironment, validations: Validations, name: string) {
  const { bytecode } = await hre.artifacts.readArtifact(name);
  return getVersion(getUnlinkedBytecode(validations, bytecode), bytecode);
}

/** The layout that the contract would have now, its ERC-7201 namespaces included. */
export async function currentLayoutOf(
  hre: HardhatRuntimeEnvironment,
  name: string,
  validations?: Validations,
): Promise<StorageLayout> {
  const read = validations ?? (await readValidations(hre));
  return stable(getStorageLayout(read, await versionOf(hre, read, name)));
}

/** What would go wrong for deployed proxies, in words; empty: nothing. */
export function incompatibilitiesOf(deployed: StorageLayout, next: StorageLayout): string {
  const report = getStorageUpgradeReport(deployed, next, withValidationDefaults({}));
  return report.pass ? "" : report.explain(false);
}

/** What makes the contract unsafe behind a UUPS proxy (a constructor, selfdestruct, no way to upgrade ...); empty: nothing. */
export async function unsafetiesOf(hre: HardhatRuntimeEnvironment, name: string): Promise<string> {
  const validations = await readValidations(hre);
  try {
    assertUpgradeSafe(validations, await versionOf(hre, validations, name), withValidationDefaults({ kind: "uups" }));
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
