import type { Claim } from "fhir/r4.js";

import { toPlainJson } from "../encryption";
import { CarepactError, type Json } from "../errors";
import { multiplyDecimals, parseDecimal, toBaseUnits, usDollar, type Currency } from "../money";

import { decimalMoneyAt, mismatchOf, moneyAt, sumFails, type SumMismatch } from "./amounts";
import { fundabilityOf, kindOf, resourceIdOf, type FhirClaimKind, type Fundability } from "./financial";
import { ElementReader, type Element, type ExactQuantity } from "./read";

/** Part of a line: `Claim.item.detail`, or `subDetail` below it. */
export interface ChargedDetail {
  sequence: number;
  /** `system|code`. */
  productOrService: string;
  quantity?: ExactQuantity;
  /** Base units; absent where the claim states no amount for this part. */
  net?: bigint;
  details: ChargedDetail[];
}

/** `Claim.item`. */
export interface ChargedLine {
  /** `Claim.item.sequence`. */
  sequence: number;
  /** `system|code`. */
  productOrService: string;
  quantity?: ExactQuantity;
  /** What is asked for, in base units: `net`, or what follows from price or details where none is stated. */
  charge: bigint;
  /** FHIR dates of `servicedDate` (both equal) or `servicedPeriod`. */
  serviced?: { start?: string; end?: string };
  details: ChargedDetail[];
}

/** A FHIR R4 Claim whose sums were checked. Amounts in base units of `currency`. */
export type ChargedClaim = ChargedClaimParts & Fundability;

/** What every Claim has, a preauthorization or a draft, too. */
export interface ChargedClaimParts {
  /** `Claim.id`, or else `system|value` of the first identifier. */
  claimId: string;
  kind: FhirClaimKind;
  currency: Currency;
  /** `Claim.provider`: the literal reference, or `system|value`. */
  provider: string;
  lines: ChargedLine[];
  /** Sum of the lines' charges. */
  total: bigint;
  /** Sums that fail: of a claim that may be funded none, or it is refused. */
  mismatches: SumMismatch[];
  /** The claim as it came in. */
  resource: Json;
}

const read = new ElementReader("INPUT_INVALID");

/**
 * Reads a FHIR R4 Claim, and checks its sums: every net is quantity x unit price x factor where a price is stated, and
 * the sum of its details' nets where these state any; the total, where stated, is the sum of the items. Nothing is
 * rounded. A detail without net and price says nothing about money. What can never be funded (another status or use than
 * an active claim for care that is billed) is read, too: an estimate may be rough, so that sums of it that fail are
 * listed. `adjudicate` refuses it.
 * @param options.currency What amounts have to be in; US dollars unless said otherwise.
 * @throws INPUT_INVALID, CLAIM_TOTAL_MISMATCH, CLAIM_NET_MISMATCH, CLAIM_DUPLICATE_LINE, CURRENCY_MISMATCH, and the
 * AMOUNT_ codes. `details.path` names the element, as in `Claim.item[0].detail[2].net`; of a sum `details` has `equation`,
 * `left` and `right`.
 */
export function readClaim(claim: Claim, options: { currency?: Currency } = {}): ChargedClaim {
  const currency = options.currency ?? usDollar;
  const plain = toPlainJson(claim, "Claim");
  const resource = read.resource(plain, "Claim");
  const fundability = fundabilityOf(read, resource, "Claim");

  const kind = kindOf(read, resource["type"], "Claim.type");
  const provider = read.reference(resource["provider"], "Claim.provider");
  const items = read.list(resource["item"], "Claim.item");
  if (items.length === 0) throw read.refuse("Claim.item", "is missing: there is nothing to pay");
  const sums: FailedSums = { nets: [], totals: [] };
  const lines = items.map((item, i) => readItem(item, `Claim.item[${i}]`, currency, sums));
  requireDistinctSequences(lines);

  const total = lines.reduce((sum, line) => sum + line.charge, 0n);
  const stated = moneyAt(read, resource["total"], "Claim.total", currency);
  if (stated !== undefined && stated !== total)
    sums.totals.push(mismatchOf("Claim.total", "total = sum of items", stated, total, currency));
  const [[net], [sum]] = [sums.nets, sums.totals];
  if (fundability.fundable && net !== undefined) throw sumFails("CLAIM_NET_MISMATCH", net);
  if (fundability.fundable && sum !== undefined) throw sumFails("CLAIM_TOTAL_MISMATCH", sum);

  return {
    claimId: resourceIdOf(read, resource, "Claim"),
    kind,
    currency,
    provider,
    lines,
    total,
    mismatches: [...sums.nets, ...sums.totals],
    resource: plain,
    ...fundability,
  };
}

interface FailedSums {
  nets: SumMismatch[];
  totals: SumMismatch[];
}

function readItem(value: unknown, path: string, currency: Currency, sums: FailedSums): ChargedLine {
  const item = read.element(value, path);
  const serviced = servicedOf(item, path);
  const { net, ...line } = readPart(item, path, ["detail", "subDetail"], currency, sums);
  if (net === undefined)
    throw read.refuse(`${path}.net`, "is missing, and neither a unit price nor details replace it");
  return { ...line, charge: net, ...(serviced === undefined ? {} : { serviced }) };
}

/**
 * Reads what item, detail and subDetail have in common, and the parts below: `below` names the elements that hold them.
 */
function readPart(
  value: unknown,
  path: string,
  below: readonly string[],
  currency: Currency,
  sums: FailedSums,
): ChargedDetail {
  const part = read.element(value, path);
  read.noModifiers(part, path);
  const sequence = read.sequence(part["sequence"], `${path}.sequence`);
  const productOrService = read.concept(part["productOrService"], `${path}.productOrService`);

  const [name, ...deeper] = below;
  const details =
    name === undefined
      ? []
      : read
          .list(part[name], `${path}.${name}`)
          .map((entry, i) => readPart(entry, `${path}.${name}[${i}]`, deeper, currency, sums));

  const quantity = read.quantity(part["quantity"], `${path}.quantity`);
  const net = netOf(part, path, details, currency, sums);
  return {
    sequence,
    productOrService,
    ...(quantity === undefined
      ? {}
      : { quantity: { value: quantity.value, ...(quantity.unit === undefined ? {} : { unit: quantity.unit }) } }),
    ...(net === undefined ? {} : { net }),
    details,
  };
}

function netOf(
  part: Element,
  path: string,
  details: readonly ChargedDetail[],
  currency: Currency,
  sums: FailedSums,
): bigint | undefined {
  const product = productOf(part, path, currency);
  const detailNets = details.flatMap((detail) => (detail.net === undefined ? [] : [detail.net]));
  const detailSum = detailNets.length === 0 ? undefined : detailNets.reduce((sum, net) => sum + net, 0n);

  const net = moneyAt(read, part["net"], `${path}.net`, currency) ?? product ?? detailSum;
  const check = (equation: string, right: bigint | undefined): void => {
    if (net !== undefined && right !== undefined && net !== right)
      sums.nets.push(mismatchOf(`${path}.net`, equation, net, right, currency));
  };
  check("net = quantity x unitPrice x factor", product);
  check("net = sum of details", detailSum);
  return net;
}

function productOf(part: Element, path: string, currency: Currency): bigint | undefined {
  const quantity = read.quantity(part["quantity"], `${path}.quantity`);
  const factor = part["factor"] === undefined ? undefined : parseDecimal(part["factor"], `${path}.factor`);
  if (part["unitPrice"] === undefined) return undefined;
  // A unit price may be finer than a cent; only the product is money.
  const unitPrice = decimalMoneyAt(read, part["unitPrice"], `${path}.unitPrice`, currency);
  const factors = [unitPrice, quantity?.exact, factor].filter((entry) => entry !== undefined);
  return toBaseUnits(multiplyDecimals(factors), currency, `${path}: quantity x unitPrice x factor`);
}

function servicedOf(item: Element, path: string): ChargedLine["serviced"] {
  const day = read.date(item["servicedDate"], `${path}.servicedDate`);
  if (day !== undefined) return { start: day, end: day };
  if (item["servicedPeriod"] === undefined) return undefined;
  const period = read.element(item["servicedPeriod"], `${path}.servicedPeriod`);
  const start = read.date(period["start"], `${path}.servicedPeriod.start`);
  const end = read.date(period["end"], `${path}.servicedPeriod.end`);
  return { ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) };
}

function requireDistinctSequences(lines: readonly ChargedLine[]): void {
  const seen = new Map<number, number>();
  lines.forEach(({ sequence }, i) => {
    const earlier = seen.get(sequence);
    if (earlier !== undefined)
      throw new CarepactError(
        "CLAIM_DUPLICATE_LINE",
        `Claim.item[${i}].sequence repeats ${sequence} of Claim.item[${earlier}].`,
        { path: `Claim.item[${i}].sequence`, sequence },
      );
    seen.set(sequence, i);
  });
}
