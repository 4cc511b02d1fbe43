import { getAddress, isHexString } from "ethers";

import { CarepactError } from "../../errors";
import { attesterRoles, attestersOf } from "../../rulebooks/build";
import type { Attestation } from "../attestation";
import { verifyPatientKey, type OpenedGroup, type OpenedRecord, type PatientKey, type PublicPart } from "../file";
import { attestationDigestOf, type AttestationStatement } from "../types";

import { accountSignature, isAccount, verifyKeySignature, type Verifiers } from "./verify";

/** What is known of signatures beside what is in them. */
export interface SignatureKnowledge {
  /** Contracts that check keys: a `Deployment` has them. Unless given, only signatures of accounts are checked. */
  verifiers?: Partial<Verifiers>;
  /**
   * Whether to take a signature that cannot be checked here: one of a wallet contract (ERC-1271), or of a key of another verifier.
   * None unless given. `askChain` asks the contracts.
   */
  accept?: (attestation: Attestation) => boolean;
  /** Attesters (ERC-7913 signers) that equivocated: their signatures are left out. */
  suspended?: readonly string[];
}

const NO_ATTESTER = "is not an attester of the batch's rulebook";
const NO_PATIENT = `${NO_ATTESTER}, and nothing shows that it is a patient's key: open the group, or see attestationOf`;

/** A batch, with whatever of it is open. */
export type KnownBatch = PublicPart | OpenedGroup | OpenedRecord;

/** What one signer signed, ready to be placed. */
export interface Signed {
  signer: string;
  signature: string;
  /** Whether it is an account's own, by ECDSA. */
  ecdsa: boolean;
  /** Lines (by index in the batch) for which it speaks as the patient. */
  lines: ReadonlyMap<number, PatientKey>;
}

/** The keys of patients in the opened part of a batch. */
export function patientKeysIn(batch: KnownBatch): { line: number; key: PatientKey }[] {
  const opened = "opened" in batch ? batch.opened : "lines" in batch ? [batch] : [];
  return opened.flatMap(({ lines }) =>
    lines.flatMap(({ leaf, patient }) => (patient?.signers ?? []).map((key) => ({ line: leaf.line, key }))),
  );
}

/** Digest of an attestation of this batch, if it is one. It comes from somebody else: nothing in it has to be what it should. */
export function digestFor(batch: PublicPart, attestation: Attestation): string | undefined {
  const { signer, signature, batchId, results, observedAt, validUntil, evidence } = attestation;
  const statement: AttestationStatement = { batchId, results, observedAt, validUntil, evidence };
  const isBytes = [signer, signature, results].every((bytes) => isHexString(bytes) && bytes.length % 2 === 0);
  try {
    return isBytes && batchId === batch.batchId ? attestationDigestOf(statement, batch) : undefined;
  } catch {
    // A statement that cannot be hashed was never signed.
    return undefined;
  }
}

/** @internal Reads an attestation that {@link verifyAttestation} does not refuse. */
export function readSigned(batch: KnownBatch, attestation: Attestation, knowledge: SignatureKnowledge): Signed {
  const digest = digestFor(batch, attestation);
  const verified = digest === undefined ? undefined : verifiedSignature(attestation, digest, knowledge);
  if (verified === undefined)
    throw new CarepactError(
      "ATTESTATION_WRONG_BATCH",
      `The attestation of ${String(attestation.signer)} is for another batch, chain or escrow, or was changed after signing.`,
      { signer: attestation.signer, attested: attestation.batchId, batchId: batch.batchId },
    );
  const signer = attestation.signer.toLowerCase();
  const lines = patientLinesOf(batch, attestation);
  const named = attestersOf(batch.rulebook);
  const asksPayees = named.some(({ role }) => role === "payee");
  const isAttester =
    named.some((attester) => attester.signer === signer) ||
    lines.size > 0 ||
    (asksPayees && batch.groups.some(({ payee }) => payee.toLowerCase() === signer));
  if (!isAttester)
    throw unknownSigner(attestation, batch, named.some(({ role }) => role === "patient") ? NO_PATIENT : NO_ATTESTER);
  return { signer, ...verified, lines };
}

/**
 * Refuses an attestation that is not for this batch, chain and escrow, was not signed as it stands, or by nobody whose signature the
 * rulebook counts. Says nothing of what else the rulebook asks for.
 * @throws ATTESTATION_WRONG_BATCH, ATTESTATION_SIGNER_UNKNOWN, SIGNATURE_INVALID
 */
export function verifyAttestation(
  batch: KnownBatch,
  attestation: Attestation,
  knowledge: SignatureKnowledge = {},
): void {
  readSigned(batch, attestation, knowledge);
}

/** Refuses what is wrong with a signature itself; undefined: an account's that is over something else. */
function verifiedSignature(
  attestation: Attestation,
  digest: string,
  { verifiers = {}, accept = () => false }: SignatureKnowledge,
): Pick<Signed, "signature" | "ecdsa"> | undefined {
  const { signer, signature } = attestation;
  if (signer.length < 42) return undefined;
  if (isAccount(signer)) {
    const own = accountSignature(signer, digest, signature);
    if (own !== undefined) return { signature: own, ecdsa: true };
    return accept(attestation) ? { signature, ecdsa: false } : undefined;
  }
  if (verifyKeySignature(signer, digest, signature, verifiers) || accept(attestation))
    return { signature, ecdsa: false };
  throw new CarepactError(
    "SIGNATURE_INVALID",
    `The signature of ${signer} cannot be checked here, or its verifier refused it: ask the chain.`,
    { signer, reason: "verifier" },
  );
}

/** The lines of which an attestation's signer is the patient: by the attestation itself, or by what is open of the batch. */
function patientLinesOf(batch: KnownBatch, { signer, patient = [], ...rest }: Attestation): Map<number, PatientKey> {
  const asksPatients = batch.rulebook.attesterGroups.some(({ attesters }) => attesters[0] === attesterRoles.patient);
  if (!asksPatients) return new Map();
  const given = patient.map(({ line, salt, proof }) => ({ line, key: { signer: signer.toLowerCase(), salt, proof } }));
  for (const { line, key } of given)
    if (!verifyPatientKey(batch.terms.manifestRoot, line, key))
      throw unknownSigner({ signer, ...rest }, batch, `is no key of the patient of line ${line}`, { line });
  const known = patientKeysIn(batch).filter(({ key }) => key.signer.toLowerCase() === signer.toLowerCase());
  return new Map([...known, ...given].map(({ line, key }) => [line, key]));
}

function unknownSigner(
  { signer }: Pick<Attestation, "signer">,
  { batchId }: PublicPart,
  problem: string,
  details: Record<string, unknown> = {},
): CarepactError {
  const shown = isAccount(signer) ? getAddress(signer.toLowerCase()) : signer.toLowerCase();
  return new CarepactError("ATTESTATION_SIGNER_UNKNOWN", `${shown} ${problem}.`, {
    batchId,
    signer: shown,
    ...details,
  });
}
