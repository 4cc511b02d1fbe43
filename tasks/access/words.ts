import type {
  AccessBasis,
  AccessEntry,
  AccessHistory,
  AccessOutcome,
  AccessStatement,
  Compartment,
} from "@carepact/sdk/access";

import { isoTime, list, table } from "../support/show";

const basisText = (basis: AccessBasis): string => {
  switch (basis.kind) {
    case "grant":
      return `grant ${basis.grant.slice(0, 10)}...`;
    case "breakGlass":
      return basis.justification === undefined ? "emergency" : `emergency: ${basis.justification}`;
    case "policy":
      return basis.policy;
    case "unstated":
      return "not stated";
  }
};

const outcomeText = (outcome: AccessOutcome): string => {
  switch (outcome.result) {
    case "allowed":
      return "allowed";
    case "refused":
      return `refused: ${outcome.reason}`;
    case "failed":
      return `failed (${outcome.severity})`;
  }
};

const whatText = ({ resourceTypes, sensitivities, confidentiality }: AccessStatement): string =>
  [...resourceTypes, ...sensitivities, ...(confidentiality === undefined ? [] : [`up to ${confidentiality}`])].join(
    ", ",
  );

/** An entry with the trail that it stands in. */
export interface PlacedEntry {
  trail: Compartment;
  entry: AccessEntry;
}

/** Entries of a history in the order of their times, each with its trail: numbers are of a trail. */
export const placedIn = ({ trails }: AccessHistory): PlacedEntry[] =>
  (["shared", "own"] as const)
    .flatMap((trail) =>
      (trails[trail]?.entries ?? []).map(({ number, statement }) => ({ trail, entry: { ...statement, number } })),
    )
    .sort((a, b) => a.entry.at - b.entry.at);

/** Entries for people. */
export const entryTable = (entries: readonly PlacedEntry[]): string[] =>
  table(
    ["trail", "number", "at", "who", "did", "what", "why", "by", "outcome"],
    entries.map(({ trail, entry }) => [
      trail,
      String(entry.number),
      isoTime(entry.at),
      entry.who,
      entry.review === undefined ? entry.action : `review: ${entry.review.justified ? "justified" : "not justified"}`,
      whatText(entry),
      entry.purposes.join(", "),
      basisText(entry.basis),
      outcomeText(entry.outcome),
    ]),
    ["number"],
  );

/** What one entry says, for people. */
export const statementLines = (statement: AccessStatement): string[] =>
  list({
    patient: statement.patient,
    gateway: statement.gateway,
    at: isoTime(statement.at),
    who: statement.who,
    did: statement.action,
    what: whatText(statement),
    why: statement.purposes.join(", "),
    by: basisText(statement.basis),
    outcome: outcomeText(statement.outcome),
  });
