import { formatAmount } from "@carepact/sdk";
import { createClaims } from "@carepact/sdk/claims";

import type { Call, Ending } from "../support/call";
import { amountText } from "../support/money";
import { carryOut, endOf } from "../support/sending";
import { isoTime } from "../support/show";
import { signingSiteOf } from "../support/site";

import { placeIn, type PlaceOptions } from "./place";
import { openedSourceIn, type SourceOptions } from "./source";

export async function run(call: Call, options: SourceOptions & PlaceOptions & { missing: boolean }): Promise<Ending> {
  const { source, batch } = await openedSourceIn(call, options);
  const { token, batchId } = batch;
  const place = placeIn(source, batch, options);
  const site = await signingSiteOf(call);
  const claims = createClaims(site.connection);
  const disputes = await claims.disputes(source, site.options);
  const known = disputes.find(({ group, line }) => group === place.group && line === place.line);
  if (known !== undefined)
    return {
      lines: [`The line is in dispute already; the arbiter has until ${isoTime(known.resolveBy)}.`],
      json: { batchId, ...place, changed: false, resolveBy: isoTime(known.resolveBy) },
    };
  const action = options.missing ? claims.disputeMissing(source, place) : claims.dispute(source, place);
  const outcome = await carryOut(site, action, { amount: `${amountText(batch.rulebook.bond, token)} as bond` });
  return endOf(site, outcome, ({ amount, attestedAmount, bond, resolveBy }) => ({
    lines: [
      `Disputed: ${amountText(amount, token)} are frozen, ${amountText(bond, token)} of the account are locked as bond.`,
      `The arbiter has until ${isoTime(resolveBy)}.`,
    ],
    json: {
      batchId,
      ...place,
      changed: true,
      amount: formatAmount(amount, token),
      attestedAmount: formatAmount(attestedAmount, token),
      bond: formatAmount(bond, token),
      resolveBy: isoTime(resolveBy),
    },
  }));
}
