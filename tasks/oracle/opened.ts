import type { OpenedBatch } from "@carepact/sdk/oracles";

import { openedSourceIn, type SourceOptions } from "../batch/source";
import type { Call } from "../support/call";
import { usage } from "../support/input";

/** A batch of which lines can be read. @throws INPUT_INVALID, and what the SDK throws for documents */
export async function openedBatchIn(call: Call, options: SourceOptions): Promise<OpenedBatch> {
  const { source } = await openedSourceIn(call, options);
  if ("carepact" in source)
    throw usage("--file: the lines have to be open: the payer's record, or a payee's file and sealing key.", "--file");
  return source;
}
