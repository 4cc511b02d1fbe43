import { TASK_COMPILE } from "hardhat/builtin-tasks/task-names";
import { task } from "hardhat/config";
import type { HardhatRuntimeEnvironment } from "hardhat/types";

// The bytecode that the SDK's devnet sends changes with every edit of a contract: it is generated, as types are, and not committed.
task(TASK_COMPILE, async (args, hre, runSuper) => {
  await runSuper(args);
  if (hre.config.typechain.dontOverrideCompile) return;
  const { writeBytecode } = await import("../deploy/devnet");
  await writeBytecode(hre);
});

task(
  "devnet:record",
  "Records anew what the SDK's devnet sends: what deploy/Carepact.ts sends, and a test stablecoin",
).setAction(async (_args, hre: HardhatRuntimeEnvironment) => {
  await hre.run(TASK_COMPILE, { quiet: true });
  const { recordDevnet } = await import("../deploy/devnet");
  const { changed } = await recordDevnet(hre);
  console.log(changed ? "Written." : "Nothing changed.");
});
