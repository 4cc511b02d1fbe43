import { formatAmount } from "@carepact/sdk";
import { createClaims, type Attestation, type ReportedStatement } from "@carepact/sdk/claims";

import type { Call, Ending } from "../support/call";
import { usage } from "../support/input";
import { amountText } from "../support/money";
import { carryOut, endOf } from "../support/sending";
import { table } from "../support/show";
import { signingSiteOf } from "../support/site";

import { attestationsOf, statementIn } from "./attestations";
import { openedSourceIn, type SourceOptions } from "./source";

const UNOPENED =
  "The lines of some groups are settled one by one, which takes their amounts: their payees' sealing keys, or the payer's record.";

interface Options extends SourceOptions {
  attestations?: string;
  reported?: string;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  const by = await groundsIn(options);
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

  const action = claims.settle(source, by);
  const { paid, freed } = await action.simulate(site.options);
  if (paid === 0n && freed === 0n)
    return nothing(
      `Nothing that is still open is final by ${"reported" in by ? "this report" : "these attestations"}. ${UNOPENED}`,
    );
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

/** By what a batch is to be settled. */
async function groundsIn({ attestations, reported }: Options): Promise<Attestation[] | ReportedStatement> {
  if ((attestations === undefined) === (reported === undefined))
    throw usage("Give --attestations or --reported, one of them.", "--attestations");
  if (reported !== undefined) return { reported: await statementIn(reported, "--reported") };
  return attestationsOf(attestations ?? "", "--attestations");
}
