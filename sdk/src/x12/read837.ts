import type { Currency } from "../money";

import { ClaimReader } from "./claims837";
import { required } from "./elements";
import type { SetHead } from "./envelope";
import { readFields, type Simple } from "./fields";
import { Hierarchy, type LevelCode } from "./hierarchy837";
import { beginningLayout, kept837, kinds837, roles837, type Beginning837 } from "./layout837";
import { beginParty, takeInParty, type PartyBuilding } from "./parties837";
import { keep, wrong, wrongElement, type Segment } from "./segment";
import type { RawSegment } from "./types";
import type { BillingProvider837, Claim837, Patient837, Submission837, Subscriber837 } from "./types837";

/** What stands in one HL, or before the first. */
interface Section {
  code: "head" | LevelCode;
  parties: PartyBuilding[];
  other: RawSegment[];
}

/** What claims of one HL have in common. */
type Surroundings = Pick<Claim837, "submission" | "billingProvider" | "subscriber" | "patient">;

const SET_PURPOSE = "0019";

/** Reads one set of claims after the other, segment by segment from ST to SE. */
export class Reader837 {
  private head: SetHead | undefined;
  private beginning: Simple<Beginning837> | undefined;
  private hierarchy = new Hierarchy();
  private sections: Partial<Record<Section["code"], Section>> = {};
  private section: Section | undefined;
  /** Of the HL that is read; made with its first claim. */
  private surroundings: Surroundings | undefined;
  private claim: ClaimReader | undefined;

  constructor(private readonly currency: Currency) {}

  /** Takes the next segment; gives the claim that ends with it. */
  take(segment: Segment, setHead: () => SetHead): Claim837[] {
    switch (segment.id) {
      case "ST":
        this.begin(setHead());
        return [];
      case "HL":
        return this.leaving(segment, () => this.beginLevel(segment));
      case "CLM":
        return this.leaving(segment, () => this.beginClaim(segment));
      case "SE":
        return this.leaving(segment, () => this.end(segment));
      default:
        if (!(this.claim === undefined ? this.takeInSection(segment) : this.claim.take(segment)))
          throw this.unexpected(segment);
        return [];
    }
  }

  private begin(head: SetHead): void {
    this.head = head;
    this.hierarchy = new Hierarchy();
    this.section = { code: "head", parties: [], other: [] };
    this.sections = { head: this.section };
    this.beginning = this.surroundings = this.claim = undefined;
  }

  /** Hands out the claim that ends here before going on. */
  private leaving(next: Segment, goOn: () => void): Claim837[] {
    const claim = this.claim?.finish(next);
    const { surroundings } = this;
    this.claim = undefined;
    goOn();
    return claim === undefined ? [] : [{ ...claim, ...(surroundings as Surroundings) }];
  }

  private beginLevel(hl: Segment): void {
    const code = this.hierarchy.open(hl);
    this.section = { code, parties: [], other: [] };
    this.sections[code] = this.section;
    this.surroundings = undefined;
  }

  private beginClaim(clm: Segment): void {
    const code = this.section?.code;
    if (code !== "22" && code !== "23")
      throw wrong("X12_HIERARCHY_INVALID", clm, "a claim stands below the HL of a subscriber (22) or patient (23)");
    this.surroundings ??= this.surroundingsOf(clm, code);
    this.claim = new ClaimReader(clm, this.kind(), this.currency);
  }

  private end(se: Segment): void {
    if (this.sections["20"] === undefined)
      throw wrong("X12_SEGMENT_MISSING", se, "the guide requires HL before it", { missing: "HL" });
    this.hierarchy.close("20");
  }

  private kind(): Claim837["kind"] {
    const { version } = (this.head as SetHead).envelope.group;
    return kinds837[version as keyof typeof kinds837];
  }

  private takeInSection(segment: Segment): boolean {
    const section = this.section as Section;
    if (section.code === "head" && this.beginning === undefined) {
      if (segment.id !== "BHT") throw this.missing(segment, "BHT");
      this.beginning = readFields(segment, beginningLayout, this.currency, {});
      if (this.beginning.structure !== SET_PURPOSE) throw wrongElement(segment, 1, `is not ${SET_PURPOSE}`);
      return true;
    }
    if (segment.id === "NM1") {
      const roles: readonly string[] = roles837[section.code];
      if (!roles.includes(required(segment, 1)))
        throw wrongElement(segment, 1, `is none of ${roles.join(", ")}, who can stand here`, "X12_SEGMENT_UNEXPECTED");
      section.parties.push(beginParty(segment, this.currency));
      return true;
    }
    if (segment.id === "CUR") this.requireCurrency(segment);
    const party = section.parties[section.parties.length - 1];
    if (party !== undefined) return takeInParty(segment, party, this.currency);
    return section.code !== "head" && keep(segment, kept837[section.code], section.other);
  }

  private requireCurrency(cur: Segment): void {
    const { code } = this.currency;
    if (required(cur, 2) !== code)
      throw wrongElement(cur, 2, `is not ${code}; read the file with its own currency`, "CURRENCY_MISMATCH", {
        expected: code,
      });
  }

  private surroundingsOf(clm: Segment, code: "22" | "23"): Surroundings {
    const party = (level: Section["code"], role: string): PartyBuilding => {
      const found = this.sections[level]?.parties.find((entry) => entry.role === role);
      if (found === undefined) throw this.missing(clm, `NM1*${role}`);
      return found;
    };
    const other = (level: LevelCode): RawSegment[] => (this.sections[level] as Section).other;
    const provider = party("20", "85");
    const payer = this.sections["22"]?.parties.find(({ role }) => role === "PR");
    const billingProvider: BillingProvider837 = {
      party: provider,
      ...(provider.idQualifier === "XX" && provider.id !== undefined ? { npi: provider.id } : {}),
      payTo: this.sections["20"]?.parties.filter(({ role }) => role !== "85") ?? [],
      other: other("20"),
    };
    const subscriber: Subscriber837 = {
      party: party("22", "IL"),
      ...(payer === undefined ? {} : { payer }),
      other: other("22"),
    };
    const patient: Patient837 | undefined =
      code === "23" ? { party: party("23", "QC"), other: other("23") } : undefined;
    return {
      submission: this.submission(party("head", "41"), party("head", "40")),
      billingProvider,
      subscriber,
      ...(patient === undefined ? {} : { patient }),
    };
  }

  private submission(submitter: PartyBuilding, receiver: PartyBuilding): Submission837 {
    const { purpose, reference, date, time, type } = this.beginning as Beginning837;
    return { ...(this.head as SetHead), purpose, reference, date, time, type, submitter, receiver };
  }

  private missing(before: Segment, id: string): Error {
    return wrong("X12_SEGMENT_MISSING", before, `the guide requires ${id} before it`, { missing: id });
  }

  private unexpected(segment: Segment): Error {
    const where =
      this.claim !== undefined ? "in a claim" : `in ${this.section?.code === "head" ? "the head" : "this HL"}`;
    return wrong("X12_SEGMENT_UNEXPECTED", segment, `${segment.id} has no place ${where}`);
  }
}
