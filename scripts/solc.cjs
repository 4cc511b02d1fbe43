#!/usr/bin/env node
// forge asks for a native compiler; this lets it use the one that npm installed, the same that Hardhat uses.
const { readFileSync } = require("node:fs");
const solc = require("solc");

if (process.argv.includes("--version")) {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}`);
} else {
  // forge reads every source itself and hands its text in, so nothing is left to be imported.
  process.stdout.write(solc.compile(readFileSync(0, "utf8")));
}
