import { layout } from "./fields";
import type {
  Address,
  Claim835,
  Organization835,
  Party,
  Payment835,
  QualifiedAmount,
  QualifiedDate,
  QualifiedQuantity,
  Reference,
  Remark,
  Service835,
  Trace835,
} from "./types";

/** GS08 of the one 835 that is read and written. */
export const VERSION_835 = "005010X221A1";

/** BPR, the accounts apart. */
export const paymentLayout = layout<Payment835>(16, [
  [1, "handling", 2, "required"],
  [2, "amount", "amount", "required"],
  [3, "creditOrDebit", 1, "required"],
  [4, "method", 3, "required"],
  [5, "format", 10],
  [10, "originator", 10],
  [11, "originatorSupplement", 9],
  [16, "date", "date", "required"],
]);

/** Keys of an account, in the order of BPR06 to BPR09 and BPR12 to BPR15, with their longest. */
export const accountFields = [
  ["bankQualifier", 2],
  ["bank", 12],
  ["accountQualifier", 3],
  ["account", 35],
] as const;
export const SENDER_AT = 6;
export const RECEIVER_AT = 12;

export const traceLayout = layout<Trace835>(4, [
  [1, "type", 2, "required"],
  [2, "reference", 50, "required"],
  [3, "originator", 10, "required"],
  [4, "supplement", 50],
]);

export const referenceLayout = layout<Reference>(3, [
  [1, "qualifier", 3, "required"],
  [2, "value", 50, "required"],
  [3, "description", 80],
]);

export const dateLayout = layout<QualifiedDate>(2, [
  [1, "qualifier", 3, "required"],
  [2, "date", "date", "required"],
]);

export const amountLayout = layout<QualifiedAmount>(2, [
  [1, "qualifier", 3, "required"],
  [2, "amount", "amount", "required"],
]);

export const quantityLayout = layout<QualifiedQuantity>(2, [
  [1, "qualifier", 2, "required"],
  [2, "quantity", "decimal", "required"],
]);

/** N1, whose first element says whether it is payer or payee. */
export const organizationLayout = layout<Organization835>(4, [
  [2, "name", 60],
  [3, "idQualifier", 2],
  [4, "id", 80],
]);

/** N4. */
export const cityLayout = layout<Address>(7, [
  [1, "city", 30],
  [2, "state", 2],
  [3, "postalCode", 15],
  [4, "country", 3],
  [7, "subdivision", 3],
]);

export const partyLayout = layout<Party>(9, [
  [1, "role", 3, "required"],
  [2, "type", 1, "required"],
  [3, "name", 60],
  [4, "firstName", 35],
  [5, "middleName", 25],
  [6, "prefix", 10],
  [7, "suffix", 10],
  [8, "idQualifier", 2],
  [9, "id", 80],
]);

export const claimLayout = layout<Claim835>(13, [
  [1, "claimId", 38, "required"],
  [2, "status", 2, "required"],
  [3, "charge", "amount", "required"],
  [4, "paid", "amount", "required"],
  [5, "patientResponsibility", "amount"],
  [6, "filing", 2],
  [7, "payerClaimId", 50],
  [8, "facility", 2],
  [9, "frequency", 1],
  [10, "patientStatus", 2],
  [11, "drg", 4],
  [12, "drgWeight", "decimal"],
  [13, "dischargeFraction", "decimal"],
]);

/** SVC, the procedures apart. */
export const serviceLayout = layout<Service835>(7, [
  [2, "charge", "amount", "required"],
  [3, "paid", "amount", "required"],
  [4, "revenueCode", 48],
  [5, "units", "decimal"],
  [7, "originalUnits", "decimal"],
]);
export const PROCEDURE_AT = 1;
export const ORIGINAL_PROCEDURE_AT = 6;

export const remarkLayout = layout<Remark>(2, [
  [1, "list", 3, "required"],
  [2, "code", 30, "required"],
]);

/** CAS: a group, and up to six of reason, amount and quantity. */
export const ADJUSTMENTS_OF_A_CAS = 6;
/** PLB: a provider, a date, and up to six of reason and amount. */
export const ADJUSTMENTS_OF_A_PLB = 6;

/** Most characters of what stands in segments that repeat inside. */
export const longest = {
  adjustmentGroup: 2,
  adjustmentReason: 5,
  provider: 50,
  providerAdjustmentReason: 2,
  providerReference: 50,
  addressLine: 55,
} as const;

/** Segments that are kept as they stand, by where. */
export const keptIn = {
  head: ["CUR"],
  payer: ["N2", "PER"],
  payee: ["N2", "RDM"],
  section: ["TS3", "TS2"],
  claim: ["PER"],
} as const;
