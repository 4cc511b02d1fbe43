import { HARDHAT_NETWORK_NAME } from "hardhat/plugins";
import type { HardhatRuntimeEnvironment } from "hardhat/types";

import { rows } from "./budgets";
import { prepareChain } from "./chain";
import { budgetsMissed, changesSince, type Gas } from "./compare";
import { measureConsents } from "./consents";
import { measureDisputes } from "./disputes";
import { measureEas } from "./eas";
import { measureEscrow, measureReclaim } from "./escrow";
import { measureOracles } from "./oracles";
import { readCommitted, writeCommitted } from "./files";
import { terminalTable } from "./report";

/** What to do with the result beside printing it. */
export interface BenchOptions {
  /** End in one line with one JSON object: gas by key. */
  json: boolean;
  /** Compare with the committed bench/gas.json. */
  check: boolean;
  /** Write bench/gas.json and the tables of docs/benchmarks.md anew. */
  update: boolean;
}

/**
 * Measures every row, prints the result and does what was asked for.
 * @returns Whether all budgets are met and, with `check`, nothing changed by more than 1 %.
 */
export async function runBench(hre: HardhatRuntimeEnvironment, options: BenchOptions): Promise<boolean> {
  if (hre.network.name !== HARDHAT_NETWORK_NAME)
    throw new Error("The benchmark runs on Hardhat's embedded network only, where results are the same every time.");

  const gas = await measure(hre);
  const problems = budgetsMissed(gas, rows);
  if (options.update) await writeCommitted(hre.config.paths.root, gas);
  else if (options.check) problems.push(...changesOrAdvice(readCommitted(hre.config.paths.root), gas));

  console.log(terminalTable(gas));
  for (const problem of problems) console.log(problem);
  if (options.json) console.log(JSON.stringify(gas));
  return problems.length === 0;
}

async function measure(hre: HardhatRuntimeEnvironment): Promise<Gas> {
  const chain = await prepareChain(hre);
  return {
    ...(await measureEscrow(chain)),
    ...(await measureOracles(chain)),
    ...(await measureDisputes(chain)),
    ...(await measureReclaim(chain)),
    ...(await measureConsents(chain)),
    ...(await measureEas(chain)),
  };
}

function changesOrAdvice(committed: Gas, gas: Gas): string[] {
  const changes = changesSince(committed, gas);
  if (changes.length === 0) return [];
  return [
    ...changes,
    "If this is on purpose, run `npm run bench -- --update` and say in the commit why it is worth it.",
  ];
}
