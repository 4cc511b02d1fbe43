import type { Claim, DiagnosticReport } from "fhir/r4";

import { run } from "@carepact/sdk";
import { adjudicate, groupResultsOf, type Attestation } from "@carepact/sdk/claims";
import { diagnosticReportResult, lineResultOf, readClaim } from "@carepact/sdk/fhir";

import { attestTogether } from "./attesting";
import { receive } from "./checking";
import { hl7 } from "./hl7";
import { arrived, showGas, showStock, takeStock } from "./money";
import { settleChangedResult, type Tampering } from "./tamper";
import { ensure, type World } from "./world";

const SCENE = "laboratory";
const DAY = 24 * 60 * 60;

/** Claim 860150: a test, whose preliminary report settles nothing and whose final report pays. */
export async function payLaboratory(world: World, tampering: Tampering): Promise<{ claim: string; paid: string }> {
  const { screen, payer, laboratory, token, show } = world;
  screen.title("A test: HL7's Claim 860150");
  screen.say("It is a professional claim of 75.00. It stands in for a laboratory claim: HL7 publishes none.");

  const charged = readClaim(hl7<Claim>("Claim-860150"));
  const lines = charged.lines.map(({ sequence }) => ({ sequence, allowed: "75.00", patientShare: "0" }));
  const claim = adjudicate(charged, { payee: laboratory.account, lines });
  screen.say("The payer's decision (assigned by the demo): allowed 75.00, patient share 0.");

  const before = await takeStock(world);
  const rulebook = world.rulebooks.diagnosticReport;
  screen.say("Sealing the claim batch file of 1 line and funding the batch ...");
  const input = { adjudicated: [claim], rulebook, token: token.address, eventBy: (await world.now()) + 14 * DAY };
  const funded = await world.spend(SCENE, "fund", run(payer.claims.fund(input)));
  const batch = await receive(world, laboratory, funded.file, rulebook);

  const final = hl7<DiagnosticReport>("DiagnosticReport-example-pgx");
  const preliminary: DiagnosticReport = { ...final, status: "preliminary" };
  const attestReport = (report: DiagnosticReport): Promise<Attestation[]> =>
    attestTogether(world, batch, report, () =>
      groupResultsOf([batch.lines.map(({ amount }) => lineResultOf(diagnosticReportResult(report, { amount })))]),
    );

  screen.say(
    `The report: DiagnosticReport ${final.id} (${final.code.text}), paired with the claim by the demo. HL7 publishes it as final only; ` +
      "the preliminary one is a copy with another status, derived by the demo.",
  );
  const early = await attestReport(preliminary);
  await settleChangedResult(world, tampering, batch, early);
  const nothing = await world.spend(SCENE, "settlePending", run(world.passerBy.claims.settle(batch, early)));
  ensure(nothing.paid === 0n && nothing.freed === 0n, "a preliminary report settles nothing");
  screen.say(
    "Preliminary: 2 of 3 attesters signed pending. Settling with that pays nothing, frees nothing: all 75.00 stay locked.",
  );

  // The laboratory settles by its own file: it needs nobody, the payer least of all.
  const settled = await world.spend(SCENE, "settle", run(laboratory.claims.settle(batch, await attestReport(final))));
  await world.spend(SCENE, "payout", run(laboratory.pools.payout({ token: token.address })));
  screen.say(
    "Final: 2 of 3 attesters signed met. The laboratory settles with its own file, without the payer, and takes its money.",
  );

  const after = await takeStock(world);
  const paid = arrived(before, after, laboratory.name);
  ensure(paid === settled.paid && show(paid) === "75.00", "the laboratory has 75.00 more in its wallet");
  showStock(world, before, after);
  showGas(world, SCENE, { fund: 1, settlePending: 1, settle: 1 });
  return { claim: charged.claimId, paid: show(paid) };
}
