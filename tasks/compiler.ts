import {
  TASK_COMPILE_GET_REMAPPINGS,
  TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD,
  TASK_COMPILE_SOLIDITY_RUN_SOLCJS,
} from "hardhat/builtin-tasks/task-names";
import { subtask } from "hardhat/config";
import type { CompilerInput, SolcBuild } from "hardhat/types";

const PROGRESS_EVERY_S = 5;

// Chainlink's sources name the version of OpenZeppelin that they import; npm installs each under a name of its own. foundry.toml
// says the same.
subtask(TASK_COMPILE_GET_REMAPPINGS, () =>
  Promise.resolve({
    "@openzeppelin/contracts@4.8.3/": "@openzeppelin/contracts-4.8.3/",
    "@openzeppelin/contracts@5.0.2/": "@openzeppelin/contracts-5.0.2/",
  }),
);

// The compiler comes from npm, so that a build downloads nothing and is the same everywhere.
subtask(TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD, async (args: { solcVersion: string }): Promise<SolcBuild> => {
  // `0.8.30+commit.73712a01.Emscripten.clang`: block explorers know a compiler by its version with its commit.
  const { version: full } = (await import("solc")) as unknown as { version: () => string };
  const longVersion = full().split(".Emscripten")[0] ?? "";
  const [version = ""] = longVersion.split("+");
  if (args.solcVersion !== version)
    throw new Error(`hardhat.config.ts asks for solc ${args.solcVersion}, npm installed ${version}`);
  return { compilerPath: require.resolve("solc/soljson.js"), isSolcJs: true, version, longVersion };
});

// A first compilation takes long enough to look like a hang. Progress goes to stderr: stdout belongs to results (--json).
subtask(TASK_COMPILE_SOLIDITY_RUN_SOLCJS, async (args: { input: CompilerInput }, _hre, runSuper) => {
  const files = Object.keys(args.input.sources).length;
  let seconds = 0;
  const ticker = setInterval(() => {
    seconds += PROGRESS_EVERY_S;
    process.stderr.write(`Compiling ${files} Solidity files, ${seconds} s so far ...\n`);
  }, PROGRESS_EVERY_S * 1_000);
  try {
    return (await runSuper(args)) as unknown;
  } finally {
    clearInterval(ticker);
  }
});
