import { command } from "../support/command";

const history = {
  history: "Access history, sealed as the gateway gave it, or opened; - is stdin (needed)",
  sealingKeystore:
    "For a sealed one: encrypted keystore of the key it is sealed to; CAREPACT_SEALING_KEYSTORE unless given",
};

command(
  "access:audit",
  "Holds a gateway's access history against the chain and all that the patient has; ends with 4 if it finds something",
  {
    level: "read",
    example:
      "access:audit --history history.json --patient 0x... --receipts one.json,two.json --sealing-keystore patient.sealing.json",
    options: {
      ...history,
      patient: "Patient id, 32 bytes (needed)",
      view: "For whom it has to be made: patient or representative; patient unless given",
      receipts: "Files of receipts, or of sealed notices, with commas; one, an array, or one a line each",
      earlier: "Histories that the same gateway gave before, with commas",
      maxDelay: "Longest time between an entry and the root that covers it; 1d unless given",
      maxAge: "Longest time since the history was made, or any; as --max-delay unless given",
      reviewWithin: "Time within which an access in an emergency is to be reviewed; 3d unless given",
      out: "Where to write the opened history, for the owner alone; later audits take it by --earlier",
    },
    run: () => import("./audit"),
  },
);
command("access:show", "Shows the entries of an access history; whether they are true, access:audit says", {
  level: "offline",
  example: "access:show --history history.json --sealing-keystore patient.sealing.json",
  options: history,
  flags: { fhir: "As FHIR R4 AuditEvents, one a line" },
  run: () => import("./show"),
});
command("access:prove", "Writes a proof of one entry of an access history, which shows nothing of the others", {
  level: "offline",
  example: "access:prove --history history.json --number 3 --out proof.json",
  options: {
    ...history,
    number: "Number of the entry, as access:show shows it (needed)",
    trail: "shared, or own: what a minor's representative does not see; shared unless given",
    out: "Where to write the proof: health data in the clear (needed)",
  },
  run: () => import("./prove"),
});
command("access:verify", "Checks a proof of one entry against the chain; ends with 4 if it proves nothing", {
  level: "read",
  example: "access:verify --file proof.json",
  options: { file: "Proof, as access:prove wrote it; - is stdin (needed)" },
  run: () => import("./verify"),
});
command("access:roots", "Shows the roots that a gateway anchored, checked against the head that the contract keeps", {
  level: "read",
  example: "access:roots --gateway 0x...",
  options: { gateway: "Account of the gateway (needed)" },
  run: () => import("./roots"),
});
command("access:receipt", "Checks a receipt, as who holds a content key before releasing it; ends with 4 if not ok", {
  level: "read",
  example: "access:receipt --file receipt.json --patient 0x... --who 0x... --resource-types Observation",
  options: {
    file: "Receipt; - is stdin (needed)",
    patient: "Patient id that it has to be about (needed)",
    who: "Account of who asks (needed)",
    resourceTypes: "Resource types of what the key opens, with commas (needed)",
    sensitivities: "Labels of what the key opens, with commas",
    maxAge: "Longest time since it was noted; 5m unless given",
  },
  run: () => import("./receipt"),
});
