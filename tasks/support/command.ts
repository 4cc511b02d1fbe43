import { TASK_COMPILE } from "hardhat/builtin-tasks/task-names";
import { task, types } from "hardhat/config";
import type { HardhatRuntimeEnvironment } from "hardhat/types";

import type { Call, Common, Ending } from "./call";

/** What a command does with a chain: each level may do what those before it may. */
export type Level = "offline" | "read" | "sign" | "send";

type Values<Name extends string, Flag extends string> = { [Key in Name]?: string } & { [Key in Flag]: boolean };

/** A command of the terminal. Texts end up in `--help`. */
export interface Spec<Name extends string, Flag extends string> {
  level: Level;
  /** One line to copy, without `npx hardhat`. */
  example: string;
  /**
   * Options with a value. None is required by Hardhat, whose refusals know neither `--json` nor exit codes: those that are
   * needed say so, and are asked for by the command itself.
   */
  options?: Readonly<Record<Name, string>>;
  flags?: Readonly<Record<Flag, string>>;
  /** Imported when it is called, since it needs what compiling generates, and hre, which does not exist while tasks load. */
  run: () => Promise<{ run: (call: Call, options: Values<Name, Flag>) => Promise<Ending> }>;
}

const json = { json: "End in one line with one JSON object" };
const reads = {
  deployment: "File with the deployment's addresses; the SDK's for this chain unless given",
  timeout: "How long to wait for the node, such as 30s; 5m unless given",
};
const signs = {
  keystore: "Encrypted JSON keystore of the account that signs; CAREPACT_KEYSTORE unless given",
  as: "On a local chain: number or address of an account of the node; elsewhere: an address to rehearse as, without its key",
};
const sends = { confirmations: "Blocks to wait for, that of the transaction counted; 1 unless given" };
const send = { send: "On a public chain: send the transaction; without this it is only rehearsed" };

const commonOptions: Record<Level, Record<string, string>> = {
  offline: {},
  read: reads,
  sign: { ...reads, ...signs },
  send: { ...reads, ...signs, ...sends },
};

/** Adds a command to Hardhat. */
export function command<Name extends string = never, Flag extends string = never>(
  name: string,
  says: string,
  { level, example, options, flags, run }: Spec<Name, Flag>,
): void {
  const definition = task(name, `${says}. Example: npx hardhat ${example}`);
  for (const [option, text] of Object.entries<string>({ ...options, ...commonOptions[level] }))
    definition.addOptionalParam(option, text, undefined, types.string);
  for (const [flag, text] of Object.entries<string>({ ...flags, ...(level === "send" ? send : {}), ...json }))
    definition.addFlag(flag, text);
  definition.setAction(async (values: Common & Values<Name, Flag>, hre) => {
    await compileOnce(hre);
    const { finish } = await import("./finish");
    await finish(hre, values, async (call) => (await run()).run(call, values));
  });
}

let compiled: Promise<unknown> | undefined;

/** The SDK needs what compiling generates. Once a process is enough, for scripts that run many commands. */
function compileOnce(hre: HardhatRuntimeEnvironment): Promise<unknown> {
  compiled ??= hre.run(TASK_COMPILE, { quiet: true });
  return compiled;
}
