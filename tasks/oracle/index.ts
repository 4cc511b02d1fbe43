import { command } from "../support/command";
import { sealingOptions } from "../support/sealingOptions";

const ledger = {
  ledger:
    "The attester's ledger; its secret is in the file CAREPACT_LEDGER_SECRET_FILE, or CAREPACT_LEDGER_SECRET, or asked for (needed)",
};
const file = "Claim batch file, or the payer's record, whose lines can be opened; - is stdin (needed)";

command(
  "oracle:new-ledger",
  "Makes an attester's ledger of the events that it attested: once for all of its processes",
  {
    level: "offline",
    example: "oracle:new-ledger --ledger events.ledger --secret events.ledger.secret",
    options: {
      ledger: "Where to make it, on a local disk (needed)",
      secret: "Where to write its secret, for the owner alone: keep it apart from the ledger (needed)",
    },
    run: () => import("./newLedger"),
  },
);
command("oracle:ledger", "Shows where the events of a batch's lines were attested before", {
  level: "offline",
  example: "oracle:ledger --ledger events.ledger --file batch.json --sealing-keystore pharmacy.sealing.json",
  options: { ...ledger, file, ...sealingOptions },
  run: () => import("./ledger"),
});
command("oracle:release", "Forgets the lines of a batch that the chain shows were not paid and never will be", {
  level: "read",
  example: "oracle:release --ledger events.ledger --file batch.json --sealing-keystore pharmacy.sealing.json",
  options: {
    ...ledger,
    file,
    ...sealingOptions,
    confirmations: "Blocks that have to stand on top of what is read; 12 unless given",
  },
  run: () => import("./release"),
});
