import { decodeResults, openedGroupsOf, resultShapeOf, statementOf } from "@carepact/sdk/claims";

import type { Call, Ending } from "../support/call";
import { fileText, outputTo } from "../support/files";
import { siteOf } from "../support/site";

import { resultsIn, type ResultOptions } from "./results";
import { openedSourceIn, type SourceOptions } from "./source";
import { momentsIn, type MomentOptions } from "./statements";
import { resultLines, resultsJson, timesText } from "./words";

interface Options extends SourceOptions, ResultOptions, MomentOptions {
  out?: string;
  force: boolean;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  const output = options.out === undefined ? undefined : await outputTo(options.out, "--out", options);
  const { source, batch } = await openedSourceIn(call, options);
  const results = await resultsIn(source, batch, options);
  const site = await siteOf(call);
  const moments = await momentsIn(site, options);
  // The chain refuses what was observed at a time that is still to come for it.
  const observedAt = moments.observedAt ?? (await site.now());
  const statement = statementOf(source, results, { ...moments, observedAt });
  const says = decodeResults(statement.results, resultShapeOf(batch, openedGroupsOf(source)));
  await output?.write(fileText(statement));
  return {
    lines:
      output === undefined
        ? [JSON.stringify(statement)]
        : [...resultLines(batch, says), `${output.path} says so, ${timesText(statement)}; nobody has signed it.`],
    json: { statement, says: resultsJson(batch, says) },
  };
}
