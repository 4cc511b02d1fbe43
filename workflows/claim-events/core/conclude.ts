import { isCarepactError } from "@carepact/sdk";
import {
  attestationDigestOf,
  encodeResults,
  groupResultsOf,
  resultShapeOf,
  type AttestationStatement,
  type GroupResult,
  type LineResult,
} from "@carepact/sdk/claims";
import { saltedHashOf } from "@carepact/sdk/encryption";
import { eventResult, lineResultOf, type EventReason, type EventResource, type EventResult } from "@carepact/sdk/fhir";
import { encodeReport } from "@carepact/sdk/oracles";

import { seenIn, type AbsentReason, type Answer, type RetryReason, type Seen } from "./answers";
import type { Element } from "./elements";
import { happenedOf, mismatchesOf, type Mismatch } from "./matching";
import type { Prepared, PreparedLine } from "./request";
import { momentsOf } from "./times";

/** Why care that a resource reports is not paid for: when it was does not fit. */
export type TimeReason = "time-missing" | "time-contradicts" | "not-yet" | "after-event-by";

/** What was found out about a line. Amounts in base units, as decimal strings. */
export interface LineFinding {
  /** Index of the line in the batch. */
  line: number;
  result: LineResult["result"];
  /** Of a partly met line. */
  amount?: string;
  reason: EventReason | AbsentReason | TimeReason;
}

/** What a run comes to. Plain JSON: nodes agree on its text. */
export type Conclusion =
  /** Something is final. `statement` is what whoever settles hands to the escrow, `payload` what the DON reports. */
  | {
      outcome: "report";
      chainId: number;
      escrow: string;
      rulebook: string;
      statement: AttestationStatement;
      digest: string;
      /** ABI bytes of the report, in hex. */
      payload: string;
      lines: LineFinding[];
    }
  /** Everything looked at is still pending: there is nothing to report yet. */
  | { outcome: "nothing"; batchId: string; lines: LineFinding[] }
  /** A server gave no usable answer for some line. Ask again later, or without that line. */
  | { outcome: "retry"; batchId: string; lines: { line: number; reason: RetryReason }[] }
  /** A resource is about something else than its line. Ask again with the right one. */
  | { outcome: "refused"; batchId: string; lines: { line: number; mismatches: Mismatch[] }[] };

/** What each line says once there is a resource, or none. */
interface Judged {
  finding: LineFinding;
  evidence: { line: number; resource: string; version: string | null; content: string | null };
}

/**
 * What a request comes to, from the answers to its reads. The same answers give the same text on every node.
 * @param passes Answers to `prepared.reads`, in their order; one list for each time that all were read.
 * @param now When the reading began, in unix seconds. It is rounded down, so that it never lies ahead of the chain.
 */
export function conclude(prepared: Prepared, passes: readonly (readonly Answer[])[], now: number): Conclusion {
  const { batch, settings } = prepared;
  const { batchId } = batch;
  const observedAt = now - (now % settings.roundTo);
  const seen = prepared.lines.map((_, i) => agreedOf(passes.map((answers) => seenAt(prepared, answers[i]))));

  const judged: Judged[] = [];
  const retries: { line: number; reason: RetryReason }[] = [];
  const refusals: { line: number; mismatches: Mismatch[] }[] = [];
  prepared.lines.forEach((line, i) => {
    const index = line.opened.leaf.line;
    const what = seen[i] as Seen;
    if (what.seen === "retry") return retries.push({ line: index, reason: what.reason });
    const mismatches = what.seen === "resource" ? mismatchesOf(line, what.resource) : [];
    if (mismatches.length > 0) return refusals.push({ line: index, mismatches });
    const finding =
      what.seen === "resource" ? findingOf(prepared, line, what.resource, observedAt) : absent(index, what);
    if (finding === undefined) return retries.push({ line: index, reason: "event-unreadable" });
    return judged.push({ finding, evidence: evidenceOf(line, what) });
  });

  if (refusals.length > 0) return { outcome: "refused", batchId, lines: refusals };
  if (retries.length > 0) return { outcome: "retry", batchId, lines: retries };
  return concluded(prepared, judged, observedAt);
}

const seenAt = ({ salt, settings }: Prepared, answer: Answer | undefined): Seen =>
  answer === undefined ? { seen: "retry", reason: "unreachable" } : seenIn(answer, salt, settings.maxBytes);

/** What all passes saw, if they saw the same. */
function agreedOf(seen: readonly Seen[]): Seen {
  const [first = { seen: "retry", reason: "unreachable" } as const, ...others] = seen;
  const failed = seen.find((entry) => entry.seen === "retry");
  if (failed !== undefined) return failed;
  const same = (other: Seen): boolean =>
    first.seen === "resource" && other.seen === "resource"
      ? first.version === other.version && first.content === other.content
      : first.seen === other.seen;
  return others.every(same) ? first : { seen: "retry", reason: "changed-between-reads" };
}

const absent = (line: number, { reason }: Extract<Seen, { seen: "absent" }>): LineFinding => ({
  line,
  result: "pending",
  reason,
});

/** @returns undefined where the event table cannot read the resource, as with a status that does not exist */
function findingOf(
  { batch, settings }: Prepared,
  { opened, type, server }: PreparedLine,
  resource: Element,
  observedAt: number,
): LineFinding | undefined {
  const { leaf, amount, detail } = opened;
  const { line } = leaf;
  let event: EventResult;
  try {
    event = eventResult(
      resource as unknown as EventResource,
      {
        amount,
        ...(detail.quantity === undefined ? {} : { billed: detail.quantity }),
        handOverRequired: settings.handOverRequired,
      },
      { fhirVersion: server.fhirVersion },
    );
  } catch (thrown) {
    if (isCarepactError(thrown)) return undefined;
    throw thrown;
  }
  if (event.result === "met" || event.result === "partlyMet") {
    const late = timeProblemOf(happenedOf(type, resource), observedAt, batch.terms.eventBy);
    if (late !== undefined) return { line, result: "pending", reason: late };
  }
  const result = lineResultOf(event);
  return {
    line,
    result: result.result,
    ...(result.result === "partlyMet" ? { amount: result.amount.toString() } : {}),
    reason: event.reason,
  };
}

/** Care is paid for when it surely happened: not ahead of the observation, and not after the batch's last moment. */
function timeProblemOf(
  [start, end]: (string | undefined)[],
  observedAt: number,
  eventBy: number,
): TimeReason | undefined {
  const from = start === undefined ? undefined : momentsOf(start);
  const to = end === undefined ? undefined : momentsOf(end);
  if (from === undefined || to === undefined) return "time-missing";
  if (to.last < from.first) return "time-contradicts";
  if (from.first > observedAt || to.first > observedAt) return "not-yet";
  return to.last > eventBy ? "after-event-by" : undefined;
}

function evidenceOf({ opened, server, type, id }: PreparedLine, what: Seen): Judged["evidence"] {
  const resource = `${server.baseUrl}/${type}/${id}`;
  return what.seen === "resource"
    ? { line: opened.leaf.line, resource, version: what.version, content: what.content }
    : { line: opened.leaf.line, resource, version: null, content: null };
}

function concluded(prepared: Prepared, judged: readonly Judged[], observedAt: number): Conclusion {
  const { batch, groups, salt, validUntil } = prepared;
  const { batchId, chainId, escrow, terms } = batch;
  const lines = judged.map(({ finding }) => finding);
  if (lines.every(({ result }) => result === "pending")) return { outcome: "nothing", batchId, lines };

  const statement: AttestationStatement = {
    batchId,
    results: encodeResults(resultsOf(prepared, lines), resultShapeOf(batch, groups)),
    observedAt,
    validUntil,
    evidence: saltedHashOf(salt, { batchId, lines: judged.map(({ evidence }) => evidence) }),
  };
  const digest = attestationDigestOf(statement, batch);
  const { rulebook } = terms;
  const payload = encodeReport({ rulebook, batchId, digest, observedAt });
  return { outcome: "report", chainId, escrow, rulebook, statement, digest, payload, lines };
}

/** Lines that nobody asked about stay pending, and so do all of groups that were not opened. */
function resultsOf({ batch, groups }: Prepared, findings: readonly LineFinding[]): GroupResult[] {
  const found = new Map(findings.map((finding) => [finding.line, finding]));
  const opened = new Map(groups.map((group) => [group.group, group]));
  return batch.groups.map((_, index): GroupResult => {
    const lines = opened.get(index)?.lines.map(({ leaf }): LineResult => {
      const { result = "pending", amount } = found.get(leaf.line) ?? {};
      return result === "partlyMet" ? { result, amount: BigInt(amount ?? "0") } : { result };
    });
    return lines === undefined ? { result: "pending" } : (groupResultsOf([lines])[0] as GroupResult);
  });
}
