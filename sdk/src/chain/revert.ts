import { isHexString } from "ethers";

import { CarepactError, isCarepactError } from "../errors";

import { errorSources } from "./interfaces";

/** What a contract said when it reverted. */
export interface Revert {
  /** Contract whose interface declares the error; absent when none does. */
  contract?: string;
  /** Name of the custom error, or `Error`, `Panic`, `Unknown`. */
  name: string;
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
  RefundTooLarge: "More than the payee received from the batch cannot be refunded.",
  TokenDeliveredOther: "The token did not deliver what it was asked for; tokens with a fee on transfer cannot be used.",
  ERC20InsufficientAllowance: "The escrow may not take that much: approve it first.",
  ERC20InsufficientBalance: "There are not enough tokens in the account.",
  AccessManagedUnauthorized: "This account has no role that allows it.",
};

/** Revert data somewhere in what ethers, a wallet or a node threw: they differ in where they put it. */
function revertDataOf(thrown: unknown, depth = 0): string | undefined {
  if (typeof thrown !== "object" || thrown === null || depth > 6) return undefined;
  const { data } = thrown as { data?: unknown };
  if (typeof data === "string" && isHexString(data)) return data;
  for (const key of ["data", "error", "info", "cause", "revert", "originalError"]) {
    const found = revertDataOf((thrown as Record<string, unknown>)[key], depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Reads revert data. */
export function parseRevert(data: string): Revert {
  for (const { contract, errors } of errorSources) {
    const parsed = errors.parseError(data);
    if (parsed === null) continue;
    const args = Object.fromEntries(
      parsed.fragment.inputs.map((input, i): [string, unknown] => [input.name || String(i), parsed.args[i]]),
    );
    const standard = parsed.name === "Error" || parsed.name === "Panic";
    return { ...(standard ? {} : { contract }), name: parsed.name, args };
  }
  return { name: "Unknown", args: { data } };
}

/** A revert as the error that the SDK throws; `details` hold contract, name and arguments. */
export function revertError(revert: Revert, cause?: unknown): CarepactError {
  const args = Object.entries(revert.args)
    .map(([name, value]) => `${name}: ${String(value)}`)
    .join(", ");
  const message = advice[revert.name] ?? "The contract refused this.";
  return new CarepactError(
    "CONTRACT_REVERTED",
    `${message} (${revert.name}${args && `: ${args}`})`,
    { ...revert },
    cause,
  );
}

/** Anything thrown by a call or transaction, as the SDK's own error. */
export function toCarepactError(thrown: unknown): CarepactError {
  if (isCarepactError(thrown)) return thrown;
  const data = revertDataOf(thrown);
  if (data !== undefined && data !== "0x") return revertError(parseRevert(data), thrown);
  const { code, shortMessage, message } = (thrown ?? {}) as {
    code?: unknown;
    shortMessage?: unknown;
    message?: unknown;
  };
  const text = [shortMessage, message, String(thrown)].find(
    (value) => typeof value === "string" && value !== "",
  ) as string;
  if (code === "ACTION_REJECTED" || code === 4001)
    return new CarepactError("USER_REJECTED", "The signature was refused in the wallet.", {}, thrown);
  if (code === "INSUFFICIENT_FUNDS")
    return new CarepactError("GAS_FUNDS_MISSING", "The account cannot pay for gas.", {}, thrown);
  return new CarepactError("TRANSACTION_FAILED", text, typeof code === "string" ? { code } : {}, thrown);
}
