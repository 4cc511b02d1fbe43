import type { Provider } from "ethers";

import type { Connection } from "../chain/deployment";
import type { CallOptions } from "../chain/options";
import { reading } from "../chain/read";
import { ClaimEscrow__factory } from "../generated";

import { frozenIn, isWhole, presentedIn, retainedIn } from "./disputes/book";
import { hasArbiter, readBook } from "./disputes/current";
import type { PublicPart } from "./file";

/** What the chain knows of a claim batch. */
export interface ClaimBatchStatus {
  batchId: string;
  funded: boolean;
  /** Whether one settlement paid every line. */
  paidInFull: boolean;
  /** Amount of its open lines, in base units. */
  open: bigint;
  /** What attested results that can still be disputed come to, paid and freed, in base units; absent where events do not tell. */
  presented?: bigint;
  /** Amount of its lines in dispute, in base units: neither side's. Absent where events do not tell. */
  frozen?: bigint;
  /** What is kept back of payments during their look-back, in base units; absent where events do not tell. */
  retained?: bigint;
  /** For each line of the batch, whether it is not open any more: settled, presented, disputed, reversed or reclaimed. */
  closedLines: boolean[];
  /** Last moment at which an attestation may land, unix seconds; absent before funding. */
  attestBy?: number;
}

const LINES_PER_WORD = 256;

/** When the chain is asked. */
type StatusOptions = CallOptions & { blockTag?: string | number };

/** @internal As {@link statusOf}, with what events tell: they are read only where the rulebook has an arbiter. */
export async function wholeStatusOf(
  connection: Connection,
  batch: PublicPart,
  { blockTag = "latest", ...options }: StatusOptions = {},
): Promise<ClaimBatchStatus> {
  if (!hasArbiter(batch))
    return {
      ...(await statusOf(connection, batch, { blockTag, ...options })),
      presented: 0n,
      frozen: 0n,
      retained: 0n,
    };
  const toBlock =
    typeof blockTag === "number"
      ? blockTag
      : await reading(connection, async (provider) => (await provider.getBlock(blockTag))?.number ?? 0, options);
  const status = await statusOf(connection, batch, { blockTag: toBlock, ...options });
  if (!status.funded) return { ...status, presented: 0n, frozen: 0n, retained: 0n };
  const book = await readBook(connection, batch, { toBlock, ...options });
  if (!isWhole(batch, status.open, book)) return status;
  return { ...status, presented: presentedIn(book), frozen: frozenIn(book), retained: retainedIn(book) };
}

/** @internal Reads the status of a batch, as of a block if one is given. @throws what {@link reading} throws */
export function statusOf(
  connection: Connection,
  batch: PublicPart,
  { blockTag = "latest", ...options }: StatusOptions = {},
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
