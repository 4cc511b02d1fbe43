import { ZeroHash, id } from "ethers";
import type { ContractTransactionResponse } from "ethers";

import type { AuthorizationStruct } from "../../../typechain-types/contracts/consent/ConsentRegistry";
import { type Action, type Consents, authorize, registerPatient } from "../../support/consents";
import { type Key, accountKey } from "../../support/keys";

export interface Patient extends Consents {
  key: Key;
  patient: string;
}

/** Something that only a patient's controller may do. */
export interface PatientAction {
  action: Action;
  /** What is signed, in the state right after registration, but for the deadline. */
  message: (context: Patient) => Record<string, unknown>;
  call: (context: Patient, authorization: AuthorizationStruct) => Promise<ContractTransactionResponse>;
  event: string;
  /** What happens when the very same message is brought again: nothing, or this error. */
  again?: string;
  /** Whether it can still be done when the record is deactivated or merged. */
  afterEnd?: true;
}

export const DOCUMENT = id("a document");
export const NEW_KEY = accountKey("new phone");

/** All that a controller does alone, once registered. Merging takes two, see mergePatients.test.ts. */
export const patientActions: PatientAction[] = [
  {
    action: "RotateController",
    message: ({ patient }) => ({ patient, controllerVersion: 1, newController: NEW_KEY.hash, endEpoch: false }),
    call: ({ consents, domain, patient }, authorization) =>
      consents.rotateController(
        patient,
        authorize(domain, NEW_KEY, "AcceptControl", { patient, controllerVersion: 1 }),
        false,
        authorization,
      ),
    event: "ControllerChanged",
    again: "AuthorizationInvalid",
  },
  {
    action: "SetPatientHpkeKey",
    message: ({ patient }) => ({ patient, hpkeKeyVersion: 1, hpkeKey: id("new HPKE key") }),
    call: ({ consents, patient }, authorization) =>
      consents.setPatientHpkeKey(patient, id("new HPKE key"), authorization),
    event: "PatientHpkeKeyChanged",
    again: "AuthorizationInvalid",
  },
  {
    action: "SetProofing",
    message: ({ patient }) => ({ patient, proofingVersion: 0, proofing: id("proofing") }),
    call: ({ consents, patient }, authorization) => consents.setProofing(patient, id("proofing"), authorization),
    event: "ProofingChanged",
    again: "AuthorizationInvalid",
  },
  {
    action: "DeactivatePatient",
    message: ({ patient }) => ({ patient }),
    call: ({ consents, patient }, authorization) => consents.deactivatePatient(patient, authorization),
    event: "PatientDeactivated",
    again: "PatientNotActive",
  },
  {
    action: "RevokeGrant",
    message: ({ patient }) => ({ patient, number: 7 }),
    call: ({ consents, patient }, authorization) => consents.revokeGrant(patient, 7, authorization),
    event: "GrantRevoked",
    afterEnd: true,
  },
  {
    action: "RevokeAll",
    message: ({ patient }) => ({ patient, epoch: 1 }),
    call: ({ consents, patient }, authorization) => consents.revokeAll(patient, 1, authorization),
    event: "EpochEnded",
    again: "EpochNotCurrent",
  },
  {
    action: "RevokeDocument",
    message: ({ patient }) => ({ patient, document: DOCUMENT }),
    call: ({ consents, patient }, authorization) => consents.revokeDocument(patient, DOCUMENT, authorization),
    event: "DocumentRevoked",
    afterEnd: true,
  },
  {
    action: "SetRestrictions",
    message: ({ patient }) => ({ patient, restrictionsVersion: 0, restrictionsHash: id("restrictions") }),
    call: ({ consents, patient }, authorization) =>
      consents.setRestrictions(patient, id("restrictions"), authorization),
    event: "RestrictionsChanged",
    again: "AuthorizationInvalid",
  },
];

/** Everything the chain knows of the record and that an action could change, for comparing. */
export async function recordOf({ consents, patient }: Patient): Promise<string> {
  const known = await Promise.all([
    consents.patientOf(patient),
    consents.restrictionsOf(patient),
    consents.isGrantRevoked(patient, 7),
    consents.isDocumentRevoked(patient, DOCUMENT),
    consents.anchoredAt(DOCUMENT),
    consents.controllerEndOf(patient, NEW_KEY.hash),
    consents.resolvePatient(patient),
  ]);
  return known.map(String).join("\n");
}

/** Another record, of another person, for acts of neighbours. */
export async function neighbourOf(context: Consents): Promise<{ key: Key; patient: string }> {
  const key = accountKey("neighbour");
  return { key, patient: await registerPatient(context, key, "a neighbour") };
}

export const UNKNOWN = ZeroHash;
