import { takeSnapshot, time } from "@nomicfoundation/hardhat-network-helpers";
import { expect } from "chai";

import { byLine, met, notMet, pending, settle } from "../../support/batches";
import { reportedBy } from "../../support/books";
import { attested } from "../../support/claims";
import {
  ARBITER_TIME,
  BOND,
  CHALLENGE,
  LOOK_BACK,
  at,
  attestByOf,
  deposit,
  dispute,
  disputeMissing,
  given,
  present,
  presentDisputed,
  recoup,
  release,
  resolve,
  resolveByDefault,
  settlePresented,
  soundAfterEach,
  type Given,
} from "../../support/disputes";

/** The line that tests look at: the second of group 0, 200 of 1,200. */
const [GROUP, LINE] = [0, 1];
const only = (result: Parameters<typeof byLine>[0]) => [byLine(pending, result), pending, pending];

/** Everything that could move the line, each as somebody who may. */
const verbs = {
  present: (context: Given) => present(context, only(notMet)),
  "settle at once": async (context: Given) => settle(context.escrow, await attested(context, context.batch, only(met))),
  settlePresented: (context: Given) => settlePresented(context, 1n),
  "dispute by the payer": (context: Given) => dispute(context, context.payer, GROUP, LINE),
  "dispute by the payee": (context: Given) => dispute(context, context.payees[GROUP]!, GROUP, LINE),
  disputeMissing: (context: Given) => disputeMissing(context, context.payees[GROUP]!, GROUP, LINE),
  presentDisputed: (context: Given) => presentDisputed(context, only(notMet), GROUP, LINE),
  resolve: (context: Given) => resolve(context, GROUP, LINE, 1n),
  resolveByDefault: (context: Given) => resolveByDefault(context, GROUP, LINE),
  reverse: ({ batch, escrow, payees }: Given) => {
    const { opened, proof } = batch.openOne(GROUP);
    return escrow.connect(payees[GROUP]).reverse(batch.terms, batch.words, GROUP, [LINE], opened, proof);
  },
  reclaim: ({ batch, escrow }: Given) => escrow.reclaim(batch.terms),
  recoup: (context: Given) => recoup(context, 0, 1n, { firstLine: 1n }),
  release: (context: Given) => release(context, 1n),
} as const;
type Verb = keyof typeof verbs;

type Moment = "before eventBy" | "after eventBy" | "after attestBy" | "after every deadline";

const HOUR = 60 * 60;
const secondOf: Record<Moment, (context: Given) => number> = {
  "before eventBy": ({ batch }) => Number(batch.terms.eventBy) - HOUR,
  "after eventBy": ({ batch }) => Number(batch.terms.eventBy) + 1,
  "after attestBy": ({ batch }) => attestByOf(batch) + 1,
  "after every deadline": ({ batch }) => attestByOf(batch) + CHALLENGE + ARBITER_TIME + LOOK_BACK,
};

interface State {
  /** Brings the line there. */
  reach: (context: Given) => Promise<unknown>;
  /** What moves then, at every moment at which a line can be in this state. */
  possible: Partial<Record<Moment, Verb[]>>;
}

const states: Record<string, State> = {
  open: {
    reach: () => Promise.resolve(),
    possible: {
      "before eventBy": ["present", "reverse"],
      "after eventBy": ["present", "reverse", "disputeMissing"],
      "after attestBy": ["reverse", "reclaim"],
      "after every deadline": ["reverse", "reclaim"],
    },
  },
  "presented, in its challenge period": {
    reach: async (context) => {
      await at(secondOf["before eventBy"](context));
      await present(context, only(met));
    },
    possible: {
      "before eventBy": ["dispute by the payer", "dispute by the payee"],
      "after eventBy": ["dispute by the payer", "dispute by the payee"],
      "after attestBy": ["dispute by the payer", "dispute by the payee", "reclaim"],
      "after every deadline": ["settlePresented", "reclaim"],
    },
  },
  "presented, its challenge period over": {
    reach: async (context) => {
      await present(context, only(met));
      await time.increase(CHALLENGE);
    },
    possible: {
      "before eventBy": ["settlePresented"],
      "after eventBy": ["settlePresented"],
      "after attestBy": ["settlePresented", "reclaim"],
      "after every deadline": ["settlePresented", "reclaim"],
    },
  },
  "in dispute after it was presented": {
    reach: async (context) => {
      await at(secondOf["before eventBy"](context));
      await present(context, only(met));
      await dispute(context, context.payer, GROUP, LINE);
    },
    possible: {
      "before eventBy": ["resolve"],
      "after eventBy": ["resolve"],
      "after attestBy": ["resolve", "reclaim"],
      "after every deadline": ["resolveByDefault", "reclaim"],
    },
  },
  "in dispute because nobody attested it": {
    reach: async (context) => {
      await at(secondOf["after eventBy"](context));
      await disputeMissing(context, context.payees[GROUP]!, GROUP, LINE);
    },
    possible: {
      "after eventBy": ["resolve", "presentDisputed"],
      "after attestBy": ["resolve", "reclaim"],
      "after every deadline": ["resolveByDefault", "reclaim"],
    },
  },
  "in dispute, and attested since": {
    reach: async (context) => {
      await at(secondOf["after eventBy"](context));
      await disputeMissing(context, context.payees[GROUP]!, GROUP, LINE);
      await presentDisputed(context, only(met), GROUP, LINE);
    },
    possible: {
      "after eventBy": ["resolve"],
      "after attestBy": ["resolve", "reclaim"],
      "after every deadline": ["resolveByDefault", "reclaim"],
    },
  },
  "settled, a part retained": {
    reach: async (context) => {
      await at(secondOf["before eventBy"](context) - CHALLENGE - HOUR);
      await present(context, only(met));
      await time.increase(CHALLENGE);
      await settlePresented(context, 1n);
    },
    possible: {
      "before eventBy": ["recoup"],
      "after eventBy": ["recoup"],
      "after attestBy": ["recoup", "reclaim"],
      "after every deadline": ["release", "reclaim"],
    },
  },
  released: {
    reach: async (context) => {
      await present(context, only(met));
      await time.increase(CHALLENGE);
      await settlePresented(context, 1n);
      await time.increase(LOOK_BACK);
      await release(context, 1n);
    },
    possible: { "after every deadline": ["reclaim"] },
  },
  resolved: {
    reach: async (context) => {
      await present(context, only(met));
      await dispute(context, context.payer, GROUP, LINE);
      await resolve(context, GROUP, LINE, 3n);
    },
    possible: {
      "before eventBy": [],
      "after eventBy": [],
      "after attestBy": ["reclaim"],
      "after every deadline": ["reclaim"],
    },
  },
  reversed: {
    reach: (context) => verbs.reverse(context),
    possible: {
      "before eventBy": [],
      "after eventBy": [],
      "after attestBy": ["reclaim"],
      "after every deadline": ["reclaim"],
    },
  },
  reclaimed: {
    reach: async (context) => {
      await at(attestByOf(context.batch) + 1);
      await verbs.reclaim(context);
    },
    possible: { "after every deadline": [] },
  },
};
/** Whether a verb did something: it neither reverted nor left everything as it was. */
async function moves(context: Given, verb: Verb): Promise<boolean> {
  const snapshot = await takeSnapshot();
  try {
    return (await reportedBy(context, Promise.resolve(verbs[verb](context)))).length > 0;
  } catch {
    return false;
  } finally {
    await snapshot.restore();
  }
}

describe("ClaimEscrow: every arrow of a line, and none beside", () => {
  soundAfterEach();

  for (const [name, { reach, possible }] of Object.entries(states))
    it(`a line that is ${name}`, async () => {
      const context = await given("full");
      for (const account of [context.payer, context.payees[GROUP]!]) await deposit(context, account, 2n * BOND);
      await reach(context);
      for (const [moment, expected] of Object.entries(possible) as [Moment, Verb[]][]) {
        const second = secondOf[moment](context);
        if (second > (await time.latest())) await time.increaseTo(second);
        const found: Verb[] = [];
        for (const verb of Object.keys(verbs) as Verb[]) if (await moves(context, verb)) found.push(verb);
        expect([...found].sort(), moment).to.deep.equal([...expected].sort());
      }
    });
});
