import { decodeError, formatAmount } from "@carepact/sdk";
import { createClaims, type FundedBatch } from "@carepact/sdk/claims";

import type { Call, Ending } from "../support/call";
import { isOutcomeUnknown } from "../support/exitCodes";
import { fileText, outputTo, PRIVATE, requireApart, type Output, type Staged } from "../support/files";
import { bytes32In, momentIn, needed } from "../support/input";
import { amountText, tokenAt } from "../support/money";
import { afterMined, carryOut, endOf, type Outcome } from "../support/sending";
import { isoTime, table } from "../support/show";
import { signingSiteOf } from "../support/site";

import { claimsIn, patientKeysIn, type ClaimOptions } from "./claims";

interface Options extends ClaimOptions {
  patientKeys?: string;
  rulebook?: string;
  token?: string;
  eventBy?: string;
  out?: string;
  record?: string;
  force: boolean;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  const { force } = options;
  const rulebook = bytes32In(needed(options, "rulebook"), "--rulebook");
  const moment = needed(options, "eventBy");
  const [out, record] = [needed(options, "out"), needed(options, "record")];
  await requireApart({ path: out, option: "--out" }, { path: record, option: "--record" });
  const outputs = {
    file: await outputTo(out, "--out", { force, staged: true }),
    record: await outputTo(record, "--record", { force, mode: PRIVATE, staged: true }),
  };
  const site = await signingSiteOf(call);
  const token = await tokenAt(site, needed(options, "token"), "--token");
  const eventBy = await momentIn(moment, "--event-by", site.now);
  const adjudicated = await claimsIn(site, options);
  const patientKeys = await patientKeysIn(options.patientKeys);

  const input = { adjudicated, rulebook, token: token.address, eventBy, ...(patientKeys && { patientKeys }) };
  const action = createClaims(site.connection).fund(input);
  // An action is prepared once: what this gives is what will be funded.
  const built = await action.simulate(site.options);
  const { batchId, file, unfunded } = built;

  const amount = amountText(BigInt(file.terms.total), token);
  const outcome = await written(call, outputs, built, (beforeSending) =>
    carryOut(site, action, { amount, beforeSending }),
  );
  const groups = file.groups.map(({ payee, lineCount, subtotal }) => ({
    payee,
    lines: lineCount,
    subtotal: formatAmount(BigInt(subtotal), token),
  }));
  return endOf(site, outcome, () => ({
    lines: [
      ...table(
        ["payee", "lines", token.symbol],
        groups.map((group) => [group.payee, String(group.lines), group.subtotal]),
        ["lines", token.symbol],
      ),
      `Funded ${amount} for care until ${isoTime(eventBy)}: claim batch ${batchId}.`,
      ...unfunded.map(({ claimId, lineNumber }) => `Nothing is to be paid for line ${lineNumber} of claim ${claimId}.`),
      `${outputs.file.path} is for the payees. ${outputs.record.path} is yours alone: it holds health data in the clear.`,
    ],
    json: {
      batchId,
      total: formatAmount(BigInt(file.terms.total), token),
      token,
      eventBy: isoTime(eventBy),
      groups,
      unfunded,
    },
  }));
}

/** Writes both documents before the batch is funded, and gives them their names once it is. */
async function written<Result extends Outcome<object, unknown>>(
  call: Call,
  outputs: { file: Output; record: Output },
  { file, record }: FundedBatch,
  fund: (beforeSending: () => Promise<void>) => Promise<Result>,
): Promise<Result> {
  const staged: Staged[] = [];
  let outcome: Result;
  try {
    outcome = await fund(async () => {
      staged.push(await outputs.record.stage(fileText(record)));
      staged.push(await outputs.file.stage(fileText(file)));
    });
  } catch (thrown) {
    if (isOutcomeUnknown(decodeError(thrown)))
      call.tell(
        `Whether the batch was funded is not known. Look: npx hardhat batch:status --file ${outputs.file.path}.unsent. If it was, take ` +
          "the .unsent off both names; if not, delete both.",
      );
    else for (const document of staged) await document.drop();
    throw thrown;
  }
  try {
    for (const document of staged) await document.keep();
  } catch (thrown) {
    call.tell("The batch is funded. Its documents have .unsent behind their names: give them others.");
    throw outcome.sent ? afterMined(outcome.result.txHash, thrown) : thrown;
  }
  return outcome;
}
