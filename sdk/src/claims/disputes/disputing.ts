import type { Interface, TransactionReceipt } from "ethers";

import { actionOf, type Action } from "../../chain/action";
import { blockTimeOf, type Connection } from "../../chain/deployment";
import { eventIn } from "../../chain/events";
import { escrowExtensionInterface } from "../../chain/interfaces";
import { CarepactError } from "../../errors";
import type { Attestation } from "../attestation";
import { publicPartOf, type BatchSource } from "../batchSource";
import type { PublicPart } from "../file";
import { attestationFor } from "../preparing";
import type { ReportedStatement } from "../reporting";
import { packGroup } from "../types";

import { currentOf } from "./current";
import { indexOfLine, openingOf, type BatchLine, type Presentation } from "./structs";

/** A line that was frozen. Amounts in base units. */
export interface Disputed extends BatchLine {
  batchId: string;
  amount: bigint;
  /** What its payee is paid by the attested result; zero where none is attested. */
  attestedAmount: bigint;
  /** What was locked out of the free balance, or the credit, of the one who disputes it. */
  bond: bigint;
  /** Last moment for the arbiter, unix seconds; a stop moves it. */
  resolveBy: number;
}

/** How a dispute ended. Amounts in base units. */
export interface Resolved extends BatchLine {
  batchId: string;
  payee: string;
  /** Credited to the payee. */
  award: bigint;
  /** Returned to the payer's free balance. */
  returned: bigint;
  /** Whether the arbiter ruled, else the default held. */
  byArbiter: boolean;
  /** Who got the bond: the payee as credit, the payer as free balance. */
  bondTo: string;
  bond: bigint;
}

const abi: Interface = escrowExtensionInterface;

/** @internal Freezes a line of what was presented. The batch's payer, or the payee of the line. */
export function dispute(
  connection: Connection,
  source: BatchSource,
  place: BatchLine,
  presentation?: Presentation,
): Action<Disputed> {
  return actionOf(connection, async () => {
    const batch = publicPartOf(source);
    const opening = openingOf(source, place);
    const held = presentation ?? (await presentationWith(connection, batch, place));
    return {
      to: connection.deployment.claimEscrow,
      data: abi.encodeFunctionData("dispute", [...termsAndGroups(batch), opening, held]),
      preview: () => undefined,
      result: (receipt) => disputedIn(receipt, connection, batch, place),
    };
  });
}

/** @internal Freezes a line of the signer's own group that nobody attested in time. */
export function disputeMissing(connection: Connection, source: BatchSource, place: BatchLine): Action<Disputed> {
  return actionOf(connection, () => {
    const batch = publicPartOf(source);
    const opening = openingOf(source, place);
    return {
      to: connection.deployment.claimEscrow,
      data: abi.encodeFunctionData("disputeMissing", [...termsAndGroups(batch), opening]),
      preview: () => undefined,
      result: (receipt) => disputedIn(receipt, connection, batch, place),
    };
  });
}

/** A result that was brought for a line in dispute, in base units. */
export type DisputeAttested = BatchLine & { batchId: string; attestedAmount: bigint };

/** @internal Brings attestations for a line that is in dispute because there were none. */
export function presentDisputed(
  connection: Connection,
  source: BatchSource,
  place: BatchLine,
  by: { attestations: readonly Attestation[] } | ReportedStatement,
): Action<DisputeAttested> {
  return actionOf(connection, async () => {
    const batch = publicPartOf(source);
    indexOfLine(batch.groups, place);
    const attestation = await attestationFor(connection, batch, by);
    const { group, line } = place;
    return {
      to: connection.deployment.claimEscrow,
      data: abi.encodeFunctionData("presentDisputed", [...termsAndGroups(batch), attestation, group, line]),
      preview: () => undefined,
      result: (receipt) => {
        const { attestedAmount } = saidIn(receipt, connection, "DisputeAttested") as { attestedAmount: bigint };
        return { batchId: batch.batchId, group, line, attestedAmount };
      },
    };
  });
}

/** @internal Rules on a dispute, as the arbiter. */
export function resolve(
  connection: Connection,
  source: BatchSource,
  place: BatchLine,
  award: bigint,
): Action<Resolved> {
  return actionOf(connection, () => {
    const batch = publicPartOf(source);
    indexOfLine(batch.groups, place);
    const { group, line } = place;
    return {
      to: connection.deployment.claimEscrow,
      data: abi.encodeFunctionData("resolve", [...termsAndGroups(batch), group, line, award]),
      preview: () => undefined,
      result: (receipt) => resolvedIn(receipt, connection, batch, place),
    };
  });
}

/** @internal Ends a dispute on which the arbiter did not rule in time. */
export function resolveByDefault(
  connection: Connection,
  source: BatchSource,
  place: BatchLine,
): Action<Resolved, { award: bigint }> {
  return actionOf(connection, () => {
    const batch = publicPartOf(source);
    indexOfLine(batch.groups, place);
    const { group, line } = place;
    return {
      to: connection.deployment.claimEscrow,
      data: abi.encodeFunctionData("resolveByDefault", [...termsAndGroups(batch), group, line]),
      preview: (returned: string) => ({
        award: abi.decodeFunctionResult("resolveByDefault", returned)[0] as bigint,
      }),
      result: (receipt) => resolvedIn(receipt, connection, batch, place),
    };
  });
}

const termsAndGroups = ({ terms, groups }: PublicPart) => [terms, groups.map(packGroup)] as const;

/** The presentation that holds a line. @throws LINE_NOT_PRESENTED */
async function presentationWith(
  connection: Connection,
  batch: PublicPart,
  { group, line }: BatchLine,
): Promise<Presentation> {
  const { presentations } = await currentOf(connection, batch);
  const found = presentations.find(({ held }) => held.some((place) => place.group === group && place.line === line));
  if (found !== undefined) return found;
  throw new CarepactError(
    "LINE_NOT_PRESENTED",
    "No result of this line is presented: it is open, closed or in dispute already. One that is missing has its own dispute.",
    { batchId: batch.batchId, group, line },
  );
}

const saidIn = (receipt: TransactionReceipt, { deployment }: Connection, name: string): Record<string, unknown> =>
  eventIn(receipt, { to: deployment.claimEscrow, abi }, name);

async function disputedIn(
  receipt: TransactionReceipt,
  connection: Connection,
  batch: PublicPart,
  { group, line }: BatchLine,
): Promise<Disputed> {
  const { amount, attestedAmount, bond } = saidIn(receipt, connection, "LineDisputed") as Omit<
    Disputed,
    "batchId" | "resolveBy" | keyof BatchLine
  >;
  const resolveBy = (await blockTimeOf(connection, receipt)) + batch.rulebook.arbiterDeadline;
  return { batchId: batch.batchId, group, line, amount, attestedAmount, bond, resolveBy };
}

function resolvedIn(
  receipt: TransactionReceipt,
  connection: Connection,
  { batchId }: PublicPart,
  { group, line }: BatchLine,
): Resolved {
  const { payee, award, returned, byArbiter, bondTo, bond } = saidIn(receipt, connection, "DisputeResolved") as Omit<
    Resolved,
    "batchId" | keyof BatchLine
  >;
  return { batchId, group, line, payee, award, returned, byArbiter, bondTo, bond };
}
