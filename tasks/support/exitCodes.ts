import type { CarepactError, ErrorCode } from "@carepact/sdk";

/**
 * What a command ends with.
 * - `ok`: done, or there was nothing to do.
 * - `refused`: a contract, a wallet or the node refused, the transaction failed, or whatever else went wrong.
 * - `input`: the call itself, a file or a key is wrong; nothing was sent.
 * - `network`: the node does not answer as it should; nothing was sent, and the same may work later.
 * - `notOk`: a check says no: a batch is no guarantee, a deployment is not as it should be, a grant does not permit, a log is not whole,
 *   an event was attested before, a workflow reported something else.
 * - `early`: too early for what a delay holds back; nothing was sent.
 * - `unknown`: a transaction was sent, or may have been, and the command does not know that all is done: whoever does the same again
 *   without looking may do it twice.
 * - `interrupted`: `batch:watch` only: ended before what it waited for.
 *
 * Hardhat itself ends with 1 when an option is unknown, before any command is asked.
 */
export const exitCodes = {
  ok: 0,
  refused: 1,
  input: 2,
  network: 3,
  notOk: 4,
  early: 5,
  unknown: 6,
  interrupted: 130,
} as const;

const inputs =
  /^(AMOUNT|CLAIM|FILE|GROUPS|KEY|RESULTS|CONTACTS?|CONSENT|AUDIT_EVENT)_|^(GRANT|MANDATE|ACCESS_\w+)_MALFORMED$|^(ACCESS_PROOF_INVALID|ACCESS_RECEIPT_INVALID|AUTHORIZATION_EXPIRED|CODE_UNKNOWN|CONTROLLER_USED_BEFORE|GRANT_WRONG_REGISTRY|MANDATE_TOO_WIDE|MINOR_RULES_INVALID|NOT_CONTROLLER|PATIENT_ALREADY_REGISTERED|PATIENT_OF_AGE|PATIENT_UNKNOWN|SIGNATURE_INVALID|CURRENCY_MISMATCH|INPUT_INVALID|IDENTIFIER_INVALID|PAYEE_UNKNOWN|TOKEN_UNREADABLE|PAYEE_KEY_MISSING|BATCH_EMPTY|BATCH_TOO_LARGE|BATCH_TERMS_INVALID|SEALED_UNREADABLE|PARTIAL_AMOUNT_INVALID|EVENT_INVALID|EVENT_NOT_OPENED|LEDGER_UNREADABLE|RULEBOOK_INVALID|EQUIVOCATION_NOT_SHOWN|PATIENT_SIGNER_MISSING|PATIENT_KEY_REUSED|CURSOR_INVALID|RUNNER_CANNOT_SIGN|CHAIN_MISMATCH|CONTRACT_MISSING)$/;
const networks: readonly ErrorCode[] = ["NODE_UNREACHABLE", "RATE_LIMITED", "NODE_INCONSISTENT", "TIMED_OUT"];

/** Refusals of what was scheduled, or begun, and still waits. */
const EARLY: readonly (string | undefined)[] = ["AccessManagerNotReady", "RecoveryNotReady"];

/**
 * Whether a transaction may be on its way, or mined, for all that an error says. A block in its details is that of a receipt, which says
 * that the transaction failed.
 */
export function isOutcomeUnknown({ code, txHash, details }: CarepactError): boolean {
  if (code === "ALREADY_SENT" || details["mayBeSent"] === true) return true;
  return txHash !== undefined && details["blockNumber"] === undefined;
}

export function exitCodeOf(error: CarepactError): number {
  const { code, name } = error;
  if (isOutcomeUnknown(error)) return exitCodes.unknown;
  if (EARLY.includes(name)) return exitCodes.early;
  if (code === "EVENT_ALREADY_ATTESTED") return exitCodes.notOk;
  if (inputs.test(code)) return exitCodes.input;
  return networks.includes(code) ? exitCodes.network : exitCodes.refused;
}
