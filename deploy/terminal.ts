import { formatEther } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types";

import { exitCodeOf, exitCodes } from "../tasks/support/exitCodes";
import { jsonToStdout, tellError, toStderr, toStdout } from "../tasks/support/finish";

import type { Finding } from "./checkContracts";
import { dateOf } from "./checkRoles";
import { isSound, type Deployed, type Planned } from "./deploying";
import { Failure } from "./failure";
import type { Upgrade } from "./upgrading";

/** What a command ends with: what people read, what programs read, and the exit code. */
export interface Ending {
  lines: string[];
  json: Record<string, unknown>;
  exitCode: number;
}

/** Runs a command, and ends it in words, or in one line of JSON; failures too. */
export async function finish(
  hre: HardhatRuntimeEnvironment,
  json: boolean,
  command: () => Promise<Ending>,
): Promise<void> {
  const { lines, json: result, exitCode } = await command().catch((thrown: unknown) => endOfFailure(hre, thrown, json));
  if (json) jsonToStdout(result);
  else for (const line of lines) toStdout(line);
  process.exitCode = exitCode;
}

function endOfFailure(hre: HardhatRuntimeEnvironment, thrown: unknown, json: boolean): Ending {
  if (thrown instanceof Failure) {
    const { kind, message, details } = thrown;
    if (!json) message.split("\n").forEach(toStderr);
    return { lines: [], json: { ok: false, error: { kind, message, ...details } }, exitCode: exitCodes[kind] };
  }
  const error = tellError(hre, thrown);
  const exitCode = exitCodeOf(error);
  const [kind] = Object.entries(exitCodes).find(([, code]) => code === exitCode) ?? ["refused"];
  return { lines: [], json: { ok: false, error: { kind, ...error.toJSON() } }, exitCode };
}

const findingLines = (findings: readonly Finding[]): string[] =>
  findings.flatMap(({ what, wrong }) => [
    `${wrong.length === 0 ? "ok" : "! "} ${what}`,
    ...wrong.map((w) => `     ${w}`),
  ]);

export function endOfCheck(deployment: Deployed["deployment"], findings: Finding[]): Ending {
  const ok = isSound(findings);
  return {
    lines: [
      ...findingLines(findings),
      ok ? "Everything is as it should be." : "Something is not as it should be: see above.",
    ],
    json: { ok, deployment, findings },
    exitCode: ok ? exitCodes.ok : exitCodes.notOk,
  };
}

export function endOfDeploy({ deployment, sent, findings, recorded }: Deployed): Ending {
  const check = endOfCheck(deployment, findings);
  const addresses = Object.entries(deployment).map(([name, value]) => `${name.padEnd(22)}${value}`);
  return {
    ...check,
    lines: [
      ...check.lines,
      ...addresses,
      `${sent} transactions sent${recorded ? ", and the deployment recorded" : ""}.`,
    ],
    json: { ...check.json, sent, recorded },
  };
}

export function endOfPlan(plan: Planned): Ending {
  const { deployer, parameters, deployment, findings, transactions, done, gas, largestGas, cost, balance } = plan;
  const ok = isSound(findings);
  const enough = balance >= cost;
  // The rehearsal has blocks of its own.
  const addresses = Object.fromEntries(Object.entries(deployment).filter(([name]) => name !== "startBlock"));
  return {
    lines: [
      ...findingLines(findings),
      ...Object.entries({ ...addresses, deployer, ...parameters }).map(([name, value]) => `${name.padEnd(22)}${value}`),
      `${transactions} transactions, of which ${done} are mined; those left take ${gas} gas in all, ${largestGas} at most in one.`,
      `That costs ${formatEther(cost)} at today's price; the deployer has ${formatEther(balance)}${enough ? "" : ": too little"}.`,
      done === transactions
        ? "Nothing was sent: this was a rehearsal, and all is deployed. --send looks at it and records it."
        : "Nothing was sent: this was a rehearsal. Say --send to deploy.",
    ],
    json: { ok: ok && enough, dryRun: true, ...plan, deployment: addresses },
    exitCode: !ok ? exitCodes.notOk : enough ? exitCodes.ok : exitCodes.refused,
  };
}

export function endOfUpgrade(upgrade: Upgrade): Ending {
  const { stage, proxy, contract, current, next, ready, transaction, sent } = upgrade;
  const says: Record<Upgrade["stage"], string> = {
    valid: `${contract} can replace what ${proxy} uses (${current}). Nothing was sent: say --send to deploy it.`,
    prepared: `${contract} is deployed at ${next}, and not scheduled.`,
    scheduled: `${proxy} can be upgraded to ${next} from ${dateOf(ready ?? 0)} on.`,
    done: `${proxy} uses ${next}.`,
  };
  const { from, to, data } = transaction ?? {};
  return {
    lines: [
      says[stage],
      ...(transaction === undefined ? [] : ["The upgrader has to send:", `from ${from}`, `to   ${to}`, `data ${data}`]),
      `${sent} transactions sent.`,
    ],
    json: { ok: true, ...upgrade },
    exitCode: exitCodes.ok,
  };
}
