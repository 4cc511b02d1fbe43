import { createRulebooks, rulebookIdOf } from "@carepact/sdk/rulebooks";

import type { Call, Ending } from "../support/call";
import { readJson } from "../support/files";
import { needed } from "../support/input";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

import { rulebookIn } from "./document";

export async function run(call: Call, options: { file?: string }): Promise<Ending> {
  const rulebook = rulebookIn(await readJson(needed(options, "file"), "--file"), "--file");
  const site = await signingSiteOf(call);
  const rulebooks = createRulebooks(site.connection);
  const id = rulebookIdOf(rulebook);
  const { published } = await rulebooks.status(id, site.options);
  if (published) return { lines: [`Rulebook ${id} was published before.`], json: { id, changed: false } };
  const outcome = await carryOut(site, rulebooks.publish(rulebook));
  return endOf(site, outcome, () => ({
    lines: [`Rulebook ${id} is published. It never changes.`],
    json: { id, changed: true },
  }));
}
