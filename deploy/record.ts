import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { HardhatRuntimeEnvironment } from "hardhat/types";

import type { Deployment } from "@carepact/sdk";

import { Failure } from "./failure";
import { writeWhole } from "./files";

type Deployments = Record<string, Deployment>;

/** Where the SDK has its deployments from. */
export const recordOf = (hre: HardhatRuntimeEnvironment): string =>
  join(hre.config.paths.root, "sdk", "src", "deployments", "deployments.json");

async function read(file: string): Promise<Deployments> {
  if (!existsSync(file)) return {};
  try {
    return JSON.parse(await readFile(file, "utf8")) as Deployments;
  } catch (thrown) {
    throw new Failure(`${file} cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`, "input");
  }
}

/** The deployment that a file has for a chain. */
export const recordedDeployment = async (file: string, chainId: number): Promise<Deployment | undefined> =>
  (await read(file))[chainId];

const addressesOf = ({ startBlock: _, ...addresses }: Deployment): string =>
  JSON.stringify(Object.entries(addresses).sort());

/**
 * Refuses to give up the addresses that a file has for a chain, where money may be: by them alone everybody finds it.
 * @throws Failure
 */
export async function requireNoOther(file: string, deployment: Deployment): Promise<void> {
  const known = await recordedDeployment(file, deployment.chainId);
  if (known !== undefined && addressesOf(known) !== addressesOf(deployment)) throw otherDeployment(file, known);
}

/** @internal */
export const otherDeployment = (file: string, { chainId, claimEscrow }: Deployment): Failure =>
  new Failure(
    `${file} has another deployment on chain ${chainId}, whose escrow is ${claimEscrow}: go on with its journal, name another file by ` +
      "--record, or say --replace to give it up.",
    "input",
  );

/**
 * Writes a deployment into a file, in the order of chain ids. Says whether that changed anything.
 * @param replace Whether to give up another deployment on its chain.
 */
export async function recordDeployment(file: string, deployment: Deployment, replace: boolean): Promise<boolean> {
  if (!replace) await requireNoOther(file, deployment);
  const deployments = await read(file);
  const text = `${JSON.stringify({ ...deployments, [deployment.chainId]: deployment }, null, 2)}\n`;
  if (existsSync(file) && (await readFile(file, "utf8")) === text) return false;
  await writeWhole(file, text);
  return true;
}
