import { inspect, styleText } from "node:util";

import type { HardhatRuntimeEnvironment } from "hardhat/types";

import { CarepactError, decodeError } from "@carepact/sdk";

import type { Call, Common, Ending } from "./call";
import { exitCodeOf } from "./exitCodes";
import { printable } from "./printable";
import { redacted, redactedValue } from "./secrets";

/** JSON of a result, without secrets: bigints as decimal strings, since JSON has no room for them. */
const asJson = (value: unknown): string =>
  JSON.stringify(value, (_key, entry: unknown) => {
    if (typeof entry === "bigint") return entry.toString();
    return typeof entry === "string" ? redactedValue(entry) : entry;
  });

/** Writes a line of results, without secrets. */
export const toStdout = (line: string): void => void process.stdout.write(`${printable(redacted(line))}\n`);
/** Writes a result as one line of JSON, without secrets. */
export const jsonToStdout = (value: unknown): void => void process.stdout.write(`${printable(asJson(value))}\n`);
/** Writes a line of progress, or of what went wrong, without secrets. */
export const toStderr = (line: string): void => void process.stderr.write(`${printable(redacted(line))}\n`);

/** Runs a command, and ends it in words, or in one line of JSON; failures too. Progress and messages go to stderr. */
export async function finish(
  hre: HardhatRuntimeEnvironment,
  common: Common,
  command: (call: Call) => Promise<Ending>,
): Promise<void> {
  const call: Call = {
    hre,
    common,
    tell: toStderr,
    emit: (line, json) => (common.json ? jsonToStdout(json) : toStdout(line)),
  };
  try {
    const { lines, json, exitCode = 0 } = await command(call);
    if (common.json) jsonToStdout({ ok: exitCode === 0, ...json });
    else for (const line of lines) toStdout(line);
    process.exitCode = exitCode;
  } catch (thrown) {
    const error = tellError(hre, thrown);
    if (common.json) jsonToStdout({ ok: false, error });
    process.exitCode = exitCodeOf(error);
  }
}

/** Says on stderr what went wrong. */
export function tellError({ hardhatArguments }: HardhatRuntimeEnvironment, thrown: unknown): CarepactError {
  const error = errorOf(thrown);
  process.stderr.write(`${inRed("Error:")} `);
  toStderr(error.message);
  // Hardhat's own flag, which commands cannot have a second time.
  if (hardhatArguments.verbose) inspect(error, { depth: 4 }).split("\n").forEach(toStderr);
  else if (error.cause !== undefined) toStderr("--verbose shows what is behind it.");
  return error;
}

/** Hardhat's numbers for a node that does not answer, and for one on another chain than configured. */
const UNREACHABLE = /\bHH(108|109|110):/;
const OTHER_CHAIN = /\bHH101:/;

/** What was thrown, as the SDK and Hardhat mean it. */
export function errorOf(thrown: unknown): CarepactError {
  const error = decodeError(thrown);
  const says = `${error.message} ${String((thrown as Error | undefined)?.message)}`;
  const as = (code: "NODE_UNREACHABLE" | "CHAIN_MISMATCH"): CarepactError =>
    new CarepactError(code, error.message, error.details, thrown);
  if (UNREACHABLE.test(says)) return as("NODE_UNREACHABLE");
  return OTHER_CHAIN.test(says) ? as("CHAIN_MISMATCH") : error;
}

const inRed = (text: string): string =>
  process.stderr.isTTY && process.env["NO_COLOR"] === undefined ? styleText("red", text) : text;
