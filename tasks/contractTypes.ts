import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { TASK_COMPILE } from "hardhat/builtin-tasks/task-names";
import { task } from "hardhat/config";
import type { HardhatRuntimeEnvironment } from "hardhat/types";

/** What the SDK talks to. ERC20Permit stands for every token: metadata, permit, and the errors of ERC-6093. */
const PUBLISHED = [
  "AccessLog",
  "AccessManager",
  "ClaimEscrow",
  "ClaimEscrowExtension",
  "ConsentRegistry",
  "ERC20Permit",
  "Mandates",
  "OrganizationRegistry",
  "PatientRecovery",
  "Rulebooks",
];

// The types that hardhat's plugin makes, in typechain-types/, are for tests: they name mocks too, and carry bytecode. The SDK
// gets its own, of interfaces only.
task(TASK_COMPILE, async (args, hre, runSuper) => {
  await runSuper(args);
  if (!hre.config.typechain.dontOverrideCompile) await writeSdkTypes(hre);
});

async function writeSdkTypes({ artifacts, config }: HardhatRuntimeEnvironment): Promise<void> {
  const outDir = join(config.paths.root, "sdk", "src", "generated");
  const abiDir = join(config.paths.cache, "sdk-abi");
  const files = await Promise.all(
    PUBLISHED.map(async (name) => {
      const { abi } = await artifacts.readArtifact(name);
      return { path: join(abiDir, `${name}.json`), text: JSON.stringify(abi) };
    }),
  );
  const known = await Promise.all(files.map(({ path }) => readFile(path, "utf8").catch(() => "")));
  if (existsSync(join(outDir, "index.ts")) && files.every(({ text }, i) => text === known[i])) return;

  await rm(outDir, { recursive: true, force: true });
  await mkdir(abiDir, { recursive: true });
  await Promise.all(files.map(({ path, text }) => writeFile(path, text)));
  const { runTypeChain } = await import("typechain");
  const paths = files.map(({ path }) => path);
  await runTypeChain({
    cwd: config.paths.root,
    filesToProcess: paths,
    allFiles: paths,
    inputDir: abiDir,
    outDir,
    target: "ethers-v6",
  });
}
