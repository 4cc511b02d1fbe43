import { formatAmount } from "@carepact/sdk";
import { createClaims } from "@carepact/sdk/claims";

import type { Call, Ending } from "../support/call";
import { amountText } from "../support/money";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

import { groundsIn, type GroundOptions } from "./grounds";
import { placeIn, type PlaceOptions } from "./place";
import { openedSourceIn, type SourceOptions } from "./source";

export async function run(call: Call, options: SourceOptions & PlaceOptions & GroundOptions): Promise<Ending> {
  const by = await groundsIn(options);
  const { source, batch } = await openedSourceIn(call, options);
  const { token, batchId } = batch;
  const place = placeIn(source, batch, options);
  const site = await signingSiteOf(call);
  const action = createClaims(site.connection).presentDisputed(source, place, by);
  return endOf(site, await carryOut(site, action), ({ attestedAmount }) => ({
    lines: [`Attested: ${amountText(attestedAmount, token)} for the payee, unless the arbiter rules otherwise.`],
    json: { batchId, ...place, changed: true, attestedAmount: formatAmount(attestedAmount, token) },
  }));
}
