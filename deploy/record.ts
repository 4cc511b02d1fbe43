import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { HardhatRuntimeEnvironment } from "hardhat/types";

import type { Deployment } from "@carepact/sdk";

import { Failure } from "./failure";

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

/** Writes a deployment into a file, in the order of chain ids. Says whether that changed anything. */
export async function recordDeployment(file: string, deployment: Deployment): Promise<boolean> {
  const deployments = await read(file);
  const text = `${JSON.stringify({ ...deployments, [deployment.chainId]: deployment }, null, 2)}\n`;
  if (existsSync(file) && (await readFile(file, "utf8")) === text) return false;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  return true;
}
