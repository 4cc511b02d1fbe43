import type { ContactsState, RecoveryContacts, RecoveryState } from "@carepact/sdk/patients";

import { readJson } from "../support/files";
import { usage } from "../support/input";
import { durationText, isoTime } from "../support/show";

/** Who can recover a record, as the patient and the contacts keep it. */
export interface ContactsFile extends RecoveryContacts {
  carepact: "recovery-contacts";
  version: 1;
}

export const contactsFileOf = (contacts: RecoveryContacts): ContactsFile => ({
  carepact: "recovery-contacts",
  version: 1,
  ...contacts,
});

/** Contacts out of their document; the SDK looks at each field. @throws INPUT_INVALID */
export async function contactsIn(path: string, option: string): Promise<RecoveryContacts> {
  const value = await readJson(path, option);
  const file = (typeof value === "object" && value !== null ? value : {}) as Partial<ContactsFile>;
  if (file.carepact !== "recovery-contacts" || file.version !== 1)
    throw usage(`${option}: ${path} is no document of recovery contacts, or of a newer version.`, option);
  const { contacts, threshold, delay, salt } = file as ContactsFile;
  return { contacts, threshold, delay, salt };
}

/** Contacts for people. */
export function contactsLines({ current, change }: ContactsState): string[] {
  const next =
    change?.contactsHash === undefined ? "there will be no contacts" : `others count: ${change.contactsHash}`;
  return [
    current === undefined ? "There are no recovery contacts." : `Recovery contacts: ${current} (hash).`,
    ...(change === undefined ? [] : [`From ${isoTime(change.effectiveAt)} on ${next}.`]),
  ];
}

/** A recovery for people. */
export const recoveryLines = ({ number, phase, readyAt, lapsesAt, delay, newController }: RecoveryState): string[] => [
  `Recovery ${number} is ${phase}: ${newController} (hash of the new key), with a delay of ${durationText(delay)}.`,
  ...(phase === "executed" ? [] : [`It can be carried out from ${isoTime(readyAt)} to ${isoTime(lapsesAt)}.`]),
];
