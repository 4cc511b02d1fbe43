import { AbiCoder, ErrorFragment, dataSlice, isHexString } from "ethers";

import { CarepactError } from "../errors";
import { contractErrors } from "../errors/contractErrors";

/** What a contract said when it reverted. */
export interface Revert {
  /** Contract that declares the error; absent when none does, or several do. */
  contract?: string;
  /** Name of the custom error, or `Error`, `Panic`, `Unknown`. */
  name: string;
  /** By name: those of a custom error, `message` of `Error`, `code` of `Panic`, `data` of what is unknown. */
  args: Record<string, unknown>;
}

interface KnownError {
  contract: string | undefined;
  fragment: ErrorFragment;
}

const known = (signature: string, contract?: string): KnownError => ({
  contract,
  fragment: ErrorFragment.from(`error ${signature}`),
});

/** By selector. Made when it is first needed: most pages never see an error. */
let knownErrors: Map<string, KnownError> | undefined;

function knownErrorOf(data: string): KnownError | undefined {
  knownErrors ??= new Map(
    [
      known("Error(string message)"),
      known("Panic(uint256 code)"),
      ...Object.entries(contractErrors).flatMap(([contract, errors]) =>
        Object.keys(errors).map((signature) => known(signature, contract || undefined)),
      ),
    ].map((error) => [error.fragment.selector, error]),
  );
  return knownErrors.get(data.slice(0, SELECTOR_CHARS).toLowerCase());
}

const SELECTOR_CHARS = 2 + 2 * 4;
/** Longest data that is decoded: 64 KiB. No error of ours comes near, and megabytes take their time. */
const LONGEST = 2 + 2 * 65_536;

/** Contracts that encode by hand leave out the zeros behind a text. */
const LOOSE = true;

/** Whether it may be what a contract reverted with. */
export const isRevertData = (data: unknown): data is string =>
  typeof data === "string" && isHexString(data) && data.length % 2 === 0 && data.length >= SELECTOR_CHARS;

/** @internal The revert that data stands for, unless its error is unknown. */
export function knownRevertOf(data: string): Revert | undefined {
  if (data.length > LONGEST || !isRevertData(data)) return undefined;
  const error = knownErrorOf(data);
  if (error === undefined) return undefined;
  const { contract, fragment } = error;
  try {
    const values = AbiCoder.defaultAbiCoder().decode(fragment.inputs, dataSlice(data, 4), LOOSE);
    const args = Object.fromEntries(fragment.inputs.map(({ name }, i) => [name, values[i] as unknown]));
    return { ...(contract === undefined ? {} : { contract }), name: fragment.name, args };
  } catch {
    // The selector of an error, but not its arguments: some other contract's data.
    return undefined;
  }
}

/** Reads revert data. */
export const parseRevert = (data: string): Revert => knownRevertOf(data) ?? { name: "Unknown", args: { data } };

/** Solidity's panics in plain words: what went wrong in the contract. */
const panics: Record<string, string> = {
  "1": "something that always holds did not",
  "17": "a number left its range",
  "18": "it divided by zero",
  "33": "a value is none of those that it may be",
  "34": "its storage is damaged",
  "49": "it took from an empty list",
  "50": "it looked beyond the end of a list",
  "65": "it asked for too much memory",
  "81": "it called a function that was not set",
};

/** What to tell the user. */
function adviceOn({ name, args }: Revert): string {
  if (name === "Error") return "A contract refused, in its own words.";
  if (name === "Panic")
    return `A contract failed by a fault of its own: ${panics[String(args["code"])] ?? "no known one"}.`;
  if (name !== "Unknown") return adviceByName(name);
  return args["data"] === "0x"
    ? "A contract refused without a reason."
    : "A contract refused, for a reason unknown here.";
}

const adviceByName = (name: string): string => {
  for (const errors of Object.values(contractErrors))
    for (const [signature, advice] of Object.entries(errors)) if (signature.startsWith(`${name}(`)) return advice;
  return "The contract refused this.";
};

const MOST_SHOWN = 130;

/** A revert as the error that the SDK throws. */
export function revertError(revert: Revert, cause?: unknown, txHash?: string): CarepactError {
  const args = Object.entries(revert.args)
    .map(([name, value]) => `${name}: ${String(value)}`)
    .map((text) => (text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text))
    .join(", ");
  return new CarepactError(
    "CONTRACT_REVERTED",
    `${adviceOn(revert)} (${revert.name}${args && `: ${args}`})`,
    {},
    cause,
    { ...revert, txHash },
  );
}
