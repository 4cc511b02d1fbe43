import { TASK_COMPILE } from "hardhat/builtin-tasks/task-names";
import { task } from "hardhat/config";

task("demo", "Runs the main job on HL7's own examples: funded claims pay themselves")
  .addFlag("json", "End in one line with one JSON object")
  .addFlag("tamper", "Change a result, an amount and an event on the way, and show that each is caught")
  .setAction(async (options: { json: boolean; tamper: boolean }, hre) => {
    // To stderr, as all progress: the last line of stdout belongs to --json.
    process.stderr.write("Compiling what changed since the last time; the first time takes about a minute ...\n");
    await hre.run(TASK_COMPILE, { quiet: true });
    // Imported here, since it needs types that compiling generates, and hre, which does not exist while tasks load.
    const { runDemo } = await import("../examples/demo");
    process.exitCode = (await runDemo(hre, options)) ? 0 : 1;
  });
