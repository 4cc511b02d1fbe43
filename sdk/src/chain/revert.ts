import { isHexString } from "ethers";

import { CarepactError, isCarepactError } from "../errors";

import { errorSources } from "./interfaces";

/** What a contract said when it reverted. */
export interface Revert {
  /** Contract whose interface declares the error; absent when none does. */
  contract?: string;
  /** Name of the custom error, or `Error`, `Panic`, `Unknown`. */
  name: string;
  /** By name: those of a custom error, `message` of `Error`, `code` of `Panic`, `data` of what is unknown. */
  args: Record<string, unknown>;
}

/** What to do about the errors that people meet most; the others are shown by name and arguments. */
const advice: Record<string, string> = {
  FreeBalanceTooSmall: "The pool does not cover the batch: deposit more, or fund less.",
  CreditTooSmall: "There is not that much credit to pay out.",
  PayerNotInStanding: "The payer is not registered, or is suspended: ask the credentialing office.",
  ClaimBatchAlreadyFunded: "This batch was funded before; nothing was paid twice.",
  ClaimBatchUnknown: "No such batch was funded in this escrow on this chain.",
  GroupsDoNotSum: "The groups do not sum to the batch's total.",
  GroupsMismatch: "The groups are not those of the batch: the file was changed.",
  LinesProofInvalid: "The line amounts are not those of the batch: the file was changed.",
  LinesDoNotSum: "The line amounts do not sum to the group's subtotal, so that its lines cannot settle one by one.",
  RulebookIsSuspended: "The rulebook is suspended: its deadlines stand still until it resumes.",
  RulebookUnknown: "The rulebook was not published here.",
  PausedUntil: "The protocol is paused; withdrawals and payouts still work. Try again later.",
  AttestationTooLate: "The time for attestations has passed: what is open returns to the payer.",
  AttestationExpired: "The attestation is no longer valid: ask the attesters for a new one.",
  AttestationFromFuture: "The attestation was observed at a time that is still to come: check the attesters' clocks.",
  SignatureCountWrong: "The rulebook asks for another number of signatures.",
  SignersNotAscending: "Signatures repeat a signer, or are out of order.",
  NotAttester: "A signature is not of an attester of the rulebook, or the attestation was changed after signing.",
  ReclaimTooEarly: "The lines can still be attested: reclaim them later.",
  ReclaimWhileStopped: "Nothing can be reclaimed while settlement is stopped.",
  LineNotOpen: "The line was settled or reversed before.",
  PaymentsMismatch: "More of the batch was paid in the meantime: prepare the refund anew.",
  RefundTooLarge: "More than the payee received from the batch cannot be refunded.",
  TokenDeliveredOther: "The token did not deliver what it was asked for; tokens with a fee on transfer cannot be used.",
  ERC20InsufficientAllowance: "The escrow may not take that much: approve it first.",
  ERC20InsufficientBalance: "There are not enough tokens in the account.",
  AccessManagedUnauthorized: "This account has no role that allows it.",
};

/** Names for the arguments of Solidity's own errors, which have none. */
const builtin: Record<string, string> = { Error: "message", Panic: "code" };

/** Where nodes, wallets and libraries put what they wrap. */
const WRAPPERS = ["data", "error", "info", "cause", "originalError"];

/** What was thrown and everything it wraps, from the outside in. */
function layersOf(thrown: unknown, seen = new Set<unknown>()): Record<string, unknown>[] {
  if (typeof thrown !== "object" || thrown === null || seen.has(thrown)) return [];
  seen.add(thrown);
  const layer = thrown as Record<string, unknown>;
  return [layer, ...WRAPPERS.flatMap((key) => layersOf(layer[key], seen))];
}

const SELECTOR_BYTES = 4;

const isRevertData = (data: unknown): data is string =>
  typeof data === "string" && isHexString(data) && data.length % 2 === 0 && data.length >= 2 + 2 * SELECTOR_BYTES;

/** Reads revert data. */
export function parseRevert(data: string): Revert {
  for (const { contract, errors } of errorSources) {
    try {
      const parsed = errors.parseError(data);
      if (parsed === null) continue;
      const standard = builtin[parsed.name];
      const args = Object.fromEntries(
        parsed.fragment.inputs.map((input, i): [string, unknown] => [
          input.name || (standard ?? String(i)),
          parsed.args[i],
        ]),
      );
      return { ...(standard === undefined ? { contract } : {}), name: parsed.name, args };
    } catch {
      // The selector of an error, but not its arguments: some other contract's data.
    }
  }
  return { name: "Unknown", args: { data } };
}

const MOST_SHOWN = 130;

/** A revert as the error that the SDK throws; `details` hold contract, name and arguments. */
export function revertError(revert: Revert, cause?: unknown): CarepactError {
  const args = Object.entries(revert.args)
    .map(([name, value]) => `${name}: ${String(value)}`)
    .map((text) => (text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text))
    .join(", ");
  const message = advice[revert.name] ?? "The contract refused this.";
  return new CarepactError(
    "CONTRACT_REVERTED",
    `${message} (${revert.name}${args && `: ${args}`})`,
    { ...revert },
    cause,
  );
}

/** EIP-1193: the user rejected the request. */
const USER_REJECTED = 4001;

const FUNDS_MISSING = /insufficient funds|(doesn't|does not) have enough funds/i;

/** ethers' codes for arguments that cannot be encoded, or are names where there is no ENS to look them up. */
const INVALID_INPUT = ["INVALID_ARGUMENT", "NUMERIC_FAULT", "UNCONFIGURED_NAME"];

/** Anything thrown by a call or transaction, as the SDK's own error. */
export function decodeError(thrown: unknown): CarepactError {
  if (isCarepactError(thrown)) return thrown;
  const layers = layersOf(thrown);
  const data = layers.map((layer) => layer["data"]).find(isRevertData);
  if (data !== undefined) return revertError(parseRevert(data), thrown);
  if (layers.some(({ code }) => code === "ACTION_REJECTED" || code === USER_REJECTED))
    return new CarepactError("USER_REJECTED", "The signature was refused in the wallet.", {}, thrown);
  if (layers.some(({ code, message }) => code === "INSUFFICIENT_FUNDS" || FUNDS_MISSING.test(String(message))))
    return new CarepactError("GAS_FUNDS_MISSING", "The account cannot pay for gas.", {}, thrown);

  const { code, shortMessage, message, argument, value } = layers[0] ?? {};
  const text =
    [shortMessage, message, thrown].find((words): words is string => typeof words === "string" && words !== "") ??
    "The call failed, and nothing says why.";
  const known = typeof code === "string" || typeof code === "number" ? { code } : {};
  if (typeof code === "string" && INVALID_INPUT.includes(code))
    return new CarepactError("INPUT_INVALID", `${text}.`, { ...known, path: argument ?? null }, thrown);
  if (code === "BAD_DATA" && value === "0x")
    return new CarepactError("CONTRACT_MISSING", "There is no such contract at this address.", known, thrown);
  return new CarepactError("TRANSACTION_FAILED", text, known, thrown);
}
