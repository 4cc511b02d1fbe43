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
import { eventResult, eventRules, lineResultOf, type EventResource, type FhirVersion } from "@carepact/sdk/fhir";

import { readEntries } from "../support/files";
import { oneOf, usage } from "../support/input";

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

/** Resources as options name them. */
interface EventOptions {
  events: string;
  fhirVersion?: string;
}

const OPTION = "--events";
const versions = Object.keys(eventRules) as FhirVersion[];

/**
 * What FHIR resources mean for the lines they are about; of other lines nothing is said.
 * @throws INPUT_INVALID, EVENT_INVALID, and the AMOUNT_ codes for quantities
 */
export async function eventResultsIn(
  source: BatchSource,
  batch: PublicPart,
  { events, fhirVersion }: EventOptions,
): Promise<GroupResult[]> {
  const version = oneOf(fhirVersion ?? "R4", versions, "--fhir-version");
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
  const entries = (await readEntries(events, OPTION)) as Seen[];
  entries.forEach((entry, i) => {
    const found = lines.filter(({ line }) => isAbout(entry, line));
    const [about] = found;
    if (about === undefined || found.length > 1)
      throw usage(
        `${OPTION}, entry ${i + 1}: ${found.length} lines fit its claimId and lineNumber; one has to.`,
        OPTION,
      );
    try {
      (results[about.group] as LineResult[])[about.line.index] = resultOf(entry, about.line, version);
    } catch (thrown) {
      const { code, message, details, cause } = decodeError(thrown);
      throw new CarepactError(code, `${OPTION}, entry ${i + 1}: ${message}`, details, cause);
    }
  });
  return groupResultsOf(results);
}

export const isAbout = (entry: LineName, { detail }: OpenedLine): boolean =>
  entry?.claimId === detail.claimId && (entry.lineNumber === undefined || entry.lineNumber === detail.lineNumber);

function resultOf({ resource }: Seen, line: OpenedLine, fhirVersion: FhirVersion): LineResult {
  const { amount, detail } = line;
  const terms = { amount, ...(detail.quantity && { billed: detail.quantity }) };
  return lineResultOf(eventResult(resource as EventResource, terms, { fhirVersion }));
}
