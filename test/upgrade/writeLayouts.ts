/**
 * Commits the present storage layouts as those that deployed proxies have: `npx hardhat run test/upgrade/writeLayouts.ts`.
 * To be run when fields were added on purpose. What it calls a break must never reach a proxy that holds state.
 */
import { existsSync, writeFileSync } from "node:fs";

import { format } from "prettier";

import hre from "hardhat";

import { currentLayoutOf, incompatibilitiesOf } from "../../deploy/layouts";

import { committedLayoutOf, fileOf, implementations } from "./layouts";

async function main(): Promise<void> {
  for (const name of implementations) {
    const current = await currentLayoutOf(hre, name);
    const broken = existsSync(fileOf(name)) ? incompatibilitiesOf(committedLayoutOf(name), current) : "";
    writeFileSync(fileOf(name), await format(JSON.stringify(current, null, 2), { parser: "json", printWidth: 120 }));
    console.log(broken ? `${name}: BREAKS every proxy deployed so far\n${broken}` : `${name}: written`);
  }
}

// Hardhat loads every file below test/ when it looks for tests; only `hardhat run` makes this one the program.
if (require.main === module)
  main().catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
