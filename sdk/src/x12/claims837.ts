import { formatAmount, type Currency } from "../money";

import { amountOf, composite, dateOf, isDecimal, nothingBeyond, optional, required } from "./elements";
import { readFields } from "./fields";
import { amountLayout, referenceLayout } from "./layout835";
import { kept837, services837 } from "./layout837";
import { readProcedure } from "./procedure";
import { keep, rawSegment, wrong, wrongElement, type Segment } from "./segment";
import type { Building } from "./types";
import type { Claim837, Drug837, Line837, QualifiedPeriod } from "./types837";

type ClaimItself = Omit<Claim837, "submission" | "billingProvider" | "subscriber" | "patient">;
type Kind = Claim837["kind"];

/** Where DTP, AMT and REF are of the claim or line itself: before a loop of others begins. */
const BEGINS_LOOP = new Set(["NM1", "SBR", "SVD", "LQ"]);

/** Reads one claim, loop 2300 and below, from CLM on. */
export class ClaimReader {
  private readonly claim: Building<ClaimItself>;
  private line: LineReader | undefined;
  private inLoop = false;

  constructor(
    private readonly clm: Segment,
    private readonly kind: Kind,
    private readonly currency: Currency,
  ) {
    const claimId = required(clm, 1);
    if (claimId.length > 38) throw wrongElement(clm, 1, "has more than 38 characters");
    const totalCharge = amountOf(clm, 2, required(clm, 2), currency);
    if (totalCharge < 0n) throw wrongElement(clm, 2, "is below zero", "X12_AMOUNT_INVALID");
    const [facility, , frequency] = composite(clm, 5);
    if (!frequency) throw wrongElement(clm, 5, "has no third component, the claim's frequency");
    this.claim = {
      kind,
      claimId,
      totalCharge,
      ...(facility ? { facility } : {}),
      frequency,
      information: rawSegment(clm),
      dates: [],
      codes: [],
      amounts: [],
      references: [],
      other: [],
      lines: [],
    };
  }

  /** Takes a segment after CLM; says whether it has a place. */
  take(segment: Segment): boolean {
    if (segment.id === "LX") {
      this.leaveLine();
      this.line = new LineReader(segment, this.claim.lines.length + 1, this.kind, this.currency);
      return true;
    }
    if (this.line !== undefined) return this.line.take(segment);
    if (BEGINS_LOOP.has(segment.id)) this.inLoop = true;
    if (segment.id === "HI") return this.claim.codes.push(rawSegment(segment)) > 0;
    if (!this.inLoop && takeOwn(segment, this.claim, this.currency)) return true;
    return keep(segment, kept837.claim, this.claim.other);
  }

  /** @throws X12_SEGMENT_MISSING, X12_DOES_NOT_BALANCE */
  finish(next: Segment): ClaimItself {
    this.leaveLine();
    const { claim, clm, currency } = this;
    if (claim.lines.length === 0)
      throw wrong("X12_SEGMENT_MISSING", next, `claim ${claim.claimId} has no LX before it`, { missing: "LX" });
    const sum = claim.lines.reduce((total, { charge }) => total + charge, 0n);
    if (sum !== claim.totalCharge) {
      const { id, charge } = services837[this.kind];
      const equation = `sum of ${id}0${charge} = CLM02`;
      const [stated, computed] = [formatAmount(claim.totalCharge, currency), formatAmount(sum, currency)];
      throw wrong(
        "X12_DOES_NOT_BALANCE",
        clm,
        `claim ${claim.claimId}: ${equation} fails: CLM02 is ${stated}, but the other side is ${computed}`,
        { equation, stated, computed, claimId: claim.claimId },
      );
    }
    return claim;
  }

  private leaveLine(): void {
    if (this.line !== undefined) this.claim.lines.push(this.line.finish());
    this.line = undefined;
  }
}

/** Reads one service line, loop 2400 and below, from LX on. */
class LineReader {
  private line: Building<Line837> | undefined;
  private drug: Building<Drug837> | undefined;
  private readonly lineNumber: number;
  private inLoop = false;

  constructor(
    private readonly lx: Segment,
    expected: number,
    private readonly kind: Kind,
    private readonly currency: Currency,
  ) {
    nothingBeyond(lx, 1);
    if (required(lx, 1) !== String(expected))
      throw wrongElement(lx, 1, `is to be ${expected}: the lines of a claim are numbered from one`);
    this.lineNumber = expected;
  }

  take(segment: Segment): boolean {
    if (this.line === undefined) {
      if (segment.id !== services837[this.kind].id) throw this.missing(segment);
      this.line = this.service(segment);
      return true;
    }
    if (BEGINS_LOOP.has(segment.id)) this.inLoop = true;
    if (!this.inLoop && this.takeDrug(segment)) return true;
    if (!this.inLoop && this.drug === undefined && takeOwn(segment, this.line, this.currency)) return true;
    return keep(segment, kept837.line, this.line.other);
  }

  finish(): Line837 {
    if (this.line === undefined) throw this.missing(this.lx);
    const { line, drug } = this;
    const service = line.dates.find(({ qualifier }) => qualifier === "472");
    if (service !== undefined) line.serviceDate = { start: service.start, end: service.end };
    if (drug === undefined) return line;
    return { ...line, drug, ...(drug.qualifier === "N4" ? { ndc: drug.code } : {}) };
  }

  private missing(place: Segment): Error {
    const { id } = services837[this.kind];
    return wrong("X12_SEGMENT_MISSING", place, `the guide requires ${id} right after LX`, { missing: id });
  }

  private service(segment: Segment): Building<Line837> {
    const { procedure: at, charge, quantity, pointers, fields } = services837[this.kind];
    const procedure = readProcedure(segment, at);
    if (procedure === undefined && this.kind !== "institutional")
      throw wrongElement(segment, at, "is missing; the guide requires it");
    const line = readFields(segment, fields, this.currency, {
      lineNumber: this.lineNumber,
      ...(procedure === undefined ? {} : { procedure }),
      pointers: pointers === undefined ? [] : composite(segment, pointers),
      service: rawSegment(segment),
      dates: [],
      amounts: [],
      references: [],
      other: [],
    });
    if (line.charge < 0n) throw wrongElement(segment, charge, "is below zero", "X12_AMOUNT_INVALID");
    if (line.quantity?.startsWith("-")) throw wrongElement(segment, quantity, "is below zero");
    return line;
  }

  private takeDrug(segment: Segment): boolean {
    if (segment.id === "LIN") {
      if (this.drug !== undefined || optional(segment, 1) !== undefined) return false;
      nothingBeyond(segment, 3);
      this.drug = { qualifier: required(segment, 2), code: required(segment, 3), references: [] };
      return true;
    }
    const { drug } = this;
    if (drug === undefined) return false;
    if (segment.id === "REF") {
      drug.references.push(readFields(segment, referenceLayout, this.currency, {}));
      return true;
    }
    if (segment.id !== "CTP" || drug.quantity !== undefined) return false;
    nothingBeyond(segment, 5);
    for (const at of [1, 2, 3])
      if (optional(segment, at) !== undefined) throw wrongElement(segment, at, "is not used by the guide");
    drug.quantity = required(segment, 4);
    if (!isDecimal(drug.quantity)) throw wrongElement(segment, 4, "is not a number such as 2 or 1.5");
    const [unit, ...more] = composite(segment, 5);
    if (more.length > 0) throw wrongElement(segment, 5, "has more than one component");
    if (unit !== undefined) drug.unit = unit;
    return true;
  }
}

/** Takes what says something of the claim or line itself; what it cannot hold is left to be kept as it stands. */
function takeOwn(
  segment: Segment,
  model: Pick<Building<Line837>, "dates" | "amounts" | "references">,
  currency: Currency,
): boolean {
  switch (segment.id) {
    case "DTP": {
      const period = periodOf(segment);
      if (period !== undefined) model.dates.push(period);
      return period !== undefined;
    }
    case "AMT":
      model.amounts.push(readFields(segment, amountLayout, currency, {}));
      return true;
    case "REF":
      // REF04 says whose number it is, of several payers.
      if (segment.parts.length - 1 > referenceLayout.last) return false;
      model.references.push(readFields(segment, referenceLayout, currency, {}));
      return true;
    default:
      return false;
  }
}

/** A DTP of whole days; nothing where it has hours, too. */
function periodOf(dtp: Segment): QualifiedPeriod | undefined {
  nothingBeyond(dtp, 3);
  const [qualifier, format, text] = [required(dtp, 1), required(dtp, 2), required(dtp, 3)];
  if (format !== "D8" && format !== "RD8") return undefined;
  const [start, end, ...more] = format === "RD8" ? text.split("-") : [text, text];
  if (start === undefined || end === undefined || more.length > 0)
    throw wrongElement(dtp, 3, "is not two dates such as 20260131-20260202");
  return { qualifier, start: dateOf(dtp, 3, start), end: dateOf(dtp, 3, end) };
}
