import type { Json } from "../errors";
import type { ChargedClaim, ChargedLine } from "../fhir";
import { formatAmount, usDollar, type Currency } from "../money";

import { plainDecimal } from "./elements";
import type { BillingProvider837, Claim837, Line837 } from "./types837";

const NPI_SYSTEM = "http://hl7.org/fhir/sid/us-npi";

/** Claims that ask for money: BHT06. */
const CHARGEABLE = "CH";
/** Takes back an earlier claim: CLM05-3. */
const VOID = "8";
/** DTP01 of the statement's dates, which stand for lines without their own. */
const STATEMENT = "434";

/**
 * The claim as `adjudicate` takes it. The provider is `http://hl7.org/fhir/sid/us-npi|` and its NPI, or qualifier and id
 * of NM1*85, or of its first REF; a procedure is qualifier and code of SV101 (`HC|99213`), or `NU|` and the revenue code.
 * A claim that takes another back (frequency 8), or that reports and asks for no money (BHT06), cannot be funded.
 * @param options.currency What the claim was read in; US dollars unless said otherwise.
 */
export function chargedClaimOf(claim: Claim837, options: { currency?: Currency } = {}): ChargedClaim {
  const currency = options.currency ?? usDollar;
  const { type } = claim.submission;
  const reason =
    type !== CHARGEABLE
      ? { path: "BHT06", value: type }
      : claim.frequency === VOID
        ? { path: "CLM05-3", value: claim.frequency }
        : undefined;
  return {
    claimId: claim.claimId,
    kind: claim.kind,
    currency,
    provider: providerOf(claim.billingProvider),
    lines: claim.lines.map((line) => lineOf(line, claim)),
    total: claim.totalCharge,
    mismatches: [],
    resource: plain(claim, currency),
    ...(reason === undefined ? { fundable: true } : { fundable: false, reason }),
  };
}

function providerOf({ npi, party }: BillingProvider837): string {
  if (npi !== undefined) return `${NPI_SYSTEM}|${npi}`;
  const [reference] = party.references;
  if (party.id !== undefined || reference === undefined) return `${party.idQualifier ?? ""}|${party.id ?? ""}`;
  return `${reference.qualifier}|${reference.value}`;
}

function lineOf(line: Line837, claim: Claim837): ChargedLine {
  const { procedure, quantity, unit, charge } = line;
  const statement = claim.dates.find(({ qualifier }) => qualifier === STATEMENT);
  const serviced = line.serviceDate ?? statement;
  return {
    sequence: line.lineNumber,
    productOrService: procedure === undefined ? `NU|${line.revenueCode}` : `${procedure.qualifier}|${procedure.code}`,
    ...(quantity === undefined
      ? {}
      : { quantity: { value: plainDecimal(quantity), ...(unit === undefined ? {} : { unit }) } }),
    charge,
    ...(serviced === undefined ? {} : { serviced: { start: serviced.start, end: serviced.end } }),
    details: [],
  };
}

/** The claim as JSON has it, amounts as decimals. */
function plain(value: unknown, currency: Currency): Json {
  if (typeof value === "bigint") return formatAmount(value, currency);
  if (Array.isArray(value)) return value.map((entry) => plain(entry, currency));
  if (typeof value !== "object" || value === null) return value as Json;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(entry, currency)]));
}
