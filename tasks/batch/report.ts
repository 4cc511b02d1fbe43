import { attestationDigestOf, createClaims } from "@carepact/sdk/claims";

import type { Call, Ending } from "../support/call";
import { exitCodes } from "../support/exitCodes";
import { isoTime, list } from "../support/show";
import { siteOf } from "../support/site";

import { statementIn } from "./attestations";
import { sourceIn } from "./source";

export async function run(call: Call, options: { file?: string; statement?: string }): Promise<Ending> {
  const { source, batch } = await sourceIn(options);
  const { batchId, terms, rulebook } = batch;
  const statement = options.statement === undefined ? undefined : await statementIn(options.statement, "--statement");
  const site = await siteOf(call);
  const report = await createClaims(site.connection).reportOf(source, site.options);
  const said = { batchId, rulebook: terms.rulebook, workflow: rulebook.workflow };
  if (report === undefined)
    return {
      lines: [
        BigInt(rulebook.workflow.id) === 0n
          ? "The rulebook names no workflow: nothing is ever reported of this batch."
          : "The workflow has reported nothing that still counts: nothing yet, or what settled the whole batch at once.",
      ],
      json: { ...said, reported: false },
      ...(statement === undefined ? {} : { exitCode: exitCodes.notOk }),
    };
  const { digest, observedAt } = report;
  // Whoever asks about a statement of another batch gets another digest.
  const same = statement && attestationDigestOf(statement, batch).startsWith(digest);
  return {
    lines: [
      ...list({ batch: batchId, workflow: rulebook.workflow.id, "observed at": isoTime(observedAt), digest }),
      ...(same === undefined
        ? []
        : [same ? "OK: it is this statement: batch:settle --reported settles." : "NOT OK: it is another statement."]),
    ],
    json: {
      ...said,
      reported: true,
      digest,
      observedAt: isoTime(observedAt),
      ...(same === undefined ? {} : { sameStatement: same }),
    },
    ...(same === false ? { exitCode: exitCodes.notOk } : {}),
  };
}
