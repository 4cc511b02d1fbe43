import type { TransactionReceipt } from "ethers";

import { actionOf, type Action } from "../chain/action";
import type { Connection } from "../chain/deployment";
import { escrowEventsIn } from "../chain/events";
import { escrowInterface } from "../chain/interfaces";
import { parseRevert, type Revert } from "../chain/revert";
import { CarepactError } from "../errors";
import { isPresented } from "../rulebooks/arbitration";

import { publicPartOf } from "./batchSource";
import { paymentOf } from "./disputes/structs";
import type { PublicPart } from "./file";
import { prepare, presentationCall, type Outcome, type Prepared, type SettleInput } from "./preparing";

/** What one payee's lines came to, in base units. */
export interface SettledGroup extends Outcome {
  payee: string;
  /** Kept back of its payment during the look-back; absent where the rulebook retains nothing. */
  retained?: bigint;
}

/** What a settlement did. Amounts in base units. */
export interface Settlement {
  batchId: string;
  /** Credited to payees. */
  paid: bigint;
  /** Returned to the payer's free balance. */
  freed: bigint;
  /** Kept back of the payments during the look-back, so that an audit can take it; absent where the rulebook retains nothing. */
  retained?: bigint;
  /** One entry for each payee of whose lines some settled. */
  groups: SettledGroup[];
  /** Groups (indices) that could not settle, because their line amounts are needed and not known here. */
  unopened: number[];
}

/** What a settlement would do. Base units. */
export type SettlementPreview = Pick<Settlement, "paid" | "freed" | "retained">;

/** @internal Settles what the attestations call final and is still open. */
export function settle(connection: Connection, input: SettleInput): Action<Settlement, SettlementPreview> {
  return actionOf(connection, async () => {
    const batch = publicPartOf(input.batch);
    const { rulebook } = batch;
    if (rulebook.challengePeriod > 0) throw presentationNeeded(batch, "present them, and settle that afterwards");
    const prepared = await prepare(connection, input);
    const { arguments: args, opened, outcomes } = prepared;
    const to = connection.deployment.claimEscrow;
    const result = (receipt: TransactionReceipt): Settlement => settlementOf(prepared, roundsIn(receipt, connection));
    // Nothing can be disputed where only a share is retained: then presenting settles at once.
    if (isPresented(rulebook))
      return {
        to,
        data: presentationCall(prepared),
        preview: () => previewOf(batch, outcomes),
        result: (receipt) => ({ retained: 0n, ...result(receipt) }),
      };
    const data =
      opened.groups.length === 0
        ? escrowInterface.encodeFunctionData("settle", args)
        : escrowInterface.encodeFunctionData("settleByLine", [...args, opened]);
    return {
      to,
      data,
      preview: (returned: string) => {
        const [paid, freed] = escrowInterface.decodeFunctionResult("settle", returned) as unknown as [bigint, bigint];
        return { paid, freed };
      },
      result,
    };
  });
}

/** Says why attestations do not settle a batch as they are. */
const presentationNeeded = ({ batchId }: PublicPart, advice: string): CarepactError =>
  new CarepactError(
    "PRESENTATION_NEEDED",
    `Under the batch's rulebook attestations do not settle as they are: ${advice}.`,
    {
      batchId,
    },
  );

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
    for (const { batch: source } of inputs) {
      const batch = publicPartOf(source);
      if (isPresented(batch.rulebook)) throw presentationNeeded(batch, "deal with this batch by itself");
    }
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
            return reason === undefined ? settlementOf(one, rounds) : { batchId: one.batch.batchId, skipped: reason };
          }),
        };
      },
    };
  });
}

const BPS = 10_000n;

/** What will be credited, freed and retained. */
export function previewOf({ rulebook }: PublicPart, outcomes: readonly Outcome[]): SettlementPreview {
  const retained = sum(outcomes.map(({ paid }) => (paid * BigInt(rulebook.retentionBps)) / BPS));
  const paid = sum(outcomes.map((outcome) => outcome.paid)) - retained;
  const freed = sum(outcomes.map((outcome) => outcome.freed));
  return { paid, freed, ...(rulebook.retentionBps === 0 ? {} : { retained }) };
}

/** One attestation at work on one batch, as the escrow reported it. */
export interface Round {
  batchId: string;
  /** Unless it was presented in an earlier transaction. */
  digest?: string;
  /** Where it was presented. */
  firstLine?: number;
  groups: SettledGroup[];
}

/** The rounds of a transaction, in order: of each, the groups that settled come first. */
export function roundsIn(receipt: TransactionReceipt, connection: Connection): Round[] {
  const rounds: Round[] = [];
  const presented = new Map<string, string>();
  let groups: SettledGroup[] = [];
  for (const { name, args } of escrowEventsIn(receipt, connection)) {
    const [batchId, firstLine] = [args["batchId"] as string, Number(args["firstLine"] ?? 0)];
    const key = `${batchId}/${firstLine}`;
    if (name === "GroupSettled")
      groups.push({ payee: args["payee"] as string, paid: args["paid"] as bigint, freed: args["freed"] as bigint });
    if (name === "ResultsPresented") presented.set(key, args["attestation"] as string);
    if (name === "PaymentsRetained") groups = withRetained(groups, args["amounts"] as readonly bigint[]);
    if (name === "ClaimBatchSettled") rounds.push({ batchId, digest: args["attestation"] as string, groups });
    else if (name === "PresentationSettled") rounds.push({ batchId, digest: presented.get(key), firstLine, groups });
    else continue;
    groups = [];
  }
  return rounds;
}

function withRetained(groups: readonly SettledGroup[], words: readonly bigint[]): SettledGroup[] {
  const retained = new Map(words.map(paymentOf).map(({ payee, amount }) => [payee, amount]));
  return groups.map((group) => ({ ...group, retained: retained.get(group.payee) ?? 0n }));
}

/** What one settlement did. Takes its round, so that a batch that is settled twice in one call is not counted twice. */
function settlementOf({ batch: { batchId }, digest, unopened }: Prepared, rounds: Round[]): Settlement {
  const index = rounds.findIndex((round) => round.batchId === batchId && round.digest === digest);
  // Without a round there was nothing left to settle.
  const groups = index < 0 ? [] : rounds.splice(index, 1).flatMap((round) => round.groups);
  return { ...summed(batchId, groups), unopened };
}

/** What several payees' lines came to together. */
export function summed(batchId: string, groups: SettledGroup[]): Omit<Settlement, "unopened"> {
  const retained = groups.flatMap((group) => group.retained ?? []);
  return {
    batchId,
    paid: sum(groups.map((group) => group.paid)),
    freed: sum(groups.map((group) => group.freed)),
    ...(retained.length === 0 ? {} : { retained: sum(retained) }),
    groups,
  };
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);

function skippedIn(receipt: TransactionReceipt, connection: Connection): Map<number, Revert> {
  return new Map(
    escrowEventsIn(receipt, connection)
      .filter(({ name }) => name === "SettlementSkipped")
      .map(({ args }) => [Number(args["index"]), parseRevert(args["reason"] as string)]),
  );
}
