import { audit, type AuditOptions, type Finding } from "@carepact/sdk/access";

import type { Call, Ending } from "../support/call";
import { exitCodes } from "../support/exitCodes";
import { fileText, outputTo, PRIVATE } from "../support/files";
import { bytes32In, durationIn, listIn, needed, oneOf } from "../support/input";
import { isoTime } from "../support/show";
import { siteOf } from "../support/site";

import { historyAt, historyIn, receiptsAt, type HistoryOptions } from "./documents";
import { entryTable, placedIn } from "./words";

interface Options extends HistoryOptions {
  patient?: string;
  view?: string;
  receipts?: string;
  earlier?: string;
  maxDelay?: string;
  maxAge?: string;
  reviewWithin?: string;
  out?: string;
}

export async function run(call: Call, options: Options): Promise<Ending> {
  const conditions = conditionsIn(options);
  const output = options.out === undefined ? undefined : await outputTo(options.out, "--out", { mode: PRIVATE });
  const history = await historyIn(call, options);
  const receipts: unknown[] = [];
  for (const path of listIn(options.receipts ?? "")) receipts.push(...(await receiptsAt(call, path, options)));
  const earlier: unknown[] = [];
  for (const path of listIn(options.earlier ?? "")) earlier.push(await historyAt(call, path, "--earlier", options));
  const { connection, options: within } = await siteOf(call);
  const { findings, entries, provedTo, pending } = await audit(connection, history, {
    ...conditions,
    receipts,
    earlier,
    ...within,
  });
  await output?.write(fileText(history));
  return {
    lines: [
      ...(entries.length === 0 ? ["The gateway noted nothing."] : entryTable(placedIn(history))),
      ...(provedTo === undefined ? [] : [`Proved up to root ${provedTo.sequence}, of ${isoTime(provedTo.at)}.`]),
      ...(pending.length === 0
        ? []
        : [`${pending.length} receipts are too new to be in this history for sure: audit a later one with them.`]),
      ...(output === undefined ? [] : [`${output.path} is the history, opened: keep it for later audits.`]),
      ...(findings.length === 0
        ? ["OK: the history contradicts nothing."]
        : ["NOT OK:", ...findings.map((finding) => `${placeText(finding)}${finding.message} (${finding.kind})`)]),
    ],
    json: {
      gateway: history.gateway,
      patient: history.patient,
      at: isoTime(history.at),
      findings,
      entries: entries.length,
      ...(provedTo && { provedTo: { sequence: provedTo.sequence, at: isoTime(provedTo.at) } }),
      pending: pending.length,
      ...(output && { out: output.path }),
    },
    ...(findings.length === 0 ? {} : { exitCode: exitCodes.notOk }),
  };
}

function conditionsIn(options: Options): AuditOptions {
  const { view, maxDelay, maxAge, reviewWithin } = options;
  return {
    patient: bytes32In(needed(options, "patient"), "--patient"),
    ...(view === undefined ? {} : { view: oneOf(view, ["patient", "representative"] as const, "--view") }),
    ...(maxDelay === undefined ? {} : { maxDelay: durationIn(maxDelay, "--max-delay") }),
    ...(maxAge === undefined ? {} : { maxAge: maxAge === "any" ? Infinity : durationIn(maxAge, "--max-age") }),
    ...(reviewWithin === undefined ? {} : { reviewWithin: durationIn(reviewWithin, "--review-within") }),
  };
}

function placeText({ compartment, number, sequence }: Finding): string {
  const parts = [
    ...(compartment === undefined ? [] : [`trail ${compartment}`]),
    ...(number === undefined ? [] : [`number ${number}`]),
    ...(sequence === undefined ? [] : [`root ${sequence}`]),
  ];
  return parts.length === 0 ? "" : `${parts.join(", ")}: `;
}
