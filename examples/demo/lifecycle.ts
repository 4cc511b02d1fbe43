import { run } from "@carepact/sdk";
import { createPayouts, type CreditPart } from "@carepact/sdk/payouts";

import { audit, disputeLine } from "./lifecycleDispute";
import { shareEvent } from "./lifecyclePayers";
import { remit } from "./lifecycleRemittance";
import { SCENE, setStage, type Stage } from "./lifecycleStage";
import { arrived, showGas, showStock, takeStock } from "./money";
import { ensure, type World } from "./world";

/** What was shown of disputes, audits and several payers; amounts in dollars. */
export interface LifecycleOutcome {
  /** What the arbiter awarded the payee of the line in dispute. */
  disputed: string;
  /** What an audit took back of a payment. */
  recouped: string;
  /** What each payer of one event paid, the first one first. */
  cob: string[];
  /** Whether the payers' 835s, read back from their text, balance, and come to what the payee was paid out. */
  remittanceBalanced: boolean;
}

/** A line is disputed and ruled on, a payment audited, an event paid by two; then all of it is remitted and explained. */
export async function showLifecycle(world: World): Promise<LifecycleOutcome> {
  const { screen, payer, show } = world;
  screen.title("When it goes wrong, and when others pay, too: HL7's Claims 660150, 660151 and 660152");
  const since = await world.now();
  const stage = await setStage(world);
  const parties = [payer, stage.supplement, stage.optician];
  const before = await takeStock(world, parties);

  const audited = await disputeLine(world, stage);
  const shared = await shareEvent(world, stage);
  const recouped = await audit(world, stage, audited);
  await payOut(world, stage);

  const after = await takeStock(world, parties);
  const paid = { since, batches: [audited.batch, ...shared.batches], arrived: arrived(before, after, "Optician") };
  const remittanceBalanced = await remit(world, stage, paid);
  showStock(world, before, after);
  showGas(world, SCENE, { fund: 2, present: 2, dispute: 1, resolve: 1, settlePresented: 1, settleMany: 2 });
  return { disputed: show(audited.award), recouped: show(recouped), cob: shared.paid.map(show), remittanceBalanced };
}

const kinds: Readonly<Record<CreditPart["kind"], string>> = {
  settled: "settlement",
  awarded: "arbiter's award",
  released: "release of what was retained",
  bond: "bond of who lost a dispute",
};

/** Pays the optician out in one transaction, and asks the chain what it was made of. */
async function payOut({ screen, passerBy, token, show, spend }: World, { optician }: Stage): Promise<void> {
  const payout = await spend(
    SCENE,
    "payout",
    run(passerBy.pools.payout({ token: token.address, payee: optician.account })),
  );
  const [explained, ...others] = await createPayouts(optician.connection).explain(payout.txHash);
  ensure(explained !== undefined && others.length === 0, "the transaction paid out once");
  const { parts, amount } = explained;
  screen.say(
    `A passer-by has the optician paid out: ${show(amount)} in one transaction. It was made of, says the SDK:`,
  );
  screen.table(
    ["credited by", "in transaction", "of claim batch", "amount"],
    parts.map((part) => [kinds[part.kind], short(part.txHash), short(part.batchId), show(part.amount)]),
    { right: [3] },
  );
  ensure(parts.reduce((sum, part) => sum + part.amount, 0n) === amount, "its parts are the payout");
}

const short = (hash: string): string => `${hash.slice(0, 10)}…`;
