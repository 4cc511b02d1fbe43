import { createConsents } from "@carepact/sdk/consents";

import type { Call, Ending } from "../support/call";
import { carryOut, endOf } from "../support/sending";
import { isoTime } from "../support/show";
import { signingSiteOf } from "../support/site";
import { CarepactError } from "@carepact/sdk";

import { grantIn, type GrantOptions } from "./documents";

export async function run(call: Call, options: GrantOptions): Promise<Ending> {
  const grant = await grantIn(call, options);
  const site = await signingSiteOf(call);
  const consents = createConsents(site.connection);
  const { state, anchor, anchoredAt } = await consents.anchoring(grant, site.options);
  if (state === "tooLate")
    throw new CarepactError(
      "GRANT_WOULD_BE_REFUSED",
      "It is too late: the key that signed was replaced before, or the epoch ended. Ask for a new grant.",
      { state },
    );
  if (state === "notController")
    throw new CarepactError("NOT_CONTROLLER", "The key that signed this never controlled the record.", { state });
  if (anchoredAt !== undefined)
    return {
      lines: [`It was anchored at ${isoTime(anchoredAt)}, in its time.`],
      json: { changed: false, anchor, anchoredAt: isoTime(anchoredAt) },
    };
  const outcome = await carryOut(site, consents.anchor(grant));
  return endOf(site, outcome, () => ({
    lines: ["The grant is anchored: it outlives the key that signed it, if that is replaced from the next block on."],
    json: { changed: true, anchor },
  }));
}
