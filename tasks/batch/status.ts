import { formatAmount } from "@carepact/sdk";
import { createClaims } from "@carepact/sdk/claims";

import type { Call, Ending } from "../support/call";
import { isoTime, list, table } from "../support/show";
import { siteOf } from "../support/site";

import { sourceIn } from "./source";

export async function run(call: Call, options: { file?: string }): Promise<Ending> {
  const { source, batch } = await sourceIn(options);
  const site = await siteOf(call);
  const { funded, paidInFull, open, closedLines, attestBy } = await createClaims(site.connection).status(
    source,
    site.options,
  );
  const { token, batchId, terms } = batch;
  let first = 0;
  const groups = batch.groups.map(({ payee, lineCount, subtotal }) => {
    const closed = closedLines.slice(first, (first += lineCount)).filter((isClosed) => isClosed).length;
    return { payee, lines: lineCount, closed, subtotal: formatAmount(subtotal, token) };
  });
  const state = !funded ? "not funded" : open > 0n ? "open" : paidInFull ? "paid in full" : "closed";
  return {
    lines: [
      ...list({
        batch: batchId,
        state,
        payer: terms.payer,
        total: `${formatAmount(terms.total, token)} ${token.symbol}`,
        open: funded ? `${formatAmount(open, token)} ${token.symbol}` : undefined,
        "care until": isoTime(terms.eventBy),
        "attest by": attestBy === undefined ? undefined : isoTime(attestBy),
      }),
      ...table(
        ["payee", "lines", "closed", token.symbol],
        groups.map((group) => [group.payee, String(group.lines), String(group.closed), group.subtotal]),
        ["lines", "closed", token.symbol],
      ),
    ],
    json: {
      batchId,
      state,
      funded,
      paidInFull,
      payer: terms.payer,
      token,
      total: formatAmount(terms.total, token),
      open: formatAmount(open, token),
      eventBy: isoTime(terms.eventBy),
      ...(attestBy === undefined ? {} : { attestBy: isoTime(attestBy) }),
      groups,
    },
  };
}
