import type { ExplanationOfBenefit, PaymentReconciliation } from "fhir/r4.js";

import { deploymentOf, type Connection } from "../../chain/deployment";
import { CarepactError } from "../../errors";
import { writeExplanationOfBenefit } from "../../fhir/explanationOfBenefitWrite";
import { writePaymentReconciliation } from "../../fhir/paymentReconciliationWrite";
import type { Token } from "../../money";
import { createOrganizations } from "../../organizations";
import { tokenOf } from "../../pools/token";
import { text835 } from "../../x12";
import type { Transaction835 } from "../../x12/types";
import type { OpenedGroup, OpenedRecord } from "../file";
import { requireAddress } from "../types";

import { buildRemittance } from "./build";
import { blocksOf, eventsOfBatches, requireAllBatches } from "./reading";
import { replay } from "./replay";
import { transactionOf } from "./to835";
import type { Remittance, RemittanceOptions, RemittanceParty, RemittanceQuery } from "./types";

/** A remittance in each form that it is sent in. */
export interface RemittanceAdvice {
  remittance: Remittance;
  /** The same as an 835. */
  transaction: Transaction835;
  /** The same as text: one interchange of X12 5010 (X221A1). */
  x12: string;
  /** One FHIR R4 ExplanationOfBenefit for each claim. */
  eob: ExplanationOfBenefit[];
  /** FHIR R4 PaymentReconciliation of the payment. */
  reconciliation: PaymentReconciliation;
}

/** @internal What a payer paid a payee in a period. */
export async function remit(
  connection: Connection,
  query: RemittanceQuery,
  options: RemittanceOptions = {},
): Promise<RemittanceAdvice> {
  const { chainId, claimEscrow: escrow } = deploymentOf(connection);
  const payer = requireAddress(query.payer, "payer");
  const payee = requireAddress(query.payee, "payee");
  const period = { from: secondsOf(query.from, "from"), to: secondsOf(query.to, "to") };
  if (period.from >= period.to)
    throw new CarepactError("INPUT_INVALID", "A period ends after it begins.", { path: "to", ...period });

  const known = groupsOf(query.batches, { chainId, escrow, payer, payee });
  const token = await tokenFor(connection, query, known);
  const groups = known.filter((group) => group.token.address === token.address);
  const blocks = await blocksOf(connection, period, options);
  const ids = new Set(groups.map(({ batchId }) => batchId));
  const place = { payer, payee, token: token.address, known: ids };
  await requireAllBatches(connection, place, blocks, options);
  const events = await eventsOfBatches(connection, [...ids], blocks.last, options);
  const stories = groups.map((group) => replay(group, events.get(group.batchId) ?? []));

  const parties = await partiesOf(connection, query, options);
  const remittance = buildRemittance({ chainId, escrow, payer, payee, token, period, blocks, stories }, query);
  const transaction = transactionOf(remittance, { ...query, parties });
  return {
    remittance,
    transaction,
    x12: await text835(transaction, { currency: remittance.currency }),
    eob: remittance.claims.map((_, i) => writeExplanationOfBenefit(remittance, i, { parties })),
    reconciliation: writePaymentReconciliation(remittance, { parties }),
  };
}

function secondsOf(moment: Date | number, path: string): number {
  const seconds = typeof moment === "number" ? moment : Math.floor(moment.getTime() / 1_000);
  if (!Number.isSafeInteger(seconds) || seconds < 0)
    throw new CarepactError("INPUT_INVALID", `${path} is a moment: a Date, or whole unix seconds.`, { path });
  return seconds;
}

/** The payee's group of each of the payer's batches. @throws INPUT_INVALID for batches of another escrow or chain */
function groupsOf(
  batches: RemittanceQuery["batches"],
  place: { chainId: number; escrow: string; payer: string; payee: string },
): OpenedGroup[] {
  const groups = batches
    .flatMap((source: OpenedGroup | OpenedRecord) => ("opened" in source ? source.opened : [source]))
    .filter(({ payee, terms }) => payee === place.payee && terms.payer === place.payer);
  const strange = groups.find(
    ({ chainId, escrow }) => chainId !== place.chainId || escrow.toLowerCase() !== place.escrow.toLowerCase(),
  );
  if (strange !== undefined)
    throw new CarepactError(
      "INPUT_INVALID",
      `Batch ${strange.batchId} is for escrow ${strange.escrow} on chain ${strange.chainId}: a remittance is of one escrow.`,
      { path: "batches", batchId: strange.batchId },
    );
  return [...new Map(groups.map((group) => [group.batchId, group])).values()];
}

async function tokenFor(
  connection: Connection,
  query: RemittanceQuery,
  groups: readonly OpenedGroup[],
): Promise<Token> {
  if (query.token !== undefined) {
    const address = requireAddress(query.token, "token");
    return groups.find(({ token }) => token.address === address)?.token ?? tokenOf(connection, address);
  }
  const tokens = new Map(groups.map(({ token }) => [token.address, token]));
  const [only, ...others] = [...tokens.values()];
  if (only === undefined || others.length > 0)
    throw new CarepactError(
      "INPUT_INVALID",
      only === undefined
        ? "No batch between these two is handed in: name the token."
        : "A remittance is in one token, and the batches have several: name one.",
      { path: "token", tokens: [...tokens.keys()] },
    );
  return only;
}

/** What the directory says of the parties, under what the caller says. */
async function partiesOf(
  connection: Connection,
  { parties, payer, payee }: RemittanceQuery,
  { signal, timeoutMs }: RemittanceOptions,
): Promise<{ payer: RemittanceParty; payee: RemittanceParty }> {
  const organizations = createOrganizations(connection);
  const complete = async (account: string, said: RemittanceParty): Promise<RemittanceParty> => {
    if (said.name !== undefined && said.npi !== undefined) return said;
    const entry = await organizations.get(account, { signal, timeoutMs });
    return {
      ...(entry === undefined ? {} : { name: entry.name, ...(entry.npi === undefined ? {} : { npi: entry.npi }) }),
      ...said,
    };
  };
  const [one, other] = await Promise.all([complete(payer, parties.payer), complete(payee, parties.payee)]);
  return { payer: one, payee: other };
}
