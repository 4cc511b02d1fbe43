import { CarepactError } from "../errors";

import type { OpenedGrant } from "./file/signedGrant";
import { reasonAdvice, type RefusalReason } from "./reasons";
import type { SubGrant } from "./types";

/** Most sub-grants that may follow a grant (`MAX_LINKS` of the consent registry, without the grant itself). */
export const MOST_SUB_GRANTS = 3;

const within = (part: bigint, whole: bigint): boolean => (part & ~whole) === 0n;

/**
 * Why the registry would refuse a sub-grant under the last link of a grant, in its order of reasons; undefined if it takes
 * no more than this has.
 */
export function narrowingReason(
  { chain, documents, last }: OpenedGrant,
  subGrant: SubGrant,
): RefusalReason | undefined {
  if (chain.subGrants.length >= MOST_SUB_GRANTS) return "ChainTooLong";
  if (subGrant.subGrants >= last.subGrants) return "SubGrantNotAllowed";
  if (subGrant.parent !== documents.at(-1)) return "SubGrantMismatch";
  const grantees = [chain.grant, ...chain.subGrants.map((link) => link.subGrant)].map(({ grantee }) => grantee);
  if (grantees.includes(subGrant.grantee)) return "ChainCyclic";
  const narrower =
    within(subGrant.purposes, last.purposes) &&
    within(subGrant.categories, last.categories) &&
    subGrant.ceiling <= last.ceiling &&
    subGrant.notBefore >= last.notBefore &&
    subGrant.expiry <= last.expiry;
  return narrower ? undefined : "SubGrantWider";
}

/** What is not worth a signature, since the registry would refuse it. */
export const wouldBeRefused = (reason: RefusalReason, details: Record<string, unknown> = {}): CarepactError =>
  new CarepactError("GRANT_WOULD_BE_REFUSED", `${reasonAdvice[reason]} (${reason})`, { reason, ...details });
