import { formatAmount } from "@carepact/sdk";
import { createClaims } from "@carepact/sdk/claims";

import type { Call, Ending } from "../support/call";
import { isoTime, list, table } from "../support/show";
import { siteOf } from "../support/site";

import { heldJson, partLines, partsJson, stateOf } from "./held";
import { sourceIn } from "./source";

export async function run(call: Call, options: { file?: string }): Promise<Ending> {
  const { source, batch } = await sourceIn(options);
  const site = await siteOf(call);
  const claims = createClaims(site.connection);
  const status = await claims.status(source, site.options);
  const { funded, paidInFull, open, closedLines, attestBy } = status;
  const [presentations, disputes, retentions] = [
    await claims.presentations(source, site.options),
    await claims.disputes(source, site.options),
    await claims.retentions(source, site.options),
  ];
  const parts = { presentations, disputes, retentions };
  const { token, batchId, terms } = batch;
  let first = 0;
  const groups = batch.groups.map(({ payee, lineCount, subtotal }) => {
    const closed = closedLines.slice(first, (first += lineCount)).filter((isClosed) => isClosed).length;
    return { payee, lines: lineCount, closed, subtotal: formatAmount(subtotal, token) };
  });
  const state = stateOf(status);
  return {
    lines: [
      ...list({
        batch: batchId,
        state,
        payer: terms.payer,
        total: `${formatAmount(terms.total, token)} ${token.symbol}`,
        open: funded ? `${formatAmount(open, token)} ${token.symbol}` : undefined,
        ...Object.fromEntries(
          Object.entries(heldJson(status, token)).map(([name, amount]) => [name, `${amount} ${token.symbol}`]),
        ),
        "care until": isoTime(terms.eventBy),
        "attest by": attestBy === undefined ? undefined : isoTime(attestBy),
      }),
      ...table(
        ["payee", "lines", "closed", token.symbol],
        groups.map((group) => [group.payee, String(group.lines), String(group.closed), group.subtotal]),
        ["lines", "closed", token.symbol],
      ),
      ...partLines(parts, token),
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
      ...heldJson(status, token),
      eventBy: isoTime(terms.eventBy),
      ...(attestBy === undefined ? {} : { attestBy: isoTime(attestBy) }),
      groups,
      ...(BigInt(batch.rulebook.arbiter) === 0n ? {} : partsJson(parts, token)),
    },
  };
}
