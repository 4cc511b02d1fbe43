/** Runs every test: Hardhat's, and forge's properties. Its last line is `N passed, N failed`. */
import { readCampaigns } from "./campaigns";
import { exitWith, run, type Outcome } from "./processes";

interface Count {
  readonly passed: number;
  readonly failed: number;
}

const numberIn = (text: string, pattern: RegExp): number => Number(text.match(pattern)?.[1] ?? 0);

/** What mocha's summary says. A pending test counts as failed: a test that does not run proves nothing. */
const mochaCount = (output: string): Count => ({
  passed: numberIn(output, /^ *(\d+) passing\b/m),
  failed: numberIn(output, /^ *(\d+) failing\b/m) + numberIn(output, /^ *(\d+) pending\b/m),
});

/** What forge's last line says. */
const forgeCount = (output: string): Count => ({
  passed: numberIn(output, /^Ran .*: (\d+) tests passed/m),
  failed:
    numberIn(output, /^Ran .*: \d+ tests passed, (\d+) failed/m) +
    numberIn(output, /^Ran .*: \d+ tests passed, \d+ failed, (\d+) skipped/m),
});

/** A run that ended badly, or ran nothing, has failed, whatever it printed. */
function verdict({ code }: Outcome, { passed, failed }: Count): Count {
  const bad = code !== 0 || passed === 0;
  return { passed, failed: bad ? Math.max(failed, 1) : failed };
}

exitWith(async () => {
  // At once, each on about one core: forge on two would take them from hardhat, which needs longer. What forge says comes when hardhat
  // has finished.
  const [hardhat, forge] = await Promise.all([
    run("hardhat", ["test"]),
    run("forge", ["test", "--threads", "1"], { silent: true }),
  ]);
  console.log(forge.output);
  const unit = verdict(hardhat, mochaCount(hardhat.output));
  const properties = verdict(forge, forgeCount(forge.output));
  const campaigns = readCampaigns(forge.output);
  const failed = unit.failed + properties.failed + campaigns.shortfalls.length;

  console.log(campaigns.table.join("\n"));
  for (const shortfall of campaigns.shortfalls) console.log(`FAILED: ${shortfall}`);
  console.log();
  console.log(`hardhat: ${unit.passed} passed, ${unit.failed} failed, ${hardhat.seconds.toFixed()} s`);
  console.log(`forge:   ${properties.passed} passed, ${properties.failed} failed, ${forge.seconds.toFixed()} s`);
  console.log(`${unit.passed + properties.passed} passed, ${failed} failed`);
  return failed === 0;
});
