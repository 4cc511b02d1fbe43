import { CarepactError, isCarepactError } from "@carepact/sdk";
import {
  askChain,
  combineAttestations,
  decodeResults,
  encodeResults,
  openedGroupsOf,
  resultShapeOf,
  statementOf,
  type Attestation,
  type AttestationStatement,
  type BatchSource,
  type GroupResult,
  type PublicPart,
  type StatementOptions,
} from "@carepact/sdk/claims";

import { bytes32In, momentIn, usage } from "../support/input";
import { isoTime } from "../support/show";
import type { Site } from "../support/site";

import { attestationsIn, statementIn } from "./attestations";
import { resultsIn, type ResultOptions } from "./results";

/** When and on what somebody looked, as options give it. */
export interface MomentOptions {
  observedAt?: string;
  validUntil?: string;
  evidence?: string;
}

/** What is to be signed, as options give it. */
export interface StatementSource extends ResultOptions, MomentOptions {
  with?: string;
  statement?: string;
}

/** A statement, with what it says. */
export interface Said {
  statement: AttestationStatement;
  results: GroupResult[];
}

/** @throws INPUT_INVALID */
export async function momentsIn(
  { now }: Site,
  { observedAt, validUntil, evidence }: MomentOptions,
): Promise<StatementOptions> {
  return {
    ...(observedAt === undefined ? {} : { observedAt: await momentIn(observedAt, "--observed-at", now) }),
    ...(validUntil === undefined ? {} : { validUntil: await momentIn(validUntil, "--valid-until", now) }),
    ...(evidence === undefined ? {} : { evidence: bytes32In(evidence, "--evidence") }),
  };
}

/**
 * What is to be signed: by results and moments, by the moments of another attestation, or as another party's statement has it.
 * @throws INPUT_INVALID, RESULTS_MALFORMED, and the ATTESTATION_ codes for what others wrote
 */
export async function saidIn(
  site: Site,
  source: BatchSource,
  batch: PublicPart,
  options: StatementSource,
): Promise<Said> {
  const { observedAt, validUntil, evidence } = options;
  const other = options.statement === undefined ? "--with" : "--statement";
  if (options.statement !== undefined && options.with !== undefined)
    throw usage("--statement says all that --with does: leave one out.", "--statement");
  if (options.statement ?? options.with)
    if ([observedAt, validUntil, evidence].some((value) => value !== undefined))
      throw usage(`${other} says moment and evidence: leave --observed-at, --valid-until and --evidence out.`, other);
  if (options.statement !== undefined) return statedIn(site, source, batch, options.statement, options);

  const results = await resultsIn(source, batch, options);
  if (options.with === undefined) {
    const moments = await momentsIn(site, options);
    // The chain refuses what was observed at a time that is still to come for it.
    const now = moments.observedAt ?? (await site.now());
    return { results, statement: statementOf(source, results, { ...moments, observedAt: now }) };
  }
  const [attestation] = await attestationsIn(options.with, "--with");
  if (attestation === undefined) throw usage(`--with: ${options.with} holds no attestation.`, "--with");
  await requireGenuine(site, batch, attestation);
  const statement = statementOf(source, results, attestation);
  if (statement.results !== attestation.results.toLowerCase())
    site.call.tell("Warning: the other attester says something else happened; the two do not count together.");
  return { results, statement };
}

/** Another party's statement, held against what is known here where results are given, too. */
async function statedIn(
  site: Site,
  source: BatchSource,
  batch: PublicPart,
  path: string,
  options: ResultOptions,
): Promise<Said> {
  const statement = await statementIn(path, "--statement");
  const { batchId, observedAt, validUntil } = statement;
  if (batchId !== batch.batchId)
    throw new CarepactError("ATTESTATION_WRONG_BATCH", "The statement is of another batch, chain or escrow.", {
      attested: batchId,
      batchId: batch.batchId,
    });
  const shape = resultShapeOf(batch, openedGroupsOf(source));
  const results = decodeResults(statement.results, shape);
  if ([options.all, options.results, options.events].some((option) => option !== undefined)) {
    const own = encodeResults(await resultsIn(source, batch, options), shape);
    if (own !== statement.results.toLowerCase())
      throw usage(
        "--statement says something else than the results given beside it: nothing was signed.",
        "--statement",
      );
  }
  const now = await site.now();
  requireValid(batch, statement, now);
  if (observedAt > now)
    site.call.tell(
      `Warning: by the chain's clock, ${isoTime(observedAt)} is still to come: the statement settles from then on, until ${isoTime(validUntil)}.`,
    );
  return { statement, results };
}

function requireValid({ batchId }: PublicPart, { validUntil }: AttestationStatement, now: number): void {
  if (now > validUntil)
    throw new CarepactError("ATTESTATION_EXPIRED", "The attestation is no longer valid: ask for a new one.", {
      batchId,
      validUntil,
      now,
    });
}

/**
 * Whoever sends an attestation may have written anything into it: what is copied from it has to be signed, for this batch and by
 * somebody whose signature its rulebook counts. That it does not suffice alone is no matter.
 * @throws ATTESTATION_WRONG_BATCH, ATTESTATION_SIGNER_UNKNOWN, ATTESTATION_EXPIRED, SIGNATURE_INVALID
 */
async function requireGenuine(site: Site, batch: PublicPart, attestation: Attestation): Promise<void> {
  const now = await site.now();
  try {
    combineAttestations(batch, [attestation], now, await askChain(site.connection, batch, [attestation]));
  } catch (thrown) {
    // Thrown once each signature was looked at; but where nobody can sign, none is.
    if (!isCarepactError(thrown, "ATTESTATION_TOO_FEW") || batch.rulebook.attesterGroups.length === 0) throw thrown;
  }
  requireValid(batch, attestation, now);
}
