import { signatoryOptions } from "../support/actorOptions";
import { command } from "../support/command";
import { sealingOptions } from "../support/sealingOptions";

const anyFile = "Claim batch file, or the payer's record; - is stdin (needed)";
/** What happened, and what was seen of it. */
const resultOptions = {
  all: "One result for all groups: met or notMet",
  results:
    'File of results: an array of one for each group, or an object by payee; "met", "notMet", "pending", or {"result": "byLine", "lines": ' +
    '[{"claimId": "A-1", "result": "met"}, {"claimId": "L-1", "lineNumber": 2, "result": "partlyMet", "amount": "45.00"}]}, for open lines; ' +
    '{"line": 0, ...} names one by its number, as batch:check shows it; those left out are pending; with no names it is one for each line',
  events:
    "In place of results: what was seen of lines, as {claimId, lineNumber, resource} with a FHIR MedicationDispense, DiagnosticReport, Procedure, " +
    "Immunization or Task; one, an array, or one a line; the lines have to be open",
  fhirVersion: "With --events: R4 or R5; R4 unless given",
};
const momentOptions = {
  observedAt: "Moment of looking, such as 2026-12-31T18:00:00Z; the newest block's unless given",
  validUntil: "Last moment for settling; as late as the batch allows unless given",
  evidence: "Salted commitment to what was seen, 32 bytes; random unless given",
};
const lineOptions = {
  claim:
    "Id of the claim, or claim/line number, of the line that is meant; takes the payer's record, or the payee's sealing key",
  line: "In place of claim: number of the line in its group, as batch:check shows it",
  payee: "With --line: account of the group; needed where the batch has several and none of them alone is opened",
};
const groundOptions = {
  attestations: "Files of attestations, with commas; one, an array, or one a line each",
  reported: "In place of attestations: the statement that the rulebook's workflow reported last",
};
const ownFile = "Claim batch file; - is stdin (needed)";

command(
  "batch:fund",
  "Funds adjudicated claims as one claim batch from the signer's pool, and writes its file and record",
  {
    level: "send",
    example:
      "batch:fund --claims claims.ndjson --rulebook 0x... --token 0x... --event-by 14d --out batch.json --record record.json --keystore payer.json",
    options: {
      claims:
        "PharmacyClaim, LaboratoryClaim, FHIR Claim, or {claim, decision}: one, an array, or one a line (NDJSON); - is stdin (needed)",
      decisions: "Decisions on the FHIR Claims: one, or several with their claimId each",
      payee: "Account that is paid for all of them; by NPI from the directory unless given",
      patientKeys:
        'JSON file of the keys that may say yes for the patients, by claim id: {"A-1": ["0x..."]}, ERC-7913 signers, made for this claim alone; ' +
        "in place of those that the claims carry as patientKeys",
      rulebook: "Id of a published rulebook (needed)",
      token: "Address of the ERC-20 token to pay in (needed)",
      eventBy:
        "Last moment of the care: 2026-12-31 (its last second, UTC), 2026-12-31T18:00:00Z, or 14d from now (needed)",
      out: "Where to write the claim batch file, for the payees (needed)",
      record: "Where to write the payer's own record: health data in the clear, for the owner alone (needed)",
    },
    flags: { force: "Write over both files" },
    run: () => import("./fund"),
  },
);
command("batch:check", "Checks before care is given that the money for a payee's lines is locked; ends with 4 if not", {
  level: "read",
  example:
    "batch:check --file batch.json --rulebooks 0x... --tokens 0x... --minimum 3d --sealing-keystore pharmacy.sealing.json",
  options: {
    file: ownFile,
    rulebooks: "Ids of rulebooks to accept, with commas; or any (needed)",
    tokens: "Addresses of tokens to accept, with commas; or any (needed)",
    finality: "finalized, safe or latest; finalized unless given",
    minimum: "Time that has to be left for the care, such as 3d",
    ...sealingOptions,
  },
  run: () => import("./check"),
});
command("batch:statement", "Writes what several are to sign, or a workflow is to report, unsigned", {
  level: "read",
  example: "batch:statement --file batch.json --all met --out statement.json",
  options: {
    file: anyFile,
    ...resultOptions,
    ...momentOptions,
    out: "File to write the statement to; stdout unless given",
    ...sealingOptions,
  },
  flags: { force: "Write over the file" },
  run: () => import("./statement"),
});
command("batch:attest", "Signs what happened, as an attester, payee or patient; sends nothing", {
  level: "sign",
  example: "batch:attest --file batch.json --all met --out attestation.json --keystore attester.json",
  options: {
    file: anyFile,
    ...resultOptions,
    statement:
      "Statement of another party (or its attestation), to be signed as it is; results, where given too, have to say the same",
    with: "Attestation of another attester, whose moment and evidence this one is to share",
    ...momentOptions,
    ledger:
      "The attester's ledger of attested events (oracle:new-ledger): refuses, with 4, what it has in another line; the lines have to be open; " +
      "its secret is in the file CAREPACT_LEDGER_SECRET_FILE, or CAREPACT_LEDGER_SECRET, or asked for",
    coordinatesWith:
      "With --ledger: ids of batches of other payers who pay for the same events with this one's, with commas",
    ...signatoryOptions,
    wallet: "Wallet contract (ERC-1271) in whose name the key signs: one that takes the key's own signature",
    out: "File to write the attestation to; stdout unless given",
    ...sealingOptions,
  },
  flags: { force: "Write over the file" },
  run: () => import("./attest"),
});
command(
  "batch:settle",
  "Pays what attesters agree, or the workflow reported, that happened; anyone may, any number of times",
  {
    level: "send",
    example: "batch:settle --file batch.json --attestations one.json,two.json --keystore pharmacy.json",
    options: {
      file: anyFile,
      ...groundOptions,
      ...sealingOptions,
    },
    run: () => import("./settle"),
  },
);
command("batch:present", "Presents what attesters agree happened, to settle once nobody can dispute it; anyone may", {
  level: "send",
  example: "batch:present --file batch.json --attestations one.json,two.json --keystore pharmacy.json",
  options: { file: anyFile, ...groundOptions, ...sealingOptions },
  run: () => import("./present"),
});
command("batch:settle-presented", "Settles what was presented, once its challenge period is over; anyone may", {
  level: "send",
  example: "batch:settle-presented --file batch.json --keystore pharmacy.json",
  options: { file: anyFile },
  run: () => import("./settlePresented"),
});
command("batch:dispute", "Freezes a line until the arbiter rules: of what was presented, or one that nobody attested", {
  level: "send",
  example: "batch:dispute --file record.json --claim A-100001 --keystore payer.json",
  options: { file: anyFile, ...lineOptions, sealingKeystore: sealingOptions.sealingKeystore },
  flags: { missing: "As the line's payee, after the last moment of the care: no result was attested" },
  run: () => import("./dispute"),
});
command(
  "batch:present-disputed",
  "Brings attestations for a line that is in dispute because there were none; anyone may",
  {
    level: "send",
    example:
      "batch:present-disputed --file record.json --claim A-100001 --attestations one.json,two.json --keystore pharmacy.json",
    options: { file: anyFile, ...lineOptions, ...groundOptions, sealingKeystore: sealingOptions.sealingKeystore },
    run: () => import("./presentDisputed"),
  },
);
command("batch:resolve", "Rules on a dispute, as the arbiter; or ends it by default, when its time is over", {
  level: "send",
  example: "batch:resolve --file batch.json --payee 0x... --line 0 --award 45.00 --keystore arbiter.json",
  options: {
    file: anyFile,
    ...lineOptions,
    award: "What the payee gets, in the token's own units; the rest goes back to the payer",
    sealingKeystore: sealingOptions.sealingKeystore,
  },
  flags: { default: "In place of award: the attested result holds, or what the rulebook says where there is none" },
  run: () => import("./resolve"),
});
command("batch:recoup", "Takes back for the payer what is retained of a payment, as the arbiter", {
  level: "send",
  example: "batch:recoup --file batch.json --payee 0x... --amount 4.00 --keystore arbiter.json",
  options: {
    file: anyFile,
    payee: "Account whose payment it is (needed)",
    amount: "Amount in the token's own units, such as 4.00 (needed)",
    retention: "First line of the retention, as batch:status shows it, where there are several",
  },
  run: () => import("./recoup"),
});
command("batch:release", "Gives payees what is left of what was retained, once the look-back is over; anyone may", {
  level: "send",
  example: "batch:release --file batch.json --keystore pharmacy.json",
  options: { file: anyFile },
  run: () => import("./release"),
});
command("batch:refund-order", "Signs, as a payee, that later credits repay a batch; sends nothing", {
  level: "sign",
  example:
    "batch:refund-order --file batch.json --amount 12.34 --deadline 90d --out order.json --keystore pharmacy.json",
  options: {
    file: anyFile,
    amount: "What all refunds of the batch may come to, in the token's own units (needed)",
    deadline: "Last moment of the order: 2026-12-31, 2026-12-31T18:00:00Z, or 90d from now (needed)",
    ...signatoryOptions,
    out: "File to write the order to; stdout unless given",
  },
  flags: { force: "Write over the file" },
  run: () => import("./refundOrder"),
});
command("batch:report", "Shows what the rulebook's workflow reported last of a batch", {
  level: "read",
  example: "batch:report --file batch.json --statement statement.json",
  options: { file: anyFile, statement: "Statement to compare with what was reported; ends with 4 if it is another" },
  run: () => import("./report"),
});
command("batch:reverse", "Gives up open lines of the signer's own group, as a pharmacy's B2 does", {
  level: "send",
  example:
    "batch:reverse --file batch.json --claims A-100001,A-100002 --keystore pharmacy.json --sealing-keystore pharmacy.sealing.json",
  options: {
    file: ownFile,
    claims: "Ids of claims, with commas: all of their lines in the group",
    lines: "In place of claims: numbers of lines in the group, as batch:check shows them, with commas",
    sealingKeystore: sealingOptions.sealingKeystore,
  },
  run: () => import("./reverse"),
});
command("batch:reclaim", "Returns to the payer what nobody attested in time; anyone may", {
  level: "send",
  example: "batch:reclaim --file record.json --keystore payer.json",
  options: { file: anyFile },
  run: () => import("./reclaim"),
});
command("batch:refund", "Pays back what the signer, or a payee by its order, received from a batch", {
  level: "send",
  example: "batch:refund --file batch.json --amount 12.34 --from credit --keystore pharmacy.json",
  options: {
    file: anyFile,
    amount: "Amount in the token's own units, such as 90.00; needed without --order",
    from: "credit, or tokens, which pool:approve has to allow; credit unless given",
    order: "In place of both: a payee's order (batch:refund-order), which anyone may bring",
  },
  run: () => import("./refund"),
});
command("batch:payout", "Sends a payee's credit to it; anyone may, and works while all else is paused", {
  level: "send",
  example: "batch:payout --token 0x... --payee 0x... --keystore pharmacy.json",
  options: {
    token: "Address of the ERC-20 token",
    file: "A claim batch file or record that names the token, in place of it",
    payee: "Account that is paid; the signer unless given",
    to: "Another account that gets it; only the payee itself may say so",
    amount: "How much of it, with --to; all unless given",
  },
  run: () => import("./payout"),
});
command("batch:status", "Shows what the chain knows of a claim batch", {
  level: "read",
  example: "batch:status --file batch.json",
  options: { file: anyFile },
  run: () => import("./status"),
});
command("batch:watch", "Follows a claim batch live: a line for each change; ends when it is closed, or with Ctrl-C", {
  level: "read",
  example: "batch:watch --file batch.json --until settled --json",
  options: {
    file: anyFile,
    until: "funded, settled (for the first time) or closed (nothing open any more); closed unless given",
    poll: "Time between two looks at the chain, such as 10s; 4s unless given",
    confirmations: "Blocks that have to stand on top of a change before it is told; 0 unless given",
  },
  run: () => import("./watch"),
});
