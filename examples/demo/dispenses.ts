import type { MedicationDispense } from "fhir/r4";

import { run } from "@carepact/sdk";
import {
  groupResultsOf,
  openClaimBatchRecord,
  readPharmacyClaim,
  type AdjudicatedClaim,
  type OpenedGroup,
  type OpenedLine,
  type OpenedRecord,
  type Returned,
  type Settlement,
} from "@carepact/sdk/claims";
import { dispenseResult, lineResultOf, type EventResult } from "@carepact/sdk/fhir";

import { assigned, refundedDispense, reversedDispense, type Assigned } from "./assigned";
import { attestTogether } from "./attesting";
import { receive } from "./checking";
import { showDispenses, showGroups } from "./dispensesTable";
import { allDispenses, medicineOf } from "./hl7";
import { showGas, showStock, takeStock } from "./money";
import { ensure, type Pharmacy, type World } from "./world";

const SCENE = "dispenses";
const DAY = 24 * 60 * 60;

/** One of HL7's dispenses, the line it is billed on, and the one result it leads to. */
export interface DispenseLine {
  dispense: MedicationDispense;
  assigned: Assigned;
  group: OpenedGroup;
  line: OpenedLine;
  event: EventResult;
  reversed: boolean;
}

/** What became of the 31 lines; amounts in dollars. The reversed line counts under the result that its status leads to. */
export interface DispensesOutcome {
  total: number;
  met: number;
  partlyMet: number;
  notMet: number;
  pending: number;
  paid: string;
  reclaimed: string;
}

/** All MedicationDispense examples as one claim batch: settled by one attestation, the rest reclaimed after the deadline. */
export async function settleDispenses(world: World): Promise<DispensesOutcome> {
  const { screen, payer, pharmacies, token, show } = world;
  const dispenses = allDispenses();
  screen.title(`All ${dispenses.length} MedicationDispense examples of HL7 as one claim batch`);
  screen.say(
    "HL7's examples carry no price, all name one performer, and say nothing of what was billed. Prices, pharmacies, and billed " +
      "quantities where they are larger than dispensed, are assigned by the demo and marked * below.",
  );

  const before = await takeStock(world);
  const claims = dispenses.map((dispense) => claimFor(dispense, pharmacies[assignedTo(dispense).pharmacy]));
  screen.say(`Sealing the claim batch file of ${claims.length} lines for 4 pharmacies and funding the batch ...`);
  const rulebook = world.rulebooks.dispense;
  const terms = { rulebook, token: token.address, eventBy: (await world.now()) + 14 * DAY };
  const funded = await world.spend(SCENE, "fund", run(payer.claims.fund({ adjudicated: claims, ...terms })));
  const record = openClaimBatchRecord(funded.record);

  const groups: OpenedGroup[] = [];
  for (const { payee } of record.groups) {
    const pharmacy = Object.values(pharmacies).find(({ account }) => account === payee);
    ensure(pharmacy !== undefined, `${payee} is one of the pharmacies`);
    groups.push(await receive(world, pharmacy, funded.file, rulebook));
  }
  const lines = groups.flatMap((group) => group.lines.map((line) => dispenseLine(dispenses, group, line)));

  const reversed = await reverseOne(world, lines);
  const settled = await settleAll(world, record, groups, lines);
  showDispenses(world, lines);
  const { met, partlyMet, notMet, pending } = countsOf(lines);
  screen.say(
    `${lines.length} lines, one result each: ${met} met, ${partlyMet} partly met, ${notMet} not met, ${pending} pending. ` +
      "One of the pending ones is the one that was reversed; the others stay open.",
  );
  showGroups(world, groups, lines, settled);
  const refunded = await refundOne(world, lines);
  await payOut(world, settled);
  const reclaimed = await reclaimRest(world, record);

  const after = await takeStock(world);
  const total = record.terms.total;
  ensure(
    settled.paid + settled.freed + reversed.amount + reclaimed.amount === total,
    "paid, freed, reversed and reclaimed are the batch's total",
  );
  screen.say(
    `Of ${show(total)}: paid ${show(settled.paid)} (of which ${show(refunded.amount)} was refunded), freed ${show(settled.freed)}, ` +
      `reversed ${show(reversed.amount)}, reclaimed ${show(reclaimed.amount)}; open 0.00.`,
  );
  showStock(world, before, after);
  tellGas(world, lines);

  return { ...countsOf(lines), paid: show(settled.paid), reclaimed: show(reclaimed.amount) };
}

/** How many lines lead to each result. */
export function countsOf(lines: readonly DispenseLine[]): Omit<DispensesOutcome, "paid" | "reclaimed"> {
  const count = (result: EventResult["result"]): number => lines.filter(({ event }) => event.result === result).length;
  const counts = {
    met: count("met"),
    partlyMet: count("partlyMet"),
    notMet: count("notMet"),
    pending: count("pending"),
  };
  const sum = counts.met + counts.partlyMet + counts.notMet + counts.pending;
  ensure(sum === lines.length, "every line has exactly one result");
  return { total: lines.length, ...counts };
}

function assignedTo({ id = "" }: MedicationDispense): Assigned {
  const found = assigned[id];
  ensure(found !== undefined, `a price and a pharmacy are assigned to ${id}`);
  return found;
}

/** The pharmacy's claim with the payer's answer, as the demo assigns them, in NCPDP's words. */
function claimFor(dispense: MedicationDispense, pharmacy: Pharmacy): AdjudicatedClaim {
  const { id = "", quantity, daysSupply } = dispense;
  const { price, billed } = assignedTo(dispense);
  return readPharmacyClaim(
    {
      kind: "pharmacy",
      claimId: id,
      currency: "USD",
      transactionResponseStatus: "P",
      pharmacyNpi: pharmacy.npi,
      prescriptionReferenceNumber: id.replace(/\D/g, ""),
      fillNumber: 0,
      dateOfService: (dispense.whenHandedOver ?? dispense.whenPrepared ?? "2015-01-15").slice(0, 10),
      productServiceId: medicineOf(dispense),
      quantityDispensed: billed ?? String(quantity?.value ?? 0),
      ...(quantity?.code === undefined ? {} : { unitOfMeasure: quantity.code }),
      daysSupply: daysSupply?.value ?? 30,
      ingredientCostPaid: price,
      patientPayAmount: "0",
      totalAmountPaid: price,
    },
    { payee: pharmacy.account },
  );
}

function dispenseLine(dispenses: readonly MedicationDispense[], group: OpenedGroup, line: OpenedLine): DispenseLine {
  const { amount, detail } = line;
  const dispense = dispenses.find(({ id }) => id === detail.claimId);
  ensure(dispense !== undefined, `there is a dispense ${detail.claimId}`);
  const event = dispenseResult(dispense, { amount, ...(detail.quantity && { billed: detail.quantity }) });
  return {
    dispense,
    assigned: assignedTo(dispense),
    group,
    line,
    event,
    reversed: detail.claimId === reversedDispense,
  };
}

const payeeOf = (world: World, { assigned: { pharmacy } }: DispenseLine): Pharmacy => world.pharmacies[pharmacy];

function find(lines: readonly DispenseLine[], id: string): DispenseLine {
  const found = lines.find(({ dispense }) => dispense.id === id);
  ensure(found !== undefined, `there is a line of ${id}`);
  return found;
}

/** The pharmacy gives a line up before anything is settled, as a B2 does. */
async function reverseOne(world: World, lines: readonly DispenseLine[]): Promise<Returned> {
  const entry = find(lines, reversedDispense);
  const { claims, name } = payeeOf(world, entry);
  const returned = await world.spend(SCENE, "reverse", run(claims.reverse(entry.group, [entry.line.index])));
  world.screen.say(
    `${name} reverses its line of ${reversedDispense} (${entry.dispense.status}: nobody picked it up): ` +
      `${world.show(returned.amount)} goes back to the payer at once.`,
  );
  return returned;
}

/** Attesters judge every line by its resource; one attestation of all results settles what is final. */
async function settleAll(
  world: World,
  record: OpenedRecord,
  groups: readonly OpenedGroup[],
  lines: readonly DispenseLine[],
): Promise<Settlement> {
  const seen = lines.map(({ dispense }) => dispense);
  const attestations = await attestTogether(world, record, seen, () =>
    groupResultsOf(
      groups.map((group) => lines.filter((entry) => entry.group === group).map(({ event }) => lineResultOf(event))),
    ),
  );
  world.screen.say("2 of 3 attesters signed the results of all lines. The payer settles with that one attestation.");
  return world.spend(SCENE, "settle", run(world.payer.claims.settle(record, attestations)));
}

/** After settlement, a pharmacy pays back what one line brought it: from its credit, before it is paid out. */
async function refundOne(world: World, lines: readonly DispenseLine[]): Promise<Returned> {
  const entry = find(lines, refundedDispense);
  ensure(entry.event.result === "met", `${refundedDispense} was paid`);
  const { claims, name } = payeeOf(world, entry);
  const { amount } = entry.event;
  const returned = await world.spend(SCENE, "refund", run(claims.refund(entry.group, { amount, from: "credit" })));
  world.screen.say(
    `${name} refunds the payment for ${refundedDispense}: ${world.show(amount)} from its credit, to the payer.`,
  );
  return returned;
}

async function payOut(world: World, { groups }: Settlement): Promise<void> {
  for (const { payee, paid } of groups)
    if (paid > 0n)
      await world.spend(SCENE, "payout", run(world.passerBy.pools.payout({ token: world.token.address, payee })));
  world.screen.say("A passer-by has every pharmacy paid out.");
}

/** What nobody attested in time goes back to the payer; anyone may see to it. */
async function reclaimRest(world: World, record: OpenedRecord): Promise<Returned> {
  const { attestBy = 0, open } = await world.payer.claims.status(record);
  await world.advanceTo(attestBy + 1);
  const returned = await world.spend(SCENE, "reclaim", run(world.passerBy.claims.reclaim(record)));
  ensure(returned.amount === open, "all that was open is reclaimed");
  world.screen.say(
    "The chain's clock is set past the deadline (14 days to pick up, 3 more to attest). What is still open is reclaimed: " +
      `${world.show(open)} goes back to the payer.`,
  );
  return returned;
}

/** Gas for the whole batch and for one of its lines, on the screen and in the JSON line. */
function tellGas(world: World, lines: readonly DispenseLine[]): void {
  const settled = lines.filter(({ event, reversed }) => event.result !== "pending" && !reversed).length;
  const counts = { fund: lines.length, reverse: 1, settle: settled, refund: 1 };
  showGas(world, SCENE, counts);
  const gas = (world.gas[SCENE] ??= {});
  for (const verb of ["fund", "settle"] as const) gas[`${verb}PerLine`] = Math.round((gas[verb] ?? 0) / counts[verb]);
}
