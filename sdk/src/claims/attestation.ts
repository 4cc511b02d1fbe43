import {
  concat,
  getAddress,
  hexlify,
  isHexString,
  randomBytes,
  Signature,
  verifyTypedData,
  type ContractRunner,
  type TypedDataDomain,
  type TypedDataField,
} from "ethers";

import { accountOf, chainTimeOf } from "../chain/deployment";
import { within, type CallOptions } from "../chain/options";
import { decodeError } from "../chain/decodeError";
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
export interface AttestOptions extends CallOptions {
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

/** Most seconds by which pauses and suspensions move a batch's deadline (`ClaimEscrow.MAX_STOPPED`). */
const MAX_STOPPED = 60 * 24 * 60 * 60;

/**
 * Signs what happened with a batch's lines.
 * @throws RUNNER_CANNOT_SIGN, USER_REJECTED, RESULTS_MALFORMED, PARTIAL_AMOUNT_INVALID, ABORTED, TIMED_OUT
 */
export async function attest(
  runner: ContractRunner,
  source: BatchSource,
  results: readonly GroupResult[],
  options: AttestOptions = {},
): Promise<Attestation> {
  try {
    return await within(options, () => sign(runner, source, results, options));
  } catch (thrown) {
    throw decodeError(thrown);
  }
}

async function sign(
  runner: ContractRunner,
  source: BatchSource,
  results: readonly GroupResult[],
  options: AttestOptions,
): Promise<Attestation> {
  const signer = await accountOf(runner);
  const typed = runner as {
    signTypedData?: (d: TypedDataDomain, t: Record<string, TypedDataField[]>, v: object) => Promise<string>;
  };
  if (typeof typed.signTypedData !== "function")
    throw new CarepactError("RUNNER_CANNOT_SIGN", "This signer cannot sign EIP-712 messages.");
  const batch = publicPartOf(source);
  const statement: AttestationStatement = {
    batchId: batch.batchId,
    results: encodeResults(results, resultShapeOf(batch, openedGroupsOf(source))),
    observedAt: options.observedAt ?? (await nowOf(runner)),
    validUntil: options.validUntil ?? batch.terms.eventBy + batch.rulebook.grace + MAX_STOPPED,
    evidence: options.evidence ?? hexlify(randomBytes(32)),
  };
  const types = { Attestation: escrowTypes.Attestation };
  return { ...statement, signer, signature: await typed.signTypedData(escrowDomain(batch), types, statement) };
}

/** The chain refuses what was observed at a time that is still to come for it, so its clock is the better one. */
const nowOf = async ({ provider }: ContractRunner): Promise<number> =>
  provider ? chainTimeOf(provider) : Math.floor(Date.now() / 1000);

/** An attestation as the escrow takes it. */
export interface CombinedAttestation extends AttestationStatement {
  signatures: string;
}

/**
 * Puts together what attesters of a batch signed one by one: as many signatures over one statement as its rulebook asks
 * for, in the order the escrow wants. Of several statements that enough attesters agree on it takes the one that was
 * observed last.
 * @param now Unix seconds, to refuse what has expired before it costs gas.
 * @throws ATTESTATION_WRONG_BATCH, ATTESTATION_EXPIRED, ATTESTATION_SIGNER_UNKNOWN, ATTESTATION_TOO_FEW
 */
export function combineAttestations(
  batch: PublicPart,
  attestations: readonly Attestation[],
  now: number,
): CombinedAttestation {
  const { batchId, rulebook } = batch;
  const attesters = new Set(rulebook.attesterGroups.flatMap((group) => group.attesters.map((a) => a.toLowerCase())));
  const threshold = rulebook.attesterGroups[0]?.threshold ?? 0;
  const statements = new Map<string, Agreement>();
  for (const attestation of attestations) {
    const { signer, signature } = readSigned(batch, attestation);
    if (!attesters.has(signer.toLowerCase()))
      throw new CarepactError("ATTESTATION_SIGNER_UNKNOWN", `${signer} is not an attester of the batch's rulebook.`, {
        batchId,
        signer,
      });
    const { results, evidence } = attestation;
    const [observedAt, validUntil] = [Number(attestation.observedAt), Number(attestation.validUntil)];
    const key = [results.toLowerCase(), observedAt, validUntil, evidence.toLowerCase()].join();
    const agreement = statements.get(key) ?? {
      statement: { batchId, results, observedAt, validUntil, evidence },
      signatures: new Map<string, string>(),
    };
    agreement.signatures.set(signer, signature);
    statements.set(key, agreement);
  }

  const agreed = [...statements.values()].filter(({ signatures }) => signatures.size >= threshold);
  if (agreed.length === 0) {
    const most = Math.max(0, ...[...statements.values()].map(({ signatures }) => signatures.size));
    throw new CarepactError(
      "ATTESTATION_TOO_FEW",
      `The rulebook asks for ${threshold} attesters of one statement; ${most} signed the same.`,
      { batchId, required: threshold, given: most, statements: statements.size },
    );
  }
  const [latest] = agreed
    .filter(({ statement }) => now <= statement.validUntil)
    .sort((a, b) => b.statement.observedAt - a.statement.observedAt);
  if (latest === undefined) {
    const validUntil = Math.max(...agreed.map(({ statement }) => statement.validUntil));
    throw new CarepactError("ATTESTATION_EXPIRED", "The attestation is no longer valid: ask for a new one.", {
      batchId,
      validUntil,
      now,
    });
  }
  const ascending = [...latest.signatures].sort(([a], [b]) => (BigInt(a) < BigInt(b) ? -1 : 1));
  return { ...latest.statement, signatures: concat(ascending.slice(0, threshold).map(([, signature]) => signature)) };
}

/** A statement, and the signatures over it by signer. */
interface Agreement {
  statement: AttestationStatement;
  signatures: Map<string, string>;
}

/**
 * Signer and signature of an attestation, in the one spelling that the escrow reads, if it is for this batch, on this
 * chain and escrow, and was signed as it stands. It comes from somebody else: nothing in it has to be what it should.
 */
function readSigned(batch: PublicPart, attestation: Attestation): { signer: string; signature: string } {
  const { signer, signature, batchId, results, observedAt, validUntil, evidence } = attestation;
  const statement: AttestationStatement = { batchId, results, observedAt, validUntil, evidence };
  try {
    const read = Signature.from(signature);
    const types = { Attestation: escrowTypes.Attestation };
    const recovered = verifyTypedData(escrowDomain(batch), types, statement, read);
    if (isHexString(results) && batchId === batch.batchId && recovered === getAddress(signer))
      return { signer: recovered, signature: read.serialized };
  } catch {
    // A statement, signer or signature that cannot be read fits nothing: refused below.
  }
  throw new CarepactError(
    "ATTESTATION_WRONG_BATCH",
    `The attestation of ${String(signer)} is for another batch, chain or escrow, or was changed after signing.`,
    { signer, attested: batchId, batchId: batch.batchId },
  );
}
