import type { Claim, MedicationDispense } from "fhir/r4";

import { run } from "@carepact/sdk";
import { adjudicate, groupResultsOf } from "@carepact/sdk/claims";
import { dispenseResult, lineResultOf, readClaim } from "@carepact/sdk/fhir";

import { attestTogether } from "./attesting";
import { receive } from "./checking";
import { hl7, medicineOf } from "./hl7";
import { arrived, showGas, showStock, takeStock } from "./money";
import { offerChangedFile, type Tampering } from "./tamper";
import { ensure, type World } from "./world";

const SCENE = "pharmacy";
const DAY = 24 * 60 * 60;

/** Claim 760151: one prescription, funded before it is dispensed, paid once two attesters say it was picked up. */
export async function payPharmacy(world: World, tampering: Tampering): Promise<{ claim: string; paid: string }> {
  const { screen, payer, token, show } = world;
  const pharmacy = world.pharmacies["Pharmacy A"];
  screen.title("A prescription: HL7's Claim 760151");

  const charged = readClaim(hl7<Claim>("Claim-760151"));
  const [line] = charged.lines;
  ensure(line !== undefined, "the claim has a line");
  screen.table(
    ["billed by the claim", "amount"],
    line.details.map(({ productOrService, net }) => [productOrService.split("|").pop() ?? "", cents(net ?? 0n)]),
    { right: [1] },
  );
  const decision = { sequence: line.sequence, allowed: "90.00", patientShare: "0" };
  const claim = adjudicate(charged, { payee: pharmacy.account, lines: [decision] });
  screen.say(
    "The payer's decision (assigned by the demo, not HL7's): allowed 90.00, patient share 0, so that 90.00 is to be paid.",
  );

  const before = await takeStock(world);
  const { dispense: rulebook } = world.rulebooks;
  screen.say("Sealing the claim batch file of 1 line and funding the batch ...");
  const input = { adjudicated: [claim], rulebook, token: token.address, eventBy: (await world.now()) + 14 * DAY };
  const funded = await world.spend(SCENE, "fund", run(payer.claims.fund(input)));

  await offerChangedFile(world, tampering, pharmacy, funded.file, rulebook);
  const batch = await receive(world, pharmacy, funded.file, rulebook);

  const dispense = hl7<MedicationDispense>("MedicationDispense-meddisp0307");
  screen.say(
    `Picked up: ${dispense.id}, ${dispense.quantity?.value} ${dispense.quantity?.code}, ${dispense.status}. Paired with the claim by the demo: ` +
      `it is of ${medicineOf(dispense)}. HL7's own dispense of the claim's medicine, meddisp0315, has not been handed over.`,
  );
  const attestations = await attestTogether(world, batch, dispense, () =>
    groupResultsOf([
      batch.lines.map(({ amount, detail }) =>
        lineResultOf(dispenseResult(dispense, { amount, ...(detail.quantity && { billed: detail.quantity }) })),
      ),
    ]),
  );
  screen.say(
    "2 of 3 attesters signed: met. Anyone may bring that to the escrow; a passer-by does, and pays the pharmacy out.",
  );
  const settled = await world.spend(SCENE, "settle", run(world.passerBy.claims.settle(batch, attestations)));
  await world.spend(
    SCENE,
    "payout",
    run(world.passerBy.pools.payout({ token: token.address, payee: pharmacy.account })),
  );

  const after = await takeStock(world);
  const paid = arrived(before, after, pharmacy.name);
  ensure(paid === settled.paid && show(paid) === "90.00", "the pharmacy has 90.00 more in its wallet");
  showStock(world, before, after);
  showGas(world, SCENE, { fund: 1, settle: 1 });
  screen.say("A payee's first credit and first tokens cost more than later ones: both write new storage.");
  return { claim: charged.claimId, paid: show(paid) };
}

const cents = (amount: bigint): string => `${amount / 100n}.${String(amount % 100n).padStart(2, "0")}`;
