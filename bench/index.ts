import { HARDHAT_NETWORK_NAME } from "hardhat/plugins";
import type { HardhatRuntimeEnvironment } from "hardhat/types";

import { run } from "../scripts/processes";

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
import { x12LimitsMissed, x12Line, type X12Measurement } from "./x12";

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

  const x12 = await measureX12Apart();
  problems.push(...x12LimitsMissed(x12));

  console.log(terminalTable(gas));
  console.log(x12Line(x12));
  for (const problem of problems) console.log(problem);
  if (options.json) console.log(JSON.stringify(gas));
  return problems.length === 0;
}

/** In a process of its own: what this one holds of a chain would count as memory of the 835. */
async function measureX12Apart(): Promise<X12Measurement> {
  const { code, output } = await run("ts-node", ["--transpile-only", "bench/x12.ts"], { silent: true });
  if (code !== 0) throw new Error("bench/x12.ts did not end well.");
  return JSON.parse(output) as X12Measurement;
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
