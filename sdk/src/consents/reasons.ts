/** Why the consent registry refuses a request: `Reason` of ConsentTypes.sol, each at the position of its number. */
export const permissionReasons = [
  "None",
  "RequestInvalid",
  "ChainTooLong",
  "PatientUnknown",
  "PatientDeactivated",
  "PatientMerged",
  "RestrictionsNotCurrent",
  "OrganizationRestricted",
  "CategoryRestricted",
  "PurposeRestricted",
  "MandateMismatch",
  "MandateEnded",
  "MandateNotYetValid",
  "MandateExpired",
  "MandateNotSigned",
  "CustodianNotInStanding",
  "MandateTooNarrow",
  "SubGrantNotAllowed",
  "SubGrantMismatch",
  "ChainCyclic",
  "SubGrantWider",
  "PatientMismatch",
  "EpochEnded",
  "NotYetValid",
  "Expired",
  "Revoked",
  "SignerNotController",
  "SignerReplaced",
  "SignatureInvalid",
  "OrganizationNotInStanding",
  "RequesterNotGrantee",
  "PurposeNotGranted",
  "CategoryNotGranted",
  "CeilingExceeded",
  "BreakGlassNotForOrganization",
] as const;

/** Why a request was refused; `None` if it was not. */
export type PermissionReason = (typeof permissionReasons)[number];

/** Why a request was refused. */
export type RefusalReason = Exclude<PermissionReason, "None">;

/** What to do about each reason, in plain words, for who asked. */
export const reasonAdvice: Readonly<Record<RefusalReason, string>> = {
  RequestInvalid: "The request names no purpose, no category, or no degree of confidentiality: say what is asked for.",
  ChainTooLong: "It was passed on more than three times: ask somebody nearer to the patient for a grant.",
  PatientUnknown: "No record of this id is registered: look at the id, and at the chain.",
  PatientDeactivated: "The patient ended this record: nothing is permitted for it any more.",
  PatientMerged: "The record was merged into another: ask the patient for a grant for that one.",
  RestrictionsNotCurrent:
    "The patient has restrictions, and the current ones were not brought: ask the patient, or who granted, for them.",
  OrganizationRestricted:
    "The patient refuses this organization, or one that it was passed on by: nothing that is granted helps.",
  CategoryRestricted: "The patient refuses a category that is asked for, whatever is granted: ask for less.",
  PurposeRestricted: "The patient refuses this purpose, whatever is granted.",
  MandateMismatch:
    "The mandate is for another patient, or for another representative than signed: ask the representative for its own.",
  MandateEnded: "The representative's mandate was ended: ask the patient, or a representative of now, for a grant.",
  MandateNotYetValid: "The representative's mandate does not count yet: ask again when it does.",
  MandateExpired:
    "The representative's mandate is over, and what was granted under it: ask the patient for a grant. A child may have come of age.",
  MandateNotSigned:
    "The mandate is not signed by who controls the record, or by a former key that did not anchor it in time: ask for a new one.",
  CustodianNotInStanding: "The organization that holds the record is suspended, so that its mandates do not count.",
  MandateTooNarrow: "The representative granted more than its mandate allows: ask for a grant of less, or the patient.",
  SubGrantNotAllowed: "The grant may not be passed on, or not so many times: ask the patient for one of your own.",
  SubGrantMismatch: "The sub-grant was signed under another grant than the one that was brought: bring that one.",
  ChainCyclic: "It was passed on to somebody who had it before: use the grant from there.",
  SubGrantWider: "More was passed on than was granted: ask who passed it on for a sub-grant within the grant.",
  PatientMismatch: "The grant is for another patient.",
  EpochEnded:
    "The patient ended all grants of that time at once, or the record was recovered: ask the patient for a new one.",
  NotYetValid: "The grant does not count yet: ask again when it does.",
  Expired: "The grant is over: ask the patient for a new one.",
  Revoked: "The grant was taken back, for good: ask the patient for a new one, and do not keep what it opened.",
  SignerNotController:
    "The grant is not signed by a key that controls, or ever controlled, the record: ask the patient for one that is.",
  SignerReplaced:
    "The key that signed was replaced, and the grant was not anchored before: ask the patient to sign it anew.",
  SignatureInvalid:
    "The signature is not over this grant, on this chain and registry: it was changed, signed for another chain, or by another key.",
  OrganizationNotInStanding: "An organization in the grant is not registered, or is suspended: settle that first.",
  RequesterNotGrantee: "The grant is for another organization: who asks needs one of its own, or a sub-grant.",
  PurposeNotGranted: "The grant does not cover this purpose: ask the patient for one that does.",
  CategoryNotGranted: "The grant does not cover all categories that are asked for: ask for less, or for another grant.",
  CeilingExceeded: "What is asked for is more confidential than the grant goes: ask for less, or for another grant.",
  BreakGlassNotForOrganization:
    "Only a registered clinic, laboratory or pharmacy in good standing may open a record in an emergency.",
};
