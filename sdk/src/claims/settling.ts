import type { TransactionReceipt } from "ethers";

import { actionOf, type Action } from "../chain/action";
import { providerOf, type Connection } from "../chain/deployment";
import { escrowInterface } from "../chain/interfaces";
import { parseRevert, type Revert } from "../chain/revert";

import { combineAttestations, type Attestation, type CombinedAttestation } from "./attestation";
import { openedGroupsOf, publicPartOf, type BatchSource } from "./batchSource";
import { openedLinesOf, resultShapeOf } from "./file";
import { decodeResults } from "./results";
import { statusOf } from "./status";
import { packGroup, type ClaimBatchTerms, type OpenedLines } from "./types";

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

/** A batch with the attestations it is to be settled by. */
export interface SettleInput {
  batch: BatchSource;
  attestations: readonly Attestation[];
}

const nothingOpened: OpenedLines = { groups: [], proof: [] };

/** @internal Settles what the attestations call final and is still open. */
export function settle(
  connection: Connection,
  input: SettleInput,
): Action<Settlement, { paid: bigint; freed: bigint }> {
  return actionOf(connection, async () => {
    const { arguments: args, opened, unopened, batchId } = await prepare(connection, input);
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
      result: (receipt) => settlementOf(receipt, connection, batchId, unopened),
    };
  });
}

/** A settlement of several batches: what each did, or why it was skipped. */
export interface Settlements {
  settlements: (Settlement | { batchId: string; skipped: Revert })[];
}

/** @internal Settles several batches in one transaction; one that fails is skipped. */
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
      result: (receipt) => ({
        settlements: prepared.map(({ batchId, unopened }, index) => {
          const skipped = skippedIn(receipt, connection, index);
          return skipped === undefined ? settlementOf(receipt, connection, batchId, unopened) : { batchId, skipped };
        }),
      }),
    };
  });
}

async function prepare(connection: Connection, { batch: source, attestations }: SettleInput) {
  const batch = publicPartOf(source);
  const block = await providerOf(connection.runner).getBlock("latest");
  const attestation = combineAttestations(batch, attestations, block?.timestamp ?? 0);
  const results = decodeResults(attestation.results, resultShapeOf(batch, openedGroupsOf(source)));
  const { closedLines } = await statusOf(connection, batch);

  const known = new Set(openedGroupsOf(source).map(({ group }) => group));
  const toOpen: number[] = [];
  const unopened: number[] = [];
  let firstLine = 0;
  batch.groups.forEach(({ lineCount }, group) => {
    const closed = closedLines.slice(firstLine, firstLine + lineCount);
    firstLine += lineCount;
    const { result } = results[group] ?? { result: "pending" };
    const inPart = result === "byLine" || (result !== "pending" && closed.includes(true));
    if (lineCount > 1 && inPart && closed.includes(false)) (known.has(group) ? toOpen : unopened).push(group);
  });
  const opened = "carepact" in source || toOpen.length === 0 ? nothingOpened : openedLinesOf(source, toOpen);
  const { terms, batchId, groups } = batch;
  const args: [ClaimBatchTerms, bigint[], CombinedAttestation] = [terms, groups.map(packGroup), attestation];
  return { batchId, opened, unopened, arguments: args };
}

/** What the events of a receipt say about one batch. */
function settlementOf(
  receipt: TransactionReceipt,
  { deployment }: Connection,
  batchId: string,
  unopened: number[],
): Settlement {
  const groups = eventsIn(receipt, deployment.claimEscrow, "GroupSettled")
    .filter((args) => args["batchId"] === batchId)
    .map((args) => ({
      payee: args["payee"] as string,
      paid: args["paid"] as bigint,
      freed: args["freed"] as bigint,
    }));
  const sum = (amounts: bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);
  const paid = sum(groups.map((group) => group.paid));
  return { batchId, paid, freed: sum(groups.map((group) => group.freed)), groups, unopened };
}

function skippedIn(receipt: TransactionReceipt, { deployment }: Connection, index: number): Revert | undefined {
  const skipped = eventsIn(receipt, deployment.claimEscrow, "SettlementSkipped").find(
    (args) => args["index"] === BigInt(index),
  );
  return skipped && parseRevert(skipped["reason"] as string);
}

/** Arguments of the escrow's events of one name in a receipt, in order. */
export function eventsIn(receipt: TransactionReceipt, escrow: string, name: string): Record<string, unknown>[] {
  return receipt.logs
    .filter((log) => log.address.toLowerCase() === escrow.toLowerCase())
    .map((log) => escrowInterface.parseLog(log))
    .filter((log) => log?.name === name)
    .map((log) => (log?.args as unknown as { toObject(): Record<string, unknown> }).toObject());
}
