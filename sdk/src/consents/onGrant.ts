import { permitsBehind } from "./grants";
import type { AccessRequest } from "./scope";
import { decide, type ConsentTerms } from "./terms";
import type { Grant } from "./types";

/** A grant that somebody asks on, and what. */
export interface OnGrant {
  grant: Grant;
  /** Accounts to which it was passed on, in order: the last of them is who asks. */
  passedOnTo: readonly string[];
  /** What is asked, one by one, with the grant's own grantee as recipient. */
  requests: readonly AccessRequest[];
}

/**
 * Whether a consent's denials hit a request, whatever permits it. What is let out is disclosed by who holds it, so that a
 * denial of disclosing hits, too.
 * @param passedOnTo Who received it after the request's recipient: a denial that names one of them hits, too. Of all others,
 * the recipient's exceptions count for them
 */
export function isDenied(terms: ConsentTerms, request: AccessRequest, passedOnTo: readonly string[] = []): boolean {
  const hits = (denials: ConsentTerms["denials"], asked: AccessRequest): boolean =>
    decide({ denials, permits: [], breakGlass: [], onlyByGrant: false }, asked) === "denied";
  const disclosing = terms.denials.filter(({ scope }) => scope.actions?.includes(request.action) === false);
  const naming = terms.denials.filter(({ scope }) => scope.recipients !== undefined);
  return (
    hits(terms.denials, request) ||
    (request.action === "access" && hits(disclosing, { ...request, action: "disclose" })) ||
    passedOnTo.some((recipient) => isDenied({ ...terms, denials: naming }, { ...request, recipient }))
  );
}

/**
 * Whether the consent that a grant names lets out what the registry permits on it: nothing of it is denied, and the permit
 * that the grant was made from covers all of it. Of permits that a grant cannot tell apart, each has to. A consent without
 * permits under opt-in only denies: the grant then stands for itself. What an emergency opens is no grant.
 */
export function decideOnGrant(terms: ConsentTerms, { grant, passedOnTo, requests }: OnGrant): "permitted" | "denied" {
  const behind = permitsBehind(terms, grant);
  const stands = behind.length > 0 || (terms.permits.length === 0 && !terms.onlyByGrant);
  const lets = (request: AccessRequest): boolean =>
    !isDenied(terms, request, passedOnTo) &&
    behind.every(
      (permit) =>
        decide({ permits: [permit], denials: [], breakGlass: [], onlyByGrant: true }, request) === "permitted",
    );
  return requests.length > 0 && stands && requests.every(lets) ? "permitted" : "denied";
}
