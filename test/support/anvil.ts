import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { JsonRpcProvider } from "ethers";

/** A second real client: anvil, as a process of its own. */
export interface Anvil {
  url: string;
  /** Asks at once and keeps no answer, so that a test sees what the node says now. */
  provider: JsonRpcProvider;
  stop(): Promise<void>;
}

/** Starts an empty chain 31337 on a free port; stop it after the tests. */
export async function startAnvil(args: readonly string[] = []): Promise<Anvil> {
  const anvil = spawn("node_modules/.bin/anvil", ["--port", "0", "--hardfork", "osaka", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => anvil.once("exit", () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(anvil.stdout).on("line", (line) => {
      const [, address] = /^Listening on (\S+)$/.exec(line) ?? [];
      if (address !== undefined) resolve(`http://${address}`);
    });
    anvil.once("error", reject);
    anvil.once("exit", (code) => reject(new Error(`anvil ended with ${code} before it listened.`)));
  });
  const provider = new JsonRpcProvider(url, undefined, { cacheTimeout: -1, pollingInterval: 50, batchMaxCount: 1 });
  return {
    url,
    provider,
    stop: async () => {
      provider.destroy();
      anvil.kill();
      await ended;
    },
  };
}
