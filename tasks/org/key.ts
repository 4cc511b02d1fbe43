import { createOrganizations } from "@carepact/sdk/organizations";

import type { Call, Ending } from "../support/call";
import { bytes32In, needed } from "../support/input";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

import { ownEntry } from "./own";

export async function run(call: Call, options: { hpkeKey?: string }): Promise<Ending> {
  const hpkeKey = bytes32In(needed(options, "hpkeKey"), "--hpke-key");
  const site = await signingSiteOf(call);
  const entry = await ownEntry(site);
  if (entry.hpkeKey === hpkeKey)
    return {
      lines: [`${entry.name} has this key already.`],
      json: { changed: false, hpkeKey, version: entry.hpkeKeyVersion },
    };
  const outcome = await carryOut(site, createOrganizations(site.connection).setHpkeKey(hpkeKey));
  const version = entry.hpkeKeyVersion + 1;
  return endOf(site, outcome, () => ({
    lines: [
      `${entry.name} has key version ${version}. Files that were sealed before open only with the key before: keep it.`,
    ],
    json: { changed: true, hpkeKey, version },
  }));
}
