import { readFileSync } from "node:fs";
import { join } from "node:path";

import { readValidations } from "@openzeppelin/hardhat-upgrades/dist/utils/validations";
import {
  getStorageLayout,
  getStorageUpgradeReport,
  getUnlinkedBytecode,
  getVersion,
  withValidationDefaults,
  type StorageLayout,
} from "@openzeppelin/upgrades-core";
import hre from "hardhat";

/** Contracts behind proxies. Whoever adds one adds it here, and runs `writeLayouts.ts`. */
export const implementations = ["OrganizationRegistry", "Rulebooks", "Mandates", "ClaimEscrow"] as const;
export type Implementation = (typeof implementations)[number];

export const fileOf = (name: Implementation): string => join(__dirname, "layouts", `${name}.json`);

/** The layout that deployed proxies have, as it was committed. */
export const committedLayoutOf = (name: Implementation): StorageLayout =>
  JSON.parse(readFileSync(fileOf(name), "utf8")) as StorageLayout;

/** The layout that the contract would have now, its ERC-7201 namespaces included. */
export async function currentLayoutOf(name: Implementation): Promise<StorageLayout> {
  const { bytecode } = await hre.artifacts.readArtifact(name);
  const validations = await readValidations(hre);
  return stable(getStorageLayout(validations, getVersion(getUnlinkedBytecode(validations, bytecode), bytecode)));
}

/** What would go wrong for deployed proxies, in words; empty: nothing. */
export function incompatibilitiesOf(deployed: StorageLayout, next: StorageLayout): string {
  const report = getStorageUpgradeReport(deployed, next, withValidationDefaults({}));
  return report.pass ? "" : report.explain(false);
}

/** Leaves out what changes with every edit of a source: numbers of syntax nodes, and of lines. */
function stable(layout: StorageLayout): StorageLayout {
  const text = JSON.stringify(layout, (key, value: unknown) => (key === "astId" ? undefined : value))
    .replace(/(t_(?:struct|enum|contract|userDefinedValueType)\([^()]*\))\d+_?/g, "$1")
    .replace(/\.sol:\d+"/g, '.sol"');
  return JSON.parse(text) as StorageLayout;
}
