import { eventKeyOf, openedGroupsOf } from "@carepact/sdk/claims";

import type { SourceOptions } from "../batch/source";
import type { Call, Ending } from "../support/call";
import { needed } from "../support/input";
import { withLedger } from "../support/ledger";
import { isoTime, table } from "../support/show";

import { openedBatchIn } from "./opened";

export async function run(call: Call, options: SourceOptions & { ledger?: string }): Promise<Ending> {
  const path = needed(options, "ledger");
  const batch = await openedBatchIn(call, options);
  const places = openedGroupsOf(batch).flatMap(({ group, lines }) => lines.map((line) => ({ group, line })));
  const lines = await withLedger(call, path, (ledger) =>
    Promise.all(
      places.map(async ({ group, line: { index, event, detail } }) => {
        const { claimId, lineNumber } = detail;
        const attested = await ledger.attested(eventKeyOf(event));
        return {
          ...{ group, line: index, claimId, lineNumber },
          attested: attested.map((entry) => ({
            ...{ batchId: entry.batchId, payer: entry.payer, group: entry.group, line: entry.line },
            at: isoTime(entry.at),
          })),
        };
      }),
    ),
  );
  const noted = lines.filter(({ attested }) => attested.length > 0);
  const elsewhere = noted.filter(({ attested }) => attested.some(({ batchId }) => batchId !== batch.batchId));
  return {
    lines: [
      ...table(
        ["group", "line", "claim", "its line", "attested as"],
        lines.map(({ group, line, claimId, lineNumber, attested }) => [
          String(group),
          String(line),
          claimId,
          String(lineNumber),
          attested.length === 0
            ? "never"
            : attested.map(
                (entry) =>
                  `group ${entry.group}, line ${entry.line} of ${entry.batchId}, which ${entry.payer} pays, at ${entry.at}`,
              ),
        ]),
        ["group", "line", "its line"],
      ),
      `Of ${lines.length} events ${noted.length} were attested, ${elsewhere.length} of them in other batches.`,
    ],
    json: {
      batchId: batch.batchId,
      events: lines.length,
      attested: noted.length,
      elsewhere: elsewhere.length,
      lines,
    },
  };
}
