import { isHexString, type Provider } from "ethers";

import { askNow } from "../chain/ask";
import { chainTimeOf, type Deployment } from "../chain/deployment";
import { patientRecoveryInterface } from "../chain/interfaces";
import { CarepactError } from "../errors";

import { contactsHashOf, type RecoveryContacts } from "./contacts";
import { activeRecordOf, ZERO, type PatientRecord } from "./record";

/** Signature of a contact. JSON as it is. */
export interface ContactSignature {
  /** Index of the contact. */
  contact: number;
  /** Last second (unix) in which it is good. */
  deadline: number;
  signature: string;
}

/** Recovery contacts of a patient, of whom the chain has hashes. */
export interface ContactsState {
  /** Hash of those that count now; absent: there are none. */
  current?: string;
  /** The change that is under way. `contactsHash` is absent where there will be none. */
  change?: { contactsHash?: string; effectiveAt: number };
  /** How many changes there were. */
  changes: number;
}

/** Where a recovery stands. A waiting or overridden one can be carried out from `readyAt` on, until `lapsesAt`. */
export type RecoveryPhase = "waiting" | "vetoed" | "overridden" | "executed";

/** A patient's latest recovery. Times in unix seconds. */
export interface RecoveryState {
  /** Which of the patient's recoveries it is; the first is 1. */
  number: number;
  phase: RecoveryPhase;
  /** Contacts who began it. */
  contactsHash: string;
  /** keccak256 of the ERC-7913 signer that accepted the record. */
  newController: string;
  /** First second in which it can be carried out. */
  readyAt: number;
  /** First second in which it no longer can, nor its veto be overridden. */
  lapsesAt: number;
  /** Seconds of its delay. */
  delay: number;
}

/** @internal All that an action of recovery depends on. */
export interface Standing {
  record: PatientRecord;
  contacts: ContactsState;
  recovery: RecoveryState | undefined;
  /** Time of the newest block. */
  now: number;
}

const EXECUTION_WINDOW = 30 * 24 * 60 * 60;
const PHASES = [undefined, "waiting", "vetoed", "overridden", "executed"] as const;

const contractOf = ({ patientRecovery }: Deployment): Parameters<typeof askNow>[1] => ({
  to: patientRecovery,
  abi: patientRecoveryInterface,
});

/** @internal @throws PATIENT_UNKNOWN, PATIENT_NOT_ACTIVE */
export async function standingOf(provider: Provider, deployment: Deployment, patient: string): Promise<Standing> {
  const record = await activeRecordOf(provider, deployment, patient);
  const [contacts, recovery, now] = await Promise.all([
    contactsOf(provider, deployment, record.patient),
    recoveryOf(provider, deployment, record.patient),
    chainTimeOf(provider),
  ]);
  return { record, contacts, recovery, now };
}

/** @internal */
export async function contactsOf(provider: Provider, deployment: Deployment, patient: string): Promise<ContactsState> {
  const answer = await askNow(provider, contractOf(deployment), "contactsOf", [patient]);
  const [current, next, effectiveAt, changes] = answer as [string, string, bigint, bigint];
  return {
    ...(current === ZERO ? {} : { current }),
    ...(effectiveAt === 0n
      ? {}
      : { change: { ...(next === ZERO ? {} : { contactsHash: next }), effectiveAt: Number(effectiveAt) } }),
    changes: Number(changes),
  };
}

/** @internal */
export async function recoveryOf(
  provider: Provider,
  deployment: Deployment,
  patient: string,
): Promise<RecoveryState | undefined> {
  const [known] = (await askNow(provider, contractOf(deployment), "recoveryOf", [patient])) as [
    Record<"contactsHash" | "newController", string> & Record<"readyAt" | "delay" | "number" | "phase", bigint>,
  ];
  const phase = PHASES[Number(known.phase)];
  if (phase === undefined) return undefined;
  const { contactsHash, newController } = known;
  const readyAt = Number(known.readyAt);
  return {
    number: Number(known.number),
    phase,
    contactsHash,
    newController,
    readyAt,
    lapsesAt: readyAt + EXECUTION_WINDOW,
    delay: Number(known.delay),
  };
}

/**
 * @internal Number of the recovery that these contacts can begin now.
 * @throws CONTACTS_INVALID, CONTACTS_MISMATCH, RECOVERY_PHASE_WRONG
 */
export function requireStartable({ contacts, recovery, now }: Standing, given: RecoveryContacts): number {
  requireThese(contactsHashOf(given), contacts.current);
  const isOver = recovery === undefined || recovery.phase === "executed" || now >= recovery.lapsesAt;
  if (!isOver) throw wrongPhase(recovery, "Another recovery is under way, or was vetoed and did not lapse yet.");
  return (recovery?.number ?? 0) + 1;
}

/** @internal The recovery whose veto these contacts can set aside. @throws as {@link requireStartable} */
export function requireOverridable({ recovery, now }: Standing, given: RecoveryContacts): RecoveryState {
  const vetoed = requirePhase(recovery, ["vetoed"], "No veto is there to be set aside.");
  if (now >= vetoed.lapsesAt) throw wrongPhase(vetoed, "The recovery lapsed: begin another.");
  requireThese(contactsHashOf(given), vetoed.contactsHash);
  return vetoed;
}

function requireThese(given: string, contactsHash: string | undefined): void {
  if (given !== contactsHash)
    throw new CarepactError(
      "CONTACTS_MISMATCH",
      contactsHash === undefined ? "The patient has no recovery contacts." : "The contacts that count are others.",
      { given, ...(contactsHash === undefined ? {} : { contactsHash }) },
    );
}

/** @internal @throws RECOVERY_PHASE_WRONG */
export function requirePhase(
  recovery: RecoveryState | undefined,
  phases: readonly RecoveryPhase[],
  message: string,
): RecoveryState {
  if (recovery === undefined || !phases.includes(recovery.phase)) throw wrongPhase(recovery, message);
  return recovery;
}

const wrongPhase = (recovery: RecoveryState | undefined, message: string): CarepactError =>
  new CarepactError("RECOVERY_PHASE_WRONG", message, recovery === undefined ? { phase: "none" } : { ...recovery });

/**
 * @internal Signatures of enough contacts, in their order, whoever sent them in which.
 * @throws INPUT_INVALID, AUTHORIZATION_EXPIRED, CONTACT_SIGNATURES_TOO_FEW
 */
export function requireSignatures(
  signatures: readonly ContactSignature[],
  contacts: number,
  needed: number,
  now: number,
): ContactSignature[] {
  const seen = new Map<number, ContactSignature>();
  const list: unknown[] = Array.isArray(signatures) ? (signatures as unknown[]) : [undefined];
  list.forEach((value, i) => {
    const path = `signatures[${i}]`;
    const { contact, deadline, signature } = (value ?? {}) as Partial<Record<keyof ContactSignature, unknown>>;
    if (!isIndex(contact, contacts) || !Number.isSafeInteger(deadline) || !isHexString(signature) || signature === "0x")
      throw new CarepactError("INPUT_INVALID", `${path} is not what a contact signed.`, { path });
    if ((deadline as number) < now)
      throw new CarepactError("AUTHORIZATION_EXPIRED", `${path} has expired: have it signed anew.`, { path, deadline });
    seen.set(contact, { contact, deadline: deadline as number, signature });
  });
  if (seen.size < needed)
    throw new CarepactError("CONTACT_SIGNATURES_TOO_FEW", `${needed} contacts have to sign; ${seen.size} did.`, {
      needed,
      given: seen.size,
    });
  return [...seen.values()].sort((a, b) => a.contact - b.contact);
}

const isIndex = (value: unknown, count: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < count;
