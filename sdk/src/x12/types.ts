/** The four characters that structure an interchange, as its ISA announces them. */
export interface Delimiters {
  /** Between elements; the character after `ISA`. */
  element: string;
  /** Between repetitions of an element: ISA11. */
  repetition: string;
  /** Between components of a composite element: ISA16. */
  component: string;
  /** After each segment; the character after ISA16. */
  segment: string;
}

/**
 * An element as it stands: text where it is simple, its components where it is a composite, its repetitions (each a list
 * of components) where it repeats. Empty components and elements at the end are left out.
 */
export type RawElement = string | readonly string[] | readonly (readonly string[])[];

/** A segment that the model keeps as it stands. */
export interface RawSegment {
  /** `MIA`, `TS3`. */
  id: string;
  /** From the first element on: `elements[0]` is MIA01. */
  elements: readonly RawElement[];
}

/** Who sends or receives an interchange. Spaces that fill the field are left out. */
export interface InterchangeParty {
  /** ISA05, ISA07: two characters. */
  qualifier: string;
  /** ISA06, ISA08: up to 15 characters. */
  id: string;
}

/** Head of an interchange, ISA. */
export interface InterchangeHead {
  /** ISA01 and ISA02, where ISA01 is not `00` or ISA02 is not blank. */
  authorization?: { qualifier: string; information: string };
  /** ISA03 and ISA04, where ISA03 is not `00` or ISA04 is not blank. */
  security?: { qualifier: string; information: string };
  sender: InterchangeParty;
  receiver: InterchangeParty;
  /** ISA09, `YYMMDD`: the standard has no century here. */
  date: string;
  /** ISA10, `HHMM`. */
  time: string;
  /** ISA13: nine digits. IEA02 repeats it. */
  controlNumber: string;
  /** ISA14: whether a TA1 is asked for. */
  acknowledgment: boolean;
  /** ISA15: production, test, or information. */
  usage: "P" | "T" | "I";
  delimiters: Delimiters;
}

/** Head of a functional group, GS. */
export interface GroupHead {
  /** GS02. */
  sender: string;
  /** GS03. */
  receiver: string;
  /** GS04, as `YYYY-MM-DD`. */
  date: string;
  /** GS05: `HHMM`, `HHMMSS` or `HHMMSSDD`. */
  time: string;
  /** GS06: one to nine digits. GE02 repeats it. */
  controlNumber: string;
  /** GS08: `005010X221A1` for an 835. */
  version: string;
}

/** What a transaction set is sent in. */
export interface Envelope {
  interchange: InterchangeHead;
  group: GroupHead;
}

/** An account at a bank. */
export interface BankAccount {
  /** BPR06, BPR12: kind of number that names the bank. */
  bankQualifier?: string;
  /** BPR07, BPR13. */
  bank?: string;
  /** BPR08, BPR14: kind of account. */
  accountQualifier?: string;
  /** BPR09, BPR15. */
  account?: string;
}

/** Financial information, BPR. */
export interface Payment835 {
  /** BPR01: what the receiver does with it, such as `I` (remittance only) or `H` (no payment). */
  handling: string;
  /** BPR02 in base units: sum of CLP04 less sum of PLB amounts. Never below zero. */
  amount: bigint;
  /** BPR03: credit or debit. It says who starts the transfer and changes no sign. */
  creditOrDebit: "C" | "D";
  /** BPR04: `ACH`, `CHK`, `NON` and others. */
  method: string;
  /** BPR05. */
  format?: string;
  /** BPR06 to BPR09: the payer's account. */
  sender?: BankAccount;
  /** BPR10: originating company identifier. */
  originator?: string;
  /** BPR11. */
  originatorSupplement?: string;
  /** BPR12 to BPR15: the payee's account. */
  receiver?: BankAccount;
  /** BPR16, as `YYYY-MM-DD`: when the money moves. */
  date: string;
}

/** Reassociation trace number, TRN: ties the remittance to the payment. */
export interface Trace835 {
  /** TRN01; `1` in every 835. */
  type: string;
  /** TRN02: at most 30 characters where written, so that it fits the payment's addenda; up to 50 are read. */
  reference: string;
  /** TRN03: originating company identifier. */
  originator: string;
  /** TRN04. */
  supplement?: string;
}

/** REF: a number of somebody's, named by its kind. */
export interface Reference {
  /** REF01. */
  qualifier: string;
  /** REF02. */
  value: string;
  /** REF03. */
  description?: string;
}

/** DTM: a date, named by its kind. */
export interface QualifiedDate {
  /** DTM01. */
  qualifier: string;
  /** DTM02, as `YYYY-MM-DD`. */
  date: string;
}

/** AMT: an amount beside those that are summed. */
export interface QualifiedAmount {
  /** AMT01. */
  qualifier: string;
  /** AMT02, in base units. */
  amount: bigint;
}

/** QTY. */
export interface QualifiedQuantity {
  /** QTY01. */
  qualifier: string;
  /** QTY02: an exact decimal, written as it was. */
  quantity: string;
}

/** N3 and N4. */
export interface Address {
  /** N301 and N302. */
  lines: readonly string[];
  /** N401. */
  city?: string;
  /** N402. */
  state?: string;
  /** N403. */
  postalCode?: string;
  /** N404. */
  country?: string;
  /** N407. */
  subdivision?: string;
}

/** Payer (loop 1000A, N1*PR) or payee (loop 1000B, N1*PE). */
export interface Organization835 {
  /** N102. */
  name?: string;
  /** N103: `XX` where the id is an NPI, `FI` where it is a tax number, `XV` where it is a plan's. */
  idQualifier?: string;
  /** N104. */
  id?: string;
  address?: Address;
  /** REF: `TJ` is a tax number. */
  references: readonly Reference[];
  /** N2, PER and RDM as they stand. */
  other: readonly RawSegment[];
}

/** NM1: somebody in a claim. Nothing here is interpreted. */
export interface Party {
  /** NM101: `QC` is the patient, `IL` the insured, `82` who gave the service. */
  role: string;
  /** NM102: `1` is a person, `2` is not. */
  type: string;
  /** NM103: last name, or name of an organization. */
  name?: string;
  /** NM104. */
  firstName?: string;
  /** NM105. */
  middleName?: string;
  /** NM106. */
  prefix?: string;
  /** NM107. */
  suffix?: string;
  /** NM108: `XX` where the id is an NPI. */
  idQualifier?: string;
  /** NM109. */
  id?: string;
}

/** One reason, amount and quantity of a CAS: what is not paid of a charge, and why. */
export interface Adjustment835 {
  /** CAS01: who bears it, such as `CO` or `PR`. */
  group: string;
  /** CAS02, 05, 08, 11, 14, 17: claim adjustment reason code. */
  reason: string;
  /** CAS03 and on, in base units: above zero lowers what is paid. */
  amount: bigint;
  /** CAS04 and on: units adjusted, an exact decimal, written as it was. */
  quantity?: string;
}

/** A medical procedure identifier: SVC01, SVC06. */
export interface Procedure {
  /** First component: whose code it is, such as `HC`, `NU`, `N4`. */
  qualifier: string;
  /** Second component. */
  code: string;
  /** Third to sixth component. */
  modifiers: readonly string[];
  /** Seventh component. */
  description?: string;
}

/** LQ: a remark about a service. */
export interface Remark {
  /** LQ01: `HE` for remittance advice remark codes, `RX` for pharmacy reject codes. */
  list: string;
  /** LQ02. */
  code: string;
}

/** Service payment, loop 2110. SVC02 - sum of CAS = SVC03. */
export interface Service835 {
  /** SVC01: what was paid. */
  procedure: Procedure;
  /** SVC02, in base units. */
  charge: bigint;
  /** SVC03, in base units. */
  paid: bigint;
  /** SVC04. */
  revenueCode?: string;
  /** SVC05: units paid, an exact decimal, written as it was; one where it is absent. */
  units?: string;
  /** SVC06: what was billed, where it is not what was paid. */
  originalProcedure?: Procedure;
  /** SVC07: units billed, where they are not those paid. */
  originalUnits?: string;
  /** DTM: `472` is the day of service, `150` and `151` its first and last. */
  dates: readonly QualifiedDate[];
  adjustments: readonly Adjustment835[];
  /** REF: `6R` is the provider's control number of the line. */
  references: readonly Reference[];
  amounts: readonly QualifiedAmount[];
  quantities: readonly QualifiedQuantity[];
  remarks: readonly Remark[];
}

/** Claim payment, loop 2100. CLP03 - sum of CAS of the claim and of its services = CLP04. */
export interface Claim835 {
  /** CLP01: the provider's number of the claim, CLM01 of the 837. */
  claimId: string;
  /** CLP02: `1` primary, `2` secondary, `3` tertiary, `4` denied, `22` reversal of an earlier payment. */
  status: string;
  /** CLP03, in base units. Below zero in a reversal. */
  charge: bigint;
  /** CLP04, in base units. Below zero in a reversal. */
  paid: bigint;
  /** CLP05, in base units. */
  patientResponsibility?: bigint;
  /** CLP06: claim filing indicator. */
  filing?: string;
  /** CLP07: the payer's number of the claim. */
  payerClaimId?: string;
  /** CLP08. */
  facility?: string;
  /** CLP09: claim frequency. */
  frequency?: string;
  /** CLP10. */
  patientStatus?: string;
  /** CLP11: diagnosis related group. */
  drg?: string;
  /** CLP12: an exact decimal, written as it was. */
  drgWeight?: string;
  /** CLP13: an exact decimal, written as it was. */
  dischargeFraction?: string;
  /** CAS of the claim itself; those of its services are theirs. */
  adjustments: readonly Adjustment835[];
  parties: readonly Party[];
  /** MIA: inpatient adjudication, as it stands. */
  inpatient?: RawSegment;
  /** MOA: outpatient adjudication, as it stands. */
  outpatient?: RawSegment;
  references: readonly Reference[];
  /** DTM: `232` and `233` are first and last day of the claim, `050` the day it was received. */
  dates: readonly QualifiedDate[];
  /** PER as it stands. */
  other: readonly RawSegment[];
  amounts: readonly QualifiedAmount[];
  quantities: readonly QualifiedQuantity[];
  services: readonly Service835[];
}

/** Loop 2000: claims under one LX. */
export interface Section835 {
  /** LX01. */
  number: string;
  /** TS3 and TS2 as they stand. */
  summaries: readonly RawSegment[];
  claims: readonly Claim835[];
}

/** One reason and amount of a PLB: money that belongs to no claim of this remittance. */
export interface ProviderAdjustment835 {
  /** PLB01: provider, by the number the payee is known by. */
  provider: string;
  /** PLB02, as `YYYY-MM-DD`: end of the provider's fiscal year. */
  fiscalPeriodEnd: string;
  /** First component of PLB03, 05, 07, 09, 11, 13: `WO` recoupment, `72` authorised return, `L6` interest, `FB` forward balance. */
  reason: string;
  /** Second component. */
  reference?: string;
  /** PLB04 and on, in base units: above zero lowers the payment, below zero raises it. */
  amount: bigint;
}

/** What of a remittance stands before its claims. */
export interface Head835 {
  /** What it came in. Left out, the writer takes the one that its options give. */
  envelope?: Envelope;
  /** ST02: four to nine characters. SE02 repeats it. */
  controlNumber: string;
  /** ST03, where somebody writes it: the version again. */
  implementation?: string;
  /** BPR. */
  payment: Payment835;
  /** TRN. */
  trace: Trace835;
  /** REF before the parties: `EV` receiver, `F2` version. */
  references: readonly Reference[];
  /** DTM*405, as `YYYY-MM-DD`: up to when claims are in this remittance. */
  productionDate?: string;
  /** Loop 1000A. */
  payer: Organization835;
  /** Loop 1000B. */
  payee: Organization835;
  /** CUR as it stands. */
  other: readonly RawSegment[];
}

/**
 * A health care claim payment: one X12 835 transaction set of the 5010 guide X221A1. Amounts are base units of the
 * currency it was read in or is written in, cents for US dollars. Dates are `YYYY-MM-DD`, and as they stand: a payer's
 * file may name a day that does not exist.
 */
export interface Transaction835 extends Head835 {
  sections: readonly Section835[];
  /** PLB. */
  providerAdjustments: readonly ProviderAdjustment835[];
}

/** @internal A model while it is read. */
export type Building<Model> = {
  -readonly [Key in keyof Model]: Model[Key] extends readonly (infer Entry)[] ? Entry[] : Model[Key];
};
