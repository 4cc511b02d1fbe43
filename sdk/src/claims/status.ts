import type { Provider } from "ethers";

import type { Connection } from "../chain/deployment";
import type { CallOptions } from "../chain/options";
import { reading } from "../chain/read";
import { ClaimEscrow__factory } from "../generated";

import type { PublicPart } from "./file";

/** What the chain knows of a claim batch. */
export interface ClaimBatchStatus {
  batchId: string;
  funded: boolean;
  /** Whether one settlement paid every line. */
  paidInFull: boolean;
  /** Amount of its open lines, in base units. */
  open: bigint;
  /** For each line of the batch, whether it is settled, reversed or reclaimed. */
  closedLines: boolean[];
  /** Last moment at which an attestation may land, unix seconds; absent before funding. */
  attestBy?: number;
}

const LINES_PER_WORD = 256;

/** @internal Reads the status of a batch, as of a block if one is given. @throws what {@link reading} throws */
export function statusOf(
  connection: Connection,
  batch: PublicPart,
  { blockTag = "latest", ...options }: CallOptions & { blockTag?: string | number } = {},
): Promise<ClaimBatchStatus> {
  const { batchId, terms } = batch;
  const read = async (provider: Provider): Promise<ClaimBatchStatus> => {
    const escrow = ClaimEscrow__factory.connect(connection.deployment.claimEscrow, provider);
    const { funded, paidInFull, open } = await escrow.claimBatchStatusOf(batchId, { blockTag });
    if (!funded) return { batchId, funded, paidInFull, open, closedLines: lineFlags(batch, () => false) };
    const attestBy = Number(await escrow.attestByOf(terms, { blockTag }));
    // A batch keeps no bitmap once nothing is open.
    if (open === 0n) return { batchId, funded, paidInFull, open, attestBy, closedLines: lineFlags(batch, () => true) };
    const words = await Promise.all(
      Array.from({ length: Math.ceil(lineCountOf(batch) / LINES_PER_WORD) }, (_, word) =>
        escrow.closedLinesOf(batchId, word, { blockTag }),
      ),
    );
    const isClosed = (line: number): boolean =>
      (((words[Math.floor(line / LINES_PER_WORD)] ?? 0n) >> BigInt(line % LINES_PER_WORD)) & 1n) === 1n;
    return { batchId, funded, paidInFull, open, attestBy, closedLines: lineFlags(batch, isClosed) };
  };
  return reading(connection, read, options);
}

const lineCountOf = (batch: PublicPart): number => batch.groups.reduce((sum, { lineCount }) => sum + lineCount, 0);

const lineFlags = (batch: PublicPart, isClosed: (line: number) => boolean): boolean[] =>
  Array.from({ length: lineCountOf(batch) }, (_, line) => isClosed(line));
