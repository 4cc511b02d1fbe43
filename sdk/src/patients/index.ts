export { type CalendarDate, type LeapDayBirthday } from "./calendar";
export { contactsHashOf, recoveryContacts, type ContactsInput, type RecoveryContacts } from "./contacts";
export {
  createPatients,
  type MergeInput,
  type Patients,
  type PatientsOptions,
  type Registered,
  type RegisterInput,
} from "./createPatients";
export { type MandateInput } from "./mandate";
export { minorScope, requireMinorRules, type MinorRules, type MinorScope } from "./minors";
export {
  proofingOf,
  proofingReasons,
  signProofing,
  type Proofing,
  type ProofingCheck,
  type ProofingLevel,
  type ProofingReason,
  type SignedProofing,
} from "./proofing";
export { custodianSaltOf, patientIdOf, signerHashOf, type PatientRecord, type PatientStatus } from "./record";
export { type Recoveries, type SigningOptions } from "./recovery";
export { type ContactSignature, type ContactsState, type RecoveryPhase, type RecoveryState } from "./recoveryState";
