import { openHistory, openNotice, parseHistory, type AccessHistory } from "@carepact/sdk/access";

import type { Call } from "../support/call";
import { parseJson, readEntries, readText } from "../support/files";
import { needed } from "../support/input";
import { neededSealingKey } from "../support/sealing";

/** A history as options name it. */
export interface HistoryOptions {
  history?: string;
  sealingKeystore?: string;
}

const isSealed = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "carepact" in value && value.carepact === "sealed-access";

/** The history in a file, opened if it is sealed. @throws INPUT_INVALID, and what the SDK throws for histories */
export async function historyIn(call: Call, options: HistoryOptions): Promise<AccessHistory> {
  return historyAt(call, needed(options, "history"), "--history", options);
}

/** The same of an option of any name. */
export async function historyAt(
  call: Call,
  path: string,
  option: string,
  { sealingKeystore }: HistoryOptions,
): Promise<AccessHistory> {
  const text = await readText(path, option);
  const value = parseJson(text, option);
  return isSealed(value) ? openHistory(value, await neededSealingKey(call, sealingKeystore)) : parseHistory(text);
}

/** Receipts in a file: as they are, or in notices, which are opened. The SDK looks at what they say. */
export async function receiptsAt(call: Call, path: string, { sealingKeystore }: HistoryOptions): Promise<unknown[]> {
  const entries = await readEntries(path, "--receipts");
  const opened: unknown[] = [];
  for (const value of entries)
    opened.push(isSealed(value) ? await openNotice(value, await neededSealingKey(call, sealingKeystore)) : value);
  return opened;
}
