import { CarepactError, formatAmount, type ErrorCode } from "@carepact/sdk";
import { createClaims, type Accepted, type CheckNeeds } from "@carepact/sdk/claims";

import { conditionLines, conditionsJson } from "../rulebook/words";
import type { Call, Ending } from "../support/call";
import { exitCodeOf, exitCodes } from "../support/exitCodes";
import { addressIn, bytes32In, durationIn, listIn, needed, oneOf } from "../support/input";
import { amountText } from "../support/money";
import { isoTime, table } from "../support/show";
import { siteOf } from "../support/site";

import { fileForOpening, type SourceOptions } from "./source";

interface Options extends SourceOptions {
  rulebooks?: string;
  tokens?: string;
  finality?: string;
  minimum?: string;
}

const finalities = ["finalized", "safe", "latest"] as const;

const accepted = (value: string, read: (entry: string) => string): Accepted =>
  value === "any" ? value : listIn(value).map(read);

export async function run(call: Call, options: Options): Promise<Ending> {
  const conditions = {
    acceptedRulebooks: accepted(needed(options, "rulebooks"), (id) => bytes32In(id, "--rulebooks")),
    acceptedTokens: accepted(needed(options, "tokens"), (token) => addressIn(token, "--tokens")),
    finality: oneOf(options.finality ?? "finalized", finalities, "--finality"),
    minimumSeconds: options.minimum === undefined ? 0 : durationIn(options.minimum, "--minimum"),
  };
  const { file, ...reader } = await fileForOpening(call, options);
  const site = await siteOf(call);
  const check = await createClaims(site.connection).check(file, { ...reader, ...conditions, ...site.options });
  const { batchId } = file;
  if (!check.ok) {
    const { code, message } = check.reason;
    // The node's silence says nothing about the batch.
    const network = exitCodeOf(new CarepactError(code as ErrorCode, message)) === exitCodes.network;
    return {
      lines: [`NOT OK: ${message} (${code})`],
      json: { batchId, payee: reader.payee, reason: check.reason },
      exitCode: network ? exitCodes.network : exitCodes.notOk,
    };
  }
  const { batch, lines, needs } = check;
  const { token, terms, rulebook } = batch;
  const knowledge = { deployment: site.deployment, token };
  const total = lines.reduce((sum, { amount }) => sum + amount, 0n);
  return {
    lines: [
      ...table(
        ["line", "claim", "its line", token.symbol],
        lines.map(({ index, detail, amount }) => [
          String(index),
          detail.claimId,
          String(detail.lineNumber),
          formatAmount(amount, token),
        ]),
        ["line", "its line", token.symbol],
      ),
      "It is paid when:",
      ...conditionLines(rulebook, knowledge).map((line) => `  ${line}`),
      ...needLines(needs),
      `OK: ${amountText(total, token)} are locked for care until ${isoTime(terms.eventBy)}.`,
    ],
    json: {
      batchId,
      payee: reader.payee,
      total: formatAmount(total, token),
      token,
      eventBy: isoTime(terms.eventBy),
      rulebook: terms.rulebook,
      conditions: conditionsJson(rulebook, knowledge),
      needs,
      lines: lines.map(({ index, amount, detail, event }) => ({
        line: index,
        claimId: detail.claimId,
        lineNumber: detail.lineNumber,
        amount: formatAmount(amount, token),
        event,
      })),
    },
  };
}

/** What it takes beside attesters by name. */
const needLines = ({ payee, patientLines, workflow }: CheckNeeds): string[] => [
  ...(payee ? ["You attest, too: without your own signature nothing of your group is paid."] : []),
  ...(patientLines.length > 0
    ? [`Have the patient say yes when the care is given: line ${patientLines.join(", ")} is paid only then.`]
    : []),
  ...(workflow === "possible" ? ["A report of the workflow pays without any of these signatures."] : []),
];
