import { createClaims } from "@carepact/sdk/claims";

import type { Call, Ending } from "../support/call";
import { amountText } from "../support/money";
import { carryOut, endOf } from "../support/sending";
import { isoTime } from "../support/show";
import { signingSiteOf } from "../support/site";

import { settledJson, settledLines } from "./settled";
import { sourceIn } from "./source";

export async function run(call: Call, options: { file?: string }): Promise<Ending> {
  const { source, batch } = await sourceIn(options);
  const { token, batchId } = batch;
  const site = await signingSiteOf(call);
  const claims = createClaims(site.connection);
  const presentations = await claims.presentations(source, site.options);
  const [first, ...others] = [...presentations].sort((a, b) => a.challengeUntil - b.challengeUntil);
  const now = await site.now();
  if (first === undefined || now <= first.challengeUntil)
    return {
      lines: [
        first === undefined
          ? "Nothing is presented: there is nothing to settle."
          : `What is presented can be disputed until ${isoTime(first.challengeUntil)}: there is nothing to settle yet.`,
      ],
      json: { batchId, changed: false, waiting: presentations.length },
    };
  const outcome = await carryOut(site, claims.settlePresented(source, first), {
    amount: `${amountText(first.paid + first.freed, token)}, of which ${amountText(first.paid, token)} paid`,
  });
  const due = others.filter(({ challengeUntil }) => now > challengeUntil).length;
  return endOf(site, outcome, (settled) => ({
    lines: [
      ...settledLines(settled, token),
      ...(due === 0 ? [] : [`More was presented that can settle, ${due} times: run this again.`]),
    ],
    json: { ...settledJson(settled, token), waiting: others.length },
  }));
}
