import { command } from "../support/command";

const token = "Address of the ERC-20 token in whose units above and bond are; needed where the document has one";
const id = { id: "Id of the rulebook (needed)" };

command("rulebook:publish", "Publishes a rulebook; one that was published stays as it is", {
  level: "send",
  example: "rulebook:publish --file rulebook.json --keystore payer.json",
  options: {
    file:
      "JSON: attesters (accounts) and threshold, or conditions and workflow; eventKinds, grace such as 3d, suspender, documentHash; or all " +
      'fields, as rulebook:show --out writes them. A condition is {"attesters": [...], "threshold": 2, "above": "1000.00"}: attesters are ' +
      'accounts or ERC-7913 signers in hex, {"p256Key": "0x..."} as keys:new shows it, or alone "payee" or "patient"; all of them sign unless ' +
      "threshold is given, always unless above is. A workflow is {id, owner, name}, its name plain or 10 bytes in hex. For disputes and audits: " +
      'challengePeriod such as 2d, arbiter {"account": "0x...", "deadline": "14d", "default": "payer" or "payee"}, bond such as "25.00", ' +
      'retention {"bps": 1000, "lookBack": "180d"}; - is stdin (needed)',
    token,
  },
  run: () => import("./publish"),
});
command("rulebook:show", "Shows a rulebook in words, and whether it, or who attests under it, is suspended", {
  level: "read",
  example: "rulebook:show --id 0x... --out rulebook.json",
  options: {
    ...id,
    token: "Address of the ERC-20 token in whose units to show amounts; base units unless given",
    out: "File to write it to as JSON",
  },
  flags: { force: "Write over the file" },
  run: () => import("./show"),
});
command("rulebook:suspend", "Stops funding and settlement under a rulebook; its suspender", {
  level: "send",
  example: "rulebook:suspend --id 0x... --keystore suspender.json",
  options: id,
  run: () => import("./suspend"),
});
command("rulebook:resume", "Ends the suspension of a rulebook; its suspender", {
  level: "send",
  example: "rulebook:resume --id 0x... --keystore suspender.json",
  options: id,
  run: () => import("./resume"),
});
command(
  "rulebook:prove-equivocation",
  "Proves that an attester signed two different final results for one line at one time, and suspends it; anyone may",
  {
    level: "send",
    example: "rulebook:prove-equivocation --file batch.json --attestations one.json,two.json --keystore payer.json",
    options: {
      file: "Claim batch file, or the payer's record, that they are about; - is stdin (needed)",
      attestations: "Files of attestations, with commas, two of which contradict each other (needed)",
    },
    run: () => import("./proveEquivocation"),
  },
);
command(
  "rulebook:suspend-attester",
  "Suspends in another rulebook an attester who was shown to equivocate; anyone may",
  {
    level: "send",
    example: "rulebook:suspend-attester --id 0x... --attester 0x... --keystore payer.json",
    options: { ...id, attester: "Account, or ERC-7913 signer in hex, as rulebook:show lists it (needed)" },
    run: () => import("./suspendAttester"),
  },
);
