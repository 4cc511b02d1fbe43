import {
  contactsHashOf,
  createPatients,
  recoveryContacts,
  type Patients,
  type RecoveryContacts,
} from "@carepact/sdk/patients";

import { act, actingSiteOf, type ActingSite, type ActorOptions } from "../support/actor";
import type { Call, Ending } from "../support/call";
import { outputTo, PRIVATE, type Output } from "../support/files";
import { countIn, durationIn, listIn, needed, oneOf, usage } from "../support/input";
import { isoTime } from "../support/show";
import { siteOf } from "../support/site";

import { signerIn } from "./mandate";
import { patientIn, recordIn } from "./record";
import { contactsFileOf, contactsIn, contactsLines } from "./recovery";

interface Options extends ActorOptions {
  patient?: string;
  step?: string;
  contacts?: string;
  threshold?: string;
  delay?: string;
  out?: string;
  file?: string;
}

const steps = ["show", "set", "clear", "cancel"] as const;

export async function run(call: Call, options: Options): Promise<Ending> {
  const patient = patientIn(options);
  const step = oneOf(options.step ?? "show", steps, "--step");
  if (step === "show") return show(call, patient);
  const { contacts, output } = step === "set" ? await wantedIn(options) : {};
  const site = await actingSiteOf(call, options);
  const patients = createPatients(site.connection, site.acts);
  return step === "cancel" ? cancel(site, patients, patient) : change(site, patients, { patient, contacts, output });
}

async function show(call: Call, patient: string): Promise<Ending> {
  const site = await siteOf(call);
  const patients = createPatients(site.connection);
  await recordIn(patients, patient, site);
  const contacts = await patients.recovery.contacts(patient, site.options);
  return { lines: contactsLines(contacts), json: { patient, contacts } };
}

function cancel(site: ActingSite, patients: Patients, patient: string): Promise<Ending> {
  return act(site, patients.recovery.cancelChange(patient), () => ({
    lines: ["The change of contacts is cancelled."],
    json: { patient, cancelled: true },
  }));
}

async function change(
  site: ActingSite,
  patients: Patients,
  {
    patient,
    contacts,
    output,
  }: { patient: string; contacts: RecoveryContacts | undefined; output: Output | undefined },
): Promise<Ending> {
  const contactsHash = contacts && contactsHashOf(contacts);
  const state = await patients.recovery.contacts(patient, site.options);
  if (state.change === undefined ? state.current === contactsHash : state.change.contactsHash === contactsHash)
    return { lines: ["The contacts are so already, or will be."], json: { changed: false, patient, contacts: state } };
  return act(
    site,
    patients.recovery.changeContacts(patient, contacts),
    ({ effectiveAt }) => ({
      lines: [
        contacts === undefined
          ? `From ${isoTime(effectiveAt)} on there are no recovery contacts.`
          : `From ${isoTime(effectiveAt)} on these contacts count, ${contacts.threshold} of ${contacts.contacts.length}.`,
        ...(output === undefined
          ? []
          : [`Without ${output.path} nobody can recover the record: give it to them, too.`]),
      ],
      json: {
        changed: true,
        patient,
        ...(contactsHash && { contactsHash }),
        effectiveAt: isoTime(effectiveAt),
        ...(output && { out: output.path }),
      },
    }),
    // The document first: only its hash goes on chain, and nobody could recover anything from that.
    output && contacts && { output, value: contactsFileOf(contacts) },
  );
}

/** Contacts to be set, and where to write them if they are new. */
async function wantedIn(options: Options): Promise<{ contacts: RecoveryContacts; output?: Output }> {
  const { file, contacts, threshold, delay, out } = options;
  if (file !== undefined) {
    if ([contacts, threshold, delay, out].some((value) => value !== undefined))
      throw usage("--file says all of the contacts: leave the other options out.", "--file");
    return { contacts: await contactsIn(file, "--file") };
  }
  return {
    contacts: recoveryContacts({
      contacts: listIn(needed(options, "contacts")).map((contact) => signerIn(contact, "--contacts")),
      threshold: countIn(needed(options, "threshold"), "--threshold", 1),
      delay: durationIn(needed(options, "delay"), "--delay"),
    }),
    output: await outputTo(needed(options, "out"), "--out", { mode: PRIVATE }),
  };
}
