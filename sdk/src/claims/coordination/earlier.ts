import { CarepactError } from "../../errors";
import { formatAmount, rescaleAmount, type Currency } from "../../money";
import { eventKeyOf, type EventIdentity } from "../input/event";

import { keptOf, requireFinal, type LineStanding } from "./standing";

/** What payers before the next one paid for an event. */
export interface PaidBefore {
  event: EventIdentity;
  /** Base units of the currency. */
  amount: bigint;
  /** The same as a decimal, as a claim or a decision takes it (`otherPayers`; NCPDP 431-DV; X12 AMT*D). */
  otherPayers: string;
  /** Each payer's own part, in base units of the currency, in the order given. */
  payers: { payer: string; amount: bigint }[];
}

/**
 * What the next payer has to know of those before it: how much each paid for each event in the end. Amounts come from the
 * chain, so that a partly filled prescription, an award or a refund is told as it is. An event for which nothing was paid
 * is told with zero: it was denied, reversed or not met.
 * @param standings Lines of earlier payers' batches (`standingOf`), in the order of payers
 * @throws COORDINATION_UNSETTLED when one of the lines is not final; COORDINATION_INVALID when a payer's event is there
 * twice; AMOUNT_TOO_PRECISE when an amount has more decimals than the currency
 */
export function paidBefore(standings: readonly LineStanding[], currency: Currency): PaidBefore[] {
  const byEvent = new Map<string, PaidBefore>();
  for (const standing of standings) {
    requireFinal(standing);
    const { payer, token, line } = standing;
    const { claimId, lineNumber } = line.detail;
    const amount = rescaleAmount(keptOf(standing), token, currency, `claim ${claimId}, line ${lineNumber}`);
    const key = eventKeyOf(line.event);
    const known = byEvent.get(key) ?? { event: line.event, amount: 0n, otherPayers: "", payers: [] };
    // Billed anew after it was reversed, an event has a line that was paid nothing beside the one that counts.
    const own = known.payers.find((entry) => entry.payer === payer);
    if (own !== undefined && own.amount > 0n && amount > 0n)
      throw new CarepactError("COORDINATION_INVALID", `${payer} paid twice for one event.`, {
        path: "standings",
        payer,
        claimId,
        lineNumber,
      });
    if (own === undefined) known.payers.push({ payer, amount });
    else own.amount += amount;
    known.amount += amount;
    known.otherPayers = formatAmount(known.amount, currency);
    byEvent.set(key, known);
  }
  return [...byEvent.values()];
}
