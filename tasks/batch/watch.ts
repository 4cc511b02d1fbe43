import { formatAmount } from "@carepact/sdk";
import {
  createClaims,
  type ClaimBatchChange,
  type ClaimBatchStatus,
  type ClaimBatchUpdate,
  type WatchOptions,
} from "@carepact/sdk/claims";

import type { Call, Ending } from "../support/call";
import { exitCodes } from "../support/exitCodes";
import { countIn, durationIn, needed, oneOf } from "../support/input";
import { siteOf, type Site } from "../support/site";

import { changeJson, changeText, statusJson, statusText } from "./changes";
import { sourceIn } from "./source";

interface Options {
  file?: string;
  until?: string;
  poll?: string;
  confirmations?: string;
}

const ends = ["funded", "settled", "closed"] as const;

const LOCAL_POLLING_MS = 200;

export async function run(call: Call, options: Options): Promise<Ending> {
  needed(options, "file");
  const until = oneOf(options.until ?? "closed", ends, "--until");
  const { source, batch } = await sourceIn(options);
  const { batchId, token } = batch;
  const site = await siteOf(call);
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);

  let last: ClaimBatchUpdate | undefined;
  let settlements = 0;
  const isReached = (): boolean => {
    if (last === undefined || !last.status.funded) return false;
    return until === "funded" || (until === "settled" ? settlements > 0 : isClosed(last.status));
  };
  try {
    const watching = { ...howToWatch(site, options), signal: interruption.signal };
    call.tell(`Watching claim batch ${batchId} until it is ${until}; Ctrl-C ends it.`);
    for await (const update of createClaims(site.connection).watch(source, watching)) {
      last = update;
      for (const change of update.changes) {
        call.emit(changeText(change, token), changeJson(change, token));
        if (isSettlement(change)) settlements += change.type === "added" ? 1 : -1;
      }
      call.emit(statusText(update, token), statusJson(update, token));
      // That nothing is open is waited for on: a reorganization may open it again.
      if (until !== "closed" && isReached()) break;
    }
  } catch (thrown) {
    if (!interruption.signal.aborted) throw thrown;
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  }
  const reached = isReached();
  return {
    lines: [reached ? `The batch is ${until}.` : `Watched no longer; the batch is not ${until}.`],
    json: { batchId, until, reached, ...(last && { open: formatAmount(last.status.open, token) }) },
    exitCode: reached ? exitCodes.ok : exitCodes.interrupted,
  };
}

const isSettlement = ({ event: { name } }: ClaimBatchChange): boolean =>
  name === "ClaimBatchSettled" || name === "PresentationSettled";

/** Whether all money has come to its end. */
const isClosed = ({ open, presented, frozen, retained }: ClaimBatchStatus): boolean =>
  [open, presented, frozen, retained].every((amount) => amount === 0n);

function howToWatch({ isLocal, options: { timeoutMs } }: Site, { poll, confirmations }: Options): WatchOptions {
  const pollMs = poll === undefined ? (isLocal ? LOCAL_POLLING_MS : undefined) : durationIn(poll, "--poll") * 1_000;
  return {
    timeoutMs,
    pollMs,
    confirmations: confirmations === undefined ? undefined : countIn(confirmations, "--confirmations"),
    // Local chains stand still until somebody sends something.
    closedConfirmations: isLocal ? 0 : undefined,
  };
}
