import { actorOptions, signatoryOptions } from "../support/actorOptions";
import { command } from "../support/command";

const patient = { patient: "Patient id, 32 bytes (needed)" };

command("patient:register", "Registers a patient's record, controlled by the key that acts; anybody may send it", {
  level: "send",
  example: "patient:register --hpke-key 0x... --signer-keystore patient.json --keystore relayer.json",
  options: {
    hpkeKey: "X25519 public key that files for the patient are sealed to, as keys:new shows it (needed)",
    salt: "32 bytes that make the id with the key; random unless given",
    custodian: "Account of the organization that holds the record, such as a minor's: it is hidden in the salt",
    out: "With --custodian: where to write what shows that it is the custodian, for the owner alone (needed then)",
    ...actorOptions,
  },
  run: () => import("./register"),
});
command("patient:show", "Shows what the chain knows of a patient: nothing about the person", {
  level: "read",
  example: "patient:show --patient 0x...",
  options: patient,
  run: () => import("./show"),
});
command("patient:rotate", "Gives a record to another key, which has to accept it", {
  level: "send",
  example:
    "patient:rotate --patient 0x... --acceptance acceptance.json --grants keep --signer-keystore patient.json --keystore relayer.json",
  options: {
    ...patient,
    step: "accept: the new key signs, and nothing is sent; rotate: the present key gives the record to it; rotate unless given",
    out: "With accept: where to write the acceptance, which is good for a week (needed then)",
    acceptance: "With rotate: file of what the new key signed",
    to: "The new key in its place: number or address of the node's account, on a local chain",
    toKeystore: "The new key in its place: its encrypted JSON keystore",
    grants:
      "With rotate: keep, or end all grants and mandates, as after the loss of a key; of kept ones, those anchored before still count (needed)",
    ...actorOptions,
  },
  run: () => import("./rotate"),
});
command("patient:mandate", "Signs what a personal representative may grant and see; sends nothing", {
  level: "sign",
  example:
    "patient:mandate --patient 0x... --representative 0x... --purposes TREAT --until 2027-12-31 --out mandate.json --keystore patient.json",
  options: {
    ...patient,
    representative: "Account of the representative, or its ERC-7913 signer (needed)",
    purposes: "For what it may grant: codes of PurposeOfUse, with commas; each with those below it (needed)",
    categories:
      "What it may grant and see: resource types and sensitivity labels, with commas; all, and for minors all that the rules let it have, unless given",
    from: "First moment: 2026-01-01 (its first second, UTC), 2026-01-01T18:00:00Z, or 14d from now; now unless given",
    until:
      "End: 2027-12-31 (the whole day, UTC), 2027-12-31T18:00:00Z, or 52w from now (needed, but for minors: the next birthday on which the rules change)",
    custodian:
      "Account of the organization that holds a minor's record: without its good standing the mandate does not count",
    rules:
      'For a minor: JSON file {"jurisdiction", "majorityAge", "timeZone", "ownConsent": [{"age", "categories"}]} of what the law says there',
    birthDate: "For a minor: day of birth, such as 2012-05-17",
    out: "Where to write the mandate, for the representative (needed)",
    ...signatoryOptions,
  },
  flags: { force: "Write over the file" },
  run: () => import("./mandate"),
});
command("patient:contacts", "Shows, sets or takes away the contacts who can recover a record", {
  level: "send",
  example:
    "patient:contacts --patient 0x... --step set --contacts 0x...,0x...,0x... --threshold 2 --delay 7d --out contacts.json --keystore patient.json",
  options: {
    ...patient,
    step: "show, set, clear, or cancel a change that does not count yet; show unless given",
    contacts: "With set: their accounts or ERC-7913 signers, 1 to 16, with commas",
    threshold: "With set: how many of them are enough",
    delay: "With set: how long the patient can veto, 3d to 90d",
    out: "With set: where to write the document that the contacts need to recover the record, for the owner alone",
    file: "With set: such a document in place of all these",
    ...actorOptions,
  },
  run: () => import("./contacts"),
});
command("patient:recover", "Recovers a record by its contacts: each step on whose machine it is", {
  level: "send",
  example:
    "patient:recover --patient 0x... --step approve --contacts contacts.json --acceptance acceptance.json --out one.json --keystore contact.json",
  options: {
    ...patient,
    step:
      "show; accept (the new key signs); approve (a contact signs); start; veto (by the present key); approve-override (each contact signs); " +
      "override; execute, once the delay is over (needed)",
    contacts:
      "Document of the contacts, as patient:contacts wrote it; for approve, start, approve-override and override",
    acceptance: "File of what the new key signed, for approve and start",
    signatures: "Files of what contacts signed, with commas, for start and override",
    out: "Where to write what is signed, which is good for a week, for accept, approve and approve-override",
    ...actorOptions,
  },
  run: () => import("./recover"),
});
command("patient:proofing", "Signs, sets, checks or takes away how well a patient's identity was proofed", {
  level: "send",
  example: "patient:proofing --patient 0x... --step check --file proofing.json --level IAL2",
  options: {
    ...patient,
    step: "sign (by the organization), set, check (ends with 4 if not ok), or clear (needed)",
    level: "With sign: IAL1, IAL2 or IAL3 of NIST SP 800-63A; with check: the least; IAL1 unless given",
    proofedAt: "With sign: when, such as 2026-01-31T10:00:00Z; now unless given",
    until: "With sign: end, such as 2028-01-31 or 104w",
    out: "With sign: where to write the document, for the patient alone",
    file: "With set and check: the document; - is stdin",
    ...actorOptions,
  },
  run: () => import("./proofing"),
});
command("patient:merge", "Says that a record is a duplicate of another; both sides agree, and it is final", {
  level: "send",
  example:
    "patient:merge --from 0x... --into 0x... --from-agreement agreement.json --final --signer-keystore patient.json --keystore relayer.json",
  options: {
    from: "Id of the duplicate (needed)",
    into: "Id of the record that stays (needed)",
    step: "agree: the key of one side signs, and nothing is sent; merge; merge unless given",
    out: "With agree: where to write the agreement, which is good for a week",
    fromAgreement: "What the key of the duplicate signed; the key that acts, unless given",
    intoAgreement: "What the key of the record that stays signed; the key that acts, unless given",
    ...actorOptions,
  },
  flags: { final: "Yes, for good (needed with merge)" },
  run: () => import("./merge"),
});
command("patient:deactivate", "Ends a record, for good; it can still revoke, and nothing is deleted", {
  level: "send",
  example: "patient:deactivate --patient 0x... --final --signer-keystore patient.json --keystore relayer.json",
  options: { ...patient, ...actorOptions },
  flags: { final: "Yes, for good (needed)" },
  run: () => import("./deactivate"),
});
command("patient:key", "Changes the key that files for a patient are sealed to", {
  level: "send",
  example: "patient:key --patient 0x... --hpke-key 0x... --signer-keystore patient.json --keystore relayer.json",
  options: { ...patient, hpkeKey: "X25519 public key, as keys:new shows it (needed)", ...actorOptions },
  run: () => import("./key"),
});
command("patient:signer", "Shows the ERC-7913 signer of a key: what contacts and representatives are named by", {
  level: "sign",
  example: "patient:signer --signer-keystore patient.json",
  options: signatoryOptions,
  run: () => import("./signer"),
});
