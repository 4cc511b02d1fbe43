import {
  buildClaimBatch,
  encodeResults,
  openClaimBatchRecord,
  type AdjudicatedClaim,
  type GroupResult,
  type OpenedGroup,
} from "../../sdk/src/claims";
import { buildRemittance, type Said } from "../../sdk/src/claims/remittance/build";
import { replay } from "../../sdk/src/claims/remittance/replay";
import type { Remittance } from "../../sdk/src/claims";
import { generateSealingKeys } from "../../sdk/src/encryption";

import { counter, escrow, payer, pharmacy, rulebook, token } from "./claimBatchFixture";

/** Base units of a cent. */
export const CENT = 10_000n;
export const DOLLAR = 100n * CENT;

/** A batch of these claims of one payee; lines stay in their order. */
export async function groupOf(claims: AdjudicatedClaim[], payee = pharmacy): Promise<OpenedGroup> {
  const { publicKey } = await generateSealingKeys();
  const { record } = await buildClaimBatch({
    chainId: 31337,
    escrow,
    payer,
    token,
    rulebook,
    eventBy: new Date("2026-02-01T00:00:00Z"),
    claims,
    payeeKeys: { [payee]: { publicKey, version: 1 } },
    random: counter(),
  });
  const [group] = openClaimBatchRecord(record).opened;
  return group!;
}

export type Emitted = Parameters<typeof replay>[1][number];

/** Events as a chain gives them, block by block. */
export class Chain {
  readonly events: Emitted[] = [];

  constructor(private readonly group: OpenedGroup) {}

  /** @returns Number of the block. */
  emit(name: string, args: Record<string, unknown>): number {
    const blockNumber = this.events.length + 1;
    const txHash = `0x${blockNumber.toString(16).padStart(64, "0")}`;
    const place = { id: `${blockNumber}:0`, blockNumber, blockHash: txHash, logIndex: 0, txHash, cursor: "" };
    const all = { batchId: this.group.batchId, payee: this.group.payee, ...args };
    this.events.push({ contract: "ClaimEscrow", name, args: all, ...place } as unknown as Emitted);
    return blockNumber;
  }

  /** A settlement, as the escrow would report it. */
  settled(result: GroupResult, paid: bigint, freed: bigint): void {
    const shape = [{ lineCount: this.group.lines.length, amounts: this.group.groupLines.amounts }];
    this.emit("GroupSettled", { paid, freed });
    this.emit("ClaimBatchSettled", { attestation: "0x", results: encodeResults([result], shape) });
  }
}

/** The remittance of what happened from block `first` on. */
export const remitted = (groups: [OpenedGroup, Chain][], said: Said = {}, first = 1): Remittance =>
  buildRemittance(
    {
      chainId: 31337,
      escrow,
      payer,
      payee: pharmacy,
      token,
      period: { from: 1_767_225_600, to: 1_769_904_000 },
      blocks: { first, last: 1_000 },
      stories: groups.map(([group, { events }]) => replay(group, events)),
    },
    said,
  );

export const plb = ({ providerAdjustments }: Remittance): string[] =>
  providerAdjustments.map(({ reason, amount }) => `${reason} ${amount}`);

export const clp = ({ claims }: Remittance): string[] =>
  claims.map(({ claimId, status, charge, paid }) => `${claimId} ${status} ${charge} ${paid}`);
