import type { Claim } from "fhir/r4";

import { formatAmount, parseAmount, rescaleAmount, run } from "@carepact/sdk";
import { adjudicate, groupResultsOf, openClaimBatchRecord, type OpenedGroup } from "@carepact/sdk/claims";
import { readClaim, type ChargedClaim } from "@carepact/sdk/fhir";

import { attestTogether } from "./attesting";
import { receive } from "./checking";
import { hl7 } from "./hl7";
import { DAY, lineOf, SCENE, type Stage } from "./lifecycleStage";
import { ensure, type World } from "./world";

const EXAM = "660150";
const GLASSES = "660151";
/** In Claim 660151, what was done to the lenses before they were set. */
const TREATMENT = "fst";

/** What the audit finds, in dollars; assigned by the demo. */
const OVERPAID = "3.50";

/** A batch of which one line was disputed, and of whose other line's payment a tenth is retained. */
export interface Audited {
  batch: OpenedGroup;
  /** What the arbiter awarded the payee, in base units. */
  award: bigint;
}

/** Results are presented, the payer disputes one line of them, the arbiter rules, and the rest settles. */
export async function disputeLine(world: World, { optician, arbiter, strict }: Stage): Promise<Audited> {
  const { screen, payer, passerBy, token, show } = world;
  const charged = [EXAM, GLASSES].map((claim) => readClaim(hl7<Claim>(`Claim-${claim}`)));
  showCharges(world, charged);
  screen.say("The payer's decision (assigned by the demo): all as billed. Both claims are one batch.");
  const adjudicated = charged.map((claim) => {
    const lines = claim.lines.map(({ sequence, charge }) => ({
      sequence,
      allowed: formatAmount(charge, claim.currency),
    }));
    return adjudicate(claim, { payee: optician.account, lines });
  });
  const input = { adjudicated, rulebook: strict, token: token.address, eventBy: (await world.now()) + 14 * DAY };
  const funded = await world.spend(SCENE, "fund", run(payer.claims.fund(input)));
  const batch = await receive(world, optician, funded.file, strict);

  const attestations = await attestTogether(world, batch, `claims ${EXAM} and ${GLASSES}: done, handed over`, () =>
    groupResultsOf([batch.lines.map(() => ({ result: "met" }))]),
  );
  const presented = await world.spend(SCENE, "present", run(passerBy.claims.present(batch, attestations)));
  const { challengeUntil } = presented;
  ensure(challengeUntil !== undefined, "something was presented");
  screen.say(
    "2 of 3 attesters signed: met. What they saw is assigned by the demo: HL7 publishes no resource of glasses being handed over. A passer-by presents " +
      `what they signed: ${show(presented.paid)} wait for 2 days, in which payer and optician may object.`,
  );

  const glasses = lineOf(batch, GLASSES);
  const place = { group: batch.group, line: glasses.index };
  const record = openClaimBatchRecord(funded.record);
  const disputed = await world.spend(SCENE, "dispute", run(payer.claims.dispute(record, place)));
  screen.say(
    `The payer disputes the glasses: of ${show(glasses.amount)} it owes all but the treatment of the lenses, it says, which was not done. The line is frozen, ` +
      `and nobody's; the payer locks a bond of ${show(disputed.bond)}. The arbiter finds the same (assigned by the demo).`,
  );
  const award = glasses.amount - treatmentOf(world, charged);
  const ruling = await world.spend(SCENE, "resolve", run(arbiter.claims.resolve(batch, place, award)));
  ensure(ruling.byArbiter && ruling.bondTo === payer.account, "the payer won, and has its bond back");

  await world.advanceTo(challengeUntil + 1);
  const exam = batch.firstLine + lineOf(batch, EXAM).index;
  const settled = await world.spend(SCENE, "settlePresented", run(passerBy.claims.settlePresented(batch, exam)));
  const { retained = 0n } = settled;
  ensure(retained > 0n, "a tenth of the payment is retained");
  screen.table(
    ["claim", "presented", "became", "to the optician", "retained", "to the payer"],
    [
      [
        `${EXAM}, exam`,
        show(settled.paid + retained),
        "settled after 2 days",
        show(settled.paid),
        show(retained),
        show(settled.freed),
      ],
      [
        `${GLASSES}, glasses`,
        show(disputed.attestedAmount),
        "disputed, ruled",
        show(ruling.award),
        show(0n),
        show(ruling.returned),
      ],
    ],
    { right: [1, 3, 4, 5] },
  );
  return { batch, award: ruling.award };
}

/** Within the look-back the arbiter takes back what an audit found; the rest is released. @returns What was recouped, base units. */
export async function audit(world: World, { optician, arbiter }: Stage, { batch }: Audited): Promise<bigint> {
  const { screen, passerBy, token, show } = world;
  const [retention] = await arbiter.claims.retentions(batch);
  ensure(retention !== undefined, "something is retained");
  const amount = parseAmount(OVERPAID, token);
  const input = { retention, payee: optician.account, amount };
  const recouped = await world.spend(SCENE, "recoup", run(arbiter.claims.recoup(batch, input)));
  await world.advanceTo(retention.recoupUntil + 1);
  const released = await world.spend(SCENE, "release", run(passerBy.claims.release(batch, retention.firstLine)));
  ensure(recouped.amount + released.amount === retention.amount, "what was retained is recouped or released");
  screen.say(
    `An audit finds the examination overpaid by ${OVERPAID} (assigned by the demo). Of the ${show(retention.amount)} retained the arbiter returns ` +
      `${show(recouped.amount)} to the payer; 30 days after the payment a passer-by has the other ${show(released.amount)} released to the optician.`,
  );
  const left = await arbiter.claims.status(batch);
  ensure(left.open + (left.presented ?? 1n) + (left.frozen ?? 1n) + (left.retained ?? 1n) === 0n, "nothing is held");
  return recouped.amount;
}

function showCharges({ screen }: World, claims: readonly ChargedClaim[]): void {
  const name = (code: string): string => code.split("|").pop() ?? "";
  screen.table(
    ["HL7's claim", "billed", "amount"],
    claims.flatMap(({ claimId, currency, lines }) =>
      lines.flatMap(({ productOrService, charge, details }) => [
        [claimId, name(productOrService), formatAmount(charge, currency)],
        ...details.map((detail) => [
          "",
          `- ${name(detail.productOrService)}`,
          formatAmount(detail.net ?? 0n, currency),
        ]),
      ]),
    ),
    { right: [2] },
  );
}

/** What Claim 660151 bills for the treatment of the lenses, in base units of the token. */
function treatmentOf({ token }: World, claims: readonly ChargedClaim[]): bigint {
  const glasses = claims.find(({ claimId }) => claimId === GLASSES);
  const detail = glasses?.lines[0]?.details.find(({ productOrService }) => productOrService.endsWith(`|${TREATMENT}`));
  ensure(detail?.net !== undefined && glasses !== undefined, "the claim bills a treatment of the lenses");
  return rescaleAmount(detail.net, glasses.currency, token, GLASSES);
}
