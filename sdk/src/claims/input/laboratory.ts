import { toPlainJson } from "../../encryption";
import { CarepactError } from "../../errors";
import { parseAmount, usDollar, type Currency, type DecimalInput } from "../../money";
import { schemaReader } from "../schema";

import { requireBalanced, type AdjudicatedClaim, type AdjudicatedLine } from "./adjudicated";
import { impliedAdjustments, parseAdjustments, type AdjustmentInput } from "./adjustments";
import { requireClia, requireDate, requireNpi, requirePayee } from "./identifiers";
import schema from "./laboratory-claim.schema.json";
import { requireCurrency, type ReadOptions, type Sensitivity } from "./pharmacy";

/** A test on a laboratory claim. Amounts are decimals, best as strings. */
export interface LaboratoryClaimLine {
  lineNumber: number;
  procedureCode: string;
  charge: DecimalInput;
  allowed: DecimalInput;
  patientResponsibility: DecimalInput;
  otherPayers?: DecimalInput;
  /** Left out: contractual down to `allowed`, the patient's share as copay, other payers as theirs. */
  adjustments?: AdjustmentInput[];
  planPays: DecimalInput;
}

/** A laboratory claim with the payer's answer (X12 elements in `laboratory-claim.schema.json`). */
export interface LaboratoryClaim {
  kind: "laboratory";
  claimId: string;
  currency: string;
  /** 835 CLP02: 1 primary, 2 secondary, 3 tertiary can be funded; 4 is denied, 22 a reversal. */
  claimStatusCode: string;
  laboratoryNpi: string;
  clia: string;
  accessionNumber: string;
  /** ISO 8601 date. */
  collectionDate: string;
  lines: LaboratoryClaimLine[];
  sensitivity?: Sensitivity;
  consentReference?: string;
  /** See `AdjudicatedClaim.patientKeys`. */
  patientKeys?: string[];
}

const read = schemaReader<LaboratoryClaim>(schema, "INPUT_INVALID", "LaboratoryClaim");

const processed = ["1", "2", "3"];

/**
 * Reads a processed laboratory claim. X12: charge - adjustments = paid, and allowed = paid + patient + other payers.
 * @throws INPUT_INVALID, IDENTIFIER_INVALID, PAYEE_UNKNOWN, CLAIM_NOT_FUNDABLE, CLAIM_DOES_NOT_BALANCE,
 * CLAIM_DUPLICATE_LINE, CURRENCY_MISMATCH, and the AMOUNT_ codes
 */
export function readLaboratoryClaim(input: LaboratoryClaim, options: ReadOptions): AdjudicatedClaim {
  const currency = options.currency ?? usDollar;
  const resource = toPlainJson(input);
  const claim = read(resource);
  requireCurrency(claim.currency, currency);
  if (!processed.includes(claim.claimStatusCode))
    throw new CarepactError(
      "CLAIM_NOT_FUNDABLE",
      `Claim ${claim.claimId} has status ${claim.claimStatusCode} (835 CLP02): only a processed one (1, 2, 3) is paid.`,
      { path: "$.claimStatusCode", value: claim.claimStatusCode },
    );
  const npi = requireNpi(claim.laboratoryNpi, "$.laboratoryNpi");
  requireClia(claim.clia, "$.clia");
  requireDate(claim.collectionDate, "$.collectionDate");

  const lines = claim.lines.map((line, i) => readLine(claim, line, `$.lines[${i}]`, currency));
  return requireBalanced({
    claimId: claim.claimId,
    kind: "laboratory",
    payee: requirePayee(options.payee, `the laboratory with NPI ${npi}`),
    currency,
    charge: lines.reduce((sum, line) => sum + line.charge, 0n),
    planPays: lines.reduce((sum, line) => sum + line.planPays, 0n),
    lines,
    ...(claim.sensitivity === undefined ? {} : { sensitivity: claim.sensitivity }),
    ...(claim.consentReference === undefined ? {} : { consentReference: claim.consentReference }),
    ...(claim.patientKeys === undefined ? {} : { patientKeys: claim.patientKeys }),
    resource,
  });
}

function readLine(
  { clia, accessionNumber, collectionDate }: LaboratoryClaim,
  line: LaboratoryClaimLine,
  path: string,
  currency: Currency,
): AdjudicatedLine {
  const amounts = {
    charge: parseAmount(line.charge, currency, `${path}.charge`),
    allowed: parseAmount(line.allowed, currency, `${path}.allowed`),
    patientShare: parseAmount(line.patientResponsibility, currency, `${path}.patientResponsibility`),
    otherPayers: line.otherPayers === undefined ? 0n : parseAmount(line.otherPayers, currency, `${path}.otherPayers`),
  };
  return {
    lineNumber: line.lineNumber,
    event: { kind: "diagnosticReport", clia, accessionNumber, procedureCode: line.procedureCode, collectionDate },
    ...amounts,
    adjustments:
      line.adjustments === undefined ? impliedAdjustments(amounts) : parseAdjustments(line.adjustments, currency, path),
    planPays: parseAmount(line.planPays, currency, `${path}.planPays`),
  };
}
