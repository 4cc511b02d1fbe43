import { formatAmount } from "@carepact/sdk";
import { createClaims, type Resolved } from "@carepact/sdk/claims";

import type { Call, Ending } from "../support/call";
import { amountIn, usage } from "../support/input";
import { amountText } from "../support/money";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

import { placeIn, type PlaceOptions } from "./place";
import { openedSourceIn, type SourceOptions } from "./source";

interface Options extends SourceOptions, PlaceOptions {
  award?: string;
  default: boolean;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  if ((options.award === undefined) !== options.default)
    throw usage("Give --award, as the arbiter, or --default, as anyone.", "--award");
  const { source, batch } = await openedSourceIn(call, options);
  const { token, batchId } = batch;
  const place = placeIn(source, batch, options);
  const award = options.award === undefined ? undefined : amountIn(options.award, token, "--award");
  const site = await signingSiteOf(call);
  const claims = createClaims(site.connection);
  const outcome =
    award === undefined
      ? await carryOut<Resolved, unknown>(site, claims.resolveByDefault(source, place))
      : await carryOut<Resolved, unknown>(site, claims.resolve(source, place, award), {
          amount: amountText(award, token),
        });
  return endOf(site, outcome, (resolved) => ({
    lines: [
      `Resolved ${resolved.byArbiter ? "by the arbiter" : "by default"}: ${amountText(resolved.award, token)} to ${resolved.payee}, ` +
        `${amountText(resolved.returned, token)} back to the payer; the bond of ${amountText(resolved.bond, token)} to ${resolved.bondTo}.`,
    ],
    json: {
      batchId,
      ...place,
      changed: true,
      payee: resolved.payee,
      award: formatAmount(resolved.award, token),
      returned: formatAmount(resolved.returned, token),
      byArbiter: resolved.byArbiter,
      bond: formatAmount(resolved.bond, token),
      bondTo: resolved.bondTo,
    },
  }));
}
