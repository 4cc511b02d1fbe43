import { anyResourceType, anySensitivity, type CategoryCode } from "../codes";
import { resourceTypeList, sensitivityList } from "../codes/lists";
import { CarepactError, isCarepactError } from "../errors";

import {
  ageOn,
  birthdayOf,
  dayIn,
  firstSecondOf,
  requireDate,
  type CalendarDate,
  type LeapDayBirthday,
} from "./calendar";

/**
 * What the law of a place says of minors. None is built in: a custodian has its lawyers write it down, and tests it. Ages
 * are full years, reached at the first second of the birthday.
 */
export interface MinorRules {
  /** Whose law it is, for people: "CA-ON". */
  jurisdiction: string;
  /** From this age on nobody acts for the patient by these rules. */
  majorityAge: number;
  /** To what a minor may consent alone, and from which age on. A representative neither grants nor sees it. */
  ownConsent: readonly { age: number; categories: readonly CategoryCode[] }[];
  /** In which days begin: an IANA zone, such as "America/Toronto". */
  timeZone: string;
  /** When who was born on 29 February has birthday in other years: "02-28" unless given, the day on which less is open to the parent. */
  leapDayBirthday?: LeapDayBirthday;
}

/** What a minor's representative may have at a moment. */
export interface MinorScope {
  /** Full years. */
  age: number;
  /** Bit set: all that a representative's mandate may cover. */
  categories: bigint;
  /** Bit set: what the representative does not see, log included, and what is above it, as it may be of this kind. */
  hidden: bigint;
  /** Unix seconds: the next birthday on which the rules say otherwise. A mandate ends then at the latest. */
  until: number;
}

const OLDEST = 40;

/** Checks rules as they were configured, for instance as JSON. @throws MINOR_RULES_INVALID */
export function requireMinorRules(rules: MinorRules): MinorRules {
  const { jurisdiction, majorityAge, ownConsent, timeZone, leapDayBirthday } = (rules ?? {}) as Partial<MinorRules>;
  if (typeof jurisdiction !== "string" || jurisdiction === "") throw invalid("jurisdiction", "is a text.");
  if (!isAge(majorityAge)) throw invalid("majorityAge", `is a whole number of years, 1 to ${OLDEST}.`);
  if (!Array.isArray(ownConsent)) throw invalid("ownConsent", "is a list; an empty one where there is no such thing.");
  (ownConsent as unknown[]).forEach((entry, i) => {
    const { age, categories } = (entry ?? {}) as Partial<MinorRules["ownConsent"][number]>;
    const path = `ownConsent[${i}]`;
    if (!isAge(age) || age >= majorityAge)
      throw invalid(`${path}.age`, "is a whole number of years below majorityAge.");
    if (!Array.isArray(categories) || categories.length === 0) throw invalid(`${path}.categories`, "names none.");
    try {
      bitsWithAbove(categories as CategoryCode[]);
    } catch (thrown) {
      if (!isCarepactError(thrown, "CODE_UNKNOWN")) throw thrown;
      throw invalid(`${path}.categories`, "names what is no category.", thrown);
    }
  });
  try {
    if (typeof timeZone !== "string") throw new RangeError();
    dayIn(timeZone, 0);
  } catch (thrown) {
    throw invalid("timeZone", "is a zone of the IANA database, such as America/Toronto.", thrown);
  }
  if (leapDayBirthday !== undefined && leapDayBirthday !== "02-28" && leapDayBirthday !== "03-01")
    throw invalid("leapDayBirthday", "is 02-28 or 03-01.");
  return rules;
}

const isAge = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= OLDEST;

const invalid = (path: string, problem: string, cause?: unknown): CarepactError =>
  new CarepactError("MINOR_RULES_INVALID", `${path} ${problem}`, { path }, cause);

/** Bits of categories, of what is below them, and of what is above: a general label may stand for the special kind. */
const bitsWithAbove = (categories: readonly CategoryCode[]): bigint => {
  const labels = categories.filter((code) => sensitivityList.has(code));
  const types = categories.filter((code) => !sensitivityList.has(code));
  return sensitivityList.lineageOf(labels) | resourceTypeList.lineageOf(types);
};

/**
 * What a minor's representative may have, and until when that holds. Undefined for who is of age.
 * @param at Unix seconds
 * @throws MINOR_RULES_INVALID, INPUT_INVALID for a day of birth that is none, or to come
 */
export function minorScope(rules: MinorRules, birthDate: CalendarDate, at: number): MinorScope | undefined {
  const { majorityAge, ownConsent, timeZone, leapDayBirthday = "02-28" } = requireMinorRules(rules);
  requireDate(birthDate, "birthDate");
  if (!Number.isSafeInteger(at)) throw new CarepactError("INPUT_INVALID", "at is in unix seconds.", { path: "at" });
  const age = ageOn(birthDate, dayIn(timeZone, at), leapDayBirthday);
  if (age >= majorityAge) return undefined;
  const own = ownConsent.filter((entry) => entry.age <= age).flatMap(({ categories }) => categories);
  const hidden = bitsWithAbove(own);
  // Where something is hidden, so are labels that HL7 adds later: one of them may lie below it.
  const labels = (hidden & anySensitivity) === 0n ? anySensitivity : sensitivityList.assigned;
  const types = (hidden & anyResourceType) === 0n ? anyResourceType : resourceTypeList.assigned;
  const next = Math.min(majorityAge, ...ownConsent.map((entry) => entry.age).filter((threshold) => threshold > age));
  return {
    age,
    categories: (labels | types) & ~hidden,
    hidden,
    until: firstSecondOf(birthdayOf(birthDate, next, leapDayBirthday), timeZone),
  };
}
