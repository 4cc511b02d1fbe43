import type { Connection } from "../chain/deployment";
import { createEvents } from "../events";

/** An event of the AccessManager. */
export interface ManagerEvent {
  name: string;
  args: Record<string, unknown>;
}

/** All that the AccessManager ever reported, in order. */
export async function historyOf(connection: Connection, signal: AbortSignal): Promise<ManagerEvent[]> {
  const events: ManagerEvent[] = [];
  const query = { contracts: ["AccessManager"] } as const;
  for await (const { name, args } of createEvents(connection).read(query, { signal })) events.push({ name, args });
  return events;
}
