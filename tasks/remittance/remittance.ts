import { formatAmount, parseAmount, usDollar } from "@carepact/sdk";
import {
  createClaims,
  unpaidPartOf,
  type ForwardedBalance,
  type OpenedGroup,
  type OpenedRecord,
  type Remittance,
  type RemittanceQuery,
} from "@carepact/sdk/claims";

import { claimsIn } from "../batch/claims";
import { openedSourceIn } from "../batch/source";
import type { Call, Ending } from "../support/call";
import { fileText, outputTo, PRIVATE, readJson, requireApart } from "../support/files";
import { addressIn, listIn, needed, oneOf, usage } from "../support/input";
import { endIn, startIn } from "../support/period";
import { isoTime, list, table } from "../support/show";
import { siteOf } from "../support/site";

interface Options {
  payer?: string;
  payee?: string;
  from?: string;
  to?: string;
  records?: string;
  parties?: string;
  token?: string;
  claims?: string;
  said?: string;
  finality?: string;
  x12?: string;
  fhir?: string;
  sealingKeystore?: string;
  force: boolean;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  const { x12: x12Path, fhir: fhirPath } = options;
  if (x12Path !== undefined && fhirPath !== undefined)
    await requireApart({ path: x12Path, option: "--x12" }, { path: fhirPath, option: "--fhir" });
  // Health data in the clear, for the owner alone.
  const output = (path: string | undefined, option: string) =>
    path === undefined ? undefined : outputTo(path, option, { force: options.force, mode: PRIVATE });
  const [x12File, fhirFile] = [await output(x12Path, "--x12"), await output(fhirPath, "--fhir")];

  const payer = addressIn(needed(options, "payer"), "--payer");
  const payee = addressIn(needed(options, "payee"), "--payee");
  const finality = oneOf(options.finality ?? "finalized", ["finalized", "safe", "latest"], "--finality");
  const site = await siteOf(call);
  const query: RemittanceQuery = {
    payer,
    payee,
    from: await startIn(needed(options, "from"), "--from", site.now),
    to: await endIn(needed(options, "to"), "--to", site.now),
    batches: await batchesIn(call, options, payee),
    parties: (await readJson(needed(options, "parties"), "--parties")) as RemittanceQuery["parties"],
    ...(options.token === undefined ? {} : { token: addressIn(options.token, "--token") }),
    ...(await saidIn(options.said)),
    ...(options.claims === undefined
      ? {}
      : { statements: (await claimsIn(site, options)).flatMap((claim) => unpaidPartOf(claim) ?? []) }),
  };
  const advice = await createClaims(site.connection).remittance(query, { ...site.options, finality });
  const { remittance, x12, eob, reconciliation } = advice;
  await x12File?.write(x12);
  const entry = [...eob, reconciliation].map((resource) => ({ resource }));
  await fhirFile?.write(fileText({ resourceType: "Bundle", type: "collection", entry }));
  return {
    lines: [
      ...linesOf(remittance),
      ...[x12File, fhirFile].flatMap((file) => (file === undefined ? [] : [`${file.path} is written.`])),
    ],
    json: { ...jsonOf(remittance), x12: x12File?.path ?? x12, fhir: fhirFile?.path ?? null },
  };
}

async function batchesIn(call: Call, options: Options, payee: string): Promise<(OpenedGroup | OpenedRecord)[]> {
  const batches: (OpenedGroup | OpenedRecord)[] = [];
  for (const file of listIn(needed(options, "records"))) {
    const { sealingKeystore } = options;
    const { source } = await openedSourceIn(call, {
      file,
      payee,
      ...(sealingKeystore === undefined ? {} : { sealingKeystore }),
    });
    if ("sealed" in source)
      throw usage(`--records: ${file} is sealed; give the payer's record, or the payee's sealing key.`, "--records");
    batches.push(source);
  }
  return batches;
}

type Said = Pick<RemittanceQuery, "reversals" | "providerPayments" | "refundOrders" | "forwarded">;

async function saidIn(path: string | undefined): Promise<Said> {
  if (path === undefined) return {};
  const value = (await readJson(path, "--said")) as Said & {
    forwarded?: (Omit<ForwardedBalance, "amount"> & { amount: string })[];
  };
  const names = ["reversals", "providerPayments", "refundOrders", "forwarded"] as const;
  const isList = (name: (typeof names)[number]): boolean => value[name] === undefined || Array.isArray(value[name]);
  if (typeof value !== "object" || value === null || !names.every(isList))
    throw usage(`--said is an object with lists: ${names.join(", ")}.`, "--said");
  const { forwarded, ...rest } = value;
  return forwarded === undefined
    ? rest
    : {
        ...rest,
        forwarded: forwarded.map((balance) => ({
          ...balance,
          amount: parseAmount(balance.amount, usDollar, "--said"),
        })),
      };
}

function linesOf(remittance: Remittance): string[] {
  const { reference, claims, providerAdjustments, currency, period } = remittance;
  const money = (amount: bigint): string => formatAmount(amount, currency);
  return [
    ...list({
      reference,
      from: isoTime(period.from),
      before: isoTime(period.to),
      payment: `${money(remittance.payment)} ${currency.code}`,
    }),
    ...(claims.length === 0
      ? ["No claim was decided in the period."]
      : table(
          ["claim", "status", "charge", "paid"],
          claims.map(({ claimId, status, charge, paid }) => [claimId, status, money(charge), money(paid)]),
          ["charge", "paid"],
        )),
    ...(providerAdjustments.length === 0
      ? []
      : table(
          ["provider adjustment", "reference", "amount"],
          providerAdjustments.map(({ reason, reference: about, amount }) => [reason, about, money(amount)]),
          ["amount"],
        )),
  ];
}

/** The remittance with amounts as decimals. What claims say of patients is left to the files. */
function jsonOf(remittance: Remittance): Record<string, unknown> {
  const { reference, payer, payee, token, currency, period, claims, providerAdjustments, forwarded } = remittance;
  const money = (amount: bigint): string => formatAmount(amount, currency);
  return {
    reference,
    payer,
    payee,
    token,
    currency: currency.code,
    from: isoTime(period.from),
    before: isoTime(period.to),
    claims: claims.map(({ claimId, status, charge, paid }) => ({
      claimId,
      status,
      charge: money(charge),
      paid: money(paid),
    })),
    providerAdjustments: providerAdjustments.map((entry) => ({ ...entry, amount: money(entry.amount) })),
    credited: money(remittance.credited),
    repaid: money(remittance.repaid),
    payment: money(remittance.payment),
    forwarded: forwarded.map((balance) => ({ ...balance, amount: money(balance.amount) })),
  };
}
