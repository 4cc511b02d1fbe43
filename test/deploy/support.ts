import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { EIP1193Provider } from "@nomicfoundation/ignition-core";
import { JsonRpcProvider } from "ethers";
import hre from "hardhat";

import { embeddedChain } from "../../deploy/provider";
import { siteOf, type Site, type SiteOptions } from "../../deploy/site";

export const DAY = 24 * 60 * 60;
/** Osaka's most for one transaction (EIP-7825). */
export const MOST_GAS = 16_777_216n;
/** Transactions of the whole system. */
export const TRANSACTIONS = 39;

const folders: string[] = [];
/** An empty folder, which goes when the tests end. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "carepact-"));
  folders.push(folder);
  return folder;
}
process.once("exit", () => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A site on a chain in this process, with a journal and a file of deployments of its own. */
export async function embeddedSite(options: SiteOptions = {}, chainId = 31337, node?: EIP1193Provider): Promise<Site> {
  const folder = emptyFolder();
  const places = { journal: join(folder, "journal"), record: join(folder, "deployments.json"), ...options };
  return siteOf(hre, places, () => undefined, node ?? (await embeddedChain(hre, chainId)));
}

/** A file of parameters. */
export function parametersFile(parameters: Record<string, unknown>): string {
  const file = join(emptyFolder(), "parameters.json");
  writeFileSync(file, JSON.stringify({ Carepact: parameters }));
  return file;
}

/** Lets time pass on a chain. */
export async function pass(node: EIP1193Provider, seconds: number): Promise<void> {
  await node.request({ method: "evm_increaseTime", params: [seconds] });
  await node.request({ method: "evm_mine", params: [] });
}

/** What was thrown. */
export async function thrownBy<Thrown = Error>(work: Promise<unknown>): Promise<Thrown> {
  return work.then(
    () => {
      throw new Error("Nothing was thrown.");
    },
    (thrown: unknown) => thrown as Thrown,
  );
}

/** A port that nobody uses. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

export interface Anvil {
  url: string;
  provider: JsonRpcProvider;
  stop(): Promise<void>;
}

/** anvil, a process of its own. */
export async function startAnvil(...options: string[]): Promise<Anvil> {
  const port = await freePort();
  const bin = join(hre.config.paths.root, "node_modules", ".bin", "anvil");
  const child = spawn(bin, ["--port", String(port), "--hardfork", "osaka", ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise<void>((listening, reject) => {
    child.once("error", reject);
    child.once("exit", () => reject(new Error("anvil ended before it listened.")));
    child.stdout.on("data", (text: Buffer) => text.includes("Listening") && listening());
  });
  const url = `http://127.0.0.1:${port}`;
  const provider = new JsonRpcProvider(url, undefined, { cacheTimeout: -1, pollingInterval: 20 });
  return {
    url,
    provider,
    stop: async () => {
      provider.destroy();
      child.removeAllListeners("exit");
      const ended = new Promise((done) => child.once("exit", done));
      child.kill();
      await ended;
    },
  };
}

/** Where in the way of a transaction its sender is killed. */
export type Moment = "before it is sent" | "before its answer comes";

/** A node's front door that kills who sends. */
export interface Door {
  url: string;
  /** The process that sends is killed at its n-th transaction from now on; without a number it lives. */
  killAt(nth: number, moment: Moment, victim: () => ChildProcess | undefined): void;
  close(): Promise<void>;
}

const SENDS = /"method":\s*"eth_send(Raw)?Transaction"/;

/** Passes everything on to a node, and counts what is sent. */
export async function startDoor(target: string): Promise<Door> {
  let left = 0;
  let moment: Moment = "before it is sent";
  let victim = (): ChildProcess | undefined => undefined;
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const isLast = SENDS.test(body) && left > 0 && --left === 0;
      if (isLast && moment === "before it is sent") return void victim()?.kill("SIGKILL");
      void fetch(target, { method: "POST", body, headers: { "content-type": "application/json" } })
        .then((answer) => answer.text())
        .then((text) => {
          if (isLast) return void victim()?.kill("SIGKILL");
          response.setHeader("content-type", "application/json");
          response.end(text);
        });
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    killAt: (nth, when, whom) => {
      left = nth;
      moment = when;
      victim = whom;
    },
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Runs `hardhat` as people do. @param started Is told the process as soon as there is one. */
export function hardhat(
  args: string[],
  url: string,
  started: (child: ChildProcess) => void = () => undefined,
): Promise<Ended> {
  const cli = join(hre.config.paths.root, "node_modules", "hardhat", "internal", "cli", "bootstrap.js");
  const child = spawn(process.execPath, [cli, ...args, "--network", "localhost"], {
    cwd: hre.config.paths.root,
    env: { ...process.env, CAREPACT_RPC_URL: url, HARDHAT_NETWORK: "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  started(child);
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (text: Buffer) => (stdout += text.toString()));
  child.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

/** The JSON object in the last line that a command wrote. */
export const jsonOf = ({ stdout }: Ended): Record<string, unknown> =>
  JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Record<string, unknown>;
