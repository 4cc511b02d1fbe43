import { chainTimeOf, providerOf, type Connection } from "../chain/deployment";
import { escrowExtensionInterface } from "../chain/interfaces";

import type { Attestation } from "./attestation";
import { askChain } from "./attesters/askChain";
import { combineAttestations, type CombinedAttestation } from "./attesters/combine";
import { openedGroupsOf, publicPartOf, type BatchSource } from "./batchSource";
import { openedLinesOf, resultShapeOf, type PublicPart } from "./file";
import { reportedAttestation, type ReportedStatement } from "./reporting";
import { decodeResults, lineResultsOf, type GroupResult } from "./results";
import { statusOf } from "./status";
import { attestationDigestOf, packGroup, type ClaimBatchTerms, type OpenedLines } from "./types";

/** A batch with the attestations, or the workflow's report, that it is to be settled by. */
export type SettleInput = { batch: BatchSource } & ({ attestations: readonly Attestation[] } | ReportedStatement);

/** One attestation, ready to be sent. */
export interface Prepared {
  batch: PublicPart;
  /** EIP-712 digest of the attestation, by which the escrow reports it. */
  digest: string;
  arguments: [ClaimBatchTerms, bigint[], CombinedAttestation];
  opened: OpenedLines;
  /** Groups (indices) that could not settle, because their line amounts are needed and not known here. */
  unopened: number[];
  /** Per group, what its open lines come to by the attestation, where it can be opened. Base units. */
  outcomes: Outcome[];
}

/** What is paid and what goes back, in base units. */
export interface Outcome {
  paid: bigint;
  freed: bigint;
}

const nothingOpened: OpenedLines = { groups: [], proof: [] };

/** Brings together what the escrow asks for, and refuses what it would before that costs gas. */
export async function prepare(connection: Connection, input: SettleInput): Promise<Prepared> {
  const { batch: source } = input;
  const batch = publicPartOf(source);
  const attestation = await attestationFor(connection, batch, input);
  const shape = resultShapeOf(batch, openedGroupsOf(source));
  const results = decodeResults(attestation.results, shape);
  const { closedLines } = await statusOf(connection, batch);

  const known = new Set(openedGroupsOf(source).map(({ group }) => group));
  const toOpen: number[] = [];
  const unopened: number[] = [];
  let firstLine = 0;
  const outcomes = batch.groups.map(({ lineCount, subtotal }, group): Outcome => {
    const closed = closedLines.slice(firstLine, firstLine + lineCount);
    firstLine += lineCount;
    const result = results[group] ?? { result: "pending" };
    const settles = lineResultsOf(result, lineCount).some((line, i) => line.result !== "pending" && !closed[i]);
    if (!settles) return { paid: 0n, freed: 0n };
    const asWhole = lineCount === 1 || (result.result !== "byLine" && !closed.includes(true));
    if (!asWhole) (known.has(group) ? toOpen : unopened).push(group);
    const amounts = shape[group]?.amounts;
    if (amounts !== undefined) return outcomeOfLines(result, amounts, closed);
    if (!asWhole) return { paid: 0n, freed: 0n };
    return result.result === "met" ? { paid: subtotal, freed: 0n } : { paid: 0n, freed: subtotal };
  });
  const { terms, groups } = batch;
  return {
    batch,
    digest: attestationDigestOf(attestation, batch),
    arguments: [terms, groups.map(packGroup), attestation],
    opened: "carepact" in source || toOpen.length === 0 ? nothingOpened : openedLinesOf(source, toOpen),
    unopened,
    outcomes,
  };
}

/** The call that presents an attestation. */
export const presentationCall = ({ arguments: args, opened }: Prepared): string =>
  opened.groups.length === 0
    ? escrowExtensionInterface.encodeFunctionData("present", args)
    : escrowExtensionInterface.encodeFunctionData("presentByLine", [...args, opened]);

function outcomeOfLines(result: GroupResult, amounts: readonly bigint[], closed: readonly boolean[]): Outcome {
  const outcome = { paid: 0n, freed: 0n };
  lineResultsOf(result, amounts.length).forEach((line, i) => {
    const amount = amounts[i] ?? 0n;
    if (closed[i] || line.result === "pending") return;
    const paid = line.result === "met" ? amount : line.result === "partlyMet" ? line.amount : 0n;
    outcome.paid += paid;
    outcome.freed += amount - paid;
  });
  return outcome;
}

/** What settles, refused before it costs gas if the escrow would. */
export async function attestationFor(
  connection: Connection,
  batch: PublicPart,
  input: { attestations: readonly Attestation[] } | ReportedStatement,
): Promise<CombinedAttestation> {
  const now = await chainTimeOf(providerOf(connection.runner));
  if ("reported" in input) return reportedAttestation(connection, batch, input.reported, now);
  const knowledge = await askChain(connection, batch, input.attestations);
  return combineAttestations(batch, input.attestations, now, knowledge);
}
