import {
  concat,
  hexlify,
  randomBytes,
  verifyTypedData,
  type ContractRunner,
  type TypedDataDomain,
  type TypedDataField,
} from "ethers";

import { accountOf } from "../chain/deployment";
import { CarepactError } from "../errors";

import { openedGroupsOf, publicPartOf, type BatchSource } from "./batchSource";
import { resultShapeOf, type PublicPart } from "./file";
import { encodeResults, type GroupResult } from "./results";
import { escrowDomain, escrowTypes, type AttestationStatement } from "./types";

/** What one attester says under its signature. JSON as it is. */
export interface Attestation extends AttestationStatement {
  signer: string;
  /** 65 bytes (r, s, v) over the EIP-712 statement. */
  signature: string;
}

/** When and on what an attester looked. */
export interface AttestOptions {
  /** Unix seconds; now unless given. */
  observedAt?: number;
  /** Last moment at which the attestation may settle, unix seconds; seven days after `observedAt` unless given. */
  validUntil?: number;
  /** Salted commitment to what was seen; random unless given. Attesters who sign together use the same. */
  evidence?: string;
}

const WEEK = 7 * 24 * 60 * 60;

/**
 * Signs what happened with a batch's lines.
 * @throws RUNNER_CANNOT_SIGN, RESULTS_MALFORMED, PARTIAL_AMOUNT_INVALID
 */
export async function attest(
  runner: ContractRunner,
  source: BatchSource,
  results: readonly GroupResult[],
  options: AttestOptions = {},
): Promise<Attestation> {
  const signer = await accountOf(runner);
  const typed = runner as {
    signTypedData?: (d: TypedDataDomain, t: Record<string, TypedDataField[]>, v: object) => Promise<string>;
  };
  if (typeof typed.signTypedData !== "function")
    throw new CarepactError("RUNNER_CANNOT_SIGN", "This signer cannot sign EIP-712 messages.");
  const batch = publicPartOf(source);
  const observedAt = options.observedAt ?? Math.floor(Date.now() / 1000);
  const statement: AttestationStatement = {
    batchId: batch.batchId,
    results: encodeResults(results, resultShapeOf(batch, openedGroupsOf(source))),
    observedAt,
    validUntil: options.validUntil ?? observedAt + WEEK,
    evidence: options.evidence ?? hexlify(randomBytes(32)),
  };
  const types = { Attestation: escrowTypes.Attestation };
  return { ...statement, signer, signature: await typed.signTypedData(escrowDomain(batch), types, statement) };
}

/** An attestation as the escrow takes it. */
export interface CombinedAttestation extends AttestationStatement {
  signatures: string;
}

/**
 * Puts together what attesters of a batch signed one by one: as many signatures over one statement as its rulebook asks
 * for, in the order the escrow wants.
 * @param now Unix seconds, to refuse what has expired before it costs gas.
 * @throws ATTESTATION_WRONG_BATCH, ATTESTATION_EXPIRED, ATTESTATION_SIGNER_UNKNOWN, ATTESTATION_TOO_FEW
 */
export function combineAttestations(
  batch: PublicPart,
  attestations: readonly Attestation[],
  now: number,
): CombinedAttestation {
  const attesters = new Set(
    batch.rulebook.attesterGroups.flatMap((group) => group.attesters.map((a) => a.toLowerCase())),
  );
  const threshold = batch.rulebook.attesterGroups[0]?.threshold ?? 0;
  const statements = new Map<string, Attestation[]>();
  for (const attestation of attestations) {
    requireSigned(batch, attestation);
    if (!attesters.has(attestation.signer.toLowerCase()))
      throw new CarepactError(
        "ATTESTATION_SIGNER_UNKNOWN",
        `${attestation.signer} is not an attester of the batch's rulebook.`,
        { signer: attestation.signer },
      );
    const { results, observedAt, validUntil, evidence } = attestation;
    const key = [results, observedAt, validUntil, evidence].join();
    const same = statements.get(key) ?? [];
    if (!same.some(({ signer }) => signer === attestation.signer)) same.push(attestation);
    statements.set(key, same);
  }
  const agreed = [...statements.values()]
    .filter((same) => same.length >= threshold)
    .sort((a, b) => (b[0]?.observedAt ?? 0) - (a[0]?.observedAt ?? 0))[0];
  const [statement] = agreed ?? [];
  if (agreed === undefined || statement === undefined) {
    const most = Math.max(0, ...[...statements.values()].map((same) => same.length));
    throw new CarepactError(
      "ATTESTATION_TOO_FEW",
      `The rulebook asks for ${threshold} attesters of one statement; ${most} signed the same.`,
      { required: threshold, given: most, statements: statements.size },
    );
  }
  if (now > statement.validUntil)
    throw new CarepactError("ATTESTATION_EXPIRED", "The attestation is no longer valid: ask for a new one.", {
      validUntil: statement.validUntil,
      now,
    });
  const ascending = agreed.slice(0, threshold).sort((a, b) => (BigInt(a.signer) < BigInt(b.signer) ? -1 : 1));
  const { batchId, results, observedAt, validUntil, evidence } = statement;
  return {
    batchId,
    results,
    observedAt,
    validUntil,
    evidence,
    signatures: concat(ascending.map(({ signature }) => signature)),
  };
}

/** That the attestation is for this batch, on this chain and escrow, and was signed as it stands. */
function requireSigned(batch: PublicPart, attestation: Attestation): void {
  const { signer, signature, ...statement } = attestation;
  const types = { Attestation: escrowTypes.Attestation };
  let recovered: string | undefined;
  try {
    recovered = verifyTypedData(escrowDomain(batch), types, statement, signature);
  } catch {
    // A signature that cannot be read fits nothing: refused below.
  }
  if (statement.batchId !== batch.batchId || recovered?.toLowerCase() !== signer.toLowerCase())
    throw new CarepactError(
      "ATTESTATION_WRONG_BATCH",
      `The attestation of ${signer} is for another batch, chain or escrow, or was changed after signing.`,
      { signer, attested: statement.batchId, batch: batch.batchId },
    );
}
