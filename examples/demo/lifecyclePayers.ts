import type { Claim } from "fhir/r4";

import { formatAmount, run } from "@carepact/sdk";
import {
  adjudicate,
  coordinate,
  fundingOf,
  resultsOfEvents,
  standingOf,
  type AdjudicatedClaim,
  type ClaimBatchEvent,
  type CoordinatedAnswer,
  type LineStanding,
  type OpenedGroup,
} from "@carepact/sdk/claims";
import { readClaim } from "@carepact/sdk/fhir";

import { attestTogether } from "./attesting";
import { receive } from "./checking";
import { hl7 } from "./hl7";
import { DAY, SCENE, type Stage } from "./lifecycleStage";
import { ensure, type Payee, type World } from "./world";

/** One event that two payers paid, each out of a batch of its own, in their order. */
export interface Shared {
  batches: OpenedGroup[];
  /** What each paid, in base units. */
  paid: bigint[];
}

/** Two payers answer one claim, lock what each of them owes, and pay by one call. */
export async function shareEvent(world: World, { optician, supplement }: Stage): Promise<Shared> {
  const { screen, payer, passerBy, show } = world;
  const charged = readClaim(hl7<Claim>("Claim-660152"));
  const [line] = charged.lines;
  ensure(line !== undefined, "the claim has a line");
  const answer = (patientShare: string, otherPayers: string): AdjudicatedClaim =>
    adjudicate(charged, {
      payee: optician.account,
      lines: [{ sequence: line.sequence, allowed: "200.00", patientShare, otherPayers }],
    });
  const answers = [
    { payer: payer.account, adjudicated: answer("50.00", "0") },
    { payer: supplement.account, adjudicated: answer("10.00", "150.00") },
  ];
  screen.say(
    `HL7's Claim ${charged.claimId} names two insurances for glasses of ${formatAmount(line.charge, charged.currency)}. Their decisions (assigned by the demo): ` +
      "200.00 allowed; the payer leaves 50.00 to the patient, and the supplement, told what the payer pays, 10.00 of these.",
  );

  const batches: OpenedGroup[] = [];
  for (const { payer: account, adjudicated } of fundingOf([coordinate(answers)])) {
    const party = [payer, supplement].find((one) => one.account === account);
    ensure(party !== undefined, "one of the two has to fund");
    const rulebook = world.rulebooks.dispense;
    const terms = { rulebook, token: world.token.address, eventBy: (await world.now()) + 14 * DAY };
    const verb = party === payer ? "fundPrimary" : "fundSecondary";
    const funded = await world.spend(SCENE, verb, run(party.claims.fund({ adjudicated, ...terms })));
    batches.push(await receive(world, optician, funded.file, rulebook));
  }

  const outcomes = answer("50.00", "0").lines.map(({ event }) => ({ event, result: "met" as const }));
  const inputs = [];
  for (const batch of batches) {
    const attestations = await attestTogether(world, batch, `claim ${charged.claimId}: handed over`, () =>
      resultsOfEvents(batch, outcomes),
    );
    inputs.push({ batch, attestations });
  }
  const { settled } = await world.spend(SCENE, "settleMany", run(passerBy.claims.settleMany(inputs)));
  ensure(
    settled.every((each) => each),
    "both batches settled",
  );

  const standings = await Promise.all(batches.map((batch) => standing(optician, batch)));
  showShares(
    world,
    standings.map((lines, i) => ({ ...(answers[i] as (typeof answers)[number]), settled: lines })),
  );
  screen.say("One call settled both: the attesters saw one event, and each payer's batch has results of its own.");
  const paid = standings.map((lines) => lines.reduce((sum, each) => sum + each.paid, 0n));
  ensure(show(paid[0] ?? 0n) === "150.00" && show(paid[1] ?? 0n) === "40.00", "each payer paid what it owed");
  return { batches, paid };
}

/** How a group's lines stand, by the chain's events. */
async function standing({ claims }: Payee, batch: OpenedGroup): Promise<LineStanding[]> {
  const events: ClaimBatchEvent[] = [];
  for await (const event of claims.history(batch)) events.push(event);
  return standingOf(batch, events).lines;
}

/** What was paid in the end, held against the charge by the SDK, which refuses what does not add up. */
function showShares({ screen, payer }: World, answers: readonly CoordinatedAnswer[]): void {
  const { charge, shares, patientShare, adjustments, currency } = coordinate(answers);
  const dollars = (amount: bigint): string => formatAmount(amount, currency);
  screen.table(
    ["who", "as", "amount"],
    [
      ...shares.map((share) => [
        share.payer === payer.account ? "Payer" : "Supplement",
        share.role,
        dollars(share.pays),
      ]),
      ["Patient", "what is left", dollars(patientShare)],
      ["Optician", "written off by contract", dollars(adjustments)],
      ["", "sum, as charged", dollars(charge)],
    ],
    { right: [2] },
  );
}
