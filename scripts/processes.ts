import { spawn } from "node:child_process";
import { join } from "node:path";

/** Root of the repository. */
export const ROOT = join(__dirname, "..");

/** How a command ended. */
export interface Outcome {
  /** Exit code; 1 when a signal ended it. */
  readonly code: number;
  /** All that it wrote to stdout, without colours. */
  readonly output: string;
  /** How long it took. */
  readonly seconds: number;
}

/** Removes the escape sequences that colour a terminal. */
// eslint-disable-next-line no-control-regex -- ESC is what such a sequence starts with.
const withoutColours = (text: string): string => text.replace(/\u001b\[[0-9;]*m/g, "");

/**
 * Runs a command that npm installed and shows what it writes while it runs.
 * @param command Name in node_modules/.bin.
 * @param options.env Added to this process's environment.
 * @param options.cwd Where it runs; in the root unless given.
 * @param options.silent Shows nothing but what goes to stderr.
 * @throws When the command cannot be started, that is, before `npm ci`.
 */
export async function run(
  command: string,
  args: readonly string[],
  { env = {}, cwd = ROOT, silent = false }: { env?: Record<string, string>; cwd?: string; silent?: boolean } = {},
): Promise<Outcome> {
  const started = Date.now();
  const colours: Record<string, string> = process.stdout.isTTY ? { FORCE_COLOR: "1" } : {};
  const child = spawn(join(ROOT, "node_modules", ".bin", command), args, {
    cwd,
    env: { ...process.env, ...colours, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (!silent) process.stdout.write(text);
  });
  const code = await new Promise<number>((resolve, reject) => {
    child.on("error", reject).on("close", (code) => resolve(code ?? 1));
  });
  return { code, output: withoutColours(output), seconds: (Date.now() - started) / 1_000 };
}

/**
 * Runs a script's main function and makes its answer the exit code.
 * @param main Says whether all is well.
 */
export function exitWith(main: () => Promise<boolean>): void {
  main().then(
    (ok) => void (process.exitCode = ok ? 0 : 1),
    (error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    },
  );
}
