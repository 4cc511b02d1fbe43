import { existsSync } from "node:fs";
import { join } from "node:path";

import { readDeploymentParameters } from "@nomicfoundation/hardhat-ignition/helpers";
import { getAddress, isHexString, ZeroAddress, type Provider } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types";

import { Failure } from "./failure";
import { roles } from "./roles";

/** Chain id of Hardhat's and anvil's own chains, which vanish; every other chain is public. */
export const LOCAL_CHAIN = 31337;

const DAY = 24 * 60 * 60;
const LEAST_PUBLIC_DELAY = 14 * DAY;
/** More is most likely milliseconds. */
const LONGEST_DELAY = 365 * DAY;

type Role = keyof typeof roles;
const roleNames = Object.keys(roles) as Role[];

/** Who gets which role, how long upgrades and governance wait (seconds), and whose reports of workflows are taken. */
export interface Parameters extends Record<Role, string> {
  governance: string;
  delay: number;
  /** Chainlink's Keystone forwarder; the zero address: nobody's reports are taken. */
  forwarder: string;
}

/** Where parameters are for, and who deploys with them; undefined where nobody does. */
interface Context {
  chainId: number;
  deployer: string | undefined;
}

const FILE_OF_LOCAL_NETWORKS = "localhost";

/** The file of a network's parameters. */
export function parametersFileOf(hre: HardhatRuntimeEnvironment, given?: string): string {
  if (given !== undefined) return given;
  const name = hre.network.name === "hardhat" ? FILE_OF_LOCAL_NETWORKS : hre.network.name;
  const folder = join(hre.config.paths.ignition, "parameters");
  const found = [`${name}.json5`, `${name}.json`].map((file) => join(folder, file)).find((file) => existsSync(file));
  if (found === undefined)
    throw new Failure(
      `There are no parameters for network ${name}: copy deploy/parameters/example.json5 to deploy/parameters/${name}.json5, and fill it in.`,
      "input",
    );
  return found;
}

/** Reads a file of parameters and checks them. @throws Failure that names everything that is wrong */
export async function readParameters(file: string, context: Context): Promise<Parameters> {
  if (!existsSync(file)) throw new Failure(`There is no file ${file}.`, "input");
  let read: Record<string, unknown>;
  try {
    read = await readDeploymentParameters(file);
  } catch (thrown) {
    throw new Failure(`${file} cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`, "input");
  }
  return checkParameters(read.Carepact, context);
}

/**
 * Parameters that are complete and safe to deploy with. What is left out belongs to the deployer on a local chain only; on a public
 * one the deployer gets nothing.
 */
export function checkParameters(given: unknown, { chainId, deployer }: Context): Parameters {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new Failure('The parameters have to be an object "Carepact": see deploy/parameters/example.json5.', "input");
  const isPublic = chainId !== LOCAL_CHAIN;
  const raw = given as Record<string, unknown>;
  const wrong: string[] = [];

  const known = ["governance", "delay", "forwarder", ...roleNames];
  for (const name of Object.keys(raw)) if (!known.includes(name)) wrong.push(`${name} is no parameter`);

  const account = (name: "governance" | Role): string => {
    const value = raw[name];
    if (value === undefined) {
      if (name !== "governance" && !isPublic && deployer !== undefined) return getAddress(deployer);
      wrong.push(`${name} is missing`);
      return ZeroAddress;
    }
    const address = addressIn(value);
    if (address === undefined) wrong.push(`${name} is no address, or its checksum is wrong: ${JSON.stringify(value)}`);
    else if (address === ZeroAddress) wrong.push(`${name} is the zero address`);
    else if (address === deployer && (isPublic || name === "governance"))
      wrong.push(`${name} is the deployer, who must end without power`);
    return address ?? ZeroAddress;
  };
  const governance = account("governance");
  const members = Object.fromEntries(roleNames.map((role) => [role, account(role)])) as Record<Role, string>;

  const delay = raw.delay ?? LEAST_PUBLIC_DELAY;
  if (typeof delay !== "number" || !Number.isSafeInteger(delay) || delay <= 0)
    wrong.push("delay is no whole number of seconds above zero");
  else if (isPublic && delay < LEAST_PUBLIC_DELAY)
    wrong.push(`delay is ${delay} seconds, a public chain needs at least 14 days (${LEAST_PUBLIC_DELAY})`);
  else if (delay > LONGEST_DELAY) wrong.push(`delay is ${delay} seconds, more than a year`);

  const forwarder = raw.forwarder === undefined ? ZeroAddress : addressIn(raw.forwarder);
  if (forwarder === undefined)
    wrong.push(`forwarder is no address, or its checksum is wrong: ${JSON.stringify(raw.forwarder)}`);
  // Who wants none says nothing, so that nobody deploys the form with its zeros.
  else if (raw.forwarder !== undefined && forwarder === ZeroAddress)
    wrong.push("forwarder is the zero address: leave it out for none");

  if (wrong.length > 0)
    throw new Failure(`Nothing was sent. These parameters are wrong: ${wrong.join("; ")}.`, "input", { wrong });
  return { governance, ...members, delay: delay as number, forwarder: forwarder as string };
}

/** Refuses a forwarder that is no contract: whoever has such an account's key could report what it likes. @throws Failure */
export async function requireForwarder(provider: Provider, { forwarder }: Parameters): Promise<void> {
  if (forwarder === ZeroAddress || (await provider.getCode(forwarder)) !== "0x") return;
  const wrong = [`forwarder is no contract on this chain: ${forwarder}`];
  throw new Failure(`Nothing was sent. These parameters are wrong: ${wrong.join("; ")}.`, "input", { wrong });
}

function addressIn(value: unknown): string | undefined {
  // getAddress also takes ICAP and no prefix; in a file that people compare by eye there is one form.
  if (typeof value !== "string" || !isHexString(value, 20)) return undefined;
  try {
    return getAddress(value);
  } catch {
    return undefined;
  }
}
