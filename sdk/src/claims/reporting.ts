import { isHexString } from "ethers";

import type { Connection } from "../chain/deployment";
import type { CallOptions } from "../chain/options";
import { reading } from "../chain/read";
import { CarepactError } from "../errors";
import { ClaimEscrowExtension__factory } from "../generated";

import type { CombinedAttestation } from "./attesters/combine";
import type { PublicPart } from "./file";
import { attestationDigestOf, type AttestationStatement } from "./types";

/** In place of attestations: the statement that the rulebook's workflow reported last. */
export interface ReportedStatement {
  reported: AttestationStatement;
}

/** What the rulebook's workflow reported last of a batch. */
export interface RecordedReport {
  /** Digest of the reported statement, see `attestationDigestOf`: as much of it as the escrow keeps, its first 25 bytes. */
  digest: string;
  /** When the workflow's nodes looked, unix seconds. */
  observedAt: number;
}

/** @internal The newest report of a batch by its rulebook's workflow, until it settled or presented the whole batch at once. */
export const reportOf = (
  connection: Connection,
  { batchId, terms }: PublicPart,
  options?: CallOptions,
): Promise<RecordedReport | undefined> =>
  reading(
    connection,
    async (provider) => {
      const receiver = ClaimEscrowExtension__factory.connect(connection.deployment.claimEscrow, provider);
      const { digest, observedAt } = await receiver.reportOf(terms.rulebook, batchId);
      return BigInt(digest) === 0n ? undefined : { digest, observedAt: Number(observedAt) };
    },
    options,
  );

/**
 * @internal A reported statement as the escrow takes it: without signatures.
 * @param now Unix seconds, to refuse what has expired before it costs gas.
 * @throws ATTESTATION_WRONG_BATCH, ATTESTATION_EXPIRED, and ATTESTATION_NOT_REPORTED where it is not what was reported last
 */
export async function reportedAttestation(
  connection: Connection,
  batch: PublicPart,
  { batchId, results, observedAt, validUntil, evidence }: AttestationStatement,
  now: number,
): Promise<CombinedAttestation> {
  if (batchId !== batch.batchId || !isHexString(results))
    throw new CarepactError("ATTESTATION_WRONG_BATCH", "The statement is of another batch, chain or escrow.", {
      attested: batchId,
      batchId: batch.batchId,
    });
  if (now > validUntil)
    throw new CarepactError("ATTESTATION_EXPIRED", "The attestation is no longer valid: wait for the next report.", {
      batchId,
      validUntil,
      now,
    });
  const statement = { batchId, results, observedAt, validUntil, evidence };
  const digest = attestationDigestOf(statement, batch);
  const recorded = await reportOf(connection, batch);
  if (recorded === undefined || !digest.startsWith(recorded.digest))
    throw new CarepactError(
      "ATTESTATION_NOT_REPORTED",
      recorded === undefined
        ? "The rulebook's workflow has reported nothing of this batch: wait for its report."
        : "The rulebook's workflow reported another statement of this batch last: settle with that one.",
      { batchId, digest, recorded: recorded === undefined ? null : { ...recorded } },
    );
  return { ...statement, signatures: "0x" };
}
