import { CarepactError } from "@carepact/sdk";
import { askChain } from "@carepact/sdk/claims";
import { equivocationOf, findEquivocation } from "@carepact/sdk/oracles";
import { createRulebooks } from "@carepact/sdk/rulebooks";

import { attestationsOf } from "../batch/attestations";
import { sourceIn } from "../batch/source";
import type { Call, Ending } from "../support/call";
import { needed } from "../support/input";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

import { standingsOf } from "./standings";

export async function run(call: Call, options: { file?: string; attestations?: string }): Promise<Ending> {
  const attestations = await attestationsOf(needed(options, "attestations"), "--attestations");
  const { source, batch } = await sourceIn(options);
  const site = await signingSiteOf(call);
  const knowledge = await askChain(site.connection, batch, attestations);
  const [first, second, ...others] = attestations;
  const found =
    first !== undefined && second !== undefined && others.length === 0
      ? equivocationOf(source, [first, second], knowledge)
      : findEquivocation(source, attestations, knowledge);
  if (found === undefined)
    throw new CarepactError(
      "EQUIVOCATION_NOT_SHOWN",
      `The ${attestations.length} attestations prove nothing: no two of one attester contradict each other.`,
      { reason: "results" },
    );
  const { attester, group, line } = found;
  const { rulebook: id } = batch.terms;
  const said = { id, batchId: batch.batchId, attester, group, line, observedAt: found.first.observedAt };
  const place = `line ${line} of group ${group} of claim batch ${batch.batchId}`;
  const standings = await standingsOf(site, id, batch.rulebook);
  if (standings.get(attester) === "suspended")
    return {
      lines: [`${attester} equivocated about ${place}, and is suspended in rulebook ${id} already.`],
      json: { ...said, changed: false },
    };
  const outcome = await carryOut(site, createRulebooks(site.connection).proveEquivocation(batch, found));
  return endOf(site, outcome, () => ({
    lines: [
      `${attester} signed two different final results of ${place}, observed at the same time.`,
      `It is suspended in rulebook ${id}, for good. Other rulebooks that name it: see rulebook:suspend-attester.`,
    ],
    json: { ...said, changed: true },
  }));
}
