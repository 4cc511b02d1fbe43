import { formatEther } from "ethers";

import type { Finding } from "./checkContracts";
import { dateOf } from "./checkRoles";
import { isSound, type Deployed, type Planned } from "./deploying";
import { exitCodes, Failure } from "./failure";
import type { Upgrade } from "./upgrading";

/** Progress goes to stderr: stdout belongs to results. */
export const tell = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** What a command ends with: what people read, what programs read, and the exit code. */
export interface Ending {
  lines: string[];
  json: Record<string, unknown>;
  exitCode: number;
}

const asJson = (value: unknown): string =>
  JSON.stringify(value, (_key, entry: unknown) => (typeof entry === "bigint" ? entry.toString() : entry));

/** Runs a command, and ends it in words, or in one line of JSON. A fault of this code is thrown on. */
export async function finish(json: boolean, command: () => Promise<Ending>): Promise<void> {
  let ending: Ending;
  try {
    ending = await command();
  } catch (thrown) {
    if (!(thrown instanceof Failure)) throw thrown;
    const { kind, message, details } = thrown;
    if (!json) tell(message);
    ending = { lines: [], json: { ok: false, error: { kind, message, ...details } }, exitCode: exitCodes[kind] };
  }
  if (json) console.log(asJson(ending.json));
  else for (const line of ending.lines) console.log(line);
  process.exitCode = ending.exitCode;
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
    exitCode: ok ? 0 : exitCodes.found,
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
    exitCode: !ok ? exitCodes.found : enough ? 0 : exitCodes.refused,
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
    exitCode: 0,
  };
}
