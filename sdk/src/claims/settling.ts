import type { TransactionReceipt } from "ethers";

import { actionOf, type Action } from "../chain/action";
import { chainTimeOf, providerOf, type Connection } from "../chain/deployment";
import { escrowEventsIn } from "../chain/events";
import { escrowInterface } from "../chain/interfaces";
import { parseRevert, type Revert } from "../chain/revert";

import type { Attestation } from "./attestation";
import { askChain } from "./attesters/askChain";
import { combineAttestations, type CombinedAttestation } from "./attesters/combine";
import { openedGroupsOf, publicPartOf, type BatchSource } from "./batchSource";
import { openedLinesOf, resultShapeOf, type PublicPart } from "./file";
import { reportedAttestation, type ReportedStatement } from "./reporting";
import { decodeResults, lineResultsOf } from "./results";
import { statusOf } from "./status";
import { attestationDigestOf, packGroup, type ClaimBatchTerms, type OpenedLines } from "./types";

/** What a settlement did. Amounts in base units. */
export interface Settlement {
  batchId: string;
  /** Credited to payees. */
  paid: bigint;
  /** Returned to the payer's free balance. */
  freed: bigint;
  /** One entry for each payee of whose lines some settled. */
  groups: { payee: string; paid: bigint; freed: bigint }[];
  /** Groups (indices) that could not settle, because their line amounts are needed and not known here. */
  unopened: number[];
}

/** A batch with the attestations, or the workflow's report, that it is to be settled by. */
export type SettleInput = { batch: BatchSource } & ({ attestations: readonly Attestation[] } | ReportedStatement);

const nothingOpened: OpenedLines = { groups: [], proof: [] };

/** @internal Settles what the attestations call final and is still open. */
export function settle(
  connection: Connection,
  input: SettleInput,
): Action<Settlement, { paid: bigint; freed: bigint }> {
  return actionOf(connection, async () => {
    const prepared = await prepare(connection, input);
    const { arguments: args, opened } = prepared;
    const data =
      opened.groups.length === 0
        ? escrowInterface.encodeFunctionData("settle", args)
        : escrowInterface.encodeFunctionData("settleByLine", [...args, opened]);
    return {
      to: connection.deployment.claimEscrow,
      data,
      preview: (returned: string) => {
        const [paid, freed] = escrowInterface.decodeFunctionResult("settle", returned) as unknown as [bigint, bigint];
        return { paid, freed };
      },
      result: (receipt) => settlementOf(prepared, roundsIn(receipt, connection)),
    };
  });
}

/** What became of several batches. */
export interface Settlements {
  /** Whether each was settled, in order. */
  settled: boolean[];
  /** What each did, or why the escrow skipped it. */
  settlements: (Settlement | { batchId: string; skipped: Revert })[];
}

/**
 * @internal Settles several batches in one transaction; one that the escrow refuses is skipped. What is wrong with an
 * input can be seen before it is sent, and is thrown.
 */
export function settleMany(
  connection: Connection,
  inputs: readonly SettleInput[],
): Action<Settlements, { settled: boolean[] }> {
  return actionOf(connection, async () => {
    const prepared = await Promise.all(inputs.map((input) => prepare(connection, input)));
    const settlements = prepared.map(({ arguments: [batch, groups, attestation], opened }) => ({
      batch,
      groups,
      attestation,
      opened,
    }));
    return {
      to: connection.deployment.claimEscrow,
      data: escrowInterface.encodeFunctionData("settleMany", [settlements]),
      preview: (returned: string) => {
        const [settled] = escrowInterface.decodeFunctionResult("settleMany", returned) as unknown as [boolean[]];
        return { settled: [...settled] };
      },
      result: (receipt) => {
        const skipped = skippedIn(receipt, connection);
        const rounds = roundsIn(receipt, connection);
        return {
          settled: prepared.map((_, index) => !skipped.has(index)),
          settlements: prepared.map((one, index) => {
            const reason = skipped.get(index);
            return reason === undefined ? settlementOf(one, rounds) : { batchId: one.batchId, skipped: reason };
          }),
        };
      },
    };
  });
}

interface Prepared {
  batchId: string;
  /** EIP-712 digest of the attestation, by which the escrow reports it. */
  digest: string;
  arguments: [ClaimBatchTerms, bigint[], CombinedAttestation];
  opened: OpenedLines;
  unopened: number[];
}

async function prepare(connection: Connection, input: SettleInput): Promise<Prepared> {
  const { batch: source } = input;
  const batch = publicPartOf(source);
  const attestation = await attestationFor(connection, batch, input);
  const results = decodeResults(attestation.results, resultShapeOf(batch, openedGroupsOf(source)));
  const { closedLines } = await statusOf(connection, batch);

  const known = new Set(openedGroupsOf(source).map(({ group }) => group));
  const toOpen: number[] = [];
  const unopened: number[] = [];
  let firstLine = 0;
  batch.groups.forEach(({ lineCount }, group) => {
    const closed = closedLines.slice(firstLine, firstLine + lineCount);
    firstLine += lineCount;
    const result = results[group] ?? { result: "pending" };
    const settles = lineResultsOf(result, lineCount).some((line, i) => line.result !== "pending" && !closed[i]);
    const asWhole = lineCount === 1 || (result.result !== "byLine" && !closed.includes(true));
    if (settles && !asWhole) (known.has(group) ? toOpen : unopened).push(group);
  });
  const { terms, batchId, groups } = batch;
  return {
    batchId,
    digest: attestationDigestOf(attestation, batch),
    arguments: [terms, groups.map(packGroup), attestation],
    opened: "carepact" in source || toOpen.length === 0 ? nothingOpened : openedLinesOf(source, toOpen),
    unopened,
  };
}

/** What settles, refused before it costs gas if the escrow would. */
async function attestationFor(
  connection: Connection,
  batch: PublicPart,
  input: SettleInput,
): Promise<CombinedAttestation> {
  const now = await chainTimeOf(providerOf(connection.runner));
  if ("reported" in input) return reportedAttestation(connection, batch, input.reported, now);
  const knowledge = await askChain(connection, batch, input.attestations);
  return combineAttestations(batch, input.attestations, now, knowledge);
}

/** One attestation at work on one batch, as the escrow reported it. */
interface Round {
  batchId: string;
  digest: string;
  groups: Settlement["groups"];
}

/** The rounds of a transaction, in order: of each, the groups that settled come first. */
function roundsIn(receipt: TransactionReceipt, connection: Connection): Round[] {
  const rounds: Round[] = [];
  let groups: Round["groups"] = [];
  for (const { name, args } of escrowEventsIn(receipt, connection)) {
    if (name === "GroupSettled")
      groups.push({ payee: args["payee"] as string, paid: args["paid"] as bigint, freed: args["freed"] as bigint });
    if (name !== "ClaimBatchSettled") continue;
    rounds.push({ batchId: args["batchId"] as string, digest: args["attestation"] as string, groups });
    groups = [];
  }
  return rounds;
}

/** What one settlement did. Takes its round, so that a batch that is settled twice in one call is not counted twice. */
function settlementOf({ batchId, digest, unopened }: Prepared, rounds: Round[]): Settlement {
  const index = rounds.findIndex((round) => round.batchId === batchId && round.digest === digest);
  // Without a round there was nothing left to settle.
  const groups = index < 0 ? [] : rounds.splice(index, 1).flatMap((round) => round.groups);
  const sum = (amounts: bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
  const paid = sum(groups.map((group) => group.paid));
  return { batchId, paid, freed: sum(groups.map((group) => group.freed)), groups, unopened };
}

function skippedIn(receipt: TransactionReceipt, connection: Connection): Map<number, Revert> {
  return new Map(
    escrowEventsIn(receipt, connection)
      .filter(({ name }) => name === "SettlementSkipped")
      .map(({ args }) => [Number(args["index"]), parseRevert(args["reason"] as string)]),
  );
}
