export { chargedClaimOf } from "./chargedClaim";
export { balance835, type Balance835, type Equation835 } from "./balance835";
export {
  loadCodeList,
  type CodeListColumns,
  type CodeListOptions,
  type LicensedCodeList,
  type ListedCode,
} from "./codeLists";
export { usualDelimiters } from "./delimiters";
export type { ReadOptions, X12Source } from "./options";
export { parse835, stream835, type Parse835Options } from "./parse835";
export { parse837 } from "./parse837";
export type { Part835 } from "./read835";
export { readSegments, type PlacedSegment } from "./sets";
export type {
  Address,
  Adjustment835,
  BankAccount,
  Claim835,
  Delimiters,
  Envelope,
  GroupHead,
  Head835,
  InterchangeHead,
  InterchangeParty,
  Organization835,
  Party,
  Payment835,
  Procedure,
  ProviderAdjustment835,
  QualifiedAmount,
  QualifiedDate,
  QualifiedQuantity,
  RawElement,
  RawSegment,
  Reference,
  Remark,
  Section835,
  Service835,
  Trace835,
  Transaction835,
} from "./types";
export { text835, write835, type Transactions835, type Write835Options } from "./write835";
export type {
  BillingProvider837,
  Claim837,
  Drug837,
  Line837,
  PartyDetail,
  Patient837,
  QualifiedPeriod,
  Submission837,
  Subscriber837,
} from "./types837";
