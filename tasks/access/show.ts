import { writeAuditEvent } from "@carepact/sdk/fhir";

import type { Call, Ending } from "../support/call";

import { historyIn, type HistoryOptions } from "./documents";
import { entryTable, placedIn } from "./words";

export async function run(call: Call, options: HistoryOptions & { fhir: boolean }): Promise<Ending> {
  const history = await historyIn(call, options);
  const placed = placedIn(history);
  const { gateway, patient } = history;
  if (options.fhir) {
    const events = placed.map(({ entry }) => writeAuditEvent(entry));
    return { lines: events.map((event) => JSON.stringify(event)), json: { gateway, patient, events } };
  }
  return {
    lines: [
      ...(placed.length === 0 ? ["The gateway noted nothing."] : entryTable(placed)),
      "This is what the gateway says: access:audit holds it against the chain.",
    ],
    json: { gateway, patient, entries: placed.map(({ trail, entry }) => ({ trail, ...entry })) },
  };
}
