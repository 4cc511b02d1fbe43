import { createAttester } from "@carepact/sdk/oracles";

import type { SourceOptions } from "../batch/source";
import type { Call, Ending } from "../support/call";
import { countIn, needed } from "../support/input";
import { withLedger } from "../support/ledger";
import { siteOf } from "../support/site";

import { openedBatchIn } from "./opened";

interface Options extends SourceOptions {
  ledger?: string;
  confirmations?: string;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  const path = needed(options, "ledger");
  const confirmations =
    options.confirmations === undefined ? undefined : countIn(options.confirmations, "--confirmations");
  const batch = await openedBatchIn(call, options);
  const site = await siteOf(call);
  const { released, kept } = await withLedger(call, path, (ledger) =>
    createAttester(site.connection, { ledger }).release(batch, { confirmations, ...site.options }),
  );
  const [open, paid] = (["open", "paid"] as const).map((why) => kept.filter((line) => line.why === why).length);
  return {
    lines: [
      `Forgot ${released} events: another batch may pay for them.`,
      `Kept ${open} lines that can still be paid, and ${paid} that were, or may have been.`,
    ],
    json: { batchId: batch.batchId, released, kept },
  };
}
