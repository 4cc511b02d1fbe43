import "@nomicfoundation/hardhat-toolbox";
import "@openzeppelin/hardhat-upgrades";

import { TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD } from "hardhat/builtin-tasks/task-names";
import { subtask, type HardhatUserConfig } from "hardhat/config";

const SOLC_VERSION = "0.8.30";

// The compiler comes from npm, so that a build downloads nothing and is the same everywhere.
subtask(TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD, async (args: { solcVersion: string }) => {
  const solcPackage = require("solc/package.json") as { version: string };
  if (args.solcVersion !== solcPackage.version)
    throw new Error(`solc ${args.solcVersion} was asked for, ${solcPackage.version} is installed`);
  return {
    compilerPath: require.resolve("solc/soljson.js"),
    isSolcJs: true,
    version: args.solcVersion,
    longVersion: args.solcVersion,
  };
});

const config: HardhatUserConfig = {
  solidity: {
    version: SOLC_VERSION,
    settings: {
      evmVersion: "cancun",
      optimizer: { enabled: true, runs: 1_000 },
      metadata: { bytecodeHash: "none" },
    },
  },
  networks: {
    hardhat: { hardfork: "osaka" },
    localhost: { url: "http://127.0.0.1:8545" },
  },
  typechain: { outDir: "sdk/src/generated", target: "ethers-v6" },
  paths: { ignition: "./deploy" },
  mocha: { timeout: 120_000 },
};

export default config;
