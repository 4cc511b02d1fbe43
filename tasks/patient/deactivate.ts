import { createPatients } from "@carepact/sdk/patients";

import { act, actingSiteOf, type ActorOptions } from "../support/actor";
import type { Call, Ending } from "../support/call";
import { usage } from "../support/input";

import { patientIn, recordIn } from "./record";

/** @throws INPUT_INVALID for what cannot be undone, and was not said to be meant */
export function requireFinal({ final }: { final: boolean }): void {
  if (!final) throw usage("This is for good: say --final if it is meant.", "--final");
}

export async function run(call: Call, options: ActorOptions & { patient?: string; final: boolean }): Promise<Ending> {
  const patient = patientIn(options);
  requireFinal(options);
  const site = await actingSiteOf(call, options);
  const patients = createPatients(site.connection, site.acts);
  const { status } = await recordIn(patients, patient, site);
  if (status === "deactivated")
    return { lines: ["The record was deactivated before."], json: { changed: false, patient, status } };
  return act(site, patients.deactivate(patient), () => ({
    lines: [`Record ${patient} is deactivated, for good.`],
    json: { changed: true, patient, status: "deactivated" },
  }));
}
