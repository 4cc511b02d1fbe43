import { CarepactError } from "../errors";

/** A day of the calendar as FHIR writes it, `YYYY-MM-DD`: no instant, and in no time zone. */
export type CalendarDate = string;

/** Birthday of who was born on 29 February, in years that have none. */
export type LeapDayBirthday = "02-28" | "03-01";

interface Day {
  year: number;
  month: number;
  day: number;
}

const FEBRUARY = 2;
const LEAP_DAY = 29;
const LONGEST_AGE = 150;

const isLeap = (year: number): boolean => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

const daysIn = (year: number, month: number): number =>
  month === FEBRUARY ? (isLeap(year) ? LEAP_DAY : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;

const written = ({ year, month, day }: Day): CalendarDate =>
  [String(year).padStart(4, "0"), String(month).padStart(2, "0"), String(day).padStart(2, "0")].join("-");

/** @throws INPUT_INVALID for days that the calendar does not have */
export function requireDate(value: unknown, path: string): CalendarDate {
  parse(value, path);
  return value as CalendarDate;
}

function parse(value: unknown, path: string): Day {
  const [, year, month, day] = (/^(\d{4})-(\d{2})-(\d{2})$/.exec(typeof value === "string" ? value : "") ?? []).map(
    Number,
  );
  if (year === undefined || month === undefined || day === undefined || year === 0)
    throw new CarepactError("INPUT_INVALID", `${path} is a day, as in 2010-05-17.`, { path });
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month))
    throw new CarepactError("INPUT_INVALID", `${path} is a day that the calendar does not have.`, { path });
  return { year, month, day };
}

/** The day on which somebody comes to be of an age. @throws INPUT_INVALID */
export function birthdayOf(birthDate: CalendarDate, age: number, leapDay: LeapDayBirthday): CalendarDate {
  const { year: born, month, day } = parse(birthDate, "birthDate");
  const year = born + age;
  if (month === FEBRUARY && day === LEAP_DAY && !isLeap(year)) return `${String(year).padStart(4, "0")}-${leapDay}`;
  return written({ year, month, day });
}

/** Full years on a day; nobody has any before the day of birth. @throws INPUT_INVALID */
export function ageOn(birthDate: CalendarDate, on: CalendarDate, leapDay: LeapDayBirthday): number {
  const day = requireDate(on, "on");
  if (day < requireDate(birthDate, "birthDate"))
    throw new CarepactError("INPUT_INVALID", "The day lies before the birth.", { path: "birthDate" });
  const years = Number(day.slice(0, 4)) - Number(birthDate.slice(0, 4));
  if (years > LONGEST_AGE)
    throw new CarepactError("INPUT_INVALID", "Nobody is that old: is it the right century?", { path: "birthDate" });
  return birthdayOf(birthDate, years, leapDay) <= day ? years : years - 1;
}

/** The day that it is in a time zone (IANA). @throws RangeError for a zone that nobody knows */
export function dayIn(timeZone: string, unixSeconds: number): CalendarDate {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    calendar: "gregory",
    numberingSystem: "latn",
    year: "numeric",
    month: "numeric",
    day: "numeric",
  });
  const parts = new Map(format.formatToParts(unixSeconds * 1000).map(({ type, value }) => [type as string, value]));
  const [year, month, day] = ["year", "month", "day"].map((name) => Number(parts.get(name))) as [
    number,
    number,
    number,
  ];
  return written({ year, month, day });
}

const DAY = 24 * 60 * 60;

/** The first second of a day in a time zone, unix seconds; also where clocks are put forward over midnight. */
export function firstSecondOf(date: CalendarDate, timeZone: string): number {
  const midnight = Date.parse(`${requireDate(date, "date")}T00:00:00Z`) / 1000;
  // No zone is further than 14 hours from UTC, nor was any further than 16.
  let [before, since] = [midnight - DAY, midnight + DAY];
  while (since - before > 1) {
    const middle = Math.floor((before + since) / 2);
    if (dayIn(timeZone, middle) < date) before = middle;
    else since = middle;
  }
  return since;
}
