import { createEvents } from "@carepact/sdk/events";
import { attestersOf, createRulebooks, type Rulebook } from "@carepact/sdk/rulebooks";

import type { Site } from "../support/site";

/**
 * Where an attester stands who was shown to have equivocated: `suspended` in this rulebook, or only `equivocated`, in another one, so
 * that it counts in this one until somebody says so.
 */
export type Standing = "suspended" | "equivocated";

/** The attesters (ERC-7913 signers in lower case) of a published rulebook who equivocated. */
export async function standingsOf(
  { connection, options }: Pick<Site, "connection" | "options">,
  id: string,
  rulebook: Rulebook,
): Promise<Map<string, Standing>> {
  const rulebooks = createRulebooks(connection);
  const signers = [
    ...new Set(attestersOf(rulebook).flatMap(({ role, signer }) => (role === undefined ? [signer] : []))),
  ];
  const equivocated = await Promise.all(signers.map((signer) => rulebooks.hasEquivocated(signer, options)));
  const found = signers.filter((_, i) => equivocated[i]);
  if (found.length === 0) return new Map();

  // Whoever equivocated is left out whenever the rulebook's data are laid down: when it is published, and at each suspension.
  const names = ["RulebookPublished", "AttesterSuspended", "AttesterEquivocated"] as const;
  let proved = new Set<string>();
  let suspended = new Set<string>();
  for await (const { name, args } of createEvents(connection).read({ names }, options))
    if (name === "AttesterEquivocated") proved = new Set([...proved, args.attester.toLowerCase()]);
    else if (args.rulebook === id) suspended = proved;
  return new Map(found.map((signer) => [signer, suspended.has(signer) ? "suspended" : "equivocated"]));
}
