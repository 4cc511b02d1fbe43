import "tsconfig-paths/register"; // First: what follows may import "@carepact/sdk".
import "@nomicfoundation/hardhat-toolbox";
import "@openzeppelin/hardhat-upgrades";

import "./tasks/access";
import "./tasks/batch";
import "./tasks/bench";
import "./tasks/books";
import "./tasks/compiler";
import "./tasks/consent";
import "./tasks/contractTypes";
import "./tasks/demo";
import "./tasks/deploy";
import "./tasks/deployCheck";
import "./tasks/devnet";
import "./tasks/keys";
import "./tasks/oracle";
import "./tasks/org";
import "./tasks/patient";
import "./tasks/pool";
import "./tasks/remittance";
import "./tasks/roles";
import "./tasks/rulebook";
import "./tasks/size";
import "./tasks/upgrade";

import type { HardhatUserConfig } from "hardhat/config";

import { publicNetworks } from "./deploy/networks";

// A newcomer's first command is not the place for a question, and nothing here is sent anywhere.
process.env.HARDHAT_DISABLE_TELEMETRY_PROMPT ??= "true";

const inCi = Boolean(process.env.CI);
// Coverage compiles instrumented code; kept apart, it neither spoils nor slows the ordinary build.
const forCoverage = Boolean(process.env.SOLIDITY_COVERAGE);

const config: HardhatUserConfig = {
  solidity: {
    version: "0.8.30",
    // foundry.toml says the same.
    settings: {
      evmVersion: "cancun",
      viaIR: true,
      optimizer: { enabled: true, runs: 200 },
      metadata: { bytecodeHash: "none" },
    },
  },
  networks: {
    hardhat: { hardfork: "osaka" },
    localhost: { url: process.env.CAREPACT_RPC_URL ?? "http://127.0.0.1:8545" },
    ...publicNetworks(process.env),
  },
  // Sources are verified by `npx hardhat ignition verify chain-<id>`. The journal keeps the compiler's whole input, settings (viaIR, no
  // metadata hash) included; test/deploy/verification.test.ts compiles it again to the deployed code. What cannot be tried offline is
  // whether the explorer takes it. Sourcify finds a partial match at best, since there is no metadata hash in the code.
  etherscan: { apiKey: process.env.ETHERSCAN_API_KEY ?? "" },
  sourcify: { enabled: true },
  typechain: { outDir: "typechain-types", target: "ethers-v6", dontOverrideCompile: forCoverage },
  paths: {
    ignition: "./deploy",
    ...(forCoverage && { artifacts: "./coverage/.artifacts", cache: "./coverage/.cache" }),
  },
  // Instrumented code takes several times as long.
  mocha: { timeout: forCoverage ? 600_000 : 120_000, forbidOnly: inCi, forbidPending: inCi },
};

export default config;
