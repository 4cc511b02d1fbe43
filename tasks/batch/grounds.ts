import type { Attestation, ReportedStatement } from "@carepact/sdk/claims";

import { usage } from "../support/input";

import { attestationsOf, statementIn } from "./attestations";

/** What a command goes by, as its options name it. */
export interface GroundOptions {
  attestations?: string;
  reported?: string;
}

/** By what a batch is to be settled, or results are to be presented. @throws INPUT_INVALID */
export async function groundsIn({ attestations, reported }: GroundOptions): Promise<Attestation[] | ReportedStatement> {
  if ((attestations === undefined) === (reported === undefined))
    throw usage("Give --attestations or --reported, one of them.", "--attestations");
  if (reported !== undefined) return { reported: await statementIn(reported, "--reported") };
  return attestationsOf(attestations ?? "", "--attestations");
}
