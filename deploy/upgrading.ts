import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { concat, Contract, getAddress, Interface, isHexString } from "ethers";

import type { Deployment } from "@carepact/sdk";

import { exitCodeOf, exitCodes } from "../tasks/support/exitCodes";
import { errorOf } from "../tasks/support/finish";

import { artifactsOf } from "./artifacts";
import { dateOf } from "./checkRoles";
import { deployerOf, type Site } from "./site";
import { deploymentAt, parametersOf } from "./deploying";
import { Failure } from "./failure";
import { incompatibilitiesOf, currentLayoutOf, recordedLayoutOf, recordLayouts, unsafetiesOf } from "./layouts";
import { LOCAL_CHAIN } from "./parameters";
import { roles } from "./roles";
import { runModule } from "./run";
import { implementationOf, madeWith, proxies, proxyNames, type ProxyName } from "./system";
import { IMPLEMENTATION, upgradeModuleOf } from "./Upgrade";

/** An upgrade that somebody wants. */
export interface Wanted {
  /** Which proxy. */
  proxy: string;
  /** Contract whose code it shall have; the one named as the proxy unless given. */
  contract?: string | undefined;
  /** What the proxy calls in the same transaction, such as a reinitializer; nothing unless given. */
  data?: string | undefined;
}

/** A transaction for the upgrader, who may be a multi-signature account that no command signs for. */
export interface ForUpgrader {
  from: string;
  to: string;
  data: string;
}

/** Where an upgrade stands. */
export interface Upgrade {
  /** `valid`: safe, nothing deployed. `prepared`: deployed, not scheduled. `scheduled`: waits, or is ready. `done`: in use. */
  stage: "valid" | "prepared" | "scheduled" | "done";
  proxy: ProxyName;
  contract: string;
  /** Implementation in use. */
  current: string;
  /** The new implementation, once it is deployed. */
  next?: string;
  /** The AccessManager's id of what is scheduled, and unix seconds from which on it can be carried out. */
  operation?: string;
  ready?: number;
  /** What the upgrader has to send next, if this command could not. */
  transaction?: ForUpgrader;
  /** Transactions that were sent. */
  sent: number;
}

const upgrades = new Interface(["function upgradeToAndCall(address newImplementation, bytes data) payable"]);

/** What all steps start from. */
interface Plan {
  deployment: Deployment;
  journal: string;
  proxy: ProxyName;
  contract: string;
  data: string;
  address: string;
  current: string;
  bytecode: string;
}

async function planOf(site: Site, { proxy, contract = proxy, data = "0x" }: Wanted): Promise<Plan> {
  const name = proxyNames.find((known) => known === proxy);
  if (name === undefined) throw new Failure(`${proxy} is no proxy: name one of ${proxyNames.join(", ")}.`, "input");
  if (!isHexString(data) || data.length % 2 !== 0) throw new Failure("data has to be hex, beginning with 0x.", "input");
  if (site.journal === undefined)
    throw new Failure("The embedded chain ends with this command, so that nothing on it can be upgraded.", "input");
  const deployment = await deploymentAt(site);
  const address = deployment[proxies[name]];
  const current = await implementationOf(site.provider, address);
  const codes = [contract, ...(madeWith[contract] ?? [])].map(
    async (one) => (await site.hre.artifacts.readArtifact(one)).bytecode,
  );
  const bytecode = await Promise.all(codes).then(concat, (thrown: Error) => {
    throw new Failure(thrown.message, "input");
  });
  return { deployment, journal: site.journal, proxy: name, contract, data, address, current, bytecode };
}

/** Refuses an upgrade that would damage what is stored, or could not be upgraded again. */
async function requireSafe({ hre }: Site, { journal, proxy, contract, current }: Plan): Promise<void> {
  const unsafe = await unsafetiesOf(hre, contract);
  if (unsafe !== "") throw new Failure(`Nothing was sent. ${contract} is not safe behind a proxy:\n${unsafe}`);
  const layout = await recordedLayoutOf(journal, current);
  if (layout === undefined)
    throw new Failure(
      `Nothing was sent. ${proxy} uses ${current}, whose layout was not written down in ${journal}: it was not deployed from here.`,
    );
  const broken = incompatibilitiesOf(layout, await currentLayoutOf(hre, contract));
  if (broken !== "")
    throw new Failure(`Nothing was sent. ${contract} would misread what ${proxy} has stored:\n${broken}`, "refused", {
      current,
    });
}

/** The implementation that was deployed for this upgrade, if it was. */
async function preparedOf({ journal, contract, bytecode }: Plan): Promise<string | undefined> {
  const file = join(journal, "deployed_addresses.json");
  if (!existsSync(file)) return undefined;
  const addresses = JSON.parse(await readFile(file, "utf8")) as Record<string, string>;
  const address = addresses[`${upgradeModuleOf(contract, bytecode).id}#${IMPLEMENTATION}`];
  return address === undefined ? undefined : getAddress(address);
}

const stateOf = ({ proxy, contract, current }: Plan, stage: Upgrade["stage"], next?: string): Upgrade => ({
  stage,
  proxy,
  contract,
  current,
  ...(next !== undefined && { next }),
  sent: 0,
});

/** Checks the new implementation against what is stored, and deploys it. Where that was done it sends nothing. */
export async function prepareUpgrade(site: Site, wanted: Wanted): Promise<Upgrade> {
  const plan = await planOf(site, wanted);
  return prepare(site, plan);
}

async function prepare(site: Site, plan: Plan): Promise<Upgrade> {
  const { hre, node, chainId, accounts, tell } = site;
  const { journal, contract, bytecode } = plan;
  const known = await preparedOf(plan);
  if (known !== undefined && known === plan.current) return stateOf(plan, "done", known);
  await requireSafe(site, plan);
  // Whoever deployed it: the next step may be another's.
  if (known !== undefined && (await site.provider.getCode(known)) !== "0x") {
    await recordLayouts(hre, journal, { [contract]: known });
    return stateOf(plan, "prepared", known);
  }
  if (site.mayUse !== "send") return stateOf(plan, "valid");
  deployerOf(site);
  const { sent } = await runModule(
    upgradeModuleOf(contract, bytecode),
    {},
    { node, chainId, accounts, artifacts: artifactsOf(hre), journal, config: hre.config.ignition, tell },
  );
  const next = await preparedOf(plan);
  if (next === undefined) throw new Error(`Ignition deployed no ${contract}.`);
  await recordLayouts(hre, journal, { [contract]: next });
  return { ...stateOf(plan, "prepared", next), sent };
}

/** What the AccessManager knows about an upgrade, and who carries it out. */
interface Schedule {
  manager: Contract;
  upgrader: string;
  /** Call of the proxy. */
  call: string;
  operation: string;
  /** Unix seconds; 0: not scheduled. */
  ready: number;
  /** How often it was scheduled before. */
  times: bigint;
}

async function scheduleOf(site: Site, { deployment, address, data }: Plan, next: string): Promise<Schedule> {
  const { abi } = await site.hre.artifacts.readArtifact("AccessManager");
  const manager = new Contract(deployment.accessManager, abi, site.provider);
  // On a public chain the account that signs is not who deployed, but may be the upgrader itself.
  const { upgrader } = await parametersOf(site.chainId === LOCAL_CHAIN ? site : { ...site, accounts: [] });
  const [isMember] = (await manager.getFunction("hasRole")(roles.upgrader.id, upgrader)) as [boolean, bigint];
  if (!isMember)
    throw new Failure(`${upgrader} is the upgrader by the parameters, and not by the AccessManager: see deploy:check.`);
  const call = upgrades.encodeFunctionData("upgradeToAndCall", [next, data]);
  const operation = (await manager.getFunction("hashOperation")(upgrader, address, call)) as string;
  const ready = Number((await manager.getFunction("getSchedule")(operation)) as bigint);
  const times = (await manager.getFunction("getNonce")(operation)) as bigint;
  return { manager, upgrader, call, operation, ready, times };
}

/** Sends what only the upgrader may send, or says that it has to. */
async function sendAs(
  { provider, accounts, mayUse, tell }: Site,
  transaction: ForUpgrader,
): Promise<"sent" | "not ours"> {
  const { from, to, data } = transaction;
  if (mayUse !== "send" || !accounts.includes(from)) return "not ours";
  const signer = await provider.getSigner(from);
  const { hash, wait } = await signer.sendTransaction({ to, data }).then(
    (response) => ({ hash: response.hash, wait: () => response.wait() }),
    (thrown: unknown) => {
      // A node that does not answer may have passed it on.
      if (exitCodeOf(errorOf(thrown)) === exitCodes.network) throw lost(`A transaction of ${from}`, thrown);
      throw thrown;
    },
  );
  tell(`  sent     ${hash}`);
  await wait().catch(async (thrown: unknown) => {
    const receipt = await provider.getTransactionReceipt(hash).catch(() => null);
    if (receipt?.status === 0) throw new Failure(`Transaction ${hash} was mined, but reverted.`);
    throw lost(`Transaction ${hash}`, thrown);
  });
  return "sent";
}

/** Nothing is done twice by another run, which looks at the chain first. */
const lost = (what: string, thrown: unknown): Failure =>
  new Failure(
    `${what} was sent, or may have been, and what became of it is not known. Run this again when the node answers: ` +
      errorOf(thrown).message,
    "unknown",
  );

/** Prepares the upgrade and schedules it. Where that was done it sends nothing, and says from when on it can be carried out. */
export async function scheduleUpgrade(site: Site, wanted: Wanted): Promise<Upgrade> {
  const plan = await planOf(site, wanted);
  const prepared = await prepare(site, plan);
  const { next, stage } = prepared;
  if (stage === "done" || next === undefined) return prepared;
  const schedule = await scheduleOf(site, plan, next);
  const { operation, upgrader } = schedule;
  if (schedule.ready !== 0) return { ...prepared, stage: "scheduled", operation, ready: schedule.ready };
  const to = plan.deployment.accessManager;
  const data = schedule.manager.interface.encodeFunctionData("schedule", [plan.address, schedule.call, 0]);
  const transaction = { from: upgrader, to, data };
  if ((await sendAs(site, transaction)) === "not ours") return { ...prepared, operation, transaction };
  const { ready } = await scheduleOf(site, plan, next);
  return { ...prepared, stage: "scheduled", operation, ready, sent: prepared.sent + 1 };
}

/** Carries out an upgrade that was scheduled. @throws Failure of kind `early` that says when it can be */
export async function executeUpgrade(site: Site, wanted: Wanted): Promise<Upgrade> {
  const plan = await planOf(site, wanted);
  const next = await preparedOf(plan);
  if (next === undefined)
    throw new Failure(`Nothing was sent. No upgrade of ${plan.proxy} to this ${plan.contract} was prepared here.`);
  if (next === plan.current) return stateOf(plan, "done", next);
  // Once more: another upgrade may have come in between.
  await requireSafe(site, plan);
  const { upgrader, call, operation, ready, times } = await scheduleOf(site, plan, next);
  if (ready === 0)
    throw new Failure(
      `Nothing was sent. This upgrade of ${plan.proxy} is not scheduled${times > 0n ? " any more: it was cancelled, or not carried out within a week" : ""}.`,
    );
  const now = (await site.provider.getBlock("latest"))?.timestamp ?? 0;
  if (now < ready)
    throw new Failure(
      `Nothing was sent. This upgrade of ${plan.proxy} can be carried out from ${dateOf(ready)} on, in ${waitOf(ready - now)}.`,
      "early",
      { ready, operation },
    );
  const scheduled = { ...stateOf(plan, "scheduled", next), operation, ready };
  const transaction = { from: upgrader, to: plan.address, data: call };
  if ((await sendAs(site, transaction)) === "not ours") return { ...scheduled, transaction };
  const current = await implementationOf(site.provider, plan.address);
  if (current !== next) throw new Failure(`The upgrade was mined, but ${plan.proxy} uses ${current}, not ${next}.`);
  return { ...scheduled, stage: "done", current, sent: 1 };
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function waitOf(seconds: number): string {
  if (seconds >= DAY) return `${Math.floor(seconds / DAY)} days ${Math.floor((seconds % DAY) / HOUR)} h`;
  if (seconds >= HOUR) return `${Math.floor(seconds / HOUR)} h ${Math.floor((seconds % HOUR) / MINUTE)} min`;
  return `${seconds} s`;
}
