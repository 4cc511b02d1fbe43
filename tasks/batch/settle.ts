import { formatAmount } from "@carepact/sdk";
import { createClaims } from "@carepact/sdk/claims";

import type { Call, Ending } from "../support/call";
import { listIn, needed } from "../support/input";
import { amountText } from "../support/money";
import { carryOut, endOf } from "../support/sending";
import { table } from "../support/show";
import { signingSiteOf } from "../support/site";

import { attestationsIn } from "./attestations";
import { openedSourceIn, type SourceOptions } from "./source";

const UNOPENED =
  "The lines of some groups are settled one by one, which takes their amounts: their payees' sealing keys, or the payer's record.";

export async function run(call: Call, options: SourceOptions & { attestations?: string }): Promise<Ending> {
  const paths = listIn(needed(options, "attestations"));
  const attestations = (await Promise.all(paths.map((path) => attestationsIn(path, "--attestations")))).flat();
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

  const action = claims.settle(source, attestations);
  const { paid, freed } = await action.simulate(site.options);
  if (paid === 0n && freed === 0n)
    return nothing(`Nothing that is still open is final by these attestations. ${UNOPENED}`);
  const outcome = await carryOut(site, action, {
    amount: `${amountText(paid + freed, token)}, of which ${amountText(paid, token)} paid`,
  });
  return endOf(site, outcome, (settled) => ({
    lines: [
      ...table(
        ["payee", `paid, ${token.symbol}`, `freed, ${token.symbol}`],
        settled.groups.map((group) => [group.payee, formatAmount(group.paid, token), formatAmount(group.freed, token)]),
        [`paid, ${token.symbol}`, `freed, ${token.symbol}`],
      ),
      `Settled: ${amountText(settled.paid, token)} credited to payees, ${amountText(settled.freed, token)} back to the payer.`,
      ...(settled.unopened.length > 0 ? [UNOPENED] : []),
    ],
    json: {
      batchId,
      changed: true,
      paid: formatAmount(settled.paid, token),
      freed: formatAmount(settled.freed, token),
      groups: settled.groups.map((group) => ({
        payee: group.payee,
        paid: formatAmount(group.paid, token),
        freed: formatAmount(group.freed, token),
      })),
      unopened: settled.unopened,
    },
  }));
}
