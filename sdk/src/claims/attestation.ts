import {
  getAddress,
  hexlify,
  isHexString,
  randomBytes,
  type ContractRunner,
  type TypedDataDomain,
  type TypedDataField,
} from "ethers";

import { accountOf, chainTimeOf } from "../chain/deployment";
import { within, type CallOptions } from "../chain/options";
import { decodeError } from "../chain/decodeError";
import { CarepactError } from "../errors";
import type { PatientSigner, TypedMessage } from "../signers";

import { patientKeysIn } from "./attesters/signed";
import { isAccount } from "./attesters/verify";
import { openedGroupsOf, publicPartOf, type BatchSource } from "./batchSource";
import { resultShapeOf, type PatientKey } from "./file";
import { decodeResults, encodeResults, type GroupResult } from "./results";
import { escrowDomain, escrowTypes, type AttestationStatement, type EscrowRef } from "./types";

/** Shows that a signer is the patient of a line, or a representative: its key's opening against `manifestRoot`. */
export interface PatientLine extends Omit<PatientKey, "signer"> {
  /** Index of the line in the batch. */
  line: number;
}

/** What one attester, payee or patient says under its signature. JSON as it is. */
export interface Attestation extends AttestationStatement {
  /** ERC-7913 signer in hex: the address of an account or wallet contract, or a verifier and a key. */
  signer: string;
  /** Over the EIP-712 statement, as the signer's kind of key signs: of an account 65 bytes (r, s, v). */
  signature: string;
  /** Lines for which the signer speaks as the patient. Not signed itself: the batch commits to it. */
  patient?: PatientLine[];
}

/** When and on what an attester looked. */
export interface StatementOptions {
  /** Unix seconds. Unless given: the time of the chain's newest block, or of this machine without a provider. */
  observedAt?: number;
  /**
   * Last moment at which the attestation may settle, unix seconds. Unless given, the latest at which the batch can settle
   * at all, however long it is stopped: an attestation that ran out during a pause would be lost with its attesters.
   */
  validUntil?: number;
  /** Salted commitment to what was seen; random unless given. Attesters who sign together use the same. */
  evidence?: string;
}

/** When and on what an attester looked, and what it signs with. */
export interface AttestOptions extends StatementOptions, CallOptions {
  /** A key of `@carepact/sdk/signers`: a wallet contract, a key in hardware, a passkey. The connection's account unless given. */
  signer?: PatientSigner;
}

/** Most seconds by which pauses and suspensions move a batch's deadline (`ClaimEscrow.MAX_STOPPED`). */
const MAX_STOPPED = 60 * 24 * 60 * 60;

/**
 * What attesters say happened with a batch's lines, unsigned: made once, and signed by several parties, each in its own place.
 *
 * An attester must never sign two different final results of a line with the same `observedAt`: whoever has both can prove that
 * one is a lie. `nextObservedAt` of `@carepact/sdk/oracles` keeps a correction apart from what was said before.
 * @throws RESULTS_MALFORMED, PARTIAL_AMOUNT_INVALID
 */
export function statementOf(
  source: BatchSource,
  results: readonly GroupResult[],
  options: StatementOptions = {},
): AttestationStatement {
  const batch = publicPartOf(source);
  return {
    batchId: batch.batchId,
    results: encodeResults(results, resultShapeOf(batch, openedGroupsOf(source))),
    observedAt: options.observedAt ?? Math.floor(Date.now() / 1000),
    validUntil: options.validUntil ?? batch.terms.eventBy + batch.rulebook.grace + MAX_STOPPED,
    evidence: options.evidence ?? hexlify(randomBytes(32)),
  };
}

/** A statement as wallets and keys sign it; its digest is `attestationDigestOf` the statement. */
export function attestationMessageOf(statement: AttestationStatement, ref: EscrowRef): TypedMessage {
  const { batchId, results, observedAt, validUntil, evidence } = statement;
  return {
    domain: escrowDomain(ref),
    types: { Attestation: escrowTypes.Attestation },
    message: { batchId, results, observedAt, validUntil, evidence },
  };
}

/**
 * A statement with what somebody signed of it, such as the patient's phone, which knows nothing but the digest. Where the patient's
 * lines are open here, their openings go with it.
 * @throws ATTESTATION_WRONG_BATCH for a statement of another batch, RESULTS_MALFORMED, PARTIAL_AMOUNT_INVALID
 */
export function attestationOf(
  source: BatchSource,
  statement: AttestationStatement,
  { signer, signature }: Pick<Attestation, "signer" | "signature">,
): Attestation {
  const batch = publicPartOf(source);
  const { batchId, results, observedAt, validUntil, evidence } = statement;
  if (batchId !== batch.batchId)
    throw new CarepactError("ATTESTATION_WRONG_BATCH", "The statement is of another batch, chain or escrow.", {
      attested: batchId,
      batchId: batch.batchId,
    });
  // Whoever signs or hands on what fits no batch finds out only when it is to settle.
  decodeResults(results, resultShapeOf(batch, openedGroupsOf(source)));
  const patient = patientKeysIn(batch)
    .filter(({ key }) => key.signer.toLowerCase() === signer.toLowerCase())
    .map(({ line, key: { salt, proof } }) => ({ line, salt, proof }));
  const isAddress = isHexString(signer) && isAccount(signer);
  return {
    ...{ batchId, results, observedAt, validUntil, evidence },
    signer: isAddress ? getAddress(signer) : signer,
    signature,
    ...(patient.length === 0 ? {} : { patient }),
  };
}

/**
 * Signs what happened with a batch's lines.
 * @param said Results, or a statement that others sign, too.
 * @throws RUNNER_CANNOT_SIGN, USER_REJECTED, SIGNATURE_INVALID, RESULTS_MALFORMED, PARTIAL_AMOUNT_INVALID,
 * ATTESTATION_WRONG_BATCH, ABORTED, TIMED_OUT
 */
export async function attest(
  runner: ContractRunner,
  source: BatchSource,
  said: readonly GroupResult[] | AttestationStatement,
  options: AttestOptions = {},
): Promise<Attestation> {
  try {
    return await within(options, () => sign(runner, source, said, options));
  } catch (thrown) {
    throw decodeError(thrown);
  }
}

async function sign(
  runner: ContractRunner,
  source: BatchSource,
  said: readonly GroupResult[] | AttestationStatement,
  { signer: key, ...options }: AttestOptions,
): Promise<Attestation> {
  const signing = key ?? (await accountSigning(runner));
  const batch = publicPartOf(source);
  const statement =
    "batchId" in said
      ? said
      : statementOf(source, said, { ...options, observedAt: options.observedAt ?? (await nowOf(runner)) });
  // Refuses what does not fit the batch before anybody is asked to sign it.
  const unsigned = attestationOf(source, statement, { signer: signing.signer, signature: "0x" });
  return { ...unsigned, signature: await signing.sign(attestationMessageOf(unsigned, batch)) };
}

/** @internal The connection's own account, as what signs. @throws RUNNER_CANNOT_SIGN */
export async function accountSigning(runner: ContractRunner): Promise<PatientSigner> {
  const signer = await accountOf(runner);
  const typed = runner as {
    signTypedData?: (d: TypedDataDomain, t: Record<string, TypedDataField[]>, v: object) => Promise<string>;
  };
  if (typeof typed.signTypedData !== "function")
    throw new CarepactError("RUNNER_CANNOT_SIGN", "This signer cannot sign EIP-712 messages.");
  // Called as the runner's own method, which may look at `this`.
  return { signer, sign: ({ domain, types, message }) => typed.signTypedData!(domain, types, message) };
}

/** The chain refuses what was observed at a time that is still to come for it, so its clock is the better one. */
const nowOf = async ({ provider }: ContractRunner): Promise<number> =>
  provider ? chainTimeOf(provider) : Math.floor(Date.now() / 1000);
