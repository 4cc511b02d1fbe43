import { usDollar, type Currency } from "../money";

import { imbalanceOfClaim, imbalanceOfTotal, type Imbalance } from "./balance835";
import { nothingBeyond, required } from "./elements";
import type { SetHead } from "./envelope";
import { readFields, type Layout, type Simple } from "./fields";
import {
  amountLayout,
  cityLayout,
  claimLayout,
  dateLayout,
  keptIn,
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
} from "./layout835";
import { readAccount, readAddressLines, readAdjustments, readProviderAdjustments } from "./repeated835";
import { readProcedure } from "./procedure";
import { keep, rawSegment, wrong, wrongElement, type Place, type Segment } from "./segment";
import type {
  Building,
  Claim835,
  Head835,
  Organization835,
  Payment835,
  ProviderAdjustment835,
  RawSegment,
  Section835,
  Service835,
} from "./types";

/** A piece of an 835, as soon as it is complete. */
export type Part835 =
  | { kind: "head"; head: Head835 }
  | { kind: "section"; section: Omit<Section835, "claims"> }
  | { kind: "claim"; claim: Claim835 }
  | { kind: "tail"; providerAdjustments: readonly ProviderAdjustment835[] };

/** Where in a transaction set the reader is. */
type Loop = "head" | "payer" | "payee" | "section" | "claim" | "service" | "tail";

const loopNames: Record<Loop, string> = {
  head: "before the payer",
  payer: "in loop 1000A (payer)",
  payee: "in loop 1000B (payee)",
  section: "in loop 2000 (LX), before a claim",
  claim: "in loop 2100 (claim)",
  service: "in loop 2110 (service)",
  tail: "after PLB",
};

/** Reads one transaction set after the other, segment by segment from ST to SE. */
export class Reader835 {
  private loop: Loop = "head";
  private head: Partial<Building<Head835>> = {};
  private section: Building<Omit<Section835, "claims">> | undefined;
  private claim: Building<Claim835> | undefined;
  /** CLP of the claim that is read. */
  private claimPlace: Place | undefined;
  private service: Building<Service835> | undefined;
  private adjustments: ProviderAdjustment835[] = [];
  private paid = 0n;
  private done: Part835[] = [];

  constructor(
    private readonly currency: Currency,
    private readonly balance: boolean,
  ) {}

  /** Takes the next segment; gives what is complete with it. */
  take(segment: Segment, setHead: () => SetHead): Part835[] {
    switch (segment.id) {
      case "ST":
        this.begin(setHead());
        break;
      case "N1":
        this.beginOrganization(segment);
        break;
      case "LX":
        this.beginSection(segment);
        break;
      case "CLP":
        this.beginClaim(segment);
        break;
      case "SVC":
        this.beginService(segment);
        break;
      case "PLB":
        this.takeProviderAdjustments(segment);
        break;
      case "SE":
        this.end(segment);
        break;
      default:
        this.takeInside(segment);
    }
    const { done } = this;
    if (done.length > 0) this.done = [];
    return done;
  }

  private begin(head: SetHead): void {
    this.loop = "head";
    this.head = { ...head, references: [], other: [] };
    this.section = this.claim = this.service = undefined;
    this.adjustments = [];
    this.paid = 0n;
  }

  private beginOrganization(n1: Segment): void {
    nothingBeyond(n1, 4);
    const role = required(n1, 1);
    if (role === "PR" && this.loop === "head") this.loop = "payer";
    else if (role === "PE" && this.loop === "payer") this.loop = "payee";
    else throw wrongElement(n1, 1, "is to be PR for the payer, and then PE for the payee", "X12_SEGMENT_UNEXPECTED");
    this.requireHead(n1);
    const organization = this.fields(n1, organizationLayout, { references: [], other: [] });
    this.head[this.loop === "payer" ? "payer" : "payee"] = organization;
  }

  private requireHead(segment: Segment): void {
    for (const [name, id] of [
      ["payment", "BPR"],
      ["trace", "TRN"],
    ] as const)
      if (this.head[name] === undefined) throw missing(segment, id);
    if (this.currency.code !== usDollar.code && this.head.other?.length === 0)
      throw wrong("CURRENCY_MISMATCH", segment, `no CUR before it, so that amounts are not in ${this.currency.code}`, {
        expected: this.currency.code,
      });
  }

  private beginSection(lx: Segment): void {
    this.leave(lx);
    nothingBeyond(lx, 1);
    const number = required(lx, 1);
    if (!/^[0-9]{1,6}$/.test(number)) throw wrongElement(lx, 1, "is not a number of up to six digits");
    this.section = { number, summaries: [] };
    this.loop = "section";
  }

  private beginClaim(clp: Segment): void {
    if (this.section === undefined || this.loop === "tail") throw this.unexpected(clp);
    if (this.loop === "section") this.done.push({ kind: "section", section: this.section });
    else this.leaveClaim();
    this.claim = this.fields(clp, claimLayout, {
      adjustments: NONE,
      parties: NONE,
      references: NONE,
      dates: NONE,
      other: [],
      amounts: NONE,
      quantities: NONE,
      services: NONE,
    });
    this.claimPlace = clp;
    this.loop = "claim";
  }

  private beginService(svc: Segment): void {
    if (this.claim === undefined) throw this.unexpected(svc);
    const procedure = readProcedure(svc, PROCEDURE_AT);
    if (procedure === undefined) throw wrongElement(svc, PROCEDURE_AT, "is missing; the guide requires it");
    const originalProcedure = readProcedure(svc, ORIGINAL_PROCEDURE_AT);
    this.service = this.fields(svc, serviceLayout, {
      procedure,
      dates: NONE,
      adjustments: NONE,
      references: NONE,
      amounts: NONE,
      quantities: NONE,
      remarks: NONE,
    });
    if (originalProcedure !== undefined) this.service.originalProcedure = originalProcedure;
    this.claim.services = append(this.claim.services, this.service);
    this.loop = "service";
  }

  private takeInside(segment: Segment): void {
    const taken =
      this.loop === "head"
        ? this.takeInHead(segment, this.head)
        : this.loop === "payer" || this.loop === "payee"
          ? this.takeInOrganization(segment, this.head[this.loop] as Building<Organization835>)
          : this.loop === "section"
            ? keep(segment, keptIn.section, (this.section as Building<Section835>).summaries)
            : this.loop === "claim"
              ? this.takeInClaim(segment, this.claim as Building<Claim835>)
              : this.loop === "service" && this.takeInService(segment, this.service as Building<Service835>);
    if (!taken) throw this.unexpected(segment);
  }

  private takeInHead(segment: Segment, head: Partial<Building<Head835>>): boolean {
    if (segment.id !== "BPR" && head.payment === undefined) throw missing(segment, "BPR");
    switch (segment.id) {
      case "BPR":
        if (head.payment !== undefined) return false;
        head.payment = this.payment(segment);
        return true;
      case "TRN":
        if (head.trace !== undefined) return false;
        head.trace = this.fields(segment, traceLayout);
        return true;
      case "REF":
        head.references?.push(this.fields(segment, referenceLayout));
        return true;
      case "DTM":
        return this.takeProductionDate(segment, head);
      case "CUR":
        this.requireCurrency(segment);
        return keep(segment, keptIn.head, head.other as RawSegment[]);
      default:
        return false;
    }
  }

  private payment(bpr: Segment): Payment835 {
    const payment = this.fields(bpr, paymentLayout);
    if (payment.amount < 0n) throw wrongElement(bpr, 2, "is below zero; a forward balance (PLB) makes it zero");
    if (payment.creditOrDebit !== "C" && payment.creditOrDebit !== "D") throw wrongElement(bpr, 3, "is not C or D");
    const [sender, receiver] = [readAccount(bpr, SENDER_AT), readAccount(bpr, RECEIVER_AT)];
    return {
      ...payment,
      ...(sender === undefined ? {} : { sender }),
      ...(receiver === undefined ? {} : { receiver }),
    };
  }

  private takeProductionDate(dtm: Segment, head: Partial<Building<Head835>>): boolean {
    const { qualifier, date } = this.fields(dtm, dateLayout);
    if (qualifier !== "405" || head.productionDate !== undefined)
      throw wrongElement(dtm, 1, "is to be 405, once", "X12_SEGMENT_UNEXPECTED");
    head.productionDate = date;
    return true;
  }

  private requireCurrency(cur: Segment): void {
    const code = required(cur, 2);
    if (code !== this.currency.code)
      throw wrongElement(
        cur,
        2,
        `is not ${this.currency.code}; read the file with its own currency`,
        "CURRENCY_MISMATCH",
        {
          expected: this.currency.code,
        },
      );
  }

  private takeInOrganization(segment: Segment, organization: Building<Organization835>): boolean {
    switch (segment.id) {
      case "N3":
        if (organization.address !== undefined) return false;
        organization.address = { lines: readAddressLines(segment) };
        return true;
      case "N4":
        if (organization.address !== undefined && Object.keys(organization.address).length > 1) return false;
        organization.address = { lines: [], ...organization.address, ...this.fields(segment, cityLayout) };
        return true;
      case "REF":
        organization.references.push(this.fields(segment, referenceLayout));
        return true;
      default:
        return keep(segment, keptIn[this.loop === "payer" ? "payer" : "payee"], organization.other);
    }
  }

  private takeInClaim(segment: Segment, claim: Building<Claim835>): boolean {
    switch (segment.id) {
      case "CAS":
        claim.adjustments = joined(claim.adjustments, readAdjustments(segment, this.currency));
        return true;
      case "NM1":
        claim.parties = append(claim.parties, this.fields(segment, partyLayout));
        return true;
      case "MIA":
        if (claim.inpatient !== undefined) return false;
        claim.inpatient = rawSegment(segment);
        return true;
      case "MOA":
        if (claim.outpatient !== undefined) return false;
        claim.outpatient = rawSegment(segment);
        return true;
      default:
        return this.takeInBoth(segment, claim) || keep(segment, keptIn.claim, claim.other);
    }
  }

  private takeInService(segment: Segment, service: Building<Service835>): boolean {
    switch (segment.id) {
      case "CAS":
        service.adjustments = joined(service.adjustments, readAdjustments(segment, this.currency));
        return true;
      case "LQ":
        service.remarks = append(service.remarks, this.fields(segment, remarkLayout));
        return true;
      default:
        return this.takeInBoth(segment, service);
    }
  }

  private takeInBoth(
    segment: Segment,
    model: Pick<Building<Service835>, "dates" | "references" | "amounts" | "quantities">,
  ): boolean {
    switch (segment.id) {
      case "DTM":
        model.dates = append(model.dates, this.fields(segment, dateLayout));
        return true;
      case "REF":
        model.references = append(model.references, this.fields(segment, referenceLayout));
        return true;
      case "AMT":
        model.amounts = append(model.amounts, this.fields(segment, amountLayout));
        return true;
      case "QTY":
        model.quantities = append(model.quantities, this.fields(segment, quantityLayout));
        return true;
      default:
        return false;
    }
  }

  private takeProviderAdjustments(plb: Segment): void {
    if (this.loop !== "tail") this.leave(plb);
    this.loop = "tail";
    this.adjustments.push(...readProviderAdjustments(plb, this.currency));
  }

  /** Hands out what stands before an LX, the first PLB, or SE. */
  private leave(next: Segment): void {
    if (this.loop === "tail") throw this.unexpected(next);
    if (this.loop === "head" || this.loop === "payer") {
      this.requireHead(next);
      throw missing(next, this.loop === "head" ? "N1*PR" : "N1*PE");
    }
    if (this.loop === "payee") this.done.push({ kind: "head", head: this.head as Head835 });
    else if (this.loop === "section")
      this.done.push({ kind: "section", section: this.section as Building<Section835> });
    else this.leaveClaim();
  }

  private leaveClaim(): void {
    const claim = this.claim as Claim835;
    const problem = this.balance ? imbalanceOfClaim(claim, this.currency) : undefined;
    if (problem !== undefined) throw unbalanced(this.claimPlace as Place, problem);
    this.paid += claim.paid;
    this.done.push({ kind: "claim", claim });
    this.claim = this.service = undefined;
  }

  private end(se: Segment): void {
    if (this.loop !== "tail") this.leave(se);
    const providerAdjustments = this.adjustments;
    const { amount } = this.head.payment as Payment835;
    const problem = this.balance ? imbalanceOfTotal(this.paid, providerAdjustments, amount, this.currency) : undefined;
    if (problem !== undefined) throw unbalanced(se, problem);
    this.done.push({ kind: "tail", providerAdjustments });
  }

  private fields<Model>(segment: Segment, layout: Layout<Model>): Simple<Model>;
  private fields<Model, Rest extends object>(segment: Segment, layout: Layout<Model>, into: Rest): Simple<Model> & Rest;
  private fields<Model>(segment: Segment, layout: Layout<Model>, into: object = {}): Simple<Model> {
    return readFields(segment, layout, this.currency, into);
  }

  private unexpected(segment: Segment): Error {
    return wrong("X12_SEGMENT_UNEXPECTED", segment, `${segment.id} has no place ${loopNames[this.loop]}`);
  }
}

/** Most lists of a claim stay empty, or have one entry: an array that grows takes room for seventeen. */
const NONE = Object.freeze([]) as unknown as never[];

function append<Entry>(list: Entry[], entry: Entry): Entry[] {
  if (list.length === 0) return [entry];
  list.push(entry);
  return list;
}

function joined<Entry>(list: Entry[], entries: Entry[]): Entry[] {
  if (list.length === 0) return entries;
  list.push(...entries);
  return list;
}

const missing = (before: Segment, id: string): Error =>
  wrong("X12_SEGMENT_MISSING", before, `the guide requires ${id} before it`, { missing: id });

const unbalanced = (place: Place, { problem, details }: Imbalance): Error =>
  wrong("X12_DOES_NOT_BALANCE", place, problem, details);
