import { command } from "../support/command";
import { sealingOptions } from "../support/sealingOptions";

command("remittance", "Shows what a payer paid a payee in a period, by the chain's events, and writes it as an 835", {
  level: "read",
  example:
    "remittance --payer 0x... --payee 0x... --from 2026-01-01 --to 2026-01-31 --records one.json,two.json --parties parties.json --x12 january.835",
  options: {
    payer: "Account of the payer (needed)",
    payee: "Account of the payee (needed)",
    from: "First day, such as 2026-01-01, or moment, such as 2026-01-01T06:00:00Z (needed)",
    to: "Last day, such as 2026-01-31, or first moment after the period (needed)",
    records:
      "Payer's records, or claim batch files, which the payee's sealing key opens, of all batches with money in the period, with commas (needed)",
    parties:
      'JSON file of who is named: {"payer": {"name", "taxId", ...}, "payee": {"npi", ...}}; what is missing comes from the directory (needed)',
    token: "Address of the token; that of the batches unless given",
    claims: "Claims with the payer's answers, as batch:fund takes them: those that are paid nothing are told, too",
    said:
      'JSON file of what no event says: {"reversals": [{"batchId", "claimId"}], "providerPayments": [{"batchId", "claimId", "lineNumber", "reason"}], ' +
      '"refundOrders": [...], "forwarded": [...]}, the last as the remittance before ended',
    finality: "finalized, safe or latest; finalized unless given",
    x12: "File to write the 835 to",
    fhir: "File to write to: a FHIR Bundle of ExplanationOfBenefit resources and a PaymentReconciliation",
    sealingKeystore: sealingOptions.sealingKeystore,
  },
  flags: { force: "Write over the files" },
  run: () => import("./remittance"),
});
command("payout:explain", "Shows what a payout was made of: settlements and awards, first in, first out", {
  level: "read",
  example: "payout:explain --tx 0x...",
  options: { tx: "Hash of the transaction that paid out (needed)" },
  run: () => import("./explain"),
});
