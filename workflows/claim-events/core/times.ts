/** First and last second that a FHIR date or dateTime may mean, in unix seconds. */
export interface Moments {
  first: number;
  last: number;
}

const FHIR_TIME =
  /^([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2}))?)?)?$/;

/**
 * When a FHIR date or dateTime was. A date without a time may be any moment of the day, by UTC. Read by hand, since
 * engines differ in what their Date takes.
 * @returns undefined for what is no FHIR date
 */
export function momentsOf(text: string): Moments | undefined {
  const match = FHIR_TIME.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, zone] = match;
  const at = (monthIndex: number, date: number, ...time: number[]): number =>
    Math.floor(Date.UTC(Number(year), monthIndex, date, ...time) / 1000);
  if (month === undefined) return { first: at(0, 1), last: at(12, 1) - 1 };
  const monthIndex = Number(month) - 1;
  if (day === undefined) return { first: at(monthIndex, 1), last: at(monthIndex + 1, 1) - 1 };
  if (hour === undefined) return { first: at(monthIndex, Number(day)), last: at(monthIndex, Number(day) + 1) - 1 };
  const moment = at(monthIndex, Number(day), Number(hour), Number(minute), Number(second)) - secondsOfZone(zone ?? "Z");
  return { first: moment, last: moment };
}

function secondsOfZone(zone: string): number {
  if (zone === "Z") return 0;
  const seconds = Number(zone.slice(1, 3)) * 3600 + Number(zone.slice(4)) * 60;
  return zone.startsWith("-") ? -seconds : seconds;
}

/** The day that a FHIR dateTime names where it was written, which is what a claim's date of service means. */
export const dayOf = (text: string | undefined): string | undefined =>
  text === undefined || text.length < "2026-01-31".length ? undefined : text.slice(0, "2026-01-31".length);
