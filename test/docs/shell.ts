import { readFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { join } from "node:path";

import hre from "hardhat";
// Hardhat 2 has no public way to read a command line as its own program does, nor to a second environment in one process.
import { ArgumentsParser } from "hardhat/internal/cli/ArgumentsParser";
import { HardhatContext } from "hardhat/internal/context";
import { HARDHAT_PARAM_DEFINITIONS } from "hardhat/internal/core/params/hardhat-params";
import { Environment } from "hardhat/internal/core/runtime-environment";
import type { NetworksConfig } from "hardhat/types";

import { publicNetworks } from "../../deploy/networks";

import type { Block } from "./page";

/** What a page says that a command ends with. Without a comment it is 0. */
const ENDS_WITH = /\s+# exit code (\d+)$/;
const EXPORTS = /^export ([A-Z][A-Z0-9_]*)=(.+)$/;
const HARDHAT = "npx hardhat ";
/** The one process that goes on; whoever starts this shell started it. */
const NODE = "npx anvil";

/** Runs the lines of `sh` blocks, and remembers what they wrote. */
export interface Shell {
  /** A block of commands, one a line. */
  run(block: Block): Promise<void>;
  /** A block of `text`: what the last block wrote, with … for what differs from run to run. */
  compare(block: Block): void;
  end(): void;
}

/**
 * A shell in the current folder, whose network `localhost` is the node at `url`.
 *
 * A process for each command would take three seconds, so that they run in this one: read by Hardhat's own parser of command lines, in an
 * environment of their own, as its program makes it. Two things differ from a terminal in a clone: Ignition's folder, with parameters and
 * journals, is a copy in the current folder, and `npx anvil` runs already. Lines that are neither these nor `export NAME=value` are errors.
 */
export async function startShell(url: string): Promise<Shell> {
  const folder = process.cwd();
  await cp(join(hre.config.paths.root, "deploy", "parameters"), join(folder, "deploy", "parameters"), {
    recursive: true,
  });
  const before = new Map<string, string | undefined>();
  let written = "";

  const exportValue = (name: string, value: string): void => {
    if (!before.has(name)) before.set(name, process.env[name]);
    process.env[name] = value;
  };
  const runLine = async (line: string): Promise<void> => {
    const [, name, value] = EXPORTS.exec(line) ?? [];
    if (name !== undefined && value !== undefined) return exportValue(name, substituted(value));
    if (line === NODE) return;
    if (!line.startsWith(HARDHAT)) throw new Error(`Nothing runs "${line}".`);
    const expected = Number(ENDS_WITH.exec(line)?.[1] ?? 0);
    const words = wordsOf(line.replace(ENDS_WITH, "").slice(HARDHAT.length));
    const { code, output } = await capturing(() => runHardhat(words, url, folder));
    written += output;
    if (code !== expected) throw new Error(`"${line}" ended with ${code}:\n${output}`);
  };
  return {
    run: async ({ text }) => {
      written = "";
      for (const line of joined(text)) await runLine(line);
    },
    compare: ({ text, line }) => {
      const pattern = text
        .trim()
        .split("…")
        .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
        .join("[^\\n]*");
      if (!new RegExp(`^${pattern}$`, "m").test(written))
        throw new Error(`Line ${line + 1}: that is not what was written:\n${written}`);
    },
    end: () => {
      for (const [name, value] of before)
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
    },
  };
}

/** Commands of a block: a backslash at the end goes on in the next line. */
const joined = (text: string): string[] =>
  text
    .replace(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line !== "");

/** A value, or what a file holds: `$(cat node.url)`. */
function substituted(value: string): string {
  const [, file] = /^"?\$\(cat ([\w./-]+)\)"?$/.exec(value) ?? [];
  return file === undefined ? value : readFileSync(file, "utf8").trim();
}

/** Words of a command line; quotes keep spaces. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, bare]) => double ?? single ?? bare ?? "");

/** What `npx hardhat` does with its arguments. */
async function runHardhat(words: string[], url: string, folder: string): Promise<void> {
  const parser = new ArgumentsParser();
  const { hardhatArguments, allUnparsedCLAs } = parser.parseHardhatArguments(
    HARDHAT_PARAM_DEFINITIONS,
    { ...hre.hardhatArguments, network: undefined },
    words,
  );
  const { tasksDSL, environmentExtenders, providerExtenders } = HardhatContext.getHardhatContext();
  const [tasks, scopes] = [tasksDSL.getTaskDefinitions(), tasksDSL.getScopesDefinitions()];
  const config = {
    ...hre.config,
    networks: networksOf(url),
    paths: { ...hre.config.paths, ignition: join(folder, "deploy") },
  };
  const environment = new Environment(
    config,
    hardhatArguments,
    tasks,
    scopes,
    environmentExtenders,
    hre.userConfig,
    providerExtenders,
  );
  const { scopeName, taskName, unparsedCLAs } = parser.parseScopeAndTaskNames(allUnparsedCLAs, tasks, scopes);
  const definition = tasksDSL.getTaskDefinition(scopeName, taskName);
  if (definition === undefined) throw new Error(`Hardhat has no task ${taskName}.`);
  await environment.run({ scope: scopeName, task: taskName }, parser.parseTaskArguments(definition, unparsedCLAs));
}

/** Networks as hardhat.config.ts makes them of the environment, which it does once a process. */
function networksOf(url: string): NetworksConfig {
  const { networks } = hre.config;
  const known = Object.entries(publicNetworks(process.env)).map(([name, given]) => [
    name,
    { ...networks[name], ...given },
  ]);
  return { ...networks, ...Object.fromEntries(known), localhost: { ...networks.localhost, url } } as NetworksConfig;
}

/** What a command writes, and the exit code that it leaves. */
async function capturing(command: () => Promise<void>): Promise<{ code: number; output: string }> {
  const streams = [process.stdout, process.stderr];
  const writes = streams.map((stream) => stream.write.bind(stream));
  let output = "";
  const before = process.exitCode;
  process.exitCode = 0;
  for (const stream of streams)
    stream.write = (chunk: string | Uint8Array): boolean => {
      output += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString();
      return true;
    };
  try {
    await command();
    return { code: Number(process.exitCode ?? 0), output };
  } finally {
    streams.forEach((stream, i) => (stream.write = writes[i] as typeof stream.write));
    process.exitCode = before;
  }
}
