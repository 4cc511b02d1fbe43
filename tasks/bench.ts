import { TASK_COMPILE } from "hardhat/builtin-tasks/task-names";
import { task } from "hardhat/config";

task("bench", "Measures gas beside the budget and other protocols")
  .addFlag("json", "End in one line with one JSON object")
  .addFlag("check", "Fail when a row is above its budget, or more than 1 % off the committed bench/gas.json")
  .addFlag("update", "Write bench/gas.json anew")
  .setAction(async (options: { json: boolean; check: boolean; update: boolean }, hre) => {
    await hre.run(TASK_COMPILE, { quiet: true });
    // Imported here, since it needs types that compiling generates, and hre, which does not exist while tasks load.
    const { runBench } = await import("../bench");
    process.exitCode = (await runBench(hre, options)) ? 0 : 1;
  });
