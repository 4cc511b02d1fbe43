import { spawn, type ChildProcess } from "node:child_process";

import { lastLine, type Ended } from "./support";

/** The real terminal's Hardhat, as a process of its own. */
export interface Started {
  child: ChildProcess;
  /** When it has written a line that fits. */
  says: (pattern: RegExp) => Promise<void>;
  ended: Promise<Ended>;
}

/** Starts a command on the node of `url`, with no key but those of `environment`. */
export function start(
  url: string,
  args: readonly string[],
  { environment = {}, input }: { environment?: NodeJS.ProcessEnv; input?: string } = {},
): Started {
  const bare = Object.entries(process.env).filter(([name]) => !name.startsWith("CAREPACT_"));
  const child = spawn("node_modules/.bin/hardhat", ["--network", "localhost", ...args], {
    env: { ...Object.fromEntries(bare), CAREPACT_RPC_URL: url, ...environment },
    stdio: "pipe",
  });
  child.stdin.end(input);
  let stdout = "";
  let stderr = "";
  const waiting = new Set<() => void>();
  const noted = (): void => waiting.forEach((look) => look());
  child.stdout.on("data", (chunk) => ((stdout += String(chunk)), noted()));
  child.stderr.on("data", (chunk) => ((stderr += String(chunk)), noted()));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? -1, stdout, stderr, json: lastLine(stdout) }));
  });
  const says = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (pattern.test(stdout + stderr)) resolve();
      };
      waiting.add(look);
      look();
      void ended.then(() => reject(new Error(`It ended without saying ${String(pattern)}: ${stdout}${stderr}`)));
    });
  return { child, says, ended };
}

/** Runs a command to its end. */
export const runs = (...args: Parameters<typeof start>): Promise<Ended> => start(...args).ended;
