import type { TransactionReceipt } from "ethers";

import { actionOf, type Action } from "../chain/action";
import { deploymentOf, providerOf, type Connection } from "../chain/deployment";
import { eventIn } from "../chain/events";
import { consentRegistryInterface, patientRecoveryInterface } from "../chain/interfaces";
import type { CallOptions } from "../chain/options";
import { reading } from "../chain/read";
import { CarepactError } from "../errors";
import {
  authorize,
  requireAuthorization,
  signing,
  WEEK,
  type Authorization,
  type AuthorizationOptions,
} from "../signers/authorization";
import type { PatientSigner } from "../signers/types";

import { controllerActions } from "./acting";
import { contactsHashOf, requireContacts, type RecoveryContacts } from "./contacts";
import { recoveryDomain, recoveryTypes } from "./messages";
import { requireWord, signerHashOf, ZERO } from "./record";
import {
  contactsOf,
  recoveryOf,
  requireOverridable,
  requirePhase,
  requireSignatures,
  requireStartable,
  standingOf,
  type ContactSignature,
  type ContactsState,
  type RecoveryState,
  type Standing,
} from "./recoveryState";

/** How long what is signed is good, and how long the call may take. */
export type SigningOptions = AuthorizationOptions & CallOptions;

/**
 * Recovery of records by contacts. The actions of a controller throw PATIENT_UNKNOWN, PATIENT_NOT_ACTIVE and NOT_CONTROLLER
 * before anything is signed.
 */
export interface Recoveries {
  /**
   * Changes the contacts, 7 days from now; undefined: none any more. Replaces a change under way. Controller only: a rotation
   * before that ends the change, since a thief may have begun it. @throws CONTACTS_INVALID
   */
  changeContacts(
    patient: string,
    contacts: RecoveryContacts | undefined,
    options?: AuthorizationOptions,
  ): Action<{ patient: string; effectiveAt: number }>;
  /** Stops a change of contacts. Controller only. @throws CONTACTS_CHANGE_MISSING */
  cancelChange(patient: string, options?: AuthorizationOptions): Action<{ patient: string }>;
  /** What the new key signs to have the record; good for a week unless told otherwise. @throws RUNNER_CANNOT_SIGN without a signer */
  accept(patient: string, options?: SigningOptions): Promise<Authorization>;
  /**
   * What a contact signs so that a recovery begins; good for a week unless told otherwise.
   * @param request `newController`: ERC-7913 signer that is to have the record
   * @throws CONTACTS_INVALID, CONTACTS_MISMATCH, CONTACT_UNKNOWN, RECOVERY_PHASE_WRONG, RUNNER_CANNOT_SIGN
   */
  approve(
    patient: string,
    request: { contacts: RecoveryContacts; newController: string },
    options?: SigningOptions,
  ): Promise<ContactSignature>;
  /**
   * Begins a recovery. Anybody may send it.
   * @throws CONTACTS_INVALID, CONTACTS_MISMATCH, CONTACT_SIGNATURES_TOO_FEW, RECOVERY_PHASE_WRONG, AUTHORIZATION_EXPIRED
   */
  start(
    patient: string,
    input: { contacts: RecoveryContacts; acceptance: Authorization; signatures: readonly ContactSignature[] },
  ): Action<{ patient: string; number: number; readyAt: number }>;
  /** Stops a recovery, once. Controller only. @throws RECOVERY_PHASE_WRONG */
  veto(patient: string, options?: AuthorizationOptions): Action<{ patient: string; number: number }>;
  /** What each contact signs so that a veto is set aside. @throws as `approve` */
  approveOverride(patient: string, contacts: RecoveryContacts, options?: SigningOptions): Promise<ContactSignature>;
  /** Sets a veto aside; the delay begins once more. Anybody may send it. @throws as `start` */
  override(
    patient: string,
    input: { contacts: RecoveryContacts; signatures: readonly ContactSignature[] },
  ): Action<{ patient: string; number: number; readyAt: number }>;
  /** Gives the record to the new key, and ends its epoch. Anybody may send it. @throws RECOVERY_PHASE_WRONG */
  execute(patient: string): Action<{ patient: string; number: number; controllerVersion: number; epoch: number }>;
  /** Which contacts count, and which will. @throws IDENTIFIER_INVALID */
  contacts(patient: string, options?: CallOptions): Promise<ContactsState>;
  /** The latest recovery; undefined when there was none. @throws IDENTIFIER_INVALID */
  get(patient: string, options?: CallOptions): Promise<RecoveryState | undefined>;
}

export function createRecoveries(connection: Connection, signer: PatientSigner | undefined): Recoveries {
  const deployment = deploymentOf(connection);
  const contract = { to: deployment.patientRecovery, abi: patientRecoveryInterface };
  const records = { to: deployment.consentRegistry, abi: consentRegistryInterface };
  const said = (receipt: TransactionReceipt, event: string): Record<string, unknown> =>
    eventIn(receipt, contract, event);
  const encode = patientRecoveryInterface.encodeFunctionData.bind(patientRecoveryInterface);
  const standing = (patient: string): Promise<Standing> =>
    standingOf(providerOf(connection.runner), deployment, patient);
  const sign = (
    type: keyof typeof recoveryTypes,
    values: Record<string, unknown>,
    options?: AuthorizationOptions,
    lasting?: number,
  ): Promise<Authorization> => {
    const domain = recoveryDomain(deployment);
    return authorize(connection, signer, { domain, type, fields: recoveryTypes[type], values }, options, lasting);
  };
  /** An action that anybody may send: all that it takes was signed before. */
  const sending = <Result>(
    patient: string,
    plan: (standing: Standing) => { data: string; result: (receipt: TransactionReceipt) => Result },
  ): Action<Result> =>
    actionOf(
      connection,
      async () => ({ to: contract.to, preview: () => undefined, ...plan(await standing(patient)) }),
      { relayed: true },
    );
  const acting = controllerActions(connection, signer, { to: contract.to, read: standing, sign });
  /** What a contact signs, of those that `contacts` names. */
  const contactSigns = async (
    type: "StartRecovery" | "OverrideVeto",
    patient: string,
    { contacts, number, newController }: { contacts: RecoveryContacts; number: number; newController: string },
    options: AuthorizationOptions | undefined,
  ): Promise<ContactSignature> => {
    const contact = requireContacts(contacts).contacts.indexOf(requireGiven(signer).signer.toLowerCase());
    if (contact < 0)
      throw new CarepactError("CONTACT_UNKNOWN", "The key that would sign is none of these contacts.", {
        signer: requireGiven(signer).signer,
      });
    const values = { patient, number, contactsHash: contactsHashOf(contacts), newController };
    const { deadline, signature } = await sign(type, values, options, WEEK);
    return { contact, deadline, signature };
  };

  return {
    changeContacts: (patient, contacts, options) =>
      acting(patient, options, ({ record, contacts: state }) => {
        const from = state.current ?? ZERO;
        const to = contacts === undefined ? ZERO : contactsHashOf(contacts);
        return {
          type: "ChangeContacts",
          values: { from, to, change: state.changes + 1 },
          data: (authorization) => encode("changeContacts", [record.patient, from, to, authorization]),
          result: (receipt) => ({ patient, effectiveAt: Number(said(receipt, "ContactsChanging")["effectiveAt"]) }),
        };
      }),
    cancelChange: (patient, options) =>
      acting(patient, options, ({ record, contacts }) => {
        if (contacts.change === undefined)
          throw new CarepactError("CONTACTS_CHANGE_MISSING", "No change of contacts is under way.", { patient });
        return {
          type: "CancelContactsChange",
          values: { change: contacts.changes },
          data: (authorization) => encode("cancelContactsChange", [record.patient, authorization]),
          result: () => ({ patient }),
        };
      }),
    accept: (patient, options) =>
      signing(
        connection,
        async () => {
          requireGiven(signer);
          const { record, recovery } = await standing(patient);
          const number = (recovery?.number ?? 0) + 1;
          return sign("AcceptRecovery", { patient: record.patient, number }, options, WEEK);
        },
        options,
      ),
    approve: (patient, { contacts, newController }, options) =>
      signing(
        connection,
        async () => {
          const now = await standing(patient);
          const number = requireStartable(now, contacts);
          const request = { contacts, number, newController: signerHashOf(newController) };
          return contactSigns("StartRecovery", now.record.patient, request, options);
        },
        options,
      ),
    start: (patient, { contacts, acceptance, signatures }) =>
      sending(patient, (found) => {
        const { record, now } = found;
        requireStartable(found, contacts);
        const accepted = requireAuthorization(acceptance, "acceptance", now);
        const signed = requireSignatures(signatures, contacts.contacts.length, contacts.threshold, now);
        return {
          data: encode("startRecovery", [record.patient, requireContacts(contacts), accepted, signed]),
          result: (receipt) => begun(patient, said(receipt, "RecoveryStarted")),
        };
      }),
    veto: (patient, options) =>
      acting(patient, options, ({ record, recovery }) => {
        const { number } = requirePhase(recovery, ["waiting"], "Only a recovery that waits can be vetoed, once.");
        return {
          type: "VetoRecovery",
          values: { number },
          data: (authorization) => encode("vetoRecovery", [record.patient, authorization]),
          result: () => ({ patient, number }),
        };
      }),
    approveOverride: (patient, contacts, options) =>
      signing(
        connection,
        async () => {
          const now = await standing(patient);
          const { number, newController } = requireOverridable(now, contacts);
          return contactSigns("OverrideVeto", now.record.patient, { contacts, number, newController }, options);
        },
        options,
      ),
    override: (patient, { contacts, signatures }) =>
      sending(patient, (found) => {
        const { record, now } = found;
        requireOverridable(found, contacts);
        const all = contacts.contacts.length;
        const signed = requireSignatures(signatures, all, all, now);
        return {
          data: encode("overrideVeto", [record.patient, requireContacts(contacts), signed]),
          result: (receipt) => begun(patient, said(receipt, "RecoveryOverridden")),
        };
      }),
    execute: (patient) =>
      sending(patient, ({ record, recovery }) => {
        requirePhase(recovery, ["waiting", "overridden"], "No recovery is under way that could be carried out.");
        return {
          data: encode("executeRecovery", [record.patient]),
          result: (receipt) => ({
            patient,
            number: Number(said(receipt, "RecoveryExecuted")["number"]),
            controllerVersion: Number(eventIn(receipt, records, "ControllerChanged")["controllerVersion"]),
            epoch: Number(eventIn(receipt, records, "EpochEnded")["nextEpoch"]),
          }),
        };
      }),
    contacts: (patient, options) =>
      reading(connection, (provider) => contactsOf(provider, deployment, requireWord(patient, "patient")), options),
    get: (patient, options) =>
      reading(connection, (provider) => recoveryOf(provider, deployment, requireWord(patient, "patient")), options),
  };
}

const begun = (
  patient: string,
  { number, readyAt }: Record<string, unknown>,
): { patient: string; number: number; readyAt: number } => ({
  patient,
  number: Number(number),
  readyAt: Number(readyAt),
});

/** @internal The key that signs what others bring. @throws RUNNER_CANNOT_SIGN */
export function requireGiven(signer: PatientSigner | undefined): PatientSigner {
  if (signer === undefined)
    throw new CarepactError("RUNNER_CANNOT_SIGN", "Nobody is there to sign: name a `signer` for these patients.");
  return signer;
}
