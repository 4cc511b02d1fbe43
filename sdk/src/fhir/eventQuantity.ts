import { CarepactError } from "../errors";
import { parseDecimal, type Decimal } from "../money";

import { wait, wholeDue, type Evaluation } from "./eventMoney";
import type { DispenseTerms, LineTerms, Share } from "./events";
import type { Element, ElementReader } from "./read";

/** Codes of HL7 v3 ActPharmacySupplyType that are part fills. */
const partFills = ["FFP", "RFP", "RFPS"];

/** What a completed MedicationDispense makes due: its quantity against the one billed, once it was handed over. */
export function byQuantity(
  read: ElementReader,
  resource: Element,
  { billed, handOverRequired = true }: DispenseTerms,
): Evaluation {
  const handedOver = read.date(resource["whenHandedOver"], "MedicationDispense.whenHandedOver");
  if (handOverRequired && handedOver === undefined) return wait("not-handed-over");

  const quantity = read.quantity(resource["quantity"], "MedicationDispense.quantity");
  if (quantity?.exact.digits === 0n) return wait("quantity-zero");
  if (billed === undefined) return isPartFill(read, resource) ? wait("part-fill-without-quantity-billed") : wholeDue;

  if (quantity === undefined) return wait("quantity-missing");
  if (billed.unit !== undefined && (quantity.unit === undefined || unitOf(billed.unit) !== unitOf(quantity.unit)))
    return wait("unit-differs");

  const share = shareOf(quantity.exact, quantityBilled(billed));
  return share.dispensed >= share.billed ? wholeDue : { result: "met", share, reason: "done-in-part" };
}

/** What an event makes due of which the resource states no quantity: one unit is done. */
export function byUnit({ billed }: LineTerms): Evaluation {
  if (billed === undefined) return wholeDue;
  const { digits, scale } = quantityBilled(billed);
  return digits <= 10n ** BigInt(scale) ? wholeDue : wait("quantity-not-stated");
}

function quantityBilled({ value }: NonNullable<LineTerms["billed"]>): Decimal {
  const exact = parseDecimal(value, "billed.value");
  if (exact.digits === 0n)
    throw new CarepactError("EVENT_INVALID", "The quantity billed is zero.", { path: "billed.value" });
  return exact;
}

function isPartFill(read: ElementReader, resource: Element): boolean {
  if (resource["type"] === undefined) return false;
  const path = "MedicationDispense.type";
  return read
    .list(read.element(resource["type"], path)["coding"], `${path}.coding`)
    .some((entry, i) => partFills.includes(String(read.element(entry, `${path}.coding[${i}]`)["code"])));
}

/** UCUM writes the litre `l` or `L`; every other unit means what its letters say, in their case (`Mg` is not `mg`). */
const unitOf = (unit: string): string => unit.replace(/^([afpnumcdhk]?)l$/, "$1L");

function shareOf(dispensed: Decimal, billed: Decimal): Share {
  const scale = Math.max(dispensed.scale, billed.scale);
  const [a, b] = [dispensed, billed].map((entry) => entry.digits * 10n ** BigInt(scale - entry.scale)) as [
    bigint,
    bigint,
  ];
  const divisor = gcd(a, b);
  return { dispensed: a / divisor, billed: b / divisor };
}

function gcd(a: bigint, b: bigint): bigint {
  return b === 0n ? a : gcd(b, a % b);
}
