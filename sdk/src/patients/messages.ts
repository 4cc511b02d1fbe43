import type { TypedDataDomain, TypedDataField } from "ethers";

import type { Deployment } from "../chain/deployment";

/** Fields out of `type name, …`, as Solidity writes them; the deadline comes last in each message. */
const fieldsOf = (fields: string): TypedDataField[] =>
  `${fields}, uint48 deadline`.split(", ").map((field) => {
    const [type, name] = field.split(" ") as [string, string];
    return { type, name };
  });

/** What is signed for the consent registry about records (IPatientRegistry). */
export const patientTypes = {
  Register: fieldsOf("bytes32 patient, bytes32 hpkeKey"),
  RotateController: fieldsOf("bytes32 patient, uint32 controllerVersion, bytes32 newController, bool endEpoch"),
  AcceptControl: fieldsOf("bytes32 patient, uint32 controllerVersion"),
  SetPatientHpkeKey: fieldsOf("bytes32 patient, uint32 hpkeKeyVersion, bytes32 hpkeKey"),
  SetProofing: fieldsOf("bytes32 patient, uint32 proofingVersion, bytes32 proofing"),
  MergePatients: fieldsOf("bytes32 from, bytes32 into"),
  DeactivatePatient: fieldsOf("bytes32 patient"),
};

/** What is signed for the recovery contract (IPatientRecovery). */
export const recoveryTypes = {
  ChangeContacts: fieldsOf("bytes32 patient, bytes32 from, bytes32 to, uint32 change"),
  CancelContactsChange: fieldsOf("bytes32 patient, uint32 change"),
  StartRecovery: fieldsOf("bytes32 patient, uint32 number, bytes32 contactsHash, bytes32 newController"),
  AcceptRecovery: fieldsOf("bytes32 patient, uint32 number"),
  VetoRecovery: fieldsOf("bytes32 patient, uint32 number"),
  OverrideVeto: fieldsOf("bytes32 patient, uint32 number, bytes32 contactsHash, bytes32 newController"),
};

/** EIP-712 domain of the recovery contract. */
export const recoveryDomain = ({ chainId, patientRecovery }: Deployment): TypedDataDomain => ({
  name: "Carepact PatientRecovery",
  version: "1",
  chainId,
  verifyingContract: patientRecovery,
});
