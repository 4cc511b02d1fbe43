import { CarepactError } from "../errors";
import { usDollar, type Currency } from "../money";

import { balance835 } from "./balance835";
import type { Composer } from "./composer";
import { EnvelopeWriter } from "./envelopeWrite";
import {
  accountFields,
  ADJUSTMENTS_OF_A_CAS,
  ADJUSTMENTS_OF_A_PLB,
  amountLayout,
  cityLayout,
  claimLayout,
  dateLayout,
  keptIn,
  longest,
  ORIGINAL_PROCEDURE_AT,
  organizationLayout,
  partyLayout,
  paymentLayout,
  PROCEDURE_AT,
  quantityLayout,
  RECEIVER_AT,
  referenceLayout,
  remarkLayout,
  SENDER_AT,
  serviceLayout,
  traceLayout,
  VERSION_835,
} from "./layout835";
import { writeProcedure } from "./procedure";
import type {
  Adjustment835,
  BankAccount,
  Claim835,
  Envelope,
  Head835,
  Organization835,
  Payment835,
  ProviderAdjustment835,
  RawSegment,
  Section835,
  Service835,
  Transaction835,
} from "./types";

/** How an 835 is written. */
export interface Write835Options {
  /** What transaction sets without an envelope of their own are sent in. */
  envelope?: Envelope;
  /** What amounts are in: US dollars unless said otherwise. Others need a CUR. */
  currency?: Currency;
  /** What is put between two segments beside the terminator; nothing unless said otherwise. */
  lineBreak?: "" | "\n" | "\r\n";
}

/** Transaction sets to write. */
export type Transactions835 = Transaction835 | Iterable<Transaction835> | AsyncIterable<Transaction835>;

/** What is handed out in one go, about. */
const PIECE = 65_536;
/** TRN02 has to fit the addenda of the payment, where the guide would allow 50. */
const LONGEST_TRACE = 30;

/**
 * Writes claim payments (X12 835, 5010 guide X221A1) piece by piece. Consecutive transaction sets of one envelope share
 * it; counts and control numbers are put in, segments in the guide's order, amounts without zeros that say nothing
 * (`450`, `450.5`, `.5`). What `parse835` reads of it equals what was given. The text is ASCII and letters of Latin-1:
 * store it as UTF-8.
 * @throws X12_DOES_NOT_BALANCE; X12_ELEMENT_INVALID, X12_AMOUNT_INVALID (more than ten digits), X12_CHARACTER_INVALID (a
 * delimiter inside a value, or no character of X12), X12_CONTROL_NUMBER_INVALID, X12_DELIMITERS_INVALID,
 * X12_ENVELOPE_INVALID, X12_SEGMENT_UNEXPECTED, X12_VERSION_UNSUPPORTED, CURRENCY_MISMATCH: `details.element` names what
 * is wrong; INPUT_INVALID where there is nothing to write
 */
export async function* write835(
  transactions: Transactions835,
  options: Write835Options = {},
): AsyncGenerator<string, void> {
  const currency = options.currency ?? usDollar;
  const lineBreak = options.lineBreak ?? "";
  const envelopes = new EnvelopeWriter("HP", VERSION_835, currency);
  let [piece, between] = ["", ""];
  const add = (segment: string): void => {
    piece += between + segment + envelopes.composer.delimiters.segment;
    between = lineBreak;
  };
  for await (const transaction of "payment" in transactions ? [transactions] : transactions) {
    for (const segment of setOf(transaction, envelopes, currency, options.envelope)) {
      add(segment);
      if (piece.length < PIECE) continue;
      yield piece;
      piece = "";
    }
  }
  if (between === "" && piece === "") throw new CarepactError("INPUT_INVALID", "There is no 835 to write.", {});
  for (const segment of envelopes.finish()) add(segment);
  yield piece;
}

/** What {@link write835} writes, as one text. @throws As {@link write835} */
export async function text835(transactions: Transactions835, options: Write835Options = {}): Promise<string> {
  let text = "";
  for await (const piece of write835(transactions, options)) text += piece;
  return text;
}

function* setOf(
  transaction: Transaction835,
  envelopes: EnvelopeWriter,
  currency: Currency,
  usualEnvelope: Envelope | undefined,
): Generator<string, void> {
  balance835(transaction, { currency });
  const envelope = transaction.envelope ?? usualEnvelope;
  if (envelope === undefined)
    throw new CarepactError("X12_ENVELOPE_INVALID", "The 835 has no envelope: give one in the options.", {
      element: "ISA01",
    });
  const { controlNumber, implementation } = transaction;
  yield* envelopes.enter(envelope, controlNumber);
  const { composer } = envelopes;
  if (implementation !== undefined && implementation !== VERSION_835)
    throw composer.wrong("ST", 3, `has to be ${VERSION_835}`, "X12_VERSION_UNSUPPORTED", { version: implementation });
  yield composer.segment("ST", ["835", controlNumber, implementation ?? ""]);
  let segments = 2;
  for (const segment of new SetWriter(composer).segments(transaction)) {
    segments += 1;
    yield segment;
  }
  yield composer.segment("SE", [String(segments), controlNumber]);
}

/** Writes what stands between ST and SE. */
class SetWriter {
  constructor(private readonly composer: Composer) {}

  *segments(transaction: Transaction835): Generator<string, void> {
    const { payer, payee, sections, providerAdjustments } = transaction;
    yield* this.head(transaction);
    yield* this.organization("PR", payer, keptIn.payer);
    yield* this.organization("PE", payee, keptIn.payee);
    for (const section of sections) yield* this.section(section);
    yield* this.providerAdjustments(providerAdjustments);
  }

  private *head({ payment, trace, references, productionDate, other }: Head835): Generator<string, void> {
    const { composer } = this;
    composer.where = "the head";
    yield this.payment(payment);
    if (trace.reference.length > LONGEST_TRACE)
      throw composer.wrong(
        "TRN",
        2,
        `has more than ${LONGEST_TRACE} characters, and would not fit the payment's addenda`,
      );
    yield composer.segment("TRN", composer.elements("TRN", traceLayout, trace));
    yield* this.kept(other, keptIn.head, "CUR");
    this.requireCurrency(other);
    for (const entry of references) yield composer.segment("REF", composer.elements("REF", referenceLayout, entry));
    if (productionDate !== undefined) yield composer.segment("DTM", ["405", composer.date("DTM", 2, productionDate)]);
  }

  private payment(payment: Payment835): string {
    const { composer } = this;
    if (payment.amount < 0n) throw composer.wrong("BPR", 2, "is below zero; a forward balance (PLB) makes it zero");
    if (payment.creditOrDebit !== "C" && payment.creditOrDebit !== "D") throw composer.wrong("BPR", 3, "is not C or D");
    const elements = composer.elements("BPR", paymentLayout, payment);
    const put = (first: number, account: BankAccount | undefined): void =>
      accountFields.forEach(([key, max], i) => {
        const value = account?.[key];
        if (value !== undefined) elements[first + i - 1] = composer.text("BPR", first + i, value, max);
      });
    put(SENDER_AT, payment.sender);
    put(RECEIVER_AT, payment.receiver);
    return composer.segment("BPR", elements);
  }

  private requireCurrency(other: readonly RawSegment[]): void {
    const { code } = this.composer.currency;
    const stated = other.map(({ elements }) => elements[1]);
    if (stated.some((entry) => entry !== code) || (code !== usDollar.code && stated.length === 0))
      throw this.composer.wrong("CUR", 2, `has to be ${code}`, "CURRENCY_MISMATCH", { expected: code });
  }

  private *organization(
    role: "PR" | "PE",
    organization: Organization835,
    keptIds: readonly string[],
  ): Generator<string, void> {
    const { composer } = this;
    const { address, references, other } = organization;
    composer.where = role === "PR" ? "the payer" : "the payee";
    const [, ...elements] = composer.elements("N1", organizationLayout, organization);
    yield composer.segment("N1", [role, ...elements]);
    yield* this.kept(other, keptIds, "N2");
    if (address !== undefined) {
      const { lines } = address;
      if (lines.length > 2) throw composer.wrong("N3", 2, "is the last line that an address has");
      if (lines.length > 0)
        yield composer.segment(
          "N3",
          lines.map((line, i) => composer.text("N3", i + 1, line, longest.addressLine)),
        );
      const city = composer.segment("N4", composer.elements("N4", cityLayout, address));
      if (city !== "N4") yield city;
      else if (lines.length === 0) throw composer.wrong("N3", 1, "is missing in an address; leave out the whole");
    }
    for (const entry of references) yield composer.segment("REF", composer.elements("REF", referenceLayout, entry));
    yield* this.kept(other, keptIds, role === "PR" ? "PER" : "RDM");
  }

  private *section({ number, summaries, claims }: Section835): Generator<string, void> {
    const { composer } = this;
    composer.where = `section ${number}`;
    if (!/^[0-9]{1,6}$/.test(number)) throw composer.wrong("LX", 1, "is not a number of up to six digits");
    yield composer.segment("LX", [number]);
    for (const id of keptIn.section) yield* this.kept(summaries, keptIn.section, id);
    for (const claim of claims) yield* this.claim(claim);
  }

  private *claim(claim: Claim835): Generator<string, void> {
    const { composer } = this;
    composer.where = `claim ${claim.claimId}`;
    yield composer.segment("CLP", composer.elements("CLP", claimLayout, claim));
    yield* this.adjustments(claim.adjustments);
    for (const party of claim.parties) yield composer.segment("NM1", composer.elements("NM1", partyLayout, party));
    yield* this.adjudication("MIA", claim.inpatient);
    yield* this.adjudication("MOA", claim.outpatient);
    yield* this.references(claim);
    yield* this.dates(claim);
    yield* this.kept(claim.other, keptIn.claim, "PER");
    yield* this.amounts(claim);
    for (const service of claim.services) yield* this.service(service);
  }

  private *adjudication(id: string, segment: RawSegment | undefined): Generator<string, void> {
    if (segment === undefined) return;
    if (segment.id !== id) throw this.composer.misplaced(segment.id);
    yield this.composer.raw(segment);
  }

  private *service(service: Service835): Generator<string, void> {
    const { composer } = this;
    const { procedure, originalProcedure, remarks } = service;
    const elements = composer.elements("SVC", serviceLayout, service);
    elements[PROCEDURE_AT - 1] = writeProcedure(composer, "SVC", PROCEDURE_AT, procedure);
    if (originalProcedure !== undefined)
      elements[ORIGINAL_PROCEDURE_AT - 1] = writeProcedure(composer, "SVC", ORIGINAL_PROCEDURE_AT, originalProcedure);
    yield composer.segment("SVC", elements);
    yield* this.dates(service);
    yield* this.adjustments(service.adjustments);
    yield* this.references(service);
    yield* this.amounts(service);
    for (const remark of remarks) yield composer.segment("LQ", composer.elements("LQ", remarkLayout, remark));
  }

  private *dates({ dates }: Pick<Service835, "dates">): Generator<string, void> {
    for (const date of dates) yield this.composer.segment("DTM", this.composer.elements("DTM", dateLayout, date));
  }

  private *references({ references }: Pick<Service835, "references">): Generator<string, void> {
    for (const entry of references)
      yield this.composer.segment("REF", this.composer.elements("REF", referenceLayout, entry));
  }

  private *amounts({ amounts, quantities }: Pick<Service835, "amounts" | "quantities">): Generator<string, void> {
    const { composer } = this;
    for (const amount of amounts) yield composer.segment("AMT", composer.elements("AMT", amountLayout, amount));
    for (const quantity of quantities)
      yield composer.segment("QTY", composer.elements("QTY", quantityLayout, quantity));
  }

  private *adjustments(adjustments: readonly Adjustment835[]): Generator<string, void> {
    const { composer } = this;
    for (const run of runsOf(adjustments, ADJUSTMENTS_OF_A_CAS, ({ group }) => group))
      yield composer.segment("CAS", [
        composer.text("CAS", 1, (run[0] as Adjustment835).group, longest.adjustmentGroup),
        ...run.flatMap(({ reason, amount, quantity }, i) => [
          composer.text("CAS", 2 + 3 * i, reason, longest.adjustmentReason),
          composer.amount("CAS", 3 + 3 * i, amount),
          quantity === undefined ? "" : composer.decimal("CAS", 4 + 3 * i, quantity),
        ]),
      ]);
  }

  private *providerAdjustments(adjustments: readonly ProviderAdjustment835[]): Generator<string, void> {
    const { composer } = this;
    composer.where = "the provider adjustments";
    const owner = ({ provider, fiscalPeriodEnd }: ProviderAdjustment835): string => `${fiscalPeriodEnd} ${provider}`;
    for (const run of runsOf(adjustments, ADJUSTMENTS_OF_A_PLB, owner)) {
      const { provider, fiscalPeriodEnd } = run[0] as ProviderAdjustment835;
      yield composer.segment("PLB", [
        composer.text("PLB", 1, provider, longest.provider),
        composer.date("PLB", 2, fiscalPeriodEnd),
        ...run.flatMap(({ reason, reference, amount }, i) => [
          composer.composite([
            composer.text("PLB", 3 + 2 * i, reason, longest.providerAdjustmentReason),
            reference === undefined ? "" : composer.text("PLB", 3 + 2 * i, reference, longest.providerReference),
          ]),
          composer.amount("PLB", 4 + 2 * i, amount),
        ]),
      ]);
    }
  }

  /** Of the segments kept here those of one kind, so that each comes where the guide has it. */
  private *kept(segments: readonly RawSegment[], allowed: readonly string[], id: string): Generator<string, void> {
    for (const segment of segments) {
      if (!allowed.includes(segment.id)) throw this.composer.misplaced(segment.id);
      if (segment.id === id) yield this.composer.raw(segment);
    }
  }
}

/** Neighbours that share what is written once before them, no more than fit a segment. */
function runsOf<Entry>(entries: readonly Entry[], most: number, key: (entry: Entry) => string): Entry[][] {
  const runs: Entry[][] = [];
  for (const entry of entries) {
    const run = runs[runs.length - 1];
    const first = run?.[0];
    if (run === undefined || first === undefined || run.length === most || key(first) !== key(entry))
      runs.push([entry]);
    else run.push(entry);
  }
  return runs;
}
