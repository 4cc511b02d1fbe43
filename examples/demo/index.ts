import { id } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types";

import { checkBooks, type BooksReport } from "./books";
import { showBooks } from "./booksTable";
import { showConsent, type ConsentOutcome } from "./consents";
import { settleDispenses, type DispensesOutcome } from "./dispenses";
import { payLaboratory } from "./laboratory";
import { showLifecycle, type LifecycleOutcome } from "./lifecycle";
import { partiesOf } from "./money";
import { showOracles, type OraclesOutcome } from "./oracles";
import { payPharmacy } from "./pharmacy";
import { screenOn, type Screen } from "./print";
import { judgeChangedBooks, newTampering, withChangedEvent, type Tampering } from "./tamper";
import { makeWorld, type World } from "./world";

/** How to run the demo. */
export interface DemoOptions {
  /** End in one line with one JSON object; what is for people goes to stderr. */
  json: boolean;
  /** Change a result, an amount and an event on the way, and show that each is caught. */
  tamper: boolean;
}

/** Where lines go, for who wants them elsewhere than at the terminal. */
export interface DemoOutput {
  /** For people. */
  tell: (line: string) => void;
  /** The JSON line. */
  result: (line: string) => void;
}

/** The demo's JSON line. Amounts in dollars, gas by scene and verb. */
export interface DemoResult {
  ok: boolean;
  pharmacy?: { claim: string; paid: string };
  laboratory?: { claim: string; paid: string };
  dispenses?: DispensesOutcome;
  lifecycle?: LifecycleOutcome;
  oracle?: OraclesOutcome;
  balanced?: boolean;
  consent?: ConsentOutcome;
  gas?: World["gas"];
  /** Why it is not ok. */
  reasons?: string[];
}

const terminal = ({ json }: DemoOptions): DemoOutput => ({
  tell: (line) => (json ? process.stderr : process.stdout).write(`${line}\n`),
  result: (line) => process.stdout.write(`${line}\n`),
});

/** What `--tamper` changes: an amount in a file, an attested result, an event. */
const CHANGES = 3;

/**
 * Runs the main job on HL7's own examples, with contracts deployed anew on the network hardhat was started with.
 * @returns Whether all went as it should; false whenever something was tampered with.
 */
export async function runDemo(
  hre: HardhatRuntimeEnvironment,
  options: DemoOptions,
  output: DemoOutput = terminal(options),
): Promise<boolean> {
  const screen = screenOn((line) => output.tell(line));
  const tampering = newTampering(options.tamper, screen);
  const result = await play(hre, screen, tampering).catch((thrown: unknown): DemoResult => {
    const { message, stack } = thrown as Error;
    screen.say(stack ?? message);
    return { ok: false, reasons: [...tampering.reasons, message] };
  });
  if (options.json) output.result(JSON.stringify(result));
  return result.ok;
}

async function play(hre: HardhatRuntimeEnvironment, screen: Screen, tampering: Tampering): Promise<DemoResult> {
  const world = await makeWorld(hre, screen);
  const pharmacy = await payPharmacy(world, tampering);
  const laboratory = await payLaboratory(world, tampering);
  const dispenses = await settleDispenses(world);
  const lifecycle = await showLifecycle(world);
  const oracle = await showOracles(world);
  const { balanced } = await closeBooks(hre, world, tampering);
  const consent = await showConsent(world);

  if (tampering.on && tampering.reasons.length !== CHANGES) tampering.missed("Not every change was tried.");
  const reasons = [
    ...tampering.reasons,
    ...(balanced || tampering.on ? [] : ["The books do not balance."]),
    ...(lifecycle.remittanceBalanced ? [] : ["A remittance does not balance."]),
  ];
  const ok = balanced && reasons.length === 0;
  if (ok) screen.say("\nAll of it went as it should.");
  else screen.say("\nThis run is not ok:");
  for (const reason of reasons) screen.say(`- ${reason}`);
  const shown = { pharmacy, laboratory, dispenses, lifecycle, oracle, balanced, consent };
  return { ok, ...shown, gas: world.gas, ...(ok ? {} : { reasons }) };
}

/** Everything once more, recomputed from the chain's events by a script of its own. */
async function closeBooks(hre: HardhatRuntimeEnvironment, world: World, tampering: Tampering): Promise<BooksReport> {
  const { screen, deployment } = world;
  const { provider } = hre.network;
  screen.title("The books");
  screen.say(
    "Recomputed from raw chain events by a script of its own (examples/demo/books.ts), and held against the chain:",
  );
  const groupSettled = id("GroupSettled(bytes32,address,uint256,uint256)");
  const report = await checkBooks(
    provider,
    deployment.claimEscrow,
    tampering.on ? { change: (logs) => withChangedEvent(logs, groupSettled) } : {},
  );
  const names = new Map([...partiesOf(world), ...world.arrived].map(({ account, name }) => [account, name]));
  await showBooks(screen, report, world.runner, names);
  if (tampering.on) judgeChangedBooks(tampering, report);
  if (hre.network.name !== "hardhat")
    screen.say(
      `Once more at any time: npx hardhat books --network ${hre.network.name} --escrow ${deployment.claimEscrow}`,
    );
  return report;
}
