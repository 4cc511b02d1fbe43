import { createConsents } from "@carepact/sdk/consents";

import { act, actingSiteOf, type ActorOptions } from "../support/actor";
import type { Call, Ending } from "../support/call";
import { bytes32In, needed } from "../support/input";

export async function run(call: Call, options: ActorOptions & { patient?: string }): Promise<Ending> {
  const patient = bytes32In(needed(options, "patient"), "--patient");
  const site = await actingSiteOf(call, options);
  return act(site, createConsents(site.connection, site.acts).revokeAll(patient), ({ ended, epoch }) => ({
    lines: [`All grants and mandates of patient ${patient} ended; new ones are for epoch ${epoch}.`],
    json: { patient, ended, epoch },
  }));
}
