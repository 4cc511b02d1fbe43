import { createRulebooks, rulebookToJson } from "@carepact/sdk/rulebooks";

import type { Call, Ending } from "../support/call";
import { fileText, outputTo } from "../support/files";
import { bytes32In, needed } from "../support/input";
import { tokenAt } from "../support/money";
import { siteOf } from "../support/site";

import { standingsOf } from "./standings";
import { conditionsJson, rulebookLines } from "./words";

interface Options {
  id?: string;
  token?: string;
  out?: string;
  force: boolean;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  const id = bytes32In(needed(options, "id"), "--id");
  const output = options.out === undefined ? undefined : await outputTo(options.out, "--out", options);
  const site = await siteOf(call);
  const rulebooks = createRulebooks(site.connection);
  const [rulebook, { suspended }, token] = await Promise.all([
    rulebooks.get(id, site.options),
    rulebooks.status(id, site.options),
    options.token === undefined ? undefined : tokenAt(site, options.token, "--token"),
  ]);
  const standings = await standingsOf(site, id, rulebook);
  const knowledge = { deployment: site.deployment, token, standings };
  const json = rulebookToJson(rulebook);
  await output?.write(fileText(json));
  return {
    lines: [
      ...rulebookLines(id, rulebook, knowledge),
      suspended ? "It is suspended: nothing is funded or settled under it." : "It is in force.",
    ],
    json: { id, suspended, rulebook: json, conditions: conditionsJson(rulebook, knowledge) },
  };
}
