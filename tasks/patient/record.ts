import type { PatientRecord, Patients } from "@carepact/sdk/patients";

import { bytes32In, needed, usage } from "../support/input";
import { isoTime, list } from "../support/show";
import type { Site } from "../support/site";

/** Patient id out of the options. @throws INPUT_INVALID */
export const patientIn = (options: { patient?: string }): string => bytes32In(needed(options, "patient"), "--patient");

/** The record of a patient. @throws INPUT_INVALID when there is none */
export async function recordIn(patients: Patients, patient: string, { options }: Site): Promise<PatientRecord> {
  const record = await patients.get(patient, options);
  if (record === undefined) throw usage(`No patient is registered as ${patient}: is it the right chain?`, "--patient");
  return record;
}

/** A record for people. */
export const recordLines = (record: PatientRecord): string[] =>
  list({
    patient: record.patient,
    status: record.status,
    "merged into": record.mergedInto,
    since: isoTime(record.since),
    controller: `${record.controllerHash} (hash of the key; number ${record.controllerVersion})`,
    epoch: record.epoch,
    "hpke key": `${record.hpkeKey} (version ${record.hpkeKeyVersion})`,
    proofing: record.proofing,
    restrictions: record.restrictionsVersion === 0 ? undefined : `set ${record.restrictionsVersion} times`,
  });
