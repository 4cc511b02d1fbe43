import { CarepactError, formatAmount, type ErrorCode } from "@carepact/sdk";
import { createClaims, type Accepted } from "@carepact/sdk/claims";

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
  const { batch, lines } = check;
  const { token, terms } = batch;
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
      `OK: ${amountText(total, token)} are locked for care until ${isoTime(terms.eventBy)}.`,
    ],
    json: {
      batchId,
      payee: reader.payee,
      total: formatAmount(total, token),
      token,
      eventBy: isoTime(terms.eventBy),
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
