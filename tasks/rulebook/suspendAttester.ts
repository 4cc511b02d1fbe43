import { dataLength, isHexString } from "ethers";

import { createRulebooks } from "@carepact/sdk/rulebooks";

import type { Call, Ending } from "../support/call";
import { bytes32In, needed, usage } from "../support/input";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

import { standingsOf } from "./standings";

const ACCOUNT_BYTES = 20;

export async function run(call: Call, options: { id?: string; attester?: string }): Promise<Ending> {
  const id = bytes32In(needed(options, "id"), "--id");
  const attester = attesterIn(needed(options, "attester"));
  const site = await signingSiteOf(call);
  const rulebooks = createRulebooks(site.connection);
  const { published } = await rulebooks.status(id, site.options);
  if (!published) throw usage(`No rulebook ${id} was published here.`, "--id");
  const standings = await standingsOf(site, id, await rulebooks.get(id, site.options));
  if (standings.get(attester) === "suspended")
    return { lines: [`${attester} is suspended in rulebook ${id} already.`], json: { id, attester, changed: false } };
  const outcome = await carryOut(site, rulebooks.suspendAttester(id, attester));
  return endOf(site, outcome, () => ({
    lines: [`${attester} is suspended in rulebook ${id}: its signatures count no more.`],
    json: { id, attester, changed: true },
  }));
}

function attesterIn(value: string): string {
  if (isHexString(value) && value.length % 2 === 0 && dataLength(value) >= ACCOUNT_BYTES) return value.toLowerCase();
  throw usage("--attester is no account or key in hex, as rulebook:show lists them.", "--attester");
}
