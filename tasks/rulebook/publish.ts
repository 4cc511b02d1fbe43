import { createRulebooks, rulebookIdOf } from "@carepact/sdk/rulebooks";

import type { Call, Ending } from "../support/call";
import { readJson } from "../support/files";
import { needed } from "../support/input";
import { tokenAt } from "../support/money";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

import { rulebookIn } from "./document";
import { arbitrationLines, conditionLines } from "./words";

export async function run(call: Call, options: { file?: string; token?: string }): Promise<Ending> {
  const document = await readJson(needed(options, "file"), "--file");
  const site = await signingSiteOf(call);
  const { deployment } = site;
  const token = options.token === undefined ? undefined : await tokenAt(site, options.token, "--token");
  const rulebook = rulebookIn(document, "--file", { p256Verifier: deployment.p256Verifier, token });
  const rulebooks = createRulebooks(site.connection);
  const id = rulebookIdOf(rulebook);
  const { published } = await rulebooks.status(id, site.options);
  if (published) return { lines: [`Rulebook ${id} was published before.`], json: { id, changed: false } };
  const outcome = await carryOut(site, rulebooks.publish(rulebook));
  return endOf(site, outcome, () => ({
    lines: [
      ...conditionLines(rulebook, { deployment, token }),
      ...arbitrationLines(rulebook, { deployment, token }),
      `Rulebook ${id} is published. It never changes.`,
    ],
    json: { id, changed: true },
  }));
}
