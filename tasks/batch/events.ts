import type { DiagnosticReport, MedicationDispense } from "fhir/r4";

import { decodeError, CarepactError } from "@carepact/sdk";
import {
  groupResultsOf,
  openedGroupsOf,
  type BatchSource,
  type GroupResult,
  type LineResult,
  type OpenedLine,
  type PublicPart,
} from "@carepact/sdk/claims";
import { diagnosticReportResult, dispenseResult, lineResultOf } from "@carepact/sdk/fhir";

import { readEntries } from "../support/files";
import { usage } from "../support/input";

/** A line, by the claim it was billed on. */
export interface LineName {
  claimId?: unknown;
  /** May be left out where the claim has one line. */
  lineNumber?: unknown;
}

/** What was seen of one line. */
interface Seen extends LineName {
  resource?: { resourceType?: unknown };
}

const OPTION = "--events";

/**
 * What FHIR resources mean for the lines they are about; of other lines nothing is said.
 * @throws INPUT_INVALID, EVENT_INVALID, and the AMOUNT_ codes for quantities
 */
export async function eventResultsIn(source: BatchSource, batch: PublicPart, path: string): Promise<GroupResult[]> {
  const opened = openedGroupsOf(source);
  if (opened.length === 0)
    throw usage(
      `${OPTION} needs the lines of the batch: the payer's record, or a payee's file and sealing key.`,
      OPTION,
    );
  const lines = opened.flatMap((group) => group.lines.map((line) => ({ group: group.group, line })));
  const results = batch.groups.map(({ lineCount }) =>
    Array.from({ length: lineCount }, (): LineResult => ({ result: "pending" })),
  );
  const entries = (await readEntries(path, OPTION)) as Seen[];
  entries.forEach((entry, i) => {
    const found = lines.filter(({ line }) => isAbout(entry, line));
    const [about] = found;
    if (about === undefined || found.length > 1)
      throw usage(
        `${OPTION}, entry ${i + 1}: ${found.length} lines fit its claimId and lineNumber; one has to.`,
        OPTION,
      );
    try {
      (results[about.group] as LineResult[])[about.line.index] = resultOf(entry, about.line);
    } catch (thrown) {
      const { code, message, details, cause } = decodeError(thrown);
      throw new CarepactError(code, `${OPTION}, entry ${i + 1}: ${message}`, details, cause);
    }
  });
  return groupResultsOf(results);
}

export const isAbout = (entry: LineName, { detail }: OpenedLine): boolean =>
  entry?.claimId === detail.claimId && (entry.lineNumber === undefined || entry.lineNumber === detail.lineNumber);

function resultOf({ resource }: Seen, { amount, detail: { quantity } }: OpenedLine): LineResult {
  switch (resource?.resourceType) {
    case "MedicationDispense": {
      const terms = { amount, ...(quantity && { billed: quantity }) };
      return lineResultOf(dispenseResult(resource as MedicationDispense, terms));
    }
    case "DiagnosticReport":
      return lineResultOf(diagnosticReportResult(resource as DiagnosticReport, { amount }));
    default:
      throw usage("the resource is no MedicationDispense or DiagnosticReport.", OPTION);
  }
}
