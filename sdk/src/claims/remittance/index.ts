export { unpaidPartOf } from "./claims";
export { adjudicatedClaimsOf, type AdvisedClaims, type AdvisedProviderPayment, type AdviceOptions } from "./from835";
export type { RemittanceAdvice } from "./remit";
export type {
  ClaimDescription,
  ClaimStatus,
  EventSource,
  ForwardedBalance,
  LineOutcome,
  ProviderAdjustmentReason,
  ProviderPaymentInput,
  Remittance,
  RemittanceOptions,
  RemittanceParty,
  RemittanceQuery,
  RemittedAdjustment,
  RemittedClaim,
  RemittedLine,
  ReversalInput,
  TransmissionInput,
} from "./types";
