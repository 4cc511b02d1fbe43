import type { Attestation } from "@carepact/sdk/claims";

import { readEntries } from "../support/files";
import { usage } from "../support/input";

const texts = ["batchId", "results", "evidence", "signer", "signature"] as const;
const times = ["observedAt", "validUntil"] as const;

/** Attestations of a file, as to their shape; what they say is checked where they are used. @throws INPUT_INVALID */
export async function attestationsIn(path: string, option: string): Promise<Attestation[]> {
  return (await readEntries(path, option)).map((value) => {
    const entry = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
    const fits =
      texts.every((name) => typeof entry[name] === "string") &&
      times.every((name) => Number.isSafeInteger(entry[name]));
    if (!fits) throw usage(`${option}: ${path} holds something that is no attestation.`, option);
    return entry as unknown as Attestation;
  });
}
