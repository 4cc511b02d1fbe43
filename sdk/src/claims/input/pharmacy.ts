import { toPlainJson } from "../../encryption";
import { CarepactError } from "../../errors";
import { formatDecimal, parseAmount, parseDecimal, usDollar, type Currency, type DecimalInput } from "../../money";
import { schemaReader } from "../schema";

import { requireBalanced, unbalanced, type AdjudicatedClaim, type Adjustment } from "./adjudicated";
import { adjustmentReasons, impliedAdjustments } from "./adjustments";
import { requireDate, requireNpi, requirePayee } from "./identifiers";
import schema from "./pharmacy-claim.schema.json";

/** HL7 Confidentiality code. */
export type Sensitivity = "U" | "L" | "M" | "N" | "R" | "V";

/**
 * A pharmacy claim with the payer's answer, in the words of NCPDP Telecommunication D.0 (field numbers in
 * `pharmacy-claim.schema.json`). Amounts are decimals in `currency`, best as strings.
 */
export interface PharmacyClaim {
  kind: "pharmacy";
  claimId: string;
  currency: string;
  /** P paid, C captured, R rejected, D duplicate. */
  transactionResponseStatus: "P" | "C" | "R" | "D";
  pharmacyNpi: string;
  prescriptionReferenceNumber: string;
  fillNumber: number;
  /** See `DispenseIdentity.partialFillNumber`. */
  partialFillNumber?: number;
  /** ISO 8601 date. */
  dateOfService: string;
  productServiceId: string;
  quantityDispensed: DecimalInput;
  unitOfMeasure?: string;
  daysSupply: number;
  grossAmountDue?: DecimalInput;
  ingredientCostPaid: DecimalInput;
  dispensingFeePaid?: DecimalInput;
  flatSalesTaxAmountPaid?: DecimalInput;
  percentageSalesTaxAmountPaid?: DecimalInput;
  incentiveAmountPaid?: DecimalInput;
  professionalServiceFeePaid?: DecimalInput;
  otherAmountPaid?: DecimalInput;
  patientPayAmount: DecimalInput;
  amountAppliedToPeriodicDeductible?: DecimalInput;
  amountOfCoinsurance?: DecimalInput;
  amountOfCopay?: DecimalInput;
  otherPayerAmountRecognized?: DecimalInput;
  totalAmountPaid: DecimalInput;
  sensitivity?: Sensitivity;
  consentReference?: string;
  /** See `AdjudicatedClaim.patientKeys`. */
  patientKeys?: string[];
}

/** Who is paid, and in what. */
export interface ReadOptions {
  /** Account of the provider, as the directory gave it. */
  payee: string | undefined;
  /** US dollars unless said otherwise. */
  currency?: Currency;
}

const read = schemaReader<PharmacyClaim>(schema, "INPUT_INVALID", "PharmacyClaim");

const paidParts = [
  "ingredientCostPaid",
  "dispensingFeePaid",
  "flatSalesTaxAmountPaid",
  "percentageSalesTaxAmountPaid",
  "incentiveAmountPaid",
  "professionalServiceFeePaid",
  "otherAmountPaid",
] as const;

const patientParts = [
  ["amountAppliedToPeriodicDeductible", adjustmentReasons.deductible],
  ["amountOfCoinsurance", adjustmentReasons.coinsurance],
  ["amountOfCopay", adjustmentReasons.copay],
] as const;

const unpaid = {
  C: "it was captured, its price is not final",
  R: "it was rejected",
  D: "it is a duplicate of a claim that was answered before",
};

/**
 * Reads a paid pharmacy claim. NCPDP: amounts paid - patient pay - other payers = total amount paid (509-F9).
 * @throws INPUT_INVALID, IDENTIFIER_INVALID, PAYEE_UNKNOWN, CLAIM_NOT_FUNDABLE, CLAIM_DOES_NOT_BALANCE,
 * CURRENCY_MISMATCH, and the AMOUNT_ codes
 */
export function readPharmacyClaim(input: PharmacyClaim, options: ReadOptions): AdjudicatedClaim {
  const currency = options.currency ?? usDollar;
  const resource = toPlainJson(input);
  const claim = read(resource);
  requireCurrency(claim.currency, currency);
  const status = claim.transactionResponseStatus;
  if (status !== "P")
    throw new CarepactError("CLAIM_NOT_FUNDABLE", `Claim ${claim.claimId} is not paid: ${unpaid[status]}.`, {
      path: "$.transactionResponseStatus",
      value: status,
    });
  const pharmacyNpi = requireNpi(claim.pharmacyNpi, "$.pharmacyNpi");
  const dateOfService = requireDate(claim.dateOfService, "$.dateOfService");
  const quantity = formatDecimal(parseDecimal(claim.quantityDispensed, "$.quantityDispensed"));

  const amount = (name: keyof PharmacyClaim): bigint =>
    claim[name] === undefined ? 0n : parseAmount(claim[name], currency, `$.${name}`);
  const allowed = paidParts.reduce((sum, name) => sum + amount(name), 0n);
  const charge = claim.grossAmountDue === undefined ? allowed : amount("grossAmountDue");
  const patientShare = amount("patientPayAmount");
  const otherPayers = amount("otherPayerAmountRecognized");
  const planPays = amount("totalAmountPaid");
  if (planPays !== allowed - patientShare - otherPayers)
    throw unbalanced(
      "sum of amounts paid = totalAmountPaid",
      "claim",
      currency,
      allowed - patientShare - otherPayers,
      planPays,
    );

  const implied = impliedAdjustments({ charge, allowed, patientShare, otherPayers });
  const adjustments = [
    ...implied.filter(({ group }) => group !== "PR"),
    ...patientAdjustments(claim, amount, patientShare, currency),
  ];
  const { prescriptionReferenceNumber, fillNumber, partialFillNumber } = claim;
  return requireBalanced({
    claimId: claim.claimId,
    kind: "pharmacy",
    payee: requirePayee(options.payee, `the pharmacy with NPI ${pharmacyNpi}`),
    currency,
    charge,
    planPays,
    lines: [
      {
        lineNumber: 1,
        event: {
          kind: "dispense",
          pharmacyNpi,
          prescriptionReferenceNumber,
          fillNumber,
          ...(partialFillNumber === undefined ? {} : { partialFillNumber }),
          dateOfService,
        },
        quantity: { value: quantity, ...(claim.unitOfMeasure === undefined ? {} : { unit: claim.unitOfMeasure }) },
        charge,
        allowed,
        patientShare,
        otherPayers,
        adjustments,
        planPays,
      },
    ],
    ...(claim.sensitivity === undefined ? {} : { sensitivity: claim.sensitivity }),
    ...(claim.consentReference === undefined ? {} : { consentReference: claim.consentReference }),
    ...(claim.patientKeys === undefined ? {} : { patientKeys: claim.patientKeys }),
    resource,
  });
}

/** 505-F5 by its parts where these are stated; as a copay where they are not. */
function patientAdjustments(
  claim: PharmacyClaim,
  amount: (name: keyof PharmacyClaim) => bigint,
  patientShare: bigint,
  currency: Currency,
): Adjustment[] {
  const adjust = (reason: string, value: bigint): Adjustment[] =>
    value === 0n ? [] : [{ group: "PR", reason, amount: value }];
  if (patientParts.every(([name]) => claim[name] === undefined)) return adjust(adjustmentReasons.copay, patientShare);

  const parts = patientParts.reduce((sum, [name]) => sum + amount(name), 0n);
  if (parts !== patientShare)
    throw unbalanced("deductible + coinsurance + copay = patientPayAmount", "claim", currency, parts, patientShare);
  return patientParts.flatMap(([name, reason]) => adjust(reason, amount(name)));
}

/** @internal */
export function requireCurrency(code: string, expected: Currency): void {
  if (code !== expected.code)
    throw new CarepactError("CURRENCY_MISMATCH", `The claim is in ${code}, where ${expected.code} is asked for.`, {
      path: "$.currency",
      currency: code,
      expected: expected.code,
    });
}
