/** Measures how much of contracts/, without mocks, the unit tests run through, and fails below the thresholds. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { exitWith, ROOT, run } from "./processes";

/** Percent. */
const LEAST = { lines: 98, branches: 95 } as const;

type Kind = keyof typeof LEAST;
type Summary = Record<string, Record<Kind, { total: number; covered: number }>>;

/**
 * Each contract's own tests. Left out are those of many or large batches and of gas, which instrumented code takes much more of, and
 * random ones beside models, which run through nothing that the others do not.
 */
const LEFT_OUT = [
  ...["claimBatch", "settle.bitmap", "settle.largest", "settle.model", "settleMany.gas"],
  ...["model", "reports.model", "results.properties"],
  // The same functions from the attacker's side, with unusual calldata, in every way; every verb in every state.
  ...["attacks", "calldata", "ways", "agreement"],
  ...["disputes.machine", "disputes.stops", "disputes.calldata", "dispute.attacks"],
];
const TESTS = `test/unit/**/!(${LEFT_OUT.join("|")}).test.ts`;

const FOLDER = join(ROOT, "coverage");
const SUMMARY = join(FOLDER, "coverage-summary.json");

const percent = ({ covered, total }: { covered: number; total: number }): number =>
  total === 0 ? 100 : (100 * covered) / total;

exitWith(async () => {
  rmSync(FOLDER, { recursive: true, force: true });
  // The ordinary build first: it generates the types that tests import, which the instrumented one must not overwrite.
  const compiled = await run("hardhat", ["compile"]);
  if (compiled.code !== 0) return false;
  const { code } = await run("hardhat", ["coverage", "--testfiles", TESTS], {
    // Of every step of a transaction something is noted: the largest ones take more than Node's own limit.
    env: { SOLIDITY_COVERAGE: "true", NODE_OPTIONS: "--max-old-space-size=8192" },
  });
  if (!existsSync(SUMMARY)) return false;

  const { total } = JSON.parse(readFileSync(SUMMARY, "utf8")) as Summary;
  if (total === undefined) return false;
  let enough = true;
  for (const kind of Object.keys(LEAST) as Kind[]) {
    const reached = percent(total[kind]);
    const ok = reached >= LEAST[kind];
    enough &&= ok;
    console.log(`${ok ? "  " : "! "}${kind}: ${reached.toFixed(2)} % (at least ${LEAST[kind]} %)`);
  }
  return enough && code === 0;
});
