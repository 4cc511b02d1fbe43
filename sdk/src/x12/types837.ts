import type { Address, Envelope, Party, Procedure, QualifiedAmount, RawSegment, Reference } from "./types";

/** NM1 with what follows it. Nothing here is interpreted. */
export interface PartyDetail extends Party {
  /** N3 and N4. */
  address?: Address;
  references: readonly Reference[];
  /** DMG, PER and PRV as they stand. */
  other: readonly RawSegment[];
}

/** Head of a set of claims: ST, BHT, and who sends it to whom. */
export interface Submission837 {
  envelope: Envelope;
  /** ST02. */
  controlNumber: string;
  /** ST03. */
  implementation?: string;
  /** BHT02: `00` original, `18` sent again. */
  purpose: string;
  /** BHT03. */
  reference: string;
  /** BHT04, as `YYYY-MM-DD`. */
  date: string;
  /** BHT05, as it stands. */
  time: string;
  /** BHT06: `CH` for claims that ask for money; others report. */
  type: string;
  /** Loop 1000A, NM1*41. */
  submitter: PartyDetail;
  /** Loop 1000B, NM1*40. */
  receiver: PartyDetail;
}

/** Billing provider: HL of level 20 with loops 2010AA to 2010AC. */
export interface BillingProvider837 {
  /** NM1*85. */
  party: PartyDetail;
  /** NM109 where NM108 is `XX`. */
  npi?: string;
  /** Pay-to address (NM1*87) and pay-to plan (NM1*PE). */
  payTo: readonly PartyDetail[];
  /** PRV and CUR as they stand. */
  other: readonly RawSegment[];
}

/** Subscriber: HL of level 22 with loops 2010BA and 2010BB. */
export interface Subscriber837 {
  /** NM1*IL. */
  party: PartyDetail;
  /** NM1*PR. */
  payer?: PartyDetail;
  /** SBR and PAT as they stand. */
  other: readonly RawSegment[];
}

/** Patient who is not the subscriber: HL of level 23 with loop 2010CA. */
export interface Patient837 {
  /** NM1*QC. */
  party: PartyDetail;
  /** PAT as it stands. */
  other: readonly RawSegment[];
}

/** DTP of one day (D8) or several (RD8). */
export interface QualifiedPeriod {
  /** DTP01: `472` is the service. */
  qualifier: string;
  /** First day, as `YYYY-MM-DD`. */
  start: string;
  /** Last day; the first where there is one only. */
  end: string;
}

/** Drug of a line, loop 2410. */
export interface Drug837 {
  /** LIN02: `N4` where the code is an NDC. */
  qualifier: string;
  /** LIN03. */
  code: string;
  /** CTP04: an exact decimal, as it stands. */
  quantity?: string;
  /** First component of CTP05. */
  unit?: string;
  /** REF: `XZ` is the prescription's number. */
  references: readonly Reference[];
}

/** Service line, loop 2400. */
export interface Line837 {
  /** LX01: one for the first. */
  lineNumber: number;
  /** SV101, SV202, SV301. Only institutional lines can be without. */
  procedure?: Procedure;
  /** SV201. */
  revenueCode?: string;
  /** SV102, SV203, SV302, in base units. */
  charge: bigint;
  /** SV104, SV205, SV306: an exact decimal, as it stands. */
  quantity?: string;
  /** SV103, SV204. */
  unit?: string;
  /** DTP*472 of the line. */
  serviceDate?: { start: string; end: string };
  /** SV107, SV311: which diagnoses of the claim, by number. */
  pointers: readonly string[];
  /** The drug's code where it is an NDC. */
  ndc?: string;
  drug?: Drug837;
  /** SV1, SV2 or SV3 as it stands. */
  service: RawSegment;
  dates: readonly QualifiedPeriod[];
  amounts: readonly QualifiedAmount[];
  references: readonly Reference[];
  /** All other segments of the line as they stand, in their order: providers (2420), adjudication by others (2430). */
  other: readonly RawSegment[];
}

/** One claim of an X12 837. Amounts are base units of the currency it was read in, cents for US dollars. */
export interface Claim837 {
  /** By GS08: 837P, 837I or 837D. */
  kind: "professional" | "institutional" | "oral";
  submission: Submission837;
  billingProvider: BillingProvider837;
  subscriber: Subscriber837;
  /** Absent where the subscriber is the patient. */
  patient?: Patient837;
  /** CLM01. */
  claimId: string;
  /** CLM02, in base units: sum of the lines' charges. */
  totalCharge: bigint;
  /** First component of CLM05: where the service was given. */
  facility?: string;
  /** Third component of CLM05: `1` original, `7` replaces, `8` takes back. */
  frequency: string;
  /** CLM as it stands. */
  information: RawSegment;
  dates: readonly QualifiedPeriod[];
  /** HI as they stand. */
  codes: readonly RawSegment[];
  amounts: readonly QualifiedAmount[];
  references: readonly Reference[];
  /** All other segments of the claim as they stand, in their order: providers (2310), other payers (2320). */
  other: readonly RawSegment[];
  lines: readonly Line837[];
}
