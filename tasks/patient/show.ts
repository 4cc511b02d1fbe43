import { createPatients } from "@carepact/sdk/patients";

import type { Call, Ending } from "../support/call";
import { siteOf } from "../support/site";

import { recordIn, patientIn, recordLines } from "./record";
import { contactsLines, recoveryLines } from "./recovery";

export async function run(call: Call, options: { patient?: string }): Promise<Ending> {
  const patient = patientIn(options);
  const site = await siteOf(call);
  const patients = createPatients(site.connection);
  const record = await recordIn(patients, patient, site);
  const contacts = await patients.recovery.contacts(patient, site.options);
  const recovery = await patients.recovery.get(patient, site.options);
  const finallyInto = record.mergedInto === undefined ? undefined : await patients.resolve(patient, site.options);
  return {
    lines: [
      ...recordLines(record),
      ...(finallyInto === undefined || finallyInto === record.mergedInto ? [] : [`Use ${finallyInto} in its place.`]),
      ...contactsLines(contacts),
      ...(recovery === undefined ? [] : recoveryLines(recovery)),
    ],
    json: { record, contacts, recovery, ...(finallyInto === undefined ? {} : { resolved: finallyInto }) },
  };
}
