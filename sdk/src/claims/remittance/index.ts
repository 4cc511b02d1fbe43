export { unpaidPartOf } from "./claims";
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
