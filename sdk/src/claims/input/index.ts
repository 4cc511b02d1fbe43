export { adjudicate, type ClaimDecision, type LineDecision } from "./adjudicate";
export {
  adjustmentGroups,
  requireBalanced,
  type AdjudicatedClaim,
  type AdjudicatedLine,
  type Adjustment,
  type AdjustmentGroup,
  type BalanceEquation,
  type ClaimKind,
  type LineReference,
} from "./adjudicated";
export { adjustmentReasons, type AdjustmentInput } from "./adjustments";
export {
  eventKeyOf,
  saltedEventKeyOf,
  type ClaimItemIdentity,
  type DiagnosticReportIdentity,
  type DispenseIdentity,
  type EventIdentity,
} from "./event";
export { isNpi } from "./identifiers";
export { readLaboratoryClaim, type LaboratoryClaim, type LaboratoryClaimLine } from "./laboratory";
export { readPharmacyClaim, type PharmacyClaim, type ReadOptions, type Sensitivity } from "./pharmacy";
