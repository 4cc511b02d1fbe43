import type { Claim } from "fhir/r4.js";

import type { ClaimKind } from "../claims/input/adjudicated";
import { toPlainJson } from "../encryption";
import { CarepactError, type Json } from "../errors";
import {
  formatAmount,
  multiplyDecimals,
  parseAmount,
  parseDecimal,
  toBaseUnits,
  usDollar,
  type Currency,
} from "../money";

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
export interface ChargedClaim {
  /** `Claim.id`, or else `system|value` of the first identifier. */
  claimId: string;
  kind: Exclude<ClaimKind, "laboratory">;
  currency: Currency;
  /** `Claim.provider`: the literal reference, or `system|value`. */
  provider: string;
  lines: ChargedLine[];
  /** Sum of the lines' charges. */
  total: bigint;
  /** The claim as it came in. */
  resource: Json;
}

const kinds = ["pharmacy", "professional", "institutional", "oral", "vision"] as const;
const uses = ["claim", "preauthorization", "predetermination"] as const;
const statuses = ["active", "cancelled", "draft", "entered-in-error"] as const;

const CLAIM_TYPE_SYSTEM = "http://terminology.hl7.org/CodeSystem/claim-type";

const read = new ElementReader("INPUT_INVALID");

/**
 * Reads a FHIR R4 Claim that may be funded, and checks its sums: every net is quantity x unit price x factor where a
 * price is stated, and the sum of its details' nets where these state any; the total, where stated, is the sum of the
 * items. Nothing is rounded. A detail without net and price says nothing about money.
 * @param options.currency What amounts have to be in; US dollars unless said otherwise.
 * @throws INPUT_INVALID, CLAIM_NOT_FUNDABLE, CLAIM_TOTAL_MISMATCH, CLAIM_NET_MISMATCH, CLAIM_DUPLICATE_LINE,
 * CURRENCY_MISMATCH, and the AMOUNT_ codes. `details.path` names the element, as in `Claim.item[0].detail[2].net`.
 */
export function readClaim(claim: Claim, options: { currency?: Currency } = {}): ChargedClaim {
  const currency = options.currency ?? usDollar;
  const plain = toPlainJson(claim, "Claim");
  const resource = read.resource(plain, "Claim");
  requireFundable(resource);

  const kind = kindOf(resource["type"]);
  const provider = read.reference(resource["provider"], "Claim.provider");
  const items = read.list(resource["item"], "Claim.item");
  if (items.length === 0) throw read.refuse("Claim.item", "is missing: there is nothing to pay");
  const lines = items.map((item, i) => readItem(item, `Claim.item[${i}]`, currency));
  requireDistinctSequences(lines);

  const total = lines.reduce((sum, line) => sum + line.charge, 0n);
  const stated = money(resource["total"], "Claim.total", currency);
  if (stated !== undefined && stated !== total)
    throw mismatch("CLAIM_TOTAL_MISMATCH", "Claim.total", stated, "the sum of its items", total, currency);

  return { claimId: idOf(resource), kind, currency, provider, lines, total, resource: plain };
}

function requireFundable(resource: Element): void {
  const status = read.code(resource["status"], statuses, "Claim.status");
  const use = read.code(resource["use"], uses, "Claim.use");
  const refuse = (path: string, value: string, rule: string): CarepactError =>
    new CarepactError("CLAIM_NOT_FUNDABLE", `${path} is ${value}: only ${rule} can be funded.`, { path, value });
  if (status !== "active") throw refuse("Claim.status", status, "an active claim");
  if (use !== "claim") throw refuse("Claim.use", use, "a claim for care that is billed");
}

function kindOf(type: unknown): ChargedClaim["kind"] {
  const path = "Claim.type.coding";
  const codings = read.list(read.element(type, "Claim.type")["coding"], path);
  for (const [i, entry] of codings.entries()) {
    const coding = read.element(entry, `${path}[${i}]`);
    if (coding["system"] === CLAIM_TYPE_SYSTEM) return read.code(coding["code"], kinds, `${path}[${i}].code`);
  }
  throw read.refuse(path, `has no code of ${CLAIM_TYPE_SYSTEM}`);
}

function idOf(resource: Element): string {
  if (resource["id"] !== undefined) return read.text(resource["id"], "Claim.id");
  const [first] = read.list(resource["identifier"], "Claim.identifier");
  return read.identifier(first, "Claim.identifier[0]");
}

function readItem(value: unknown, path: string, currency: Currency): ChargedLine {
  const item = read.element(value, path);
  const serviced = servicedOf(item, path);
  const { net, ...line } = readPart(item, path, ["detail", "subDetail"], currency);
  if (net === undefined)
    throw read.refuse(`${path}.net`, "is missing, and neither a unit price nor details replace it");
  return { ...line, charge: net, ...(serviced === undefined ? {} : { serviced }) };
}

/**
 * Reads what item, detail and subDetail have in common, and the parts below: `below` names the elements that hold them.
 */
function readPart(value: unknown, path: string, below: readonly string[], currency: Currency): ChargedDetail {
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
          .map((entry, i) => readPart(entry, `${path}.${name}[${i}]`, deeper, currency));

  const quantity = read.quantity(part["quantity"], `${path}.quantity`);
  const net = netOf(part, path, details, currency);
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

function netOf(part: Element, path: string, details: readonly ChargedDetail[], currency: Currency): bigint | undefined {
  const product = productOf(part, path, currency);
  const detailNets = details.flatMap((detail) => (detail.net === undefined ? [] : [detail.net]));
  const detailSum = detailNets.length === 0 ? undefined : detailNets.reduce((sum, net) => sum + net, 0n);

  const net = money(part["net"], `${path}.net`, currency) ?? product ?? detailSum;
  if (net !== undefined && product !== undefined && net !== product)
    throw mismatch("CLAIM_NET_MISMATCH", `${path}.net`, net, "quantity x unitPrice x factor", product, currency);
  if (net !== undefined && detailSum !== undefined && net !== detailSum)
    throw mismatch("CLAIM_NET_MISMATCH", `${path}.net`, net, "the sum of its details", detailSum, currency);
  return net;
}

function productOf(part: Element, path: string, currency: Currency): bigint | undefined {
  const quantity = read.quantity(part["quantity"], `${path}.quantity`);
  const factor = part["factor"] === undefined ? undefined : parseDecimal(part["factor"], `${path}.factor`);
  if (part["unitPrice"] === undefined) return undefined;
  // A unit price may be finer than a cent; only the product is money.
  const unitPrice = decimalMoney(part["unitPrice"], `${path}.unitPrice`, currency);
  const factors = [unitPrice, quantity?.exact, factor].filter((entry) => entry !== undefined);
  return toBaseUnits(multiplyDecimals(factors), currency, `${path}: quantity x unitPrice x factor`);
}

function decimalMoney(value: unknown, path: string, currency: Currency): ReturnType<typeof parseDecimal> {
  return parseDecimal(moneyElement(value, path, currency)["value"], `${path}.value`);
}

function money(value: unknown, path: string, currency: Currency): bigint | undefined {
  return value === undefined
    ? undefined
    : parseAmount(moneyElement(value, path, currency)["value"], currency, `${path}.value`);
}

function moneyElement(value: unknown, path: string, currency: Currency): Element {
  const element = read.element(value, path);
  const code = read.text(element["currency"], `${path}.currency`);
  if (code !== currency.code)
    throw new CarepactError("CURRENCY_MISMATCH", `${path} is in ${code}, where ${currency.code} is asked for.`, {
      path: `${path}.currency`,
      currency: code,
      expected: currency.code,
    });
  return element;
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

function mismatch(
  code: "CLAIM_TOTAL_MISMATCH" | "CLAIM_NET_MISMATCH",
  path: string,
  stated: bigint,
  what: string,
  computed: bigint,
  currency: Currency,
): CarepactError {
  const [a, b] = [formatAmount(stated, currency), formatAmount(computed, currency)];
  return new CarepactError(code, `${path} is ${a}, but ${what} is ${b}.`, { path, stated: a, computed: b });
}
