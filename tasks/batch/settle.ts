import { formatAmount } from "@carepact/sdk";
import { createClaims } from "@carepact/sdk/claims";

import type { Call, Ending } from "../support/call";
import { amountText } from "../support/money";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

import { groundsIn, type GroundOptions } from "./grounds";
import { settledJson, settledLines } from "./settled";
import { openedSourceIn, type SourceOptions } from "./source";

const UNOPENED =
  "The lines of some groups are settled one by one, which takes their amounts: their payees' sealing keys, or the payer's record.";

export async function run(call: Call, options: SourceOptions & GroundOptions): Promise<Ending> {
  const by = await groundsIn(options);
  const { source, batch } = await openedSourceIn(call, options);
  const { token, batchId } = batch;
  const site = await signingSiteOf(call);
  const claims = createClaims(site.connection);
  const { funded, open } = await claims.status(source, site.options);
  const nothing = (why: string): Ending => ({
    lines: [why],
    json: { batchId, changed: false, paid: formatAmount(0n, token), freed: formatAmount(0n, token), groups: [] },
  });
  if (funded && open === 0n)
    return nothing("Nothing is open in this batch: all of it was settled, reversed or reclaimed.");

  const action = claims.settle(source, by);
  const { paid, freed, retained = 0n } = await action.simulate(site.options);
  if (paid + freed + retained === 0n)
    return nothing(
      `Nothing that is still open is final by ${"reported" in by ? "this report" : "these attestations"}. ${UNOPENED}`,
    );
  const outcome = await carryOut(site, action, {
    amount: `${amountText(paid + freed + retained, token)}, of which ${amountText(paid, token)} paid`,
  });
  return endOf(site, outcome, (settled) => ({
    lines: [...settledLines(settled, token), ...(settled.unopened.length > 0 ? [UNOPENED] : [])],
    json: { ...settledJson(settled, token), unopened: settled.unopened },
  }));
}
