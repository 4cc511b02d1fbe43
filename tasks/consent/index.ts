import { actorOptions, signatoryOptions } from "../support/actorOptions";
import { command } from "../support/command";

const sealingKeystore =
  "For what is sealed: encrypted keystore of the organization's sealing key; CAREPACT_SEALING_KEYSTORE unless given";
const file = "Signed or sealed grant; - is stdin (needed)";
const patient = { patient: "Patient id, 32 bytes (needed)" };
const outputs = {
  out: "Where to write the signed grant, for who signs and the grantee: health data in the clear (needed)",
  sealed: "Where to write it sealed to the grantee's key in the directory, to be sent",
};

command("consent:grant", "Lets an organization see something of a record: one signature, and no transaction", {
  level: "sign",
  example:
    "consent:grant --patient 0x... --grantee 0x... --purposes TREAT --categories Observation,PSY --until 2027-12-31 --out grant.json --keystore patient.json",
  options: {
    ...patient,
    grantee: "Account of the organization (needed, but with --consent)",
    purposes: "Codes of PurposeOfUse, with commas; each with those below it (needed, but with --consent)",
    categories:
      "Resource types and sensitivity labels, with commas; each with those below it. Without a label, only what carries none (needed, but with --consent)",
    ceiling: "Highest confidentiality: U, L, M, N, R or V; N unless given",
    from: "First moment: 2026-01-01 (its first second, UTC), 2026-01-01T18:00:00Z, or 14d from now; now unless given",
    until:
      "End: 2027-12-31 (the whole day, UTC), 2027-12-31T18:00:00Z, 52w from now, or never (needed, but with --consent)",
    subGrants: "How many times it may be passed on; 0 unless given",
    number: "The patient's own number for it, by which it is revoked; random unless given",
    mandate: "Mandate of the representative who signs; left out where the patient does",
    consent: "FHIR R4 Consent in place of the terms: one grant for each of its permits",
    actors: 'With --consent: JSON file of accounts by reference, such as {"Organization/f001": "0x..."} (needed then)',
    untypedRoot: "With --consent: permits or denies, for a root provision without a type",
    restrictions:
      "With --consent: where to write the restrictions for what it denies (needed where it denies something)",
    ...outputs,
    ...signatoryOptions,
  },
  flags: { force: "Write over files" },
  run: () => import("./grant"),
});
command("consent:pass-on", "Passes a grant on, as its grantee: the same, or less, to another organization", {
  level: "sign",
  example:
    "consent:pass-on --file grant.json --grantee 0x... --categories Observation --out sub.json --keystore clinic.json",
  options: {
    file,
    grantee: "Account of the organization that receives it (needed)",
    purposes: "Codes of PurposeOfUse, with commas; as in the grant unless given",
    categories: "Resource types and sensitivity labels, with commas; as in the grant unless given",
    ceiling: "Highest confidentiality; as in the grant unless given",
    from: "First moment; as in the grant unless given",
    until: "End; as in the grant unless given",
    subGrants: "How many times it may be passed on further; 0 unless given",
    restrictions: "The patient's restrictions, sealed or not, where there are any",
    ...outputs,
    sealingKeystore,
    ...signatoryOptions,
  },
  flags: { force: "Write over files" },
  run: () => import("./passOn"),
});
command("consent:check", "Asks the registry whether a request is permitted, now; ends with 4 if not", {
  level: "read",
  example:
    "consent:check --file grant.json --patient 0x... --organization 0x... --purposes TREAT --categories Observation --confidentiality N",
  options: {
    file: "Signed or sealed grant, or a representative's mandate; - is stdin (needed, but with --break-glass)",
    patient:
      "Whose record it is about: what is about to be opened, and never what the grant says (needed, but for mandates)",
    organization: "Account of who asks, as it was authenticated (needed, but for mandates)",
    purposes: "Why: codes of PurposeOfUse, with commas; all have to be granted (needed)",
    categories: "What is asked for: resource types and all labels it carries, with commas (needed)",
    confidentiality: "Highest confidentiality of what is asked for: U, L, M, N, R or V (needed, but for mandates)",
    restrictions: "The patient's restrictions, sealed or not, where there are any",
    sealingKeystore,
  },
  flags: { breakGlass: "Whether an emergency opens the record without a grant" },
  run: () => import("./check"),
});
command("consent:revoke", "Takes a grant, or a mandate, back for ever", {
  level: "send",
  example: "consent:revoke --file grant.json --signer-keystore patient.json --keystore relayer.json",
  options: {
    file: "Signed or sealed grant, or a mandate; - is stdin",
    patient: "Without the file: patient id",
    number: "Without the file: the grant's number",
    document:
      "Without the file: EIP-712 digest of a grant, sub-grant or mandate; with --patient as the patient, without as who signed it",
    sealingKeystore,
    ...actorOptions,
  },
  run: () => import("./revoke"),
});
command("consent:revoke-all", "Ends all grants and mandates of a record, known or forgotten, in one write", {
  level: "send",
  example: "consent:revoke-all --patient 0x... --signer-keystore patient.json --keystore relayer.json",
  options: { ...patient, ...actorOptions },
  run: () => import("./revokeAll"),
});
command("consent:restrict", "Sets what a patient refuses, whatever is granted, in place of what was set before", {
  level: "send",
  example:
    "consent:restrict --patient 0x... --categories PSY --out restrictions.json --signer-keystore patient.json --keystore relayer.json",
  options: {
    ...patient,
    organizations: "Accounts that never see anything, with commas",
    purposes: "Never for these: codes of PurposeOfUse, with commas",
    categories: "Never these: resource types and sensitivity labels, with commas",
    out: "Where to write the restrictions, which all who hold a grant have to bring from then on (needed with these)",
    file: "Restrictions as they were written before, or by consent:grant, in place of all these",
    ...actorOptions,
  },
  flags: {
    breakGlass: "Let an emergency override them",
    none: "Take the restrictions away",
  },
  run: () => import("./restrict"),
});
command("consent:anchor", "Writes down that a grant existed, so that it outlives the key that signed it; anyone may", {
  level: "send",
  example: "consent:anchor --file grant.json --keystore clinic.json",
  options: { file, sealingKeystore },
  run: () => import("./anchor"),
});
command("consent:show", "Says in words what a grant, a mandate or restrictions say; asks no chain", {
  level: "offline",
  example: "consent:show --file grant.json",
  options: { file: "Grant or restrictions, sealed or not, or mandate; - is stdin (needed)", sealingKeystore },
  run: () => import("./show"),
});
command("consent:seal", "Seals a grant for its grantee, or restrictions for who holds a grant, to be sent", {
  level: "read",
  example: "consent:seal --file restrictions.json --organization 0x... --out restrictions.sealed.json",
  options: {
    file: "Signed grant or restrictions; - is stdin (needed)",
    organization: "For restrictions: account of the organization, whose key is in the directory (needed then)",
    out: "Where to write it (needed)",
  },
  run: () => import("./seal"),
});
