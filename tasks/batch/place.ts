import { openedGroupsOf, type BatchLine, type BatchSource, type PublicPart } from "@carepact/sdk/claims";

import { addressIn, countIn, usage } from "../support/input";

/** One line of a batch as options name it. */
export interface PlaceOptions {
  claim?: string;
  line?: string;
  payee?: string;
}

/** The line that is meant. @throws INPUT_INVALID */
export function placeIn(source: BatchSource, batch: PublicPart, { claim, line, payee }: PlaceOptions): BatchLine {
  if ((line === undefined) === (claim === undefined)) throw usage("Give --claim or --line, one of them.", "--claim");
  if (claim !== undefined) return byClaim(source, claim);
  const account = payee === undefined ? undefined : addressIn(payee, "--payee");
  const [only] =
    batch.groups.length === 1 ? batch.groups : openedGroupsOf(source).length === 1 ? openedGroupsOf(source) : [];
  const named = account ?? only?.payee;
  if (named === undefined) throw usage("The batch pays several payees: say whose line by --payee.", "--payee");
  const group = batch.groups.findIndex((candidate) => candidate.payee === named);
  if (group < 0) throw usage(`--payee: the batch does not pay ${named}.`, "--payee");
  return { group, line: countIn(line ?? "", "--line") };
}

/** By claim, or by claim and line number, as in L-1/2. */
function byClaim(source: BatchSource, claim: string): BatchLine {
  const lines = openedGroupsOf(source).flatMap((group) => group.lines.map((line) => ({ group: group.group, line })));
  const found = lines.filter(
    ({ line: { detail } }) => claim === detail.claimId || claim === `${detail.claimId}/${detail.lineNumber}`,
  );
  const [only] = found;
  if (only === undefined || found.length > 1)
    throw usage(
      `--claim: ${found.length} lines of ${claim} are open here, and one is meant: name it as claim/line number, or by --line.`,
      "--claim",
    );
  return { group: only.group, line: only.line.index };
}
