import { formatAmount } from "@carepact/sdk";
import { createClaims, type OpenedGroup } from "@carepact/sdk/claims";

import type { Call, Ending } from "../support/call";
import { countIn, listIn, usage } from "../support/input";
import { amountText } from "../support/money";
import { carryOut, endOf } from "../support/sending";
import { signingSiteOf } from "../support/site";

import { groupIn, type SourceOptions } from "./source";

interface Options extends SourceOptions {
  lines?: string;
  claims?: string;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  const linesOf = linesIn(options);
  const site = await signingSiteOf(call);
  const group = await groupIn(call, { ...options, payee: site.account });
  const { token, batchId } = group;
  const lines = linesOf(group);
  const action = createClaims(site.connection).reverse(group, lines);
  const { amount } = await action.simulate(site.options);
  return endOf(site, await carryOut(site, action, { amount: amountText(amount, token) }), (returned) => ({
    lines: [`Gave up ${lines.length} lines: ${amountText(returned.amount, token)} go back to the payer.`],
    json: { batchId, lines, amount: formatAmount(returned.amount, token) },
  }));
}

/** Which lines of a group are named, each once. */
function linesIn({ lines, claims }: Options): (group: OpenedGroup) => number[] {
  if ((lines === undefined) === (claims === undefined))
    throw usage("Give --claims or --lines, one of them.", "--claims");
  if (claims === undefined) {
    const numbers = [...new Set(listIn(lines ?? "").map((line) => countIn(line, "--lines")))];
    return () => numbers;
  }
  const ids = listIn(claims);
  return (group) => {
    const strangers = ids.filter((id) => !group.lines.some(({ detail }) => detail.claimId === id));
    if (strangers.length > 0) throw usage(`--claims: the group has no line of ${strangers.join(", ")}.`, "--claims");
    return group.lines.filter(({ detail }) => ids.includes(detail.claimId)).map(({ index }) => index);
  };
}
