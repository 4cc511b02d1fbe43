import { id } from "ethers";

import { run } from "@carepact/sdk";
import type { OpenedGroup } from "@carepact/sdk/claims";
import { createRulebooks, eventKinds, simpleRulebook } from "@carepact/sdk/rulebooks";

import { ensure, type Party, type Payee, type World } from "./world";

/** Name under which the scenes of this part note their gas. */
export const SCENE = "lifecycle";
export const DAY = 24 * 60 * 60;

/** Who takes part in disputes, audits and payments by several, and under which rules. */
export interface Stage {
  optician: Payee & { npi: string };
  /** A second payer, which covers what the first one leaves to the patient. */
  supplement: Party;
  arbiter: Party;
  /** Id of the rulebook under which results can be disputed and payments audited. */
  strict: string;
}

/** Made up, with a valid check digit, as the others. */
const OPTICIAN_NPI = "2900000060";

const RULES =
  "2 of 3 attesters say what happened. Payer and payee have 2 days to dispute it, under a bond of 5.00; the arbiter has 14 days to rule. " +
  "A tenth of each payment is kept back for 30 days, in which the arbiter may take of it what an audit finds.";

/** Registers who is new, fills the second payer's pool, publishes the rulebook. */
export async function setStage(world: World): Promise<Stage> {
  const { screen, attesters, passerBy, show } = world;
  const optician = { ...(await world.join("Optician", "clinic", false, OPTICIAN_NPI)), npi: OPTICIAN_NPI };
  const supplement = await world.join("Supplement", "payer", true);
  const arbiter = await world.arrive("Arbiter", true);
  await world.fillPool(supplement, "100.00");
  const terms = simpleRulebook({
    attesters: attesters.map(({ account }) => account),
    threshold: 2,
    eventKinds: eventKinds.dispense | eventKinds.procedure,
    grace: 3 * DAY,
    challengePeriod: 2 * DAY,
    arbiter: { account: arbiter.account, deadline: 14 * DAY },
    bond: BOND,
    retention: { bps: 1_000, lookBack: 30 * DAY },
    documentHash: id(RULES),
  });
  const { id: strict } = await run(createRulebooks(passerBy.connection).publish(terms));
  screen.say(
    "An optician bills glasses and an eye examination. A supplement is a second payer. An arbiter, named by a rulebook of its own, rules on " +
      `disputes: results can be disputed for 2 days, under a bond of ${show(BOND)}, and a tenth of each payment is kept back for 30 days.`,
  );
  return { optician, supplement, arbiter, strict };
}

const BOND = 5_000_000n;

/** Where the line of a claim stands in its group; all claims of these scenes have one line. */
export function lineOf({ lines }: OpenedGroup, claimId: string): OpenedGroup["lines"][number] {
  const found = lines.find(({ detail }) => detail.claimId === claimId);
  ensure(found !== undefined, `claim ${claimId} has a line in the batch`);
  return found;
}
