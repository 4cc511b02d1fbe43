import { isAddress } from "ethers";

import {
  eventKinds,
  rulebookFromJson,
  rulebookIdOf,
  simpleRulebook,
  type Rulebook,
  type RulebookJson,
} from "@carepact/sdk/rulebooks";

import { addressIn, bytes32In, durationIn, oneOf, usage } from "../support/input";
import { durationText, list } from "../support/show";

const kindNames = Object.keys(eventKinds) as (keyof typeof eventKinds)[];

/** What a file says in place of a whole rulebook. */
interface Short {
  attesters: unknown;
  threshold: unknown;
  eventKinds: unknown;
  grace: unknown;
  suspender?: unknown;
  documentHash?: unknown;
}

/** A rulebook in either of its forms. @throws INPUT_INVALID, BATCH_TERMS_INVALID */
export function rulebookIn(value: unknown, option: string): Rulebook {
  if (typeof value !== "object" || value === null) throw usage(`${option}: this is no rulebook.`, option);
  const rulebook = "attesterGroups" in value ? wholeIn(value as RulebookJson, option) : shortIn(value as Short, option);
  // Shows what does not fit Solidity's types before anything is asked of the chain.
  rulebookIdOf(rulebook);
  return rulebook;
}

function wholeIn(value: RulebookJson, option: string): Rulebook {
  try {
    return rulebookFromJson(value);
  } catch (thrown) {
    throw usage(`${option}: the rulebook's fields are not those that rulebook:show --out writes.`, option, thrown);
  }
}

function shortIn(value: Short, option: string): Rulebook {
  const known = ["attesters", "threshold", "eventKinds", "grace", "suspender", "documentHash"];
  const unknown = Object.keys(value).filter((name) => !known.includes(name));
  if (unknown.length > 0) throw usage(`${option}: a short rulebook has no ${unknown.join(", ")}.`, option);
  const { attesters, threshold, suspender, documentHash } = value;
  if (!Array.isArray(attesters) || !attesters.every((attester) => isAddress(attester)))
    throw usage(`${option}: attesters is a list of accounts.`, option);
  if (!Number.isInteger(threshold)) throw usage(`${option}: threshold is a whole number.`, option);
  if (!Array.isArray(value.eventKinds))
    throw usage(`${option}: eventKinds is a list of ${kindNames.join(", ")}.`, option);
  return simpleRulebook({
    attesters: attesters,
    threshold: threshold as number,
    eventKinds: value.eventKinds.reduce(
      (bits: number, kind) => bits | eventKinds[oneOf(kind, kindNames, "eventKinds")],
      0,
    ),
    grace: durationIn(value.grace, "grace"),
    ...(suspender === undefined ? {} : { suspender: addressIn(suspender, "suspender") }),
    ...(documentHash === undefined ? {} : { documentHash: bytes32In(documentHash, "documentHash") }),
  });
}

const isNobody = (account: string): boolean => BigInt(account) === 0n;

/** A rulebook for people; of fields that are in no use yet, nothing. */
export const rulebookLines = (id: string, rulebook: Rulebook): string[] => [
  ...list({
    id,
    events: kindNames.filter((kind) => (rulebook.eventKinds & eventKinds[kind]) !== 0).join(", "),
    grace: durationText(rulebook.grace),
    suspender: isNobody(rulebook.suspender) ? "nobody" : rulebook.suspender,
    documentHash: rulebook.documentHash,
  }),
  ...rulebook.attesterGroups.map(
    ({ threshold, attesters }) => `${threshold} of ${attesters.length} attest: ${attesters.join(", ")}`,
  ),
];
