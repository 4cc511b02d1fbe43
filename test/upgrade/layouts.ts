import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { StorageLayout } from "@openzeppelin/upgrades-core";

/** Contracts behind proxies. Whoever adds one adds it here, and runs `writeLayouts.ts`. */
export const implementations = [
  "OrganizationRegistry",
  "Rulebooks",
  "Mandates",
  "ClaimEscrow",
  "ConsentRegistry",
  "PatientRecovery",
  "AccessLog",
] as const;
export type Implementation = (typeof implementations)[number];

export const fileOf = (name: Implementation): string => join(__dirname, "layouts", `${name}.json`);

/** The layout that deployed proxies have, as it was committed. */
export const committedLayoutOf = (name: Implementation): StorageLayout =>
  JSON.parse(readFileSync(fileOf(name), "utf8")) as StorageLayout;
