import { canonicalJson } from "../../encryption";
import type { Json } from "../../errors";
import { formatAmount, parseAmount, type Currency } from "../../money";
import type { Claim835 } from "../../x12/types";

/** What a claim that came in as an 835's CLP is kept as, in place of a resource: amounts are decimals. */
interface KeptClaim {
  x12: "835";
  claim: Json;
}

const amountKeys = ["charge", "paid", "patientResponsibility", "amount"];

/** @internal A claim of an 835 as the resource of an adjudicated claim. */
export const keptOf = (claim: Claim835, currency: Currency): Json => ({ x12: "835", claim: jsonOf(claim, currency) });

function jsonOf(value: unknown, currency: Currency): Json {
  if (typeof value === "bigint") return formatAmount(value, currency);
  if (Array.isArray(value)) return value.map((entry) => jsonOf(entry, currency));
  if (typeof value !== "object" || value === null) return value as Json;
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return Object.fromEntries(entries.map(([key, entry]) => [key, jsonOf(entry, currency)]));
}

function claimOfJson(value: Json, currency: Currency): unknown {
  if (Array.isArray(value)) return value.map((entry: Json) => claimOfJson(entry, currency));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [
      key,
      amountKeys.includes(key) && typeof entry === "string" ? signed(entry, currency) : claimOfJson(entry, currency),
    ]),
  );
}

const signed = (text: string, currency: Currency): bigint =>
  text.startsWith("-") ? -parseAmount(text.slice(1), currency) : parseAmount(text, currency);

const isKept = (resource: Json): resource is Json & KeptClaim =>
  typeof resource === "object" && resource !== null && "x12" in resource && resource.x12 === "835";

const lists = ["adjustments", "parties", "references", "dates", "other", "amounts", "quantities", "services"] as const;

/** @internal The claim of an 835 that all of these lines came from, with its status. */
export interface Kept {
  claim: Claim835;
  isDenied: boolean;
  rank?: "1" | "2" | "3";
}

/** @internal Undefined where the lines came from elsewhere, or from different claims. */
export function keptClaimOf(lines: readonly { resource: Json }[], currency: Currency): Kept | undefined {
  const [first, ...others] = lines.map(({ resource }) => resource);
  if (first === undefined || !isKept(first)) return undefined;
  const isSame = (other: Json): boolean => other === first || canonicalJson(other) === canonicalJson(first);
  if (!others.every(isSame)) return undefined;
  const claim = claimOfJson(first.claim, currency) as Claim835;
  // Whoever funded the batch wrote it: what has no such lists is no claim.
  if (typeof claim !== "object" || claim === null || !lists.every((name) => Array.isArray(claim[name])))
    return undefined;
  const rank = (["1", "2", "3"] as const).find((status) => status === claim.status);
  return { claim, isDenied: claim.status === "4", ...(rank === undefined ? {} : { rank }) };
}
