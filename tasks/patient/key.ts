import { createPatients } from "@carepact/sdk/patients";

import { act, actingSiteOf, type ActorOptions } from "../support/actor";
import type { Call, Ending } from "../support/call";
import { bytes32In, needed } from "../support/input";

import { patientIn, recordIn } from "./record";

export async function run(call: Call, options: ActorOptions & { patient?: string; hpkeKey?: string }): Promise<Ending> {
  const patient = patientIn(options);
  const hpkeKey = bytes32In(needed(options, "hpkeKey"), "--hpke-key");
  const site = await actingSiteOf(call, options);
  const patients = createPatients(site.connection, site.acts);
  const record = await recordIn(patients, patient, site);
  if (record.hpkeKey === hpkeKey)
    return {
      lines: ["The patient has this key already."],
      json: { changed: false, patient, hpkeKey, version: record.hpkeKeyVersion },
    };
  return act(site, patients.setHpkeKey(patient, hpkeKey), ({ hpkeKeyVersion: version }) => ({
    lines: [
      `Patient ${patient} has key version ${version}. What was sealed before opens only with the key before: keep it.`,
    ],
    json: { changed: true, patient, hpkeKey, version },
  }));
}
