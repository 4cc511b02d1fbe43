import { nothingBeyond, optional, required } from "./elements";
import { wrong, wrongElement, type Segment } from "./segment";

/** HL03: billing provider, subscriber, patient. */
export type LevelCode = "20" | "22" | "23";

interface Level {
  hl: Segment;
  /** HL01. */
  number: string;
  /** HL04 is 1. */
  promises: boolean;
  hasChildren: boolean;
}

const parentOf = { "20": undefined, "22": "20", "23": "22" } as const;

/** Checks HL: numbered from one without gaps, each below the last one of the level above it. */
export class Hierarchy {
  private count = 0;
  private levels: Partial<Record<LevelCode, Level>> = {};

  /** The level that an HL begins. @throws X12_HIERARCHY_INVALID */
  open(hl: Segment): LevelCode {
    nothingBeyond(hl, 4);
    this.count += 1;
    const number = required(hl, 1);
    if (number !== String(this.count)) throw invalid(hl, 1, `is to be ${this.count}: HLs are numbered from one`);
    const code = required(hl, 3);
    if (code !== "20" && code !== "22" && code !== "23") throw invalid(hl, 3, "is not 20, 22 or 23");
    const promise = required(hl, 4);
    if (promise !== "0" && promise !== "1") throw invalid(hl, 4, "is not 0 or 1");

    const parent = parentOf[code];
    const above = parent === undefined ? undefined : this.levels[parent];
    if (parent !== undefined && above === undefined) throw invalid(hl, 3, `comes before any HL of level ${parent}`);
    if (optional(hl, 2) !== above?.number)
      throw invalid(hl, 2, above === undefined ? "is to be empty" : `is to be ${above.number}, the HL it stands below`);
    if (above !== undefined) {
      if (!above.promises) throw invalid(hl, 2, `names an HL that says it has none below it`);
      above.hasChildren = true;
    }
    this.close(code);
    this.levels[code] = { hl, number, promises: promise === "1", hasChildren: false };
    return code;
  }

  /** Ends the levels from this one down. @throws X12_HIERARCHY_INVALID where one said there would be others below it. */
  close(from: LevelCode): void {
    for (const code of ["20", "22", "23"] as const) {
      const level = this.levels[code];
      if (code < from || level === undefined) continue;
      if (level.promises && !level.hasChildren)
        throw wrong("X12_HIERARCHY_INVALID", level.hl, "HL04 is 1, but no HL stands below it", { element: "HL04" });
      this.levels[code] = undefined;
    }
  }
}

const invalid = (hl: Segment, at: number, problem: string): Error =>
  wrongElement(hl, at, problem, "X12_HIERARCHY_INVALID");
