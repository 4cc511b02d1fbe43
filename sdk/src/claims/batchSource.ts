import {
  verifyClaimBatchFile,
  type ClaimBatchFile,
  type OpenedGroup,
  type OpenedRecord,
  type PublicPart,
} from "./file";

/**
 * A claim batch in whatever form it is at hand: a file, which says what all may know; a payee's own group, opened; or a
 * payer's record, opened. Only the last two know line amounts.
 */
export type BatchSource = ClaimBatchFile | OpenedGroup | OpenedRecord;

/** The public part of a batch, checked. @throws what `verifyClaimBatchFile` throws */
export function publicPartOf(source: BatchSource): PublicPart {
  return "carepact" in source ? verifyClaimBatchFile(source) : source;
}

/** The groups whose lines are known. */
export function openedGroupsOf(source: BatchSource): OpenedGroup[] {
  if ("carepact" in source) return [];
  return "opened" in source ? source.opened : [source];
}
