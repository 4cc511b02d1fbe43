import { formatAmount } from "@carepact/sdk";
import { createClaims } from "@carepact/sdk/claims";

import type { Call, Ending } from "../support/call";
import { amountText } from "../support/money";
import { carryOut, endOf } from "../support/sending";
import { isoTime } from "../support/show";
import { signingSiteOf } from "../support/site";

import { groundsIn, type GroundOptions } from "./grounds";
import { openedSourceIn, type SourceOptions } from "./source";

export async function run(call: Call, options: SourceOptions & GroundOptions): Promise<Ending> {
  const by = await groundsIn(options);
  const { source, batch } = await openedSourceIn(call, options);
  const { token, batchId } = batch;
  const site = await signingSiteOf(call);
  const claims = createClaims(site.connection);
  const action = claims.present(source, by);
  const { presented } = await action.simulate(site.options);
  if (presented === 0n)
    return {
      lines: [
        "Nothing that is still open is final by this, or its lines have to be opened: there is nothing to present.",
      ],
      json: { batchId, changed: false, paid: formatAmount(0n, token), freed: formatAmount(0n, token) },
    };
  const outcome = await carryOut(site, action, { amount: amountText(presented, token) });
  return endOf(site, outcome, ({ presentation, challengeUntil, paid, freed, unopened }) => ({
    lines: [
      `Presented: ${amountText(paid, token)} for payees, ${amountText(freed, token)} back to the payer.`,
      ...(challengeUntil === undefined
        ? []
        : [`Can be disputed until ${isoTime(challengeUntil)}; settles afterwards.`]),
    ],
    json: {
      batchId,
      changed: true,
      ...(presentation && { firstLine: presentation.firstLine }),
      ...(challengeUntil === undefined ? {} : { challengeUntil: isoTime(challengeUntil) }),
      paid: formatAmount(paid, token),
      freed: formatAmount(freed, token),
      unopened,
    },
  }));
}
