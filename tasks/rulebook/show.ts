import { createRulebooks, rulebookToJson } from "@carepact/sdk/rulebooks";

import type { Call, Ending } from "../support/call";
import { fileText, outputTo } from "../support/files";
import { bytes32In, needed } from "../support/input";
import { siteOf } from "../support/site";

import { rulebookLines } from "./document";

export async function run(call: Call, options: { id?: string; out?: string; force: boolean }): Promise<Ending> {
  const id = bytes32In(needed(options, "id"), "--id");
  const output = options.out === undefined ? undefined : await outputTo(options.out, "--out", options);
  const site = await siteOf(call);
  const rulebooks = createRulebooks(site.connection);
  const [rulebook, { suspended }] = await Promise.all([
    rulebooks.get(id, site.options),
    rulebooks.status(id, site.options),
  ]);
  const json = rulebookToJson(rulebook);
  await output?.write(fileText(json));
  return {
    lines: [
      ...rulebookLines(id, rulebook),
      suspended ? "It is suspended: nothing is funded or settled under it." : "It is in force.",
    ],
    json: { id, suspended, rulebook: json },
  };
}
