import { createRulebooks } from "@carepact/sdk/rulebooks";

import type { Call, Ending } from "../support/call";
import { bytes32In, needed, usage } from "../support/input";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

/** Suspends or resumes a rulebook, unless that was done. */
export async function bringTo(verb: "suspend" | "resume", call: Call, options: { id?: string }): Promise<Ending> {
  const id = bytes32In(needed(options, "id"), "--id");
  const wanted = verb === "suspend";
  const says = wanted ? "suspended" : "in force";
  const site = await signingSiteOf(call);
  const rulebooks = createRulebooks(site.connection);
  const { published, suspended } = await rulebooks.status(id, site.options);
  if (!published) throw usage(`No rulebook ${id} was published here.`, "--id");
  if (suspended === wanted)
    return { lines: [`Rulebook ${id} is ${says} already.`], json: { id, suspended, changed: false } };
  const outcome = await carryOut(site, rulebooks[verb](id));
  return endOf(site, outcome, () => ({
    lines: [`Rulebook ${id} is ${says}.`],
    json: { id, suspended: wanted, changed: true },
  }));
}
